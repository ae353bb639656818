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
    _of("relay_loop", "phone-power-loop", TO_NETWORK, f"{_LAN} events"),
    _of("slow_ports", "slow-port-start", TO_TELEPHONY, _LAN),
    _of("streams_to_nobody", "multicast-flood", TO_NETWORK, "capture"),
    _of("claimed_twice", "address-conflict", TO_NETWORK, "capture"),
    _of("scope_runs_dry", "dhcp-exhaustion", TO_NETWORK, "capture events"),
    _of("two_voice_vlans", "voice-vlan-conflict", None, "capture"),
    _of("frames_to_nobody", "unknown-unicast-flood", TO_TELEPHONY, f"capture {_LAN}"),
    _of("firmware", "firmware-wave", TO_NETWORK, "capture"),
    _of("data_marked_as_voice", "dscp-misuse", TO_TELEPHONY, "capture"),
    _of("hairpin", "media-hairpin", TO_NETWORK, "capture"),
    _of("calls_fill", "call-load", TO_NETWORK, "ping snmp events"),
    _of("registrations_at_once", "registration-avalanche", None, "capture events"),
    _of("heartbeats", "keepalive-reset", TO_TELEPHONY, "capture snmp ping events"),
    _of("facsimiles", "fax-over-ip", None, "capture"),
    _of("old_tls", "obsolete-security", None, "sip"),
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
    ("leases_in_turn", {}),
    ("relay_loop", {"told": False}),
    ("streams_to_nobody", {"source": "server"}),
    ("streams_to_nobody", {"joined": True, "queried": True}),
    ("streams_to_nobody", {"source": "server", "media": True}),
    ("streams_to_nobody", {"source": "printer", "media": True}),
    ("office_grew", {}),
    ("calls_fill", {"calls": 8, "backup_share": 0.7}),
    ("claimed_twice", {"wrong": "printer"}),
    ("claimed_twice", {"wrong": "phone", "rightful": "phone"}),
    ("claimed_twice", {"wrong": "pc", "rightful": "phone"}),
    ("claimed_twice", {"once": True}),
    ("guests_come_and_go", {}),
    ("stranger_serves", {}),
    ("two_voice_vlans", {"conflict": False, "power": True}),
    ("circulating", {"mirrored": True}),
    ("circulating", {"tree": 8}),
    ("frames_to_nobody", {"forgotten": False}),
    ("firmware", {"configuration": True}),
    ("firmware", {"wide": False}),
    ("firmware", {"computers": True}),
    ("backup_by_tftp", {}),
    ("ordinary_calls", {}),
    ("hairpin", {"direct": True}),
    ("calls_fill", {"calls": 3, "backup_share": 1.0}),
    ("registrations_at_once", {"staggered": True}),
    ("heartbeats", {"resets_first": True}),
    ("heartbeats", {"hole_s": 120.0}),
    ("facsimiles", {"refused": False, "loss": 0.0}),
    ("current_tls", {}),
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
        _make(drawn, site, cause, options)
    _sources_missing(drawn, frozenset())
    return Drawn(drawn, site.id, cause, None)


def guilty(seed: int) -> Drawn:
    """A history with one mechanism at one site, and in half of them an innocent fault elsewhere."""
    one = GUILTY[seed % len(GUILTY)]
    drawn = _noise(world(seed))
    site = drawn.any_site()
    _make(drawn, site, one.cause, one.options)
    if drawn.chance(0.5):
        _elsewhere(drawn, site)
    _sources_missing(drawn, one.needs)
    return Drawn(drawn, site.id, one.cause, one)


def _make(drawn: World, site: SiteWorld, cause: str, options: Mapping[str, Any]) -> None:
    more = dict(options)
    if cause == "hairpin":  # the exchange stands at another site
        more["centre"] = next(other for other in drawn.sites if other != site.id)
    CAUSES[cause](drawn, site, **more)


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
