"""Faults of the links between the core and the sites, each switched on for a `with` block.

Every fault acts on the core router, at its interface to the site, on both address families.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.lab.topology import Lab, ipv4
from tests.peers.process import Process, running

Towards = Literal["site", "vantage"]
_FORWARDER_SOURCE = Path(__file__).with_name("delay.c")


def build_forwarder(folder: Path) -> Path:
    """Compile the packet holder that `delay` uses."""
    program = folder / "delay"
    subprocess.run(
        ("gcc", "-O2", "-Wall", "-Werror", "-o", program, _FORWARDER_SOURCE, "-lnetfilter_queue"),
        check=True,
    )
    return program


@contextmanager
def rule(lab: Lab, node: str, text: str, *, where: str) -> Iterator[None]:
    """One iptables rule of the mangle table, for IPv4 and IPv6, the last of its chain."""
    with ExitStack() as stack:
        for program in ("iptables", "ip6tables"):
            lab.run(node, f"{program} -w -t mangle -A {where} {text}")
            stack.callback(lab.run, node, f"{program} -w -t mangle -D {where} {text}")
        yield


def _passing(site: str, towards: Towards) -> str:
    return f"FORWARD -o {site}" if towards == "site" else f"FORWARD -i {site}"


@dataclass(frozen=True)
class DropCounter:
    """What the loss fault has dropped, as the kernel counts it."""

    lab: Lab

    def dropped(self, way: str = "", program: str = "iptables") -> int:
        """Packets dropped since the fault was switched on, of IPv4 (or by `ip6tables`).

        `way` is `-o hall` or `-i hall`, where several faults are on at once.
        """
        rules = self.lab.run("core", f"{program} -w -t mangle -S FORWARD -v").stdout
        return sum(
            int(line.split(" -c ")[1].split()[0])
            for line in rules.splitlines()
            if " statistic " in line and f" {way}" in line
        )


@contextmanager
def loss(
    lab: Lab, site: str, probability: float, towards: Towards = "site"
) -> Iterator[DropCounter]:
    """Lose packets of one direction at random, independently of each other."""
    drop = f"-m statistic --mode random --probability {probability} -j DROP"
    with rule(lab, "core", drop, where=_passing(site, towards)):
        yield DropCounter(lab)


@dataclass(frozen=True)
class Forwarder:
    """The packet holder of the delay fault."""

    process: Process

    def counts(self) -> tuple[int, int]:
        """Packets seen and lost; stops the forwarder, so that what it was to carry is now lost."""
        self.process.stop()
        found = re.search(r"seen (\d+) lost (\d+)", self.process.output())
        assert found, self.process.output()
        return int(found[1]), int(found[2])

    def held_s(self) -> tuple[float | None, ...]:
        """For how long each packet of the schedule was held, in its order; None if it was lost."""
        self.process.stop()
        lines = (line.split() for line in self.process.output().splitlines())
        held = [int(words[2]) for words in lines if words[:1] == ["held"]]
        return tuple(ns / 1e9 if ns >= 0 else None for ns in held)


@contextmanager
def schedule(
    lab: Lab,
    site: str,
    forwarder: Path,
    folder: Path,
    held_us: Sequence[int | None],
    *,
    towards: Towards = "site",
    port: int = 862,
) -> Iterator[Forwarder]:
    """Hold each STAMP packet of one direction as long as its place says; None loses it."""
    path = folder / f"schedule-{towards}"
    path.write_text("".join(f"{-1 if one is None else one}\n" for one in held_us))
    queue = 1000 + 10 * int(ipv4(site).split(".")[2]) + (towards == "vantage")
    process = Process(
        (str(forwarder), str(queue), f"@{path}"),
        log=folder / f"forwarder-{towards}",
        prefix=lab.at("core"),
    )
    match = f"-p udp --{'d' if towards == 'site' else 's'}port {port}"
    try:
        process.wait_until(lambda: "ready" in process.output().splitlines())
        taken = f"{match} -j NFQUEUE --queue-num {queue}"
        with rule(lab, "core", taken, where=_passing(site, towards)):
            yield Forwarder(process)
    finally:
        process.stop()


@contextmanager
def delay(
    lab: Lab,
    site: str,
    forwarder: Path,
    log: Path,
    *,
    delay_ms: float,
    jitter_ms: float = 0,
    gilbert: tuple[float, float] | None = None,
    towards: Towards = "site",
) -> Iterator[Forwarder]:
    """Hold the packets of one direction for `delay_ms` plus a uniform share of `jitter_ms`.

    `gilbert` are the chances to enter and to leave a burst of loss (see `delay.c`).
    """
    # One queue for each site and direction, so that several can be on at once.
    queue = 10 * int(ipv4(site).split(".")[2]) + (towards == "vantage")
    numbers = (queue, round(delay_ms * 1000), round(jitter_ms * 1000), *(gilbert or ()))
    process = Process((str(forwarder), *map(str, numbers)), log=log, prefix=lab.at("core"))
    try:
        process.wait_until(lambda: "ready" in process.output().splitlines())
        with rule(lab, "core", f"-j NFQUEUE --queue-num {queue}", where=_passing(site, towards)):
            yield Forwarder(process)
    finally:
        process.stop()


@contextmanager
def slow_link(lab: Lab, site: str, *, rate_kbit: int, buffer_ms: int) -> Iterator[None]:
    """Both directions at `rate_kbit` kbit/s behind a buffer that takes `buffer_ms` to drain."""
    limit = rate_kbit * buffer_ms // 8
    ends = (("core", site), (site, "wan"))
    with ExitStack() as stack:
        for node, interface in ends:
            shape = f"tbf rate {rate_kbit}kbit burst 4kb limit {limit}"
            lab.run(node, f"tc qdisc add dev {interface} root {shape}")
            stack.callback(lab.run, node, f"tc qdisc del dev {interface} root")
        yield


@contextmanager
def priority_link(lab: Lab, site: str, *, rate_kbit: int, buffer_ms: int) -> Iterator[None]:
    """As `slow_link`, but what bears EF (DSCP 46) has a class of its own that goes first."""
    limit = rate_kbit * buffer_ms // 8
    with ExitStack() as stack:
        for node, interface in (("core", site), (site, "wan")):
            lab.run(node, f"tc qdisc add dev {interface} root handle 1: htb default 20")
            stack.callback(lab.run, node, f"tc qdisc del dev {interface} root")
            whole = f"htb rate {rate_kbit}kbit burst 4kb cburst 4kb"
            lab.run(node, f"tc class add dev {interface} parent 1: classid 1:1 {whole}")
            for minor, share, priority in ((10, 0.3, 0), (20, 0.7, 1)):
                rate = f"rate {round(rate_kbit * share)}kbit ceil {rate_kbit}kbit burst 4kb"
                lab.run(
                    node,
                    f"tc class add dev {interface} parent 1:1 classid 1:{minor} htb {rate} "
                    f"cburst 4kb prio {priority}",
                )
                lab.run(
                    node,
                    f"tc qdisc add dev {interface} parent 1:{minor} handle {minor}: "
                    f"bfifo limit {limit}",
                )
            for number, match in ((1, "ip match ip tos"), (2, "ipv6 match ip6 priority")):
                family, _, field = match.partition(" ")
                lab.run(
                    node,
                    f"tc filter add dev {interface} parent 1: protocol {family} prio {number} u32 "
                    f"{field} 0xb8 0xfc flowid 1:10",
                )
        yield


@contextmanager
def bulk_transfer(lab: Lab, site: str, folder: Path, *, window_octets: int) -> Iterator[None]:
    """A TCP upload from the vantage to the site's phone that never ends.

    The receiver's window bounds what is under way, so that a deep buffer fills up to it and no
    further: queueing delay without loss, as a backup over a slow line makes it.
    """
    sink = f"TCP-LISTEN:5001,rcvbuf={window_octets}"
    with ExitStack() as stack:
        sink_process = stack.enter_context(
            running(
                ("socat", "-u", sink, "OPEN:/dev/null"),
                log=folder / "sink.log",
                prefix=lab.at(f"{site}-phone"),
                bound=("tcp", 5001),
            )
        )
        stack.enter_context(
            running(
                ("socat", "-u", "OPEN:/dev/zero", f"TCP:{ipv4(f'{site}-phone')}:5001"),
                log=folder / "source.log",
                prefix=lab.at("vantage"),
            )
        )
        yield
        assert sink_process.running(), sink_process


@contextmanager
def site_outage(lab: Lab, site: str) -> Iterator[None]:
    """The site's link to the core is pulled."""
    with lab.link_down(site, "wan"):
        yield


@contextmanager
def host_unplugged(lab: Lab, node: str) -> Iterator[None]:
    """One host's own cable is pulled."""
    with lab.link_down(node, "eth0"):
        yield


@contextmanager
def vantage_unplugged(lab: Lab) -> Iterator[None]:
    """The far end of the vantage's own cable is pulled, so that its interface has no carrier."""
    with lab.link_down("core", "vantage"):
        yield
