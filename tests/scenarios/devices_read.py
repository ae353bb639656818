"""What other devices say by SNMP: a gateway's E1 lines, a room's sensors, a router's ARP table."""

from collections.abc import Callable, Mapping, Sequence

from nethealth.model.failure import Failure
from nethealth.model.observation import Passport
from tests.scenarios.book import Book
from tests.scenarios.estate import SiteWorld, World
from tests.scenarios.rhythm import wandering

Course = Callable[[float], float]  # degrees Celsius by seconds since the run
_SLIP_S = 125e-6  # of drift between two clocks is one frame of an E1


def answered(world: World, book: Book, asset: str, at_s: float) -> str:
    """A check that was answered, with what each answer begins with."""
    check = book.check("snmp", at_s, asset=asset)
    book.see(check, "snmp_response_delay_median_s", world.between(0.002, 0.02), samples=12)
    book.see(check, "snmp_security", "v3 authPriv", authentication="SHA-1", privacy="AES-128")
    book.see(check, "uptime_s", 5e6 + at_s, at_s)
    return check


def e1(
    world: World, book: Book, site: SiteWorld, at_s: float, *, drift_ppm: float, clock: str,
    failing_s: float = 0.0,
) -> None:  # fmt: skip
    """An E1 whose two clocks differ by so much; `failing_s` of the day the line itself was down.

    One slip for each 125 microseconds of drift (G.811's 1e-11 gives one in some 70 days and more).
    """
    check = answered(world, book, f"{site.id}-gateway", at_s)
    per_s = abs(drift_ppm) * 1e-6 / _SLIP_S
    elapsed_s = int(world.between(60, 880))
    status = "no alarm" if failing_s == 0 else "rcv loss of signal"
    book.see(check, "e1_line_status", status, line="E1 0/0")
    book.see(check, "e1_clock_source", clock, line="E1 0/0")
    for period, span_s in (("quarter-hour", elapsed_s), ("day", 86_400)):
        more: Passport = {"elapsed_s": elapsed_s} if period == "quarter-hour" else {}
        down = int(min(span_s, failing_s * span_s / 86_400))
        # A line that comes back slips while it finds its clock again.
        slips = int(world.random.poisson(per_s * span_s)) + (2 if down and failing_s else 0)
        for name, value in (
            ("controlled_slip", min(span_s, slips)), ("errored", down),
            ("severely_errored", down), ("unavailable", down),
        ):  # fmt: skip
            book.see(
                check,
                f"e1_{name}_seconds_count",
                value,
                line="E1 0/0",
                period=period,
                passport=more,
            )


def room(
    world: World, book: Book, site: SiteWorld, at_s: float, celsius: Course, *,
    sensors: Sequence[str] = ("Rack 1", "Rack 2"), past: bool,
    silent_above: float | None = None,
) -> None:  # fmt: skip
    """The sensors of a room whose air has this temperature; their kit drops out above a limit."""
    asset = f"{site.id}-room"
    noise = 0.3 * wandering(world.random, 8 * len(sensors))
    if past:
        for back in range(6, 0, -1):
            for place, name in enumerate(sensors):
                when_s = -900.0 * back
                value = celsius(when_s) + 1.2 * place + float(noise[back + 7 * place])
                book.before(f"{asset}:snmp", when_s, "temperature_celsius", round(value, 1),
                            sensor=name, mib="PowerNet-MIB uio")  # fmt: skip
    if silent_above is not None and celsius(at_s) > silent_above:
        check = book.check("snmp", at_s, asset=asset, failure=Failure.TIMEOUT)
        book.see(check, "snmp_request_count", 2)
        book.see(check, "snmp_unanswered_count", 2)
        return
    check = answered(world, book, asset, at_s)
    for place, name in enumerate(sensors):
        value = round(celsius(at_s) + 1.2 * place + float(noise[place]), 1)
        book.see(check, "temperature_celsius", value, sensor=name, mib="PowerNet-MIB uio")


def arp_table(
    world: World, book: Book, site: SiteWorld, at_s: float, held: Mapping[str, str]
) -> None:  # fmt: skip
    """What the site's router holds each address to be at, with many that nobody disputes."""
    check = answered(world, book, f"{site.id}-gateway", at_s)
    everyone = [one.mac for port in site.switch.ports for one in port.devices]
    table = {site.address(60 + at): one for at, one in enumerate(everyone)} | dict(held)
    book.see(check, "arp_entry_count", len(table), listed=len(table))
    for address, owner in table.items():
        book.see(check, "arp_entry", owner, ip=address, interface="vlan10")
