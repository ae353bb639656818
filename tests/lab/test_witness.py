"""SIP helpers, short bindings and fragment droppers at a site's router, with the reflector outside.

The vantage is the hall's telephone; the reflector stands where the lab's vantage is, behind the
core. Each fault is shown by a second witness, tcpdump at the reflector or the kernel's own table of
bindings, before it is looked for.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.lab.program import Ran, nethealth
from tests.lab.topology import Lab, ipv4, ipv6
from tests.peers import reflector
from tests.peers.process import Process, running

Check = Callable[..., Ran]
NODE = "hall-phone"
OTHER = "198.18.0.3"
ALLOW = ("--allow", "198.18.102.2/32", "--allow", "2001:db8:2::/64")
NAT = "hall: iptables -w -t nat -A POSTROUTING -o wan -j MASQUERADE"
HELPERS = tuple(
    f"hall: iptables -w -t raw -A PREROUTING -i br0 -p {transport} --dport 5060 -j CT --helper sip"
    for transport in ("udp", "tcp")
)
# 300 s, as RFC 4787 recommends: the kernel's own defaults are 30 and 120 s.
LONG = (
    "hall: sysctl -qw net.netfilter.nf_conntrack_udp_timeout=300 "
    "net.netfilter.nf_conntrack_udp_timeout_stream=300",
)
KERNELS_OWN = (
    "net.netfilter.nf_conntrack_udp_timeout=30 net.netfilter.nf_conntrack_udp_timeout_stream=120"
)
INVENTORY = """
[vantage]
id = "hall-phone"
site = "hall"

[[council]]
id = "lab"
name = "The council of the lab"

[[site]]
id = "hall"
council = "lab"
name = "The hall"

[[site]]
id = "centre"
council = "lab"
name = "The data centre"

[[asset]]
id = "witness"
site = "centre"
kind = "reflector"
owner = "3C ICT"
address = "{address}"
checks = {checks}
{options}
"""


@contextmanager
def told(lab: Lab, *lines: str) -> Iterator[None]:
    """`NODE: COMMAND` now, and with -A for -D afterwards; a sysctl is left as it is."""
    with ExitStack() as stack:
        for line in lines:
            node, _, command = line.partition(": ")
            lab.run(node, command)
            if " -A " in command:
                stack.callback(lab.run, node, command.replace(" -A ", " -D "))
        yield


@pytest.fixture(scope="module")
def outside(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("witness")
    lab.run("vantage", f"ip addr replace {OTHER}/24 dev eth0")
    with reflector.serving(
        folder, ipv4("vantage"), 862, "198.18.2.0/24", prefix=lab.at("vantage"),
        more=("--bind", OTHER, "--bind", ipv6("vantage"), *ALLOW, "--sip-port", "5060"),
    ) as process:  # fmt: skip
        process.wait_bound("tcp", 8630)
        yield process
    lab.run("vantage", f"ip addr del {OTHER}/24 dev eth0")
    lab.run("hall", f"sysctl -qw {KERNELS_OWN}")


@pytest.fixture
def check(lab: Lab, outside: Process, tmp_path: Path) -> Check:
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("")

    def run(kinds: Sequence[str], *, address: str = ipv4("vantage"), options: str = "") -> Ran:
        listed = ", ".join(f'"{kind}"' for kind in kinds)
        text = INVENTORY.format(address=address, checks=f"[{listed}]", options=options)
        (tmp_path / "sites.toml").write_text(text)
        return nethealth(lab, tmp_path, "sweep", "--format", "json", ca_file=nothing, node=NODE)

    return run


def seen(ran: Ran, name: str, **method: object) -> list[object]:
    """The values of an observation, in the order of the record."""
    return [
        one["value"]
        for one in ran.record["observations"]
        if one["name"] == name and all(one["method"].get(key) == method[key] for key in method)
    ]


@contextmanager
def captured(lab: Lab, node: str, what: str, folder: Path, how: str = "-A") -> Iterator[Process]:
    """What tcpdump sees at a node; by default with the octets as text."""
    with running(
        ("tcpdump", "-n", "-l", how, "-s0", "-i", "eth0", what),
        log=folder / "tcpdump.log",
        prefix=lab.at(node),
    ) as process:
        process.wait_until(lambda: "listening on" in process.output())
        yield process


def test_with_all_off_nothing_is_found(check: Check) -> None:
    ran = check(("sip-alg", "nat"), options="nat.least_s = 1\nnat.most_s = 2")
    assert (ran.exit_code, ran.findings) == (0, set()), ran.stderr
    assert seen(ran, "sip_alg_seen") == ["not seen"] * 4
    assert seen(ran, "nat_source_translated") == [False, False]
    assert seen(ran, "nat_translated") == [False]
    assert seen(ran, "nat_mapping") == ["none"]
    assert seen(ran, "nat_binding_lifetime_s") == [2]


def test_plain_translation_is_a_fact_and_no_finding(check: Check, lab: Lab) -> None:
    with told(lab, NAT, *LONG):
        ran = check(("sip-alg", "nat"), options="nat.least_s = 1\nnat.most_s = 2")
    assert (ran.exit_code, ran.findings) == (0, set()), ran.stderr
    assert seen(ran, "sip_alg_seen") == ["not seen"] * 4
    assert seen(ran, "nat_source_translated") == [True, True]
    # Linux keeps ports, maps by the source alone as far as these places show, and filters by all.
    assert seen(ran, "nat_mapping") == ["endpoint-independent"]
    assert seen(ran, "nat_filtering") == ["address and port-dependent"]
    assert seen(ran, "nat_port_preserved_ratio") == [1.0]


def test_ports_that_are_drawn_by_lot_are_told_from_ports_that_are_kept(
    check: Check, lab: Lab
) -> None:
    # --random-fully (iptables-extensions(8)): another port for each destination
    with told(lab, f"{NAT} --random-fully", *LONG):
        ran = check(("nat",), options="nat.least_s = 1\nnat.most_s = 2")
        table = lab.run("hall", "cat /proc/net/nf_conntrack").stdout
    assert (ran.exit_code, ran.findings) == (0, set()), ran.stderr
    assert seen(ran, "nat_mapping") == ["address and port-dependent"]
    # The kernel's own table: where the answers of three places are to come to, for one port.
    port = ran.seen("nat_mapping")["method"]["local"].rpartition(":")[2]
    outer = re.findall(rf" udp .* sport={port} dport=863\d .* dport=(\d+)", table)
    assert len(set(outer)) == len(outer) == 3, table
    (kept,) = seen(ran, "nat_port_preserved_ratio")
    assert isinstance(kept, float)
    assert kept < 0.2


def test_a_control_port_that_only_datagrams_do_not_reach_hides_no_helper(
    check: Check, lab: Lab
) -> None:
    shut = "hall: iptables -w -A FORWARD -p udp --dport 8630 -j DROP"
    with told(lab, NAT, *LONG, shut, *HELPERS):
        ran = check(("sip-alg",))
    assert ran.findings == {("sip-alg", "hall", None)}
    assert seen(ran, "sip_request_arrived", transport="udp", role="control") == [False, False]
    (finding,) = ran.record["findings"]
    assert finding["verdict"] == "demonstrated"  # by TCP, whose control copy arrived


def test_a_helper_is_found_where_it_is_by_both_transports(
    check: Check, lab: Lab, tmp_path: Path
) -> None:
    with (
        told(lab, NAT, *LONG, *HELPERS),
        captured(lab, "vantage", "udp port 5060", tmp_path) as dump,
    ):
        ran = check(("sip-alg",))
        dump.wait_until(lambda: dump.output().count("INVITE sip:") >= 1)
        second = dump.output()
    assert ran.findings == {("sip-alg", "hall", None)}, ran.stderr
    assert ran.exit_code == 1
    assert set(seen(ran, "sip_alg_seen")) == {"rewritten"}
    (finding,) = ran.record["findings"]
    assert finding["verdict"] == "demonstrated"
    # rewriting is no reason to call a size missing
    assert seen(ran, "sip_size_arrived_max_bytes", dont_fragment=False) == [2800, 2800]
    # tcpdump saw the router's address where the telephone had put its own
    outer = "198.18.102.2"
    assert re.search(rf"Via: SIP/2\.0/UDP {re.escape(outer)}:", second)
    assert re.search(rf"^c=IN IP4 {re.escape(outer)}", second, re.M)
    for method, parts in (("OPTIONS", {"Via sent-by", "Contact host"}),
                          ("INVITE", {"Contact host", "SDP o=", "SDP c="})):  # fmt: skip
        (one,) = [
            one for one in ran.record["observations"]
            if one["name"] == "sip_rewritten_parts" and one["method"]["sip_method"] == method
            and one["method"]["transport"] == "udp"
        ]  # fmt: skip
        assert parts <= set(one["method"]["parts"]), one["method"]["parts"]


def test_ipv6_is_not_translated_and_arrives_octet_for_octet(check: Check, lab: Lab) -> None:
    with told(lab, NAT, *HELPERS):
        ran = check(("sip-alg",), address=ipv6("vantage"))
    assert (ran.exit_code, ran.findings) == (0, set()), ran.stderr
    assert seen(ran, "sip_alg_seen") == ["not seen"] * 4
    assert seen(ran, "nat_source_translated") == [False, False]


def test_a_blocked_port_is_blocked_and_not_rewritten(
    check: Check, lab: Lab, tmp_path: Path
) -> None:
    rules = tuple(
        f"hall: iptables -w -A FORWARD -p {transport} --dport 5060 -j {verb}"
        for transport, verb in (("udp", "DROP"), ("tcp", "REJECT --reject-with tcp-reset"))
    )
    arriving = "dst port 5060"
    with told(lab, NAT, *LONG, *rules), captured(lab, "vantage", arriving, tmp_path) as dump:
        ran = check(("sip-alg",))
        assert "SIP/2.0" not in dump.output()
    assert ran.findings == {("sip-alg", "hall", None)}, ran.stderr
    (finding,) = ran.record["findings"]
    assert (finding["severity"], finding["verdict"]) == ("info", "insufficient-data")
    assert "is blocked" in finding["statement"]
    assert seen(ran, "sip_alg_seen") == ["blocked"] * 4
    assert ran.exit_code == 0


def test_a_control_port_that_is_blocked_says_nothing_of_sip(check: Check, lab: Lab) -> None:
    rule = "hall: iptables -w -A FORWARD -p tcp --dport 8630 -j REJECT --reject-with tcp-reset"
    with told(lab, NAT, *HELPERS, rule):
        ran = check(("sip-alg",))
    assert ran.codes == {"instrument-limited"}
    assert "with --sip-port" in ran.record["checks"][0]["reason"]
    assert seen(ran, "sip_alg_seen") == []


def test_a_short_binding_is_measured_and_found(check: Check, lab: Lab) -> None:
    short = (
        "hall: sysctl -qw net.netfilter.nf_conntrack_udp_timeout=4 "
        "net.netfilter.nf_conntrack_udp_timeout_stream=4",
    )
    with told(lab, NAT, *short):
        # The kernel's own table: a binding that one packet each way made lasts so long.
        to = f"UDP:{ipv4('vantage')}:8630,sourceport=45454"
        lab.run(NODE, f"sh -c 'echo x | socat -t0.1 - {to}'", check=False)
        table = lab.run("hall", "cat /proc/net/nf_conntrack").stdout
        (line,) = [line for line in table.splitlines() if " sport=45454 " in line]
        assert 0 < int(line.split()[4]) <= 4, line
        ran = check(("nat", "sip-alg"), options="nat.least_s = 1\nnat.most_s = 12")
        lab.run("hall", LONG[0].removeprefix("hall: "))
    assert ran.findings == {("nat-binding-short", "hall", None)}, ran.stderr
    (finding,) = ran.record["findings"]
    assert (finding["verdict"], ran.exit_code) == ("demonstrated", 1)
    lived = ran.seen("nat_binding_lifetime_s")
    # 4 s; where this machine is busy, a word may be spoken late, and a silence be longer than told
    assert 2 < lived["value"] < 4, lived
    assert 3.4 < lived["interval"][1] < 5.5, lived
    assert lived["method"]["lost_count"] == lived["method"]["lost_of"] >= 4


def test_dropped_fragments_are_found_and_nothing_else(
    check: Check, lab: Lab, tmp_path: Path
) -> None:
    # Without translation: conntrack would put fragments together before any rule saw them.
    rule = "hall: iptables -w -t raw -A PREROUTING -i br0 -f -j DROP"
    fragments = "ip[6:2] & 0x3fff != 0"
    with told(lab, rule), captured(lab, "vantage", fragments, tmp_path, "-v") as dump:
        ran = check(("sip-alg",))
        second = dump.output()
    assert ran.findings == {("path-mtu-black-hole", "hall", None)}, ran.stderr
    (finding,) = ran.record["findings"]
    assert finding["verdict"] == "demonstrated"
    assert "1600 octets or more" in finding["statement"]
    assert seen(ran, "sip_size_arrived_max_bytes", dont_fragment=False) == [1472, 1472]
    assert seen(ran, "sip_size_arrived_max_bytes", dont_fragment=True) == [1472, 1472]
    assert seen(ran, "sip_alg_seen") == ["not seen"] * 4
    assert "offset 0, flags [+]" in second  # the first fragment of each, and never another
    assert not re.search(r"offset [1-9]", second)
