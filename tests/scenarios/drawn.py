"""Histories drawn by lot: what is at fault, where, how badly, and what the run could see of it.

Beside the cause each history has noise that has nothing to do with it: a little loss on other
lines, other events in the logs, a source of data that is missing. The size of the fault, the hour,
the site and the number of telephones are drawn too, so that no rule is fed its own constants.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.scenarios.causes.names import CAUSES
from tests.scenarios.estate import SOURCES, SiteWorld, World, world

TO_NETWORK, TO_TELEPHONY = "telephony-to-network", "network-to-telephony"


@dataclass(frozen=True)
class Guilty:
    """A mechanism as the handbook has it: its code, its direction, and what shows it."""

    cause: str
    code: str
    direction: str | None
    needs: frozenset[str]
    options: Mapping[str, Any] = field(default_factory=dict)


def _of(cause: str, code: str, direction: str | None, needs: str, **options: Any) -> Guilty:
    return Guilty(cause, code, direction, frozenset(needs.split()), options)


_LAN = "snmp neighbours spanning-tree forwarding"
# Handbook section 5, and its rule (b) for the direction.
GUILTY: tuple[Guilty, ...] = (
    _of("phone_loop", "phone-loop", TO_NETWORK, _LAN),
    _of("phone_loop", "phone-loop", TO_NETWORK, _LAN, changes=1),
    _of("phone_loop", "phone-loop", TO_NETWORK, _LAN, control_per_s=2500.0),
    _of("duplex_mismatch", "duplex-mismatch", TO_NETWORK, _LAN, at="phone", half="switch"),
    _of("duplex_mismatch", "duplex-mismatch", TO_NETWORK, _LAN, at="phone", half="phone"),
    _of("two_owners", "address-conflict", TO_NETWORK, "snmp neighbours"),
    _of("no_classes", "no-wan-qos", TO_TELEPHONY, "coexistence"),
    _of("marks_cleared", "dscp-bleached", None, "coexistence"),
    _of("clocks_apart", "clock-slip", None, ""),
    _of("power_short", "poe-budget", TO_TELEPHONY, "snmp"),
)
INNOCENT: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("nothing", {}),
    ("provider_loses", {}),
    ("provider_and_peak", {}),
    ("upstream_loses", {}),
    ("peak_of_nine", {}),
    ("backup_multicast", {}),
    ("bad_cable", {"at": "phone"}),
    ("bad_cable", {"at": "server"}),
    ("tree_reconverges", {}),
    ("broken_card", {}),
    ("cable_loop", {}),
    ("hub", {}),
    ("duplex_mismatch", {"at": "server"}),
    ("duplex_mismatch", {"at": "printer", "half": "device"}),
    ("chiller_fails", {}),
    ("chiller_fails", {"fatal_c": 34.0}),
    ("moved_lease", {}),
    ("two_owners", {"wrong": "printer"}),
    ("two_owners", {"wrong": "pc", "rightful": "phone", "address": 100}),
    ("worm", {"hosts": 2}),
    ("worm", {"hosts": 3}),
    ("instrument_late", {}),
    ("satellite", {}),
    ("with_classes", {}),
    ("power_enough", {}),
    ("power_enough", {"supply": "faulty"}),
)


@dataclass(frozen=True)
class Drawn:
    """One history with its truth; `guilty` is null where nobody of the telephony is at fault."""

    world: World
    site: str
    cause: str
    guilty: Guilty | None


def innocent(seed: int) -> Drawn:
    """A history in which no telephony disturbs the network."""
    cause, options = INNOCENT[seed % len(INNOCENT)]
    drawn = _noise(world(seed))
    site = drawn.any_site()
    if cause == "provider_and_peak":
        CAUSES["provider_loses"](drawn, site)
        CAUSES["peak_of_nine"](drawn, site)
    elif cause != "nothing":
        CAUSES[cause](drawn, site, **options)
    _sources_missing(drawn, frozenset())
    return Drawn(drawn, site.id, cause, None)


def guilty(seed: int) -> Drawn:
    """A history with one mechanism at one site, and in half of them an innocent fault elsewhere."""
    one = GUILTY[seed % len(GUILTY)]
    drawn = _noise(world(seed))
    site = drawn.any_site()
    CAUSES[one.cause](drawn, site, **one.options)
    if drawn.chance(0.5):
        _elsewhere(drawn, site)
    _sources_missing(drawn, one.needs)
    return Drawn(drawn, site.id, one.cause, one)


def _elsewhere(drawn: World, site: SiteWorld) -> None:
    """An innocent fault at another site, which is not to be taken for the mechanism."""
    others = [other for other in drawn.sites.values() if other is not site]
    other = others[int(drawn.random.integers(len(others)))]
    faults = ("provider_loses", "bad_cable", "backup_multicast", "broken_card", "chiller_fails")
    CAUSES[faults[int(drawn.random.integers(len(faults)))]](drawn, other)


def _noise(drawn: World) -> World:
    """Loss that is unrelated and below any limit, and noise of the measuring machine."""
    for site in drawn.sites.values():
        if drawn.chance(0.5):
            site.line.loss["forward"] = drawn.between(0.0, 0.003)
            site.line.loss["return"] = drawn.between(0.0, 0.003)
        if drawn.chance(0.3):  # a computer is switched on at a port that is no edge port
            site.switch.tree_changes_s.append(drawn.between(-3500, 500))
    drawn.lag_s = drawn.about(0.001)
    if drawn.chance(0.3):
        drawn.earlier_s = None
    return drawn


def _sources_missing(drawn: World, needed: frozenset[str]) -> None:
    """Leave out what is not needed to see the mechanism, now and then."""
    for source in SOURCES:
        if source not in needed and drawn.chance(0.15):
            drawn.sources.discard(source)
