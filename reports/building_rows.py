"""One line for each thing that a site may hang on, from its ways out to its oldest device."""

from collections.abc import Iterator, Sequence

from nethealth.model.observation import Observation
from reports.building_care import (
    age,
    cooling,
    monitored,
    owners,
    public_lines,
    support,
    temperature,
)
from reports.buildings import (
    LISTED_MOST,
    NONE,
    ONE,
    SEVERAL,
    UNKNOWN,
    Known,
    Place,
    asset_line,
    asset_of,
    not_given,
    site_line,
)
from reports.document import Mark
from reports.figures import is_number, number_of
from reports.summary import duration
from reports.view import View
from reports.words import count, listed, number, observed, percent


def rows(view: View, place: Place) -> Iterator[Known]:
    """Everything that is known of a site, and what is not, in a fixed order."""
    yield _way_out(view, place)
    yield _router(view, place)
    yield _devices(view, place, "Switch", ("switch",))
    yield from _exchange(view, place)
    yield _supply(view, place)
    yield from _power_for_telephones(view, place)
    yield cooling(place)
    yield temperature(view, place)
    yield monitored(view, place)
    if place.assets:
        yield owners(view, place)
        yield age(view, place)
        yield support(view, place)
    yield from public_lines(view, place)
    if place.same_building:
        names = listed([view.site_name(each) for each in place.same_building], LISTED_MOST)
        yield Known(
            "Building", Mark("info", "Shared"), f"It stands in one building with {names}.",
            lines=(site_line(place, "building"),),
        )  # fmt: skip


def _way_out(view: View, place: Place) -> Known:
    lines: tuple[str, ...]
    site, subject = place.site, "Way out"
    if site.upstream is None:
        lines = (not_given(place, "upstream"),)
        return Known(subject, UNKNOWN, "The register names no provider.", lines=lines)
    lines = (site_line(place, "upstream"),)
    if site.backup_upstream is not None and site.backup_upstream != site.upstream:
        text = f"By {site.upstream}, and by {site.backup_upstream} when that fails."
        return Known(subject, SEVERAL, text, lines=(*lines, site_line(place, "backup_upstream")))
    text = f"By {site.upstream}; the register names no other way."
    if site.backup_upstream is not None:
        lines = (*lines, site_line(place, "backup_upstream"))
        text = f"By {site.upstream}, and when that fails again by {site.upstream}: one provider."
    if place.sharing:
        names = [view.site_name(each) for each in place.sharing]
        text += f" {listed(names, 3)} {'leaves' if len(names) == 1 else 'leave'} by it too."
    return Known(subject, ONE, text, lines=lines)


def _router(view: View, place: Place) -> Known:
    routers, address = place.kinds("router"), place.site.gateway
    if len(routers) > 1 or (routers and address is None):
        return _devices(view, place, "Router", ("router",))
    if address is None:
        text = "The register names neither a router nor its address."
        return Known("Router", UNKNOWN, text, lines=(not_given(place, "gateway"),))
    seen = [
        loss
        for check in place.checks
        if check.probe == "ping" and check.target == address
        for loss in view.seen(check.id).get("packet_loss_ratio", ())[-1:]
    ]
    answered = [loss for loss in seen if is_number(loss.value) and number_of(loss) < 1]
    said = "it answered in this run" if answered else "it did not answer in this run"
    text = (
        f"All passes by {address}{f'; {said}' if seen else ''}. Whether a second router stands "
        "by under that address is not known."
    )
    lines = (site_line(place, "gateway"), *(asset_line(router) for router in routers))
    return Known("Router", ONE, text, tuple(seen), lines)


def _devices(view: View, place: Place, subject: str, kinds: tuple[str, ...]) -> Known:
    """How many devices of a kind the register has at the site."""
    found = place.kinds(*kinds)
    if not found:
        text = f"The register has no {subject.lower()} here."
        return Known(subject, UNKNOWN, text, lines=(f"asset: none of kind {kinds[0]} here",))
    names = listed([view.asset_name(asset.id) for asset in found], LISTED_MOST)
    lines = tuple(map(asset_line, found[:LISTED_MOST]))
    if len(found) == 1:
        text = f"{names} is the only {subject.lower()} of the register here."
        return Known(subject, ONE, text, lines=lines)
    text = f"{len(found)} of them: {names}. Whether one stands in for another is not known."
    return Known(subject, SEVERAL, text, lines=lines)


def _exchange(view: View, place: Place) -> Iterator[Known]:
    extensions = place.site.extensions
    if not place.kinds("pbx", "sbc"):
        if extensions:
            text = (
                f"The register has none here for {count(extensions, 'extension')}: where they are "
                "served from is not known."
            )
            yield Known("Exchange", UNKNOWN, text, lines=(site_line(place, "extensions"),))
        return
    known = _devices(view, place, "Exchange", ("pbx", "sbc"))
    if known.mark == ONE and extensions:
        text = f"{known.text} {count(extensions, 'extension')} at this site."
        known = Known(
            known.subject, ONE, text, lines=(*known.lines, site_line(place, "extensions"))
        )
    yield known


def _supply(view: View, place: Place) -> Known:
    """What supplies with a battery said of themselves; else how many the register counts."""
    subject = "Power when the mains fail"
    sources = place.seen("ups_output_source")
    states = place.seen("ups_battery_status")
    if sources or states:
        more = (
            *place.seen("ups_runtime_left_s"), *place.seen("ups_charge_ratio"),
            *place.seen("ups_on_battery_s"),
        )  # fmt: skip
        normal = all(one.value == "normal" for one in (*sources, *states))
        mark = Mark("ok", "Normal") if normal else Mark("warning", "Not normal")
        return Known(subject, mark, _supplies_said(view, (*sources, *states, *more)),
                     (*sources, *states, *more))  # fmt: skip
    units = place.site.ups
    if units is None:
        return Known(
            subject, UNKNOWN,
            "No supply with a battery was read, and the register does not say how many there are.",
            lines=(not_given(place, "ups"),),
        )  # fmt: skip
    lines = (site_line(place, "ups"),)
    if units == 0:
        return Known(subject, NONE, "By the register there is no supply with a battery.", (), lines)
    text = f"By the register {count(units, 'supply', 'supplies')} with a battery; not read."
    return Known(subject, ONE if units == 1 else SEVERAL, text, (), lines)


_SUPPLY_WORDS = {
    "ups_output_source": "power from", "ups_battery_status": "battery",
    "ups_runtime_left_s": "would last", "ups_charge_ratio": "charge",
    "ups_on_battery_s": "on battery for",
}  # fmt: skip


def _supplies_said(view: View, seen: Sequence[Observation]) -> str:
    by_asset: dict[str, list[str]] = {}
    for one in seen:
        said = observed(one)
        if one.unit == "s" and is_number(one.value):
            said = duration(number_of(one))
        if one.name == "ups_output_source" and one.value == "normal":
            said = "the mains"
        if one.name == "ups_on_battery_s" and one.value == 0:
            continue
        by_asset.setdefault(asset_of(view, one), []).append(f"{_SUPPLY_WORDS[one.name]} {said}")
    return " ".join(f"{asset}: {', '.join(parts)}." for asset, parts in by_asset.items())


def _power_for_telephones(view: View, place: Place) -> Iterator[Known]:
    """What switches give to telephones; nothing where the register has no switch."""
    subject = "Power to telephones"
    states = place.seen("poe_supply_status")
    given, most = place.seen("poe_supply_consumption_w"), place.seen("poe_supply_power_w")
    if not (states or given):
        if place.kinds("switch"):
            text = "No switch was read that says what power it gives."
            lines = tuple(map(asset_line, place.kinds("switch")[:LISTED_MOST]))
            yield Known(subject, UNKNOWN, text, lines=lines)
        return
    watts = sum(map(number_of, filter(lambda one: is_number(one.value), given)))
    limit = sum(map(number_of, filter(lambda one: is_number(one.value), most)))
    bad = [one for one in states if one.value != "on"]
    text = f"{count(len(states) or len(given), 'supply', 'supplies')} of switches"
    verb = " gives" if len(states or given) == 1 else " give"
    if given and limit > 0:
        text += f"{verb} {number(watts)} W of {number(limit)} W ({percent(watts / limit)})"
    text += "." if not bad else f"; {len(bad)} of them {listed([observed(o) for o in bad], 3)}."
    mark = Mark("warning", "Not normal") if bad else Mark("ok", "Normal")
    yield Known(subject, mark, text, (*bad, *states, *given, *most))
