"""What one key alone cannot show: ids that clash, references to nothing, checks that cannot be.

All of it works on the plain TOML document, not on the parsed dataclasses, so that these errors
are listed together with those of the keys. A value of the wrong type is passed over here: the
model has already reported it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import available_timezones

from nethealth.inventory import addresses, hours
from nethealth.inventory.faults import nearest, shown
from nethealth.inventory.kinds import DNS_RECORD_TYPES, WITNESSED_KINDS, probe_kinds
from nethealth.inventory.lines import Path
from nethealth.inventory.loads import LOADS, Line, LoadLimits, load_troubles, loads_of
from nethealth.inventory.toml import Trouble
from nethealth.model.check import (
    CALL_OVERHEAD_S,
    NAT_OVERHEAD_S,
    PingParameters,
    coexistence_s,
)
from nethealth.model.inventory import CallOptions, CoexistenceOptions, NatOptions, SweepSettings

Table = Mapping[str, Any]

_DEFAULTS = SweepSettings()
_CALL = CallOptions(number="")
_COEXISTENCE = CoexistenceOptions()
_NAT = NatOptions()
_PING_TIMEOUT_MS = PingParameters(host="").timeout_s * 1000
_NEEDED_KEYS = {"tcp": "ports", "dns": "names", "call": "number", "snmp": "version"}
_TIMEOUTS_S = ("tcp", "dns", "http", "sip")  # kinds whose table has `timeout_s`


def inconsistencies(document: Table) -> Iterator[Trouble]:
    """Every error that lies between keys, or in the meaning of a text."""
    yield from _ids(document)
    yield from _references(document)
    yield from _vantage(document)
    for index, site in _rows(document, "site"):
        yield from _text(("site", index, "gateway"), site, addresses.check_host,
                         addresses.HOST_WORDS)  # fmt: skip
    for index, blackout in _rows(document, "blackout"):
        yield from _text(("blackout", index, "days"), blackout, hours.weekdays, hours.DAYS_WORDS)
    sweep = document.get("sweep")
    sweep = sweep if isinstance(sweep, dict) else {}
    yield from _ping_fits(("sweep", "ping_count"), sweep, {})
    for index, asset in _rows(document, "asset"):
        yield from _asset(("asset", index), asset, sweep)
        yield from _load(("asset", index, "coexistence"), document, asset, sweep)


def _rows(document: Table, key: str) -> Iterator[tuple[int, Table]]:
    rows = document.get(key)
    if isinstance(rows, list):
        yield from ((index, row) for index, row in enumerate(rows) if isinstance(row, dict))


def _text(
    path: Path, table: Table, check: Callable[[str], object], words: str
) -> Iterator[Trouble]:
    """A trouble if the text at the path's last key does not pass the check."""
    value = table.get(str(path[-1]))
    if not isinstance(value, str):
        return
    try:
        check(value)
    except ValueError as error:
        yield path, _refused(value, error), words


def _refused(value: str, error: ValueError) -> str:
    """The value and why not; without the value where a password stands in it."""
    return str(error) if "password" in str(error) else f"{shown(value)} ({error})"


def _known_ids(document: Table, key: str) -> dict[str, int]:
    known: dict[str, int] = {}
    for index, row in _rows(document, key):
        if isinstance(row.get("id"), str):
            known.setdefault(row["id"], index)
    return known


def _ids(document: Table) -> Iterator[Trouble]:
    sites = _known_ids(document, "site")
    for key in ("council", "site", "asset", "line"):
        first = _known_ids(document, key)
        for index, row in _rows(document, key):
            found = row.get("id")
            if not isinstance(found, str):
                continue
            if first[found] != index:
                yield (
                    (key, index, "id"),
                    f"{shown(found)}, which {key}[{first[found] + 1}] has already",
                    f"an id that no other {key} has",
                )
            if key == "asset" and found in sites:
                yield (
                    (key, index, "id"),
                    f"{shown(found)}, which site[{sites[found] + 1}] has too",
                    "an id that no site has, because a target may name either",
                )


def _references(document: Table) -> Iterator[Trouble]:
    councils = _known_ids(document, "council")
    sites = _known_ids(document, "site")
    for key, field, known in (
        ("site", "council", councils),
        ("blackout", "site", sites),
        ("asset", "site", sites),
        ("line", "site", sites),
    ):
        for index, row in _rows(document, key):
            yield from _reference((key, index, field), row.get(field), known, field)
    vantage = document.get("vantage")
    if isinstance(vantage, dict):
        yield from _reference(("vantage", "site"), vantage.get("site"), sites, "site")


def _reference(path: Path, found: object, known: Mapping[str, int], what: str) -> Iterator[Trouble]:
    if isinstance(found, str) and found not in known:
        some = ", ".join(map(shown, list(known)[:10])) + (", …" if len(known) > 10 else "")
        words = f"the id of a {what}" + (f": {some}" if known else f", and there is no [[{what}]]")
        yield path, shown(found) + nearest(found, known), words


def _vantage(document: Table) -> Iterator[Trouble]:
    vantage = document.get("vantage")
    name = vantage.get("timezone") if isinstance(vantage, dict) else None
    if not isinstance(name, str):
        return
    try:
        hours.zone(name)
    except ValueError:
        hint = nearest(name, available_timezones())
        words = 'a time zone such as "Europe/London" or "UTC"'
        yield ("vantage", "timezone"), shown(name) + hint, words


def _asset(path: Path, asset: Table, sweep: Table) -> Iterator[Trouble]:
    yield from _text((*path, "address"), asset, addresses.check_host, addresses.HOST_WORDS)
    for kind in ("http", "sip", "dns", "call", "snmp", "nat"):
        if isinstance(asset.get(kind), dict):
            for (key, *rest), found, words in option_troubles(kind, asset[kind]):
                yield (*path, kind, key, *rest), found, words
    asset_kind, checks = asset.get("kind"), asset.get("checks")
    if not isinstance(asset_kind, str) or not (checks is None or _all_text(checks)):
        return
    tables = {key: value for key, value in asset.items() if isinstance(value, dict)}
    planned = probe_kinds(asset_kind, checks, tables)
    yield from _lacks(path, asset, planned, tables)
    if "ping" in planned and tables.get("ping"):
        yield from _ping_fits((*path, "ping"), sweep, tables["ping"])
    yield from _call_fits((*path, "call"), sweep, tables.get("call", {}))
    yield from _snmp_fits((*path, "snmp", "interval_s"), sweep, tables.get("snmp", {}))
    yield from _witnessed(path, asset_kind, planned)
    if "nat" in planned:
        yield from _nat_fits((*path, "nat"), sweep, tables.get("nat", {}))
    for probe in _TIMEOUTS_S:
        yield from _timeout_fits((*path, probe, "timeout_s"), sweep, tables.get(probe, {}))


def _all_text(checks: object) -> bool:
    return isinstance(checks, list) and all(isinstance(check, str) for check in checks)


def _lacks(
    path: Path, asset: Table, planned: Iterable[str], tables: Mapping[str, Table]
) -> Iterator[Trouble]:
    """Checks that lack what they are to be made of."""
    if "coexistence" in planned and "coexistence" not in asset:
        yield (
            (*path, "checks"),
            '"coexistence" without a table [asset.coexistence]',
            '"coexistence" together with [asset.coexistence], as a load must be meant',
        )
    for probe, key in _NEEDED_KEYS.items():
        if probe in planned and probe not in asset:
            yield (
                (*path, "checks"),
                f'"{probe}" without a table [asset.{probe}]',
                f'"{probe}" together with [asset.{probe}] and its key {key}',
            )
    needing = [
        probe
        for probe in planned
        if not (probe == "http" and tables.get("http", {}).get("url") is not None)
        and not (probe == "sip" and tables.get("sip", {}).get("uri") is not None)
        and probe != "call"  # its number says where it goes
    ]
    if needing and "address" not in asset:
        yield (
            (*path, "address"),
            "nothing",
            f"{addresses.HOST_WORDS}, needed by the checks {', '.join(needing)} (or checks = [])",
        )


def option_troubles(kind: str, options: Table) -> Iterator[Trouble]:
    """What is wrong in the meaning of one table of options; paths start at its keys."""
    if kind == "http":
        yield from _text(("url",), options, addresses.parse_http_url, addresses.HTTP_WORDS)
    if kind == "call":
        yield from _text(("number",), options, addresses.check_call_number, addresses.CALL_WORDS)
        yield from _account(options)
    if kind == "sip":
        yield from _sip(options)
        yield from _account(options)
    if kind == "dns":
        yield from _dns(options)
    if kind == "snmp":
        yield from _snmp(options)
    if kind == "nat":
        yield from _nat(options)


def _sip(options: Table) -> Iterator[Trouble]:
    uri, transport = options.get("uri"), options.get("transport")
    if not isinstance(uri, str):
        return
    try:
        own = addresses.parse_sip_uri(uri).transport
    except ValueError as error:
        yield ("uri",), _refused(uri, error), addresses.SIP_WORDS
        return
    if transport in ("udp", "tcp", "tls"):
        try:
            addresses.parse_sip_uri(uri, transport)
        except ValueError:
            words = f"{shown(own)}, as the uri has it, or a uri that leaves it open"
            yield ("transport",), shown(transport), words


def _account(options: Table) -> Iterator[Trouble]:
    """Half an account is a slip; a user name with a line break would be a header of its own."""
    username, password_env = options.get("username"), options.get("password_env")
    if password_env is not None and username is None:
        yield ("password_env",), "a password without a user name", "password_env beside username"
    if username is not None and password_env is None:
        yield ("username",), "a user name without a password", "username beside password_env"
    if options.get("test_account") is True and username is None:
        yield ("test_account",), "true without an account", "true beside username and password_env"
    if isinstance(username, str) and not (username.isprintable() and 0 < len(username) <= 128):
        yield ("username",), shown(username), "a user name of 1 to 128 printable characters"


_SNMP_SECRETS = {2: ("community_env",), 3: ("user_env", "auth_env", "priv_env")}


def _snmp(options: Table) -> Iterator[Trouble]:
    """Each version has secrets of its own, all of them needed, and none of the other's."""
    version = options.get("version")
    if version not in (2, 3):
        return
    for key in _SNMP_SECRETS[version]:
        if key not in options or options[key] is None:
            words = "the name of an environment variable, which holds the secret outside the file"
            yield (key,), f"nothing, with version = {version}", words
    for key in _SNMP_SECRETS[5 - version]:
        if options.get(key) is not None:
            yield (
                (key,),
                f"a secret of version {5 - version}",
                f"no such key with version {version}",
            )


def _dns(options: Table) -> Iterator[Trouble]:
    names, record_type = options.get("names"), options.get("record_type")
    if isinstance(names, list):
        for index, name in enumerate(names):
            if not isinstance(name, str):
                continue
            try:
                addresses.check_domain_name(name)
            except ValueError as error:
                yield ("names", index), _refused(name, error), addresses.NAME_WORDS
    if isinstance(record_type, str) and record_type not in DNS_RECORD_TYPES:
        yield ("record_type",), shown(record_type), ", ".join(map(shown, DNS_RECORD_TYPES))


def _nat(options: Table) -> Iterator[Trouble]:
    least_s = _number(options.get("least_s"), 0.0)
    most_s = _number(options.get("most_s"), _NAT.most_s)
    if least_s > most_s:
        key = "most_s" if "most_s" in options else "least_s"
        found = f"{least_s:g} s as the shortest silence and {most_s:g} s as the longest"
        yield (key,), found, "least_s of at most most_s"


def _witnessed(path: Path, asset_kind: str, planned: Iterable[str]) -> Iterator[Trouble]:
    """What asks the witness of our own reflector, of anything else."""
    kinds = [kind for kind in planned if kind in WITNESSED_KINDS]
    if kinds and asset_kind != "reflector":
        yield (
            (*path, "checks"),
            f"{' and '.join(map(shown, kinds))} of an asset of kind {shown(asset_kind)}",
            'these only of kind = "reflector", where `nethealth reflect --sip-port 5060` runs',
        )


def _number(value: object, default: float) -> float:
    """The value, if it is a number that the model would not refuse outright."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9:
        return value
    return default


def _ping_fits(path: Path, sweep: Table, ping: Table) -> Iterator[Trouble]:
    """A ping that its deadline would always cut short is no ping that anybody meant."""
    count = _number(ping.get("count", sweep.get("ping_count")), _DEFAULTS.ping_count)
    interval_ms = _number(
        ping.get("interval_ms", sweep.get("ping_interval_ms")), _DEFAULTS.ping_interval_ms
    )
    timeout_ms = _number(ping.get("timeout_ms"), _PING_TIMEOUT_MS)
    deadline_s = _number(sweep.get("deadline_s"), _DEFAULTS.deadline_s)
    needed_ms = count * interval_ms + timeout_ms
    if needed_ms > deadline_s * 1000:
        sum_words = f"{count:g} packets x {interval_ms:g} ms + {timeout_ms:g} ms wait"
        words = f"at most sweep.deadline_s = {deadline_s:g} s"
        yield path, f"{sum_words} = {needed_ms / 1000:g} s", words


def _call_fits(path: Path, sweep: Table, options: Table) -> Iterator[Trouble]:
    """A call that its deadline would always cut short."""
    if not options:
        return
    ring_s = _number(options.get("ring_timeout_s"), _CALL.ring_timeout_s)
    duration_s = _number(options.get("duration_s"), _CALL.duration_s)
    deadline_s = _number(sweep.get("deadline_s"), _DEFAULTS.deadline_s)
    needed_s = ring_s + duration_s + CALL_OVERHEAD_S
    if needed_s > deadline_s:
        found = f"{ring_s:g} s to ring + {duration_s:g} s + {CALL_OVERHEAD_S:g} s to hang up"
        words = f"at most sweep.deadline_s = {deadline_s:g} s"
        yield (*path, "duration_s"), f"{found} = {needed_s:g} s", words


def _load(path: Path, document: Table, asset: Table, sweep: Table) -> Iterator[Trouble]:
    """A load that is more than its site's line allows, or longer than its deadline."""
    options = asset.get("coexistence")
    if not isinstance(options, dict):
        return
    sites = {site.get("id"): site for _, site in _rows(document, "site")}
    site = sites.get(asset.get("site"))
    if site is None:
        return  # a reference to nothing, which is reported as such
    vantage = document.get("vantage")
    near = sites.get(vantage.get("site")) if isinstance(vantage, dict) else None
    limits = LoadLimits(
        shown(site.get("id")), _line(site), Line() if near is None or near is site else _line(near)
    )
    asked: dict[str, float | None] = {load: _rate(options.get(f"{load}_mbps")) for load in LOADS}
    for key, found, words in load_troubles(limits, options.get("direction"), asked):
        yield (*path, key) if key else path, found, words
    before_s, load_s, after_s = (
        _number(options.get(key), usual)
        for key, usual in (
            ("before_s", _COEXISTENCE.before_s),
            ("load_s", _COEXISTENCE.load_s),
            ("after_s", _COEXISTENCE.after_s),
        )
    )
    needed_s = coexistence_s(before_s, load_s, after_s, len(loads_of(options.get("direction"))))
    deadline_s = _number(sweep.get("deadline_s"), _DEFAULTS.deadline_s)
    if needed_s > deadline_s:
        words = f"at most sweep.deadline_s = {deadline_s:g} s"
        yield (*path, "load_s"), f"{needed_s:g} s in all, idle and loaded", words


def _line(site: Table) -> Line:
    return Line(_rate(site.get("wan_down_mbps")), _rate(site.get("wan_up_mbps")))


def _rate(value: object) -> float | None:
    return _number(value, 0.0) or None


def _snmp_fits(path: Path, sweep: Table, options: Table) -> Iterator[Trouble]:
    """Two readings so far apart that the second could never be made."""
    interval_s = _number(options.get("interval_s"), 0.0)
    deadline_s = _number(sweep.get("deadline_s"), _DEFAULTS.deadline_s)
    if interval_s > deadline_s / 2:
        words = f"at most half of sweep.deadline_s = {deadline_s:g} s"
        yield path, f"{interval_s:g} s", words


def _nat_fits(path: Path, sweep: Table, options: Table) -> Iterator[Trouble]:
    """Silences that the deadline would always cut short."""
    most_s = _number(options.get("most_s"), _NAT.most_s)
    deadline_s = _number(sweep.get("deadline_s"), _DEFAULTS.deadline_s)
    if most_s + NAT_OVERHEAD_S > deadline_s:
        found = f"silences of up to {most_s:g} s + {NAT_OVERHEAD_S:g} s"
        words = f"at most sweep.deadline_s = {deadline_s:g} s; raise that, or lower most_s"
        yield (*path, "most_s"), f"{found} = {most_s + NAT_OVERHEAD_S:g} s", words


def _timeout_fits(path: Path, sweep: Table, options: Table) -> Iterator[Trouble]:
    deadline_s = _number(sweep.get("deadline_s"), _DEFAULTS.deadline_s)
    timeout_s = _number(options.get("timeout_s"), 0.0)
    if timeout_s > deadline_s:
        yield path, f"{timeout_s:g} s", f"at most sweep.deadline_s = {deadline_s:g} s"
