"""The asset register beside what was seen: what is missing from either, and what grows old.

Its rows also make a table of their own, for the person who keeps the register.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from nethealth.model.inventory import Asset
from reports.buildings import SOON, today
from reports.citing import figure, known
from reports.document import Block, Cell, Column, Figure, KeyValues, Mark, Paragraph, Table
from reports.reconciled import Both, Reconciled, reconcile
from reports.sightings import Seen, mac_of
from reports.view import View
from reports.words import count, listed

COLUMNS = (
    "state", "asset", "name", "site", "kind", "owner", "address", "mac", "model in register",
    "model seen", "maker seen", "firmware seen", "serial seen", "installed", "end of support",
    "matched by", "told by", "observations",
)  # fmt: skip
OLD_YEARS = 10  # from here on a device is named for its age
_TOLD = 10  # rows in a terminal
_RULE = (
    "A device is matched with a line of the register by MAC address, else by IP address, else by "
    "name without its domain. Devices that only pass through a switch are counted, not named: "
    "computers are among them."
)


def register_blocks(view: View) -> tuple[Block, ...]:
    """The comparison; nothing for a check of single targets, or without a register."""
    if not view.record.inventory.asset or view.record.run.kind == "check":
        return ()
    found = reconcile(view)
    tables = (
        _strangers(view, found),
        _missing(view, found),
        _differences(view, found),
        _census(view, found),
        _old(view),
    )
    return (
        Paragraph(_RULE),
        KeyValues(tuple(_counts(view, found))),
        *(table for table in tables if table is not None),
    )


def register_rows(view: View) -> list[dict[str, str]]:
    """Every asset and every stranger as a row of text, strangers first."""
    found = reconcile(view)
    both = {one.asset.id: one for one in reversed(found.both)}  # who told of it first
    missing = {one.asset.id: one for one in found.missing}
    rows = [_row("seen, not in the register", None, seen, "") for seen in found.strangers]
    for asset in view.record.inventory.asset:
        if asset.id in missing:
            lacking = missing[asset.id]
            row = _row("in the register, not seen", asset, None, lacking.why)
            row["observations"] = ", ".join(one.id for one in lacking.observations)
        elif asset.id in both:
            row = _row("in both", asset, both[asset.id].seen, both[asset.id].by)
        else:
            row = _row("in both", asset, None, "it answered, or a table names it")
        rows.append(row)
    return rows


def _row(state: str, asset: Asset | None, seen: Seen | None, by: str) -> dict[str, str]:
    row = dict.fromkeys(COLUMNS, "") | {"state": state, "matched by": by}
    if seen is not None:
        row |= {
            "name": seen.name, "site": seen.site or "", "address": seen.address, "mac": seen.mac,
            "model seen": seen.model, "maker seen": seen.maker, "firmware seen": seen.firmware,
            "serial seen": seen.serial, "told by": "; ".join(seen.told_by),
            "observations": ", ".join(one.id for one in seen.observations),
        }  # fmt: skip
    if asset is not None:
        row |= {
            "asset": asset.id, "name": asset.name or row["name"], "site": asset.site,
            "kind": asset.kind, "owner": asset.owner or "",
            "address": asset.address or row["address"], "mac": mac_of(asset.mac) or row["mac"],
            "model in register": asset.model or "",
            "installed": str(asset.installed or ""),
            "end of support": asset.end_of_support.isoformat() if asset.end_of_support else "",
        }  # fmt: skip
    return row


def _counts(view: View, found: Reconciled) -> Iterator[tuple[str, str]]:
    total = len(view.record.inventory.asset)
    yield "In the register", f"{count(total, 'device')}, of which {found.present:,} were seen"
    told = len(found.found.devices)
    yield (
        "Introduced themselves",
        f"{count(told, 'device')} by LLDP or CDP, {len(found.strangers):,} of them not in the "
        "register"
        if told
        else "none: no switch was read, and no capture held LLDP or CDP",
    )
    own = {mac_of(asset.mac) for asset in view.record.inventory.asset} - {""}
    passing = set(found.found.learned) - own - {seen.mac for seen in found.found.devices}
    if found.found.learned:
        yield (
            "Learned by switches",
            f"{count(len(found.found.learned), 'MAC address', 'MAC addresses')}, {len(passing):,} "
            "of which no line of the register has",
        )
    yield from _by_dhcp(view)


def _by_dhcp(view: View) -> Iterator[tuple[str, str]]:
    """Telephones that asked for an address in a capture: how many, beside the register's."""
    asked = [one for one in view.record.observations if one.name == "dhcp_phone_client_count"]
    if not asked:
        return
    parts = []
    for one in asked:
        vlan = one.method.get("vlan")
        kinds = one.method.get("kinds")
        named = [str(kind) for kind in kinds] if isinstance(kinds, list | tuple) else []
        where = "outside any VLAN" if vlan is None else f"in VLAN {vlan}"
        parts.append(f"{one.value} {where} ({listed(named, 3) if named else 'of no known kind'})")
    phones = sum(asset.kind == "phone" for asset in view.record.inventory.asset)
    yield (
        "Telephones that asked by DHCP",
        f"{'; '.join(parts)} [{asked[0].id}]; the register has {count(phones, 'telephone')}",
    )


def _strangers(view: View, found: Reconciled) -> Table | None:
    ordered = sorted(
        found.strangers, key=lambda seen: (not seen.telephone, seen.site or "", seen.name, seen.mac)
    )
    rows = tuple(
        (
            figure(seen.name or seen.mac or "a device without a name", seen.observations),
            "telephone" if seen.telephone else "other",
            view.site_name(seen.site) if seen.site else "–",
            seen.mac or "–",
            seen.address or "–",
            " ".join(filter(None, (seen.maker, seen.model))) or "–",
            listed(list(seen.told_by), 2),
        )
        for seen in ordered
    )
    columns = (
        Column("Device"), Column("Kind"), Column("Site"), Column("MAC address", optional=True),
        Column("IP address", optional=True), Column("Says it is"), Column("Told by"),
    )  # fmt: skip
    return _table("Seen, and not in the register", columns, rows)


def _missing(view: View, found: Reconciled) -> Table | None:
    rows = tuple(
        (
            view.asset_name(one.asset.id),
            view.site_name(one.asset.site),
            one.asset.kind,
            one.asset.owner or "nobody",
            figure(one.why, one.observations),
        )
        for one in found.missing
    )
    columns = (
        Column("Asset"), Column("Site"), Column("Kind", optional=True), Column("Owner"),
        Column("Why it was not seen"),
    )  # fmt: skip
    return _table("In the register, and not seen", columns, rows)


def _differences(view: View, found: Reconciled) -> Table | None:
    rows = tuple(
        (
            view.asset_name(one.asset.id), view.site_name(one.asset.site), one.by, what, registered,
            figure(said, one.seen.observations),
        )
        for one in found.both
        for what, registered, said in _differing(one)
    )  # fmt: skip
    columns = (
        Column("Asset"), Column("Site"), Column("Known by", optional=True), Column("What"),
        Column("Register"), Column("Device itself"),
    )  # fmt: skip
    return _table("The register and the device say different things", columns, rows)


def _differing(one: Both) -> Iterator[tuple[str, str, str]]:
    """What both name, and name differently; a part of the other's words is no difference."""
    asset, seen = one.asset, one.seen
    for what, registered, said in (
        ("MAC address", mac_of(asset.mac), seen.mac),
        ("IP address", asset.address or "", seen.address),
        ("model", asset.model or "", seen.model),
        ("maker", asset.vendor or "", seen.maker),
    ):
        ours, theirs = _letters(registered), _letters(said)
        if ours and theirs and ours not in theirs and theirs not in ours:
            yield what, registered, said


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _census(view: View, found: Reconciled) -> Table | None:
    """How many devices of each model and firmware there are, as they say themselves."""
    groups: dict[tuple[str, str, str], list[Seen]] = defaultdict(list)
    answers = (one.seen for one in found.both if one.by == "its own answer")
    for seen in (*found.found.devices, *answers):
        if seen.model:
            groups[seen.maker, seen.model, seen.firmware].append(seen)
    rows: list[tuple[Cell, ...]] = []
    for (maker, model, firmware), devices in sorted(
        groups.items(), key=lambda pair: (-len(pair[1]), pair[0])
    ):
        sites = Counter(seen.site for seen in devices)
        names = [view.site_name(site) for site in sites if site is not None]
        rows.append(
            (
                " ".join(filter(None, (maker, model))),
                firmware or "not said",
                figure(f"{len(devices):,}", [seen.observations[-1] for seen in devices]),
                listed(names, 4) if names else "–",
            )
        )
    columns = (
        Column("Model"), Column("Firmware"), Column("Devices", numeric=True), Column("Sites"),
    )  # fmt: skip
    return _table("Models and firmware, as the devices say", columns, rows)


def _old(view: View) -> Table | None:
    """What is old, out of support or soon so, or was found to speak without security."""
    day = today(view)
    insecure: dict[str, tuple[str, ...]] = {}
    for finding in view.findings:
        if finding.code == "obsolete-security" and finding.asset is not None:
            keys = known(view, finding.evidence)
            insecure[finding.asset] = (*insecure.get(finding.asset, ()), *keys)
    told: list[tuple[int, tuple[Cell, ...]]] = []
    for asset in view.record.inventory.asset:
        end, age = asset.end_of_support, _age(day.year, asset)
        over, soon = end is not None and end < day, end is not None and day <= end <= day + SOON
        if not (over or soon or age >= OLD_YEARS or asset.id in insecure):
            continue
        support: Cell = "not known" if end is None else f"{end:%-d %b %Y}"
        if over:
            support = Mark("warning", f"over since {support}")
        cites = insecure.get(asset.id)
        security: Cell = "–"
        if cites is not None:
            security = Figure("found", cites) if cites else "found"
        told.append(
            (
                -age,
                (
                    view.asset_name(asset.id), view.site_name(asset.site),
                    "not known" if asset.installed is None else f"{asset.installed} ({age} years)",
                    support, security, asset.owner or "nobody",
                ),
            )
        )  # fmt: skip
    columns = (
        Column("Asset"), Column("Site"), Column("Installed"), Column("Maker's support until"),
        Column("Obsolete security"), Column("Owner"),
    )  # fmt: skip
    rows = [row for _, row in sorted(told, key=lambda pair: pair[0])]
    caption = f"Installed {OLD_YEARS} years ago or more, out of support within a year, or insecure"
    return _table(caption, columns, rows)


def _age(year: int, asset: Asset) -> int:
    return max(0, year - asset.installed) if asset.installed is not None else 0


def _table(
    caption: str, columns: tuple[Column, ...], rows: Sequence[tuple[Cell, ...]]
) -> Table | None:
    """None without rows; a terminal shows the first of them."""
    if not rows:
        return None
    left = len(rows) - _TOLD
    rest = f"and {left:,} more, in the formats html, pdf, docx and xlsx" if left > 0 else ""
    titled = f"{caption}: {len(rows):,}"
    return Table(titled, columns, tuple(rows), _TOLD, rest)
