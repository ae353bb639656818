"""A run over the world: each site's gateway and hosts pinged, its switch read, its line loaded."""

from nethealth.model.record import Instrument, Record
from tests.scenarios import counting, probing
from tests.scenarios.book import Book
from tests.scenarios.estate import SiteWorld, World, known, strain
from tests.scenarios.frames import captured
from tests.scenarios.probing import Local

_HOSTS = ("pbx", "server", "phone")


def record(world: World) -> Record:
    """What the sources that there are give of the world, over all rounds."""
    book = Book(
        world.started,
        instrument=Instrument(
            loop_lag_p99_s=world.lag_s, send_timer_error_p99_s=0.0002,
            socket_overflow_count=world.overflow,
        ),
    )  # fmt: skip
    counters = {}
    for site in world.sites.values():
        place, assets = known(site)
        book.sites[site.id] = place
        book.assets |= {asset.id: asset for asset in assets}
        counters[site.id] = counting.Counters(world.random, site.switch, world.busy(0))
    how = counting.Reading(
        neighbours="neighbours" in world.sources,
        stp="spanning-tree" in world.sources,
        forwarding="forwarding" in world.sources,
        uptime_s=world.about(3e6),
    )
    if world.earlier_s is not None and "snmp" in world.sources:
        for site in world.sites.values():
            counting.past(book, site.switch, counters[site.id], world.earlier_s, how)
    for turn in range(world.rounds):
        for place_, site in enumerate(world.sites.values()):
            at_s = 2.0 + turn * world.interval_s + 0.1 * place_
            _watch(world, book, site, turn, at_s)
            if "snmp" in world.sources and not _cut_off(site, at_s + 10):
                counting.read(book, world.random, site.switch, counters[site.id], at_s + 10, how)
    for site in world.sites.values() if "events" in world.sources else ():
        for kind, when_s, asset in site.logged:
            book.event(kind, when_s, site.id, asset)
    if "capture" in world.sources:
        for site in world.sites.values():
            captured(book, site.frames, site.id)
    return book.record()


def _cut_off(site: SiteWorld, at_s: float) -> bool:
    """Whether nothing of the site can be reached at that moment."""
    return site.down(at_s) or any(begins <= at_s < ends for begins, ends in site.holes)


def _watch(world: World, book: Book, site: SiteWorld, turn: int, at_s: float) -> None:
    site.line.busy = world.busy(at_s)
    dead = _cut_off(site, at_s)
    if "ping" in world.sources:
        probing.ping(book, world.random, site.line, at_s, Local(echoes=not dead),
                     gateway_of=site.id)  # fmt: skip
        inside = site.inside(at_s)
        for number, what in enumerate(_HOSTS):
            when_s = at_s + 0.3 * number
            strained = strain(site, what, when_s, world.busy(when_s))
            local = Local(
                1 - (1 - strained.loss) * (1 - inside.loss),
                strained.delay_s + inside.delay_s,
                echoes=inside.echoes and not dead,
            )
            probing.ping(book, world.random, site.line, when_s, local, asset=f"{site.id}-{what}")
    if "coexistence" in world.sources and turn == 0 and not dead:
        probing.coexistence(book, world.random, site.line, at_s + 30, f"{site.id}-reflector")
    for note in site.notes:
        note(world, book, turn, at_s + 5)
