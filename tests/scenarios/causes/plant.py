"""What goes wrong in rooms, lines, devices and the measuring machine itself."""

from collections.abc import Sequence

from tests.scenarios import devices_read
from tests.scenarios.book import Book
from tests.scenarios.estate import SiteWorld, World
from tests.scenarios.lan import Device
from tests.scenarios.probing import Local


def chiller_fails(world: World, site: SiteWorld, *, fatal_c: float | None = None) -> None:
    """The cooling stops: a room warms to what its kit makes of it, and the kit may drop out."""
    began = -world.between(3000, 6000)
    hot, hours = world.between(42, 55), world.between(0.6, 1.6)

    def celsius(at_s: float) -> float:
        gone = max(0.0, at_s - began) / 3600
        return 21.0 + (hot - 21.0) * float(1 - 2.718281828 ** (-gone / hours))

    _room(site, celsius, silent_above=fatal_c)
    if fatal_c is not None:
        limit_c = fatal_c
        site.down = lambda at: celsius(at) > limit_c


def warm_day(world: World, site: SiteWorld) -> None:
    """A room that is warm as rooms are, and steady."""
    level = world.between(23, 26)
    _room(site, lambda _: level)


def _room(
    site: SiteWorld, celsius: "devices_read.Course", silent_above: float | None = None
) -> None:
    def read(world: World, book: Book, turn: int, at_s: float) -> None:
        devices_read.room(world, book, site, at_s, celsius, past=turn == 0,
                          silent_above=silent_above)  # fmt: skip

    site.notes.append(read)


def clocks_apart(
    world: World, site: SiteWorld, *, ppm: float | None = None, failing_s: float = 0.0
) -> None:
    """An exchange sends by its own clock, and the provider by another."""
    drift = world.between(0.01, 5.0) if ppm is None else ppm

    def read(world: World, book: Book, turn: int, at_s: float) -> None:
        devices_read.e1(world, book, site, at_s, drift_ppm=drift,
                        clock="local" if drift > 1e-3 else "loop", failing_s=failing_s)  # fmt: skip

    site.notes.append(read)


def two_owners(
    world: World, site: SiteWorld, *, wrong: str = "phone", rightful: str = "server",
    address: int = 20,
) -> None:  # fmt: skip
    """An address that two devices answer for: the one that was given it, and one that kept it.

    Whoever answered last stands in the router's table, which is read once an hour, and packets go
    there.
    """
    world.rounds, world.interval_s = 6, 3600.0
    owner, other = _device(site, rightful), _device(site, wrong)
    course = [bool(world.random.random() < 0.5) for _ in range(world.rounds)]
    course[0], course[1], course[2] = False, True, False
    _held(site, address, [other.mac if wrong_now else owner.mac for wrong_now in course])

    def inside(at_s: float) -> Local:
        turn = min(len(course) - 1, int(at_s / world.interval_s))
        return Local(loss=0.1 if course[turn] else 0.0)

    site.inside = inside


def moved_lease(world: World, site: SiteWorld) -> None:
    """An address that was one device's and is now another's, for good."""
    world.rounds, world.interval_s = 3, 3600.0
    one, other = _device(site, "pc"), _device(site, "server")
    _held(site, 150, [one.mac, other.mac, other.mac])


def leases_in_turn(world: World, site: SiteWorld) -> None:
    """A pool of addresses that goes round, telephones among those who are given one for a day."""
    world.rounds, world.interval_s = 8, 7200.0
    world.sources -= {"coexistence"}
    one, other = _device(site, "phone"), _device(site, "pc")
    _held(site, 150, [one.mac, one.mac, one.mac, other.mac, other.mac, other.mac, one.mac, one.mac])


def _device(site: SiteWorld, kind: str) -> Device:
    return next(d for p in site.switch.ports for d in p.devices if d.kind == kind)


def _held(site: SiteWorld, address: int, owners: Sequence[str]) -> None:
    """Whom the router's table holds an address to be at, round after round."""

    def read(world: World, book: Book, turn: int, at_s: float) -> None:
        held = {site.address(address): owners[min(turn, len(owners) - 1)]}
        devices_read.arp_table(world, book, site, at_s, held)

    site.notes.append(read)


def instrument_late(world: World, site: SiteWorld) -> None:
    """A measuring machine that is overloaded: late, and losing packets at its own sockets."""
    world.lag_s = world.between(0.06, 0.2)
    world.overflow = 40
    for one in world.sites.values():
        one.inside = lambda _: Local(loss=0.02, delay_s=0.03)


def old_tls(
    world: World, site: SiteWorld, *, accepts: str = "TLSv1, TLSv1.1, TLSv1.2",
    best: str = "TLSv1.2",
) -> None:  # fmt: skip
    """An exchange that still shakes hands in versions of TLS that were withdrawn (RFC 8996)."""

    def read(world: World, book: Book, turn: int, at_s: float) -> None:
        check = book.check("sip", at_s, asset=f"{site.id}-pbx")
        book.see(check, "sip_response_delay_s", world.between(0.01, 0.05), transport="tls")
        book.see(check, "sip_transmission_count", 1, transport="tls")
        book.see(check, "sip_status_code", 200, transport="tls", reason_phrase="OK")
        book.see(check, "tls_version", best, transport="tls")
        book.see(check, "tls_versions_accepted", accepts, transport="tls")

    site.notes.append(read)


def current_tls(world: World, site: SiteWorld) -> None:
    """An exchange that speaks current versions alone."""
    old_tls(world, site, accepts="TLSv1.2, TLSv1.3", best="TLSv1.3")
