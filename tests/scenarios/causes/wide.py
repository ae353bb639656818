"""What goes wrong on a site's line, or only seems to: queues, marks, calls, and the provider."""

from tests.scenarios.estate import SiteWorld, World
from tests.scenarios.line import Load, Way


def no_classes(
    world: World, site: SiteWorld, *, shortfall: float | None = None, buffer_s: float | None = None,
    way: Way | None = None,
) -> None:  # fmt: skip
    """A line without classes, slower than it is declared: half of the declared rate fills it."""
    line = site.line
    line.classes = False
    line.buffer_s = world.between(0.05, 0.6) if buffer_s is None else buffer_s
    share = world.between(0.25, 0.45) if shortfall is None else shortfall
    if way in (None, "forward"):
        line.down_bps = line.declared_down_bps * share
    if way in (None, "return"):
        line.up_bps = line.declared_up_bps * share


def with_classes(world: World, site: SiteWorld) -> None:
    """The same slow line, with a queue of its own for voice."""
    no_classes(world, site)
    site.line.classes = True


def provider_loses(
    world: World, site: SiteWorld, *, ratio: float | None = None, run: float | None = None,
    way: Way | None = None,
) -> None:  # fmt: skip
    """The provider's fault: packets are lost whatever the load, singly or in bursts."""
    loss = world.between(0.03, 0.12) if ratio is None else ratio
    site.line.run = world.between(1.0, 3.0) if run is None else run
    ways: tuple[Way, ...] = ("forward", "return") if way is None else (way,)
    for one in ways:
        site.line.loss[one] = loss


def upstream_loses(world: World, site: SiteWorld, *, ratio: float | None = None) -> None:
    """A fault of one provider, at all its sites: those of others are clean."""
    loss = world.between(0.03, 0.12) if ratio is None else ratio
    others = [one for one in world.sites.values() if one is not site]
    partner = others[0]
    partner.upstream = site.upstream
    for number, one in enumerate(others[1:]):
        one.upstream = f"other-{number}"
    for one in (site, partner):
        provider_loses(world, one, ratio=loss)


def marks_cleared(
    world: World, site: SiteWorld, *, way: Way | None = None, to: int = 0
) -> None:  # fmt: skip
    """A hop on the way writes another mark over that of voice."""
    ways: tuple[Way, ...] = ("forward", "return") if way is None else (way,)
    for one in ways:
        site.line.marks[one] = to


def peak_of_nine(world: World, site: SiteWorld) -> None:
    """Everybody logs on at nine: the line is busy for a while, with data of the site's own."""
    world.started = world.started.replace(hour=8, minute=55)
    start = -600.0
    burst = site.line.declared_down_bps * world.between(0.3, 0.6)
    site.line.loads.append(Load("forward", lambda at: burst if start <= at < start + 1800 else 0.0))


def satellite(world: World, site: SiteWorld) -> None:
    """A long way there: every packet is slow, and none is lost."""
    site.line.one_way_s = world.between(0.25, 0.3)
