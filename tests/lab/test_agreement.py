"""What ping measures is what the kernel counted, the forwarder did, and other tools saw."""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from tests.lab import faults, witness
from tests.lab.patience import again
from tests.lab.program import Ran, nethealth
from tests.lab.servers import Servers
from tests.lab.topology import Lab, ipv4, ipv6
from tests.peers import irtt

PHONE = ipv4("hall-phone")
Ping = Callable[..., Ran]


@pytest.fixture
def ping(lab: Lab, lab_servers: Servers, tmp_path: Path) -> Ping:
    """`ping(address, count=100, …)`: the options of `[asset.ping]`."""

    def run(address: str, **options: int) -> Ran:
        words = [word for key, value in options.items() for word in ("--option", f"{key}={value}")]
        return nethealth(
            lab,
            tmp_path,
            *("check", "--probe", "ping", address, *words, "--format", "json"),
            ca_file=lab_servers.authority.ca_file,
        )

    return run


def test_loss_is_exactly_what_the_kernel_dropped(ping: Ping, lab: Lab) -> None:
    with faults.loss(lab, "hall", 0.2) as counter:
        ran = ping(PHONE, count=300, interval_ms=5)
        dropped = counter.dropped()
    assert dropped > 0
    assert ran.seen("packets_sent_count")["value"] == 300
    assert ran.seen("packets_received_count")["value"] == 300 - dropped
    loss = ran.seen("packet_loss_ratio")
    assert (loss["value"], loss["samples"]) == (pytest.approx(dropped / 300), 300)


@pytest.mark.parametrize("address", [PHONE, ipv6("hall-phone")])
@again
def test_delay_is_the_forwarders_and_fpings(
    ping: Ping, lab: Lab, tmp_path: Path, forwarder: Path, address: str
) -> None:
    with faults.delay(lab, "hall", forwarder, tmp_path / "log", delay_ms=40):
        ran = ping(address, count=100, interval_ms=5)
        echoes = witness.fping(lab, address, count=100)
    assert ran.seen("round_trip_delay_min_s")["value"] >= 0.040
    ours = ran.seen("round_trip_delay_median_s")["value"]
    # What a process adds on a busy machine is more than the forwarder's own 20 to 60 us.
    assert ours == pytest.approx(0.040, abs=0.002)
    assert ours == pytest.approx(median(echoes.delays_s), abs=0.002)


@again
def test_delay_variation_is_the_forwarders_and_irtts(
    ping: Ping, lab: Lab, tmp_path: Path, forwarder: Path
) -> None:
    # Each packet's delay is uniform on [20, 50), independent of the others.
    server = ipv4("hall-server")
    with (
        irtt.server(server, tmp_path / "irtt.log", prefix=lab.at("hall-server")),
        faults.delay(lab, "hall", forwarder, tmp_path / "log", delay_ms=20, jitter_ms=30),
    ):
        ran = ping(PHONE, count=400, interval_ms=5)
        seen = irtt.measure(server, count=400, interval_s=0.005, prefix=lab.at("vantage"))

    def value(name: str) -> float:
        found: float = ran.seen(name)["value"]
        return found

    # Five standard errors of the median, 30 ms / (2 sqrt(400)), and a little for the machine.
    assert value("round_trip_delay_median_s") == pytest.approx(0.035, abs=0.0045)
    assert value("round_trip_delay_min_s") == pytest.approx(0.020, abs=0.003)
    assert value("round_trip_delay_p95_s") == pytest.approx(0.0485, abs=0.004)
    assert value("round_trip_delay_max_s") >= value("round_trip_delay_p95_s")
    # PDV is above the least delay (RFC 5481 section 4.2): its p99 nears the whole 30 ms.
    assert value("pdv_p99_s") == pytest.approx(0.0297, abs=0.004)
    # The mean distance of two independent uniform delays is a third of their range.
    assert value("ipdv_abs_mean_s") == pytest.approx(0.010, abs=0.003)
    steps = [abs(after - before) for before, after in pairwise(seen.round_trip_delays_s)]
    assert value("ipdv_abs_mean_s") == pytest.approx(sum(steps) / len(steps), abs=0.003)


def test_the_mark_that_is_asked_for_is_on_every_packet(ping: Ping, lab: Lab) -> None:
    rule = "FORWARD -o hall -m dscp --dscp 46 -j ACCEPT"
    lab.run("core", f"iptables -w -t mangle -A {rule}")
    try:
        ran = ping(PHONE, count=20, interval_ms=5, dscp=46)
        listing = lab.run("core", "iptables -w -t mangle -nvxL FORWARD").stdout
    finally:
        lab.run("core", f"iptables -w -t mangle -D {rule}")
    counted = re.search(r"^\s*(\d+) .*DSCP match", listing, re.MULTILINE)
    assert counted, listing
    assert int(counted[1]) == 20
    assert ran.seen("dscp_received")["value"] == 46


def test_a_mark_that_is_bleached_on_the_way_is_seen(ping: Ping, lab: Lab) -> None:
    rule = "FORWARD -o hall -j DSCP --set-dscp 0"
    lab.run("core", f"iptables -w -t mangle -A {rule}")
    try:
        ran = ping(PHONE, count=5, interval_ms=5, dscp=46)
    finally:
        lab.run("core", f"iptables -w -t mangle -D {rule}")
    assert ran.seen("dscp_received")["value"] == 0


def test_a_router_that_says_no_is_named(ping: Ping, lab: Lab) -> None:
    rule = "FORWARD -o hall -j REJECT --reject-with icmp-admin-prohibited"
    lab.run("core", f"iptables -w -A {rule}")
    try:
        ran = ping(PHONE, count=5, interval_ms=5)
    finally:
        lab.run("core", f"iptables -w -D {rule}")
    told = ran.seen("icmp_error_count")
    # RFC 1812 section 5.2.7.1: type 3, code 13.
    assert (told["method"]["icmp_type"], told["method"]["icmp_code"]) == (3, 13)
    assert told["method"]["source"] == ipv4("core")
    assert 1 <= told["value"] <= 5
    assert ran.seen("packets_received_count")["value"] == 0
