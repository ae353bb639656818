"""Routes and path MTUs over four real routers, beside traceroute, and with each fault on."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.lab import chain
from tests.lab.chain import HOPS, HOPS6, TARGET, TARGET6
from tests.lab.program import NO_RAW_SOCKETS, Ran, nethealth
from tests.lab.topology import Lab

Check = Callable[..., Ran]
METHODS = ("udp", "icmp", "tcp")


@pytest.fixture(scope="module")
def routers() -> Iterator[Lab]:
    with chain.build() as built:
        yield built


@pytest.fixture
def check(routers: Lab, tmp_path: Path) -> Check:
    """`check(TARGET, KIND, key=value…)`, by default without the privilege of raw sockets."""

    def run(
        target: str, kind: str, *, raw: bool = False, form: str = "json", **options: str
    ) -> Ran:
        given = [word for key, value in options.items() for word in ("--option", f"{key}={value}")]
        nothing = tmp_path / "nothing.pem"
        nothing.write_text("")
        return nethealth(
            routers,
            tmp_path,
            *("check", target, "--probe", kind, "--format", form, *given),
            ca_file=nothing,
            prefix=() if raw else NO_RAW_SOCKETS,
        )

    return run


@contextmanager
def told(lab: Lab, *lines: str) -> Iterator[None]:
    """`NODE: COMMAND` now, and with -A for -D (or `|` and another command) afterwards."""
    with ExitStack() as stack:
        for line in lines:
            node, _, command = line.partition(": ")
            do, _, undo = command.partition(" | ")
            lab.run(node, do)
            stack.callback(lab.run, node, undo or do.replace(" -A ", " -D "))
        yield


def by_hop(ran: Ran, name: str) -> list[object]:
    found = [one for one in ran.record["observations"] if one["name"] == name]
    return [one["value"] for one in sorted(found, key=lambda one: one["method"]["hop"])]


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_the_hops_are_those_of_the_topology(check: Check, method: str, raw: bool) -> None:
    for target, hops in ((TARGET, HOPS), (TARGET6, HOPS6)):
        ran = check(target, "route", method=method, raw=raw)
        assert (ran.exit_code, ran.codes) == (0, set()), ran.stderr
        assert by_hop(ran, "hop_address") == list(hops)
        assert by_hop(ran, "hop_reply_ratio") == [1.0] * len(hops)
        assert by_hop(ran, "hop_packet_loss_ratio") == [0.0] * len(hops)
        assert ran.seen("route_length_hops")["value"] == len(hops)
        assert ran.seen("packet_loss_ratio")["value"] == 0.0
        nat = ran.seen("route_nat_seen")
        assert nat["value"] is (False if raw else None)
        assert raw or "CAP_NET_RAW" in nat["method"]["reason"]


def test_the_hops_are_those_of_traceroute(check: Check, routers: Lab) -> None:
    for target, flags in ((TARGET, ""), (TARGET, "-I"), (TARGET, "-T -p 443"), (TARGET6, "")):
        listing = routers.run("vantage", f"traceroute -n -q 1 {flags} {target}").stdout
        theirs = re.findall(r"^ *\d+  (\S+)", listing, re.M)
        method = {"-I": "icmp", "": "udp"}.get(flags, "tcp")
        assert by_hop(check(target, "route", method=method), "hop_address") == theirs


@pytest.mark.parametrize("family", [4, 6])
def test_a_mark_is_missed_at_the_hop_after_the_router_that_removes_it(
    check: Check, routers: Lab, family: int
) -> None:
    program = "iptables" if family == 4 else "ip6tables"
    target, hops = (TARGET, HOPS) if family == 4 else (TARGET6, HOPS6)
    rule = f"r2: {program} -t mangle -A FORWARD -o right -j DSCP --set-dscp 0"
    with told(routers, rule):
        for method in ("udp", "icmp"):
            ran = check(target, "route", method=method, raw=True, dscp="46")
            assert (ran.exit_code, ran.codes) == (1, {"dscp-bleached"})
            assert by_hop(ran, "hop_dscp_quoted")[:4] == [46, 46, 0, 0]
            (finding,) = ran.record["findings"]
            assert f"whole as it reaches hop 2 ({hops[1]})" in finding["statement"]
        assert check(target, "route", raw=True).codes == set()  # no mark was asked to hold
    assert check(target, "route", raw=True, dscp="46").codes == set()


def test_a_router_that_limits_its_icmp_loses_nothing(check: Check, routers: Lab) -> None:
    limit = "-p icmp --icmp-type 11 -m limit --limit 1/minute --limit-burst 1 -j ACCEPT"
    with told(
        routers,
        f"r2: iptables -A OUTPUT {limit}",
        "r2: iptables -A OUTPUT -p icmp --icmp-type 11 -j DROP",
    ):
        ran = check(TARGET, "route", queries="4")
        text = check(TARGET, "route", form="text").stdout
    assert (ran.exit_code, ran.codes) == (0, set())
    assert by_hop(ran, "hop_reply_ratio") == [1.0, 0.25, 1.0, 1.0, 1.0]
    assert by_hop(ran, "hop_packet_loss_ratio") == [0.0] * 5
    assert ran.seen("packet_loss_ratio")["value"] == 0.0
    assert re.search(r"^ *2 +no answer", text, re.M), text
    assert "100 %" not in text.replace("100 % of", "")


def test_a_silent_router_is_a_hop_without_an_address(check: Check, routers: Lab) -> None:
    with told(routers, "r3: iptables -A OUTPUT -p icmp -j DROP"):
        ran = check(TARGET, "route")
    assert by_hop(ran, "hop_address") == [*HOPS[:2], None, *HOPS[3:]]
    assert by_hop(ran, "hop_packet_loss_ratio") == [0.0] * 5
    assert (ran.exit_code, ran.seen("route_length_hops")["value"]) == (0, 5)


def test_a_host_that_is_not_there_and_one_behind_a_filter(check: Check, routers: Lab) -> None:
    gone = check(chain.ipv4(chain.LAST_LINK, 77), "route")
    assert gone.seen("route_reached")["value"] is False
    assert by_hop(gone, "hop_address") == [*HOPS[:4], HOPS[3]]  # host unreachable, by router 4
    assert gone.seen("packet_loss_ratio")["failure"] == "unreachable"
    with told(routers, "r3: iptables -A FORWARD -p udp -j DROP"):
        ran = check(TARGET, "route")
    assert by_hop(ran, "hop_address") == list(HOPS[:3])
    assert ran.seen("route_length_hops")["failure"] == "timeout"


NARROW = (
    "r2: ip link set right mtu 1400 | ip link set right mtu 1500",
    "r3: ip link set left mtu 1400 | ip link set left mtu 1500",
)
DROPPED = (
    "r2: iptables -A OUTPUT -p icmp --icmp-type 3/4 -j DROP",
    "r2: ip6tables -A OUTPUT -p icmpv6 --icmpv6-type 2 -j DROP",
)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(("target", "hops"), [(TARGET, HOPS), (TARGET6, HOPS6)])
def test_a_narrow_link_is_found_and_only_its_silence_is_a_fault(
    check: Check, routers: Lab, target: str, hops: tuple[str, ...], raw: bool
) -> None:
    if raw:
        whole = check(target, "path-mtu", raw=raw)
        assert (whole.exit_code, whole.codes) == (0, set())
        assert whole.seen("path_mtu_bytes")["value"] == 1500
    with told(routers, *NARROW):
        narrow = check(target, "path-mtu", raw=raw)
        assert (narrow.exit_code, narrow.codes) == (0, set())
        assert narrow.seen("path_mtu_bytes")["value"] == 1400
        assert narrow.seen("path_mtu_reporter")["value"] == hops[1]
        with told(routers, *DROPPED):
            hole = check(target, "path-mtu", raw=raw)
    assert (hole.exit_code, hole.codes) == (1, {"path-mtu-black-hole"})
    assert hole.seen("path_mtu_bytes")["value"] == 1400
    last = hole.seen("path_mtu_last_hop")
    assert (last["value"], last["method"]["hop"]) == (hops[1], 2)
    assert last["method"]["next_address"] == hops[2]
