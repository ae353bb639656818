"""What goes wrong at a switch: loops, storms, floods, duplex, and what only looks like them."""

from tests.scenarios.estate import SiteWorld, World, device
from tests.scenarios.lan import Port, Ring, Talk

ALWAYS = 1e9


def _phones(world: World, site: SiteWorld, count: int) -> list[Port]:
    ports = site.switch.phones()
    places = world.random.permutation(len(ports))[:count]
    return [ports[int(at)] for at in places]


def phone_loop(
    world: World, site: SiteWorld, *, begins_s: float | None = None, ends_s: float = ALWAYS,
    control_per_s: float | None = None, announced: bool = True, changes: int = 0,
) -> None:  # fmt: skip
    """Both ports of one telephone are patched to the switch: it passes on all but BPDUs.

    The second port shows the same telephone, or nothing that announces itself.
    """
    first, second = _phones(world, site, 2)
    first.speed_bps = second.speed_bps = 1e8 if world.chance(0.6) else 1e9
    second.devices = []
    if not announced:
        for one in first.devices:
            one.announces = False
    begins = -world.between(60, 1500) if begins_s is None else begins_s
    # Somebody elsewhere switches a computer on at a port that is no edge port.
    site.switch.tree_changes_s += [world.between(-3000, 0) for _ in range(changes)]
    site.switch.rings.append(
        Ring((first.name, second.name), begins, ends_s, world.between(0.3, 0.9), control_per_s)
    )


def cable_loop(world: World, site: SiteWorld, *, changes: int = 0) -> None:
    """Two ports joined by a cable of no telephone; the tree sees it (`changes`) or not."""
    first, second = _bare_ports(site, 2)
    begins = -world.between(60, 900)
    site.switch.rings.append(
        Ring((first.name, second.name), begins, ALWAYS, world.between(0.3, 0.9))
    )
    site.switch.tree_changes_s += [begins + world.between(0, 800) for _ in range(changes)]


def _bare_ports(site: SiteWorld, count: int) -> list[Port]:
    """Further ports with nothing that announces itself."""
    ports = site.switch.ports
    made = [Port(f"Gi0/{len(ports) + at + 1}") for at in range(count)]
    ports += made
    return made


def tree_reconverges(world: World, site: SiteWorld, *, changes: int | None = None) -> None:
    """A real change of the tree: a link or a root comes and goes, and storms for a moment.

    Each change lets every switch forget where everybody is, so that unicast floods for a while; two
    ports on the way to another switch may carry a short loop meanwhile.
    """
    count = int(world.random.integers(6, 40)) if changes is None else changes
    site.switch.tree_changes_s += [world.between(-600, 600) for _ in range(count)]
    if world.chance(0.5):
        site.switch.root_before = "8000:00:1b:54:00:00:99"
    one, other = _bare_ports(site, 2)
    for port in (one, other):
        port.devices, port.edge = [device(world.random, "uplink")], False
    site.switch.rings.append(
        Ring((one.name, other.name), -world.between(5, 60), ALWAYS, world.between(0.2, 0.8))
    )
    changed = site.switch.tree_changes_s
    site.switch.floods = lambda at: 800.0 if any(0 <= at - one < 20 for one in changed) else 0.0


def broken_card(world: World, site: SiteWorld, *, per_s: float | None = None) -> None:
    """A computer whose network card sends broadcasts without end: sent once, and not echoed."""
    port = next(p for p in site.switch.ports if any(d.kind == "printer" for d in p.devices))
    rate = world.between(700, 6000) if per_s is None else per_s
    port.devices[0].talks.append(Talk("broadcast", rate))


def worm(
    world: World, site: SiteWorld, *, hosts: int | None = None, per_s: float | None = None
) -> None:  # fmt: skip
    """Computers behind telephones that look for one another as fast as the same program lets them.

    Each takes in what the others send, so that its port sends out about what it takes in, as a loop
    does: but nothing comes back, and nobody's address wanders.
    """
    count = int(world.random.integers(2, 4)) if hosts is None else hosts
    rate = world.between(600, 5000) if per_s is None else per_s
    for port in _phones(world, site, count):
        port.devices[-1].talks.append(Talk("broadcast", rate * world.between(0.9, 1.1)))


def multicast_from(
    world: World, site: SiteWorld, kind: str, *, streams: int | None = None,
    begins_s: float = -ALWAYS, ends_s: float = ALWAYS,
) -> None:  # fmt: skip
    """Streams of 50 packets a second to groups that nobody joined, out of every port."""
    site.switch.snoops = False
    port = next(p for p in site.switch.ports if any(d.kind == kind for d in p.devices))
    count = int(world.random.integers(4, 20)) if streams is None else streams
    port.devices[0].talks.append(Talk("multicast", 50.0 * count, begins_s, ends_s))


def backup_multicast(world: World, site: SiteWorld, *, per_s: float | None = None) -> None:
    """A server that images or backs up many machines at once by multicast."""
    site.switch.snoops = False
    port = next(p for p in site.switch.ports if any(d.kind == "server" for d in p.devices))
    rate = world.between(800, 6000) if per_s is None else per_s
    port.devices[0].talks.append(Talk("multicast", rate))


def duplex_mismatch(
    world: World, site: SiteWorld, *, at: str = "phone", half: str = "switch",
    load_per_s: float | None = None,
) -> None:  # fmt: skip
    """One end was set by hand and the other negotiates, and falls to half duplex."""
    switch = site.switch
    port = next(p for p in switch.ports if any(d.kind == at for d in p.devices))
    port.speed_bps = 1e8 if world.chance(0.8) else 1e7
    most = port.speed_bps / 8 / 600
    rate = min(0.5 * most, world.about(300, 0.8)) if load_per_s is None else load_per_s
    other = port.devices[0]
    for one in port.devices[1:]:
        one.sends_per_s, one.gets_per_s = rate, rate * 1.3
    if len(port.devices) == 1:
        other.sends_per_s, other.gets_per_s = rate, rate * 1.3
    if half == "switch":
        port.duplex, other.duplex = "half", "full"
    else:
        port.duplex, other.duplex = "full", "half"


def bad_cable(
    world: World, site: SiteWorld, *, at: str = "phone", share: float | None = None
) -> None:
    """A cable or connector that breaks frames on their way in, at full duplex on both ends."""
    port = next(p for p in site.switch.ports if any(d.kind == at for d in p.devices))
    port.broken_share = world.between(0.01, 0.08) if share is None else share
    for one in port.devices:
        one.sends_per_s += 300.0


def hub(world: World, site: SiteWorld) -> None:
    """An old hub at a port: both ends half duplex, as is right; frames collide, none late."""
    port = _bare_ports(site, 1)[0]
    port.speed_bps, port.duplex = 1e7, "half"
    port.devices = [device(world.random, "printer") for _ in range(3)]
    for one in port.devices:
        one.duplex = "half"


def slow_ports(world: World, site: SiteWorld, *, starting: bool = True) -> None:
    """The ports of telephones are no edge ports: each restart is a change of the tree.

    `starting`: one was switched on some seconds before the last round reads the switch.
    """
    for port in site.switch.phones():
        port.edge = False
    if starting:
        read_s = 12.0 + (world.rounds - 1) * world.interval_s
        site.switch.phones()[0].started_s = read_s - world.between(3, 27)
    restarts = int(world.random.integers(1, 5))
    site.switch.tree_changes_s += [world.between(-3500, 500) for _ in range(restarts)]


def power_short(
    world: World, site: SiteWorld, *, budget_w: float | None = None, claims: int = 3,
    draws_w: float = 6.0, phones: int | None = None,
) -> None:  # fmt: skip
    """A switch that sets aside what each class may draw, with less to give than they claim."""
    count = int(world.random.integers(20, 30)) if phones is None else phones
    ports = site.switch.phones()
    while len(ports) < count:
        made = _bare_ports(site, 1)[0]
        made.devices = [device(world.random, "phone")]
        ports.append(made)
    for port in ports:
        phone = port.phone
        if phone is not None:
            phone.poe_class, phone.draws_w = claims, world.about(draws_w, 0.1)
    aside = 15.4 if claims in (0, 3) else 7.0
    site.switch.poe_w = aside * count * world.between(0.6, 0.9) if budget_w is None else budget_w


def power_enough(world: World, site: SiteWorld, *, supply: str = "on") -> None:
    """The same telephones with a supply that is large enough, or one that fails."""
    power_short(world, site, budget_w=740.0, phones=24)
    site.switch.supply_status = supply
    if supply != "on":
        site.switch.poe_w = 740.0 / 4


def relay_loop(
    world: World, site: SiteWorld, *, sets: int | None = 1, told: bool = True
) -> None:  # fmt: skip
    """Telephones with supplies of their own lose power, and their relays send back all they get.

    The switch gives no power, so that it does not notice. Two such ports feed one another.
    """
    count = int(world.random.integers(2, 4)) if sets is None else sets
    ports = _phones(world, site, count)
    begins = world.between(20, (world.rounds - 1) * world.interval_s - 130)
    # A flat network brings the broadcasts of other switches too.
    site.switch.ports[0].devices[0].talks.append(Talk("broadcast", world.between(60, 200)))
    for port in ports:
        port.speed_bps = 1e8
        for one in port.devices:
            one.dark_from_s = begins
    if told:
        site.logged.append(("power-cut", begins + world.between(-2, 5), None))
    names = tuple(port.name for port in ports)
    if len(names) > 1:
        site.switch.rings.append(Ring(names, begins, ALWAYS, world.between(0.3, 0.8)))
    else:
        site.switch.relays.append(Ring(names, begins, ALWAYS))
