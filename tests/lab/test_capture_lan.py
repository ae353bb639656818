"""A small LAN with real trouble on it, captured at a switch port: what we read and tshark reads.

pc, phone, twin, server -- switch (a bridge); the capture stands on the pc's port
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nethealth.passive.analysis import Fact
from nethealth.passive.lan_arp import ArpAnalysis
from nethealth.passive.lan_dhcp import DhcpAnalysis
from nethealth.passive.lan_frames import FramesAnalysis
from nethealth.passive.lan_icmp import IcmpAnalysis
from nethealth.passive.lan_repeats import RepeatsAnalysis
from nethealth.passive.lan_tcp import TcpAnalysis
from nethealth.passive.lan_tftp import TftpAnalysis
from tests.lab.test_capture_record import send
from tests.lab.topology import Lab, remove
from tests.passive import oracle
from tests.passive.run import method, value, values
from tests.peers.process import running
from tests.wire import lan_frames as made

ADDRESSES = {"pc": 10, "phone": 20, "twin": 20, "server": 30}
PAGE_OCTETS = 1_500_000
FIRMWARE_OCTETS = 100_000  # block by block


@pytest.fixture(scope="module")
def lan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab("lan-")
    try:
        for node in ("switch", *ADDRESSES):
            lab.add(node)
            # Of themselves they would speak IPv6 now and then.
            lab.run(node, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
            lab.run(node, "sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
        lab.configure("switch", "link add br0 type bridge mcast_snooping 0", "link set br0 up")
        for node, host in ADDRESSES.items():
            lab.join(node, "eth0", "switch", node)
            lab.configure(node, "link set eth0 up", f"addr replace 198.18.9.{host}/24 dev eth0")
            lab.run("switch", f"ip link set {node} master br0 up")
        lab.run("pc", "fping -q -r 50 -t 100 -B 1 198.18.9.30")
        lab.run("twin", "ip link set eth0 down")
        yield lab
    finally:
        remove(lab.prefix)


@contextmanager
def captured(lan: Lab, path: Path) -> Iterator[None]:
    argv = ("tcpdump", "-n", "-U", "--immediate-mode", "-s", "0", "-i", "pc", "-w", str(path))
    with running(argv, log=path.with_suffix(".log"), prefix=lan.at("switch")) as process:
        process.wait_until(lambda: "listening on" in process.output())
        yield
        settle(path)


def settle(path: Path) -> None:
    """Return as soon as a capture has not grown for a while: what was under way is written."""
    size = -1
    for _ in range(60):
        if path.stat().st_size == size:
            return
        size = path.stat().st_size
        time.sleep(0.3)


def tshark(path: Path, display_filter: str) -> int:
    done = subprocess.run(
        ("tshark", "-n", "-r", path, "-Y", display_filter, "-T", "fields", "-e", "frame.number"),
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return len(done.stdout.split())


def behind(path: Path) -> int:
    """Segments with data that the sender had numbered before one that came first, by tshark."""
    done = subprocess.run(
        ("tshark", "-n", "-r", path, "-Y", "tcp.len > 0", "-T", "fields",
         "-e", "tcp.stream", "-e", "ip.src", "-e", "ip.id"),
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    highest: dict[tuple[str, str], int] = {}
    count = 0
    for line in done.stdout.splitlines():
        stream, source, text = line.split("\t")
        number = int(text, 0)
        last = highest.get((stream, source), number)
        if (number - last) & 0xFFFF >= 0x8000:
            count += 1
        else:
            highest[stream, source] = number
    return count


def to_nobody(path: Path) -> list[str]:
    """The protocols of each unicast frame to an address that never speaks, by tshark."""
    done = subprocess.run(
        ("tshark", "-n", "-r", path, "-T", "fields",
         "-e", "eth.src", "-e", "eth.dst", "-e", "eth.dst.ig", "-e", "frame.protocols"),
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    speakers = {source for source, _, _, _ in rows}
    return [
        protocols
        for _, destination, group, protocols in rows
        if group.split(",")[0] in {"0", "False"} and destination not in speakers
    ]


def found(path: Path) -> list[Fact]:
    return oracle.facts(
        path,
        [ArpAnalysis(), DhcpAnalysis(), FramesAnalysis(), IcmpAnalysis(), RepeatsAnalysis(),
         TcpAnalysis(), TftpAnalysis()],
    )  # fmt: skip


def mac(lan: Lab, node: str) -> str:
    return lan.run(node, "cat /sys/class/net/eth0/address").stdout.strip()


@contextmanager
def serving(lan: Lab, folder: Path) -> Iterator[None]:
    """Files by TFTP, leases by DHCP, and files by HTTP."""
    (folder / "page.bin").write_bytes(bytes(PAGE_OCTETS))
    (folder / "firmware.bin").write_bytes(bytes(FIRMWARE_OCTETS))
    dnsmasq = (
        "dnsmasq", "-k", "--port=0", "--user=root", "--pid-file=", "--conf-file=/dev/null",
        "--leasefile-ro", "--enable-tftp", f"--tftp-root={folder}",
        "--dhcp-range=198.18.9.100,198.18.9.101,1h", "--no-ping", "--log-facility=-",
    )  # fmt: skip
    http = ("python3", "-m", "http.server", "80", "--directory", str(folder))
    at = lan.at("server")
    with (
        running(dnsmasq, log=folder / "dnsmasq.log", prefix=at, bound=("udp", 69)),
        running(http, log=folder / "http.log", prefix=at, bound=("tcp", 80)),
    ):
        yield


def test_a_transfer_with_loss_on_either_side_of_the_capture(lan: Lab, tmp_path: Path) -> None:
    path = tmp_path / "loss.pcap"
    drop = "-p tcp -m statistic --mode random --probability 0.04 -j DROP"
    with serving(lan, tmp_path), captured(lan, path):
        for node, chain in (("pc", "INPUT"), ("server", "OUTPUT")):
            lan.run(node, f"iptables -w -A {chain} {drop}")
            lan.run("pc", "curl -s -m 40 -o /dev/null http://198.18.9.30/page.bin")
            lan.run(node, f"iptables -w -D {chain} {drop}")
    facts = found(path)
    # tshark goes by time alone and takes most of what was sent again for overtaken. Now and then a
    # busy machine's two processors really do swap two segments.
    again = tshark(path, "tcp.analysis.retransmission && tcp.len > 0")
    overtaken = tshark(path, "tcp.analysis.out_of_order && tcp.len > 0")
    ours = value(facts, "tcp_retransmission_count")
    assert again + overtaken > 20
    swapped = value(facts, "tcp_out_of_order_count")
    assert isinstance(ours, int)
    assert isinstance(swapped, int)
    assert ours + swapped == again + overtaken
    assert swapped == behind(path)
    assert value(facts, "tcp_mirror_copy_count") == 0
    assert value(facts, "tcp_data_segment_count") == tshark(path, "tcp.len > 0")


def test_two_devices_with_one_address(lan: Lab, tmp_path: Path) -> None:
    path = tmp_path / "arp.pcap"
    with captured(lan, path):
        lan.run("pc", "fping -q -r 5 198.18.9.20")
        lan.configure("twin", "link set eth0 up", "addr replace 198.18.9.20/24 dev eth0")
        lan.run("twin", "fping -q -r 20 -t 100 198.18.9.30", check=False)
        for _ in range(3):
            lan.run("pc", "ip neighbour flush dev eth0")
            lan.run("pc", "fping -q -r 5 198.18.9.20", check=False)
        lan.run("twin", "ip link set eth0 down")
    facts = found(path)
    assert tshark(path, "arp.duplicate-address-detected") > 0
    claims = method(facts, "arp_claimant_count")
    assert claims["address"] == "198.18.9.20"
    assert claims["first_claimant"] == mac(lan, "phone")
    assert claims["other_claimants"] == [mac(lan, "twin")]
    frames = tshark(
        path, f"arp.src.proto_ipv4 == 198.18.9.20 && arp.src.hw_mac == {mac(lan, 'twin')}"
    )
    assert value(facts, "arp_conflict_count") == frames > 0


def test_firmware_leases_and_a_closed_port(lan: Lab, tmp_path: Path) -> None:
    path = tmp_path / "boot.pcap"
    discover = made.dhcp_option(53, b"\x01") + made.dhcp_option(60, b"ipphone.mitel.com") + b"\xff"
    message = made.DHCP_ACK[:1].replace(b"\x02", b"\x01") + made.DHCP_ACK[1:16] + bytes(12)
    message += made.MAC_A + bytes(202) + b"\x63\x82\x53\x63" + discover
    frame = made.ethernet(made.udp(68, 67, message)[14:], 0x0800, b"\xff" * 6)
    with serving(lan, tmp_path), captured(lan, path):
        lan.run("pc", "curl -s -m 20 -o /dev/null tftp://198.18.9.30/firmware.bin")
        lan.run("pc", "curl -s -m 20 -o /dev/null tftp://198.18.9.30/missing.bin", check=False)
        send(lan, [frame], "pc")
        lan.run(
            "pc", "bash -c 'for i in 1 2 3; do echo x > /dev/udp/198.18.9.30/9; sleep 0.1; done'"
        )
        time.sleep(0.5)
    facts = found(path)
    assert value(facts, "tftp_data_octets") == FIRMWARE_OCTETS
    assert values(facts, "tftp_file_request_count", "filename") == {
        "firmware.bin": 1, "missing.bin": 1,
    }  # fmt: skip
    assert value(facts, "tftp_error_count") == tshark(path, "tftp.opcode == 5") == 1
    assert values(facts, "dhcp_message_count", "message_type") == {
        kind: count
        for kind, number in (("DISCOVER", 1), ("OFFER", 2))
        if (count := tshark(path, f"dhcp.option.dhcp == {number}"))
    }
    assert values(facts, "dhcp_phone_client_count", "vlan") == {"None": 1}
    assert values(facts, "icmp_error_count", "icmp_type") == {"3": tshark(path, "icmp.type == 3")}


def test_a_loop_that_no_spanning_tree_sees(lan: Lab, tmp_path: Path) -> None:
    path = tmp_path / "loop.pcap"
    with captured(lan, path):
        lan.run("switch", "ip link add loop0 type veth peer name loop1")
        try:
            for end in ("loop0", "loop1"):
                lan.run("switch", f"tc qdisc add dev {end} root tbf rate 1mbit burst 4kb limit 8kb")
                lan.run("switch", f"ip link set {end} master br0 up")
            lan.run("pc", "ip neighbour flush dev eth0")
            lan.run("pc", "fping -q -r 1 198.18.9.99", check=False)
            time.sleep(1)
        finally:
            lan.run("switch", "ip link del loop0")
    facts = found(path)
    run = value(facts, "frame_repeat_run_max_packets")
    assert isinstance(run, int)
    # Two directions of 1 Mb/s; an ARP request of 42 octets goes round some thousand times a second.
    assert run > 200
    assert method(facts, "frame_repeat_run_max_packets")["mac"] == mac(lan, "pc")
    kinds = values(facts, "link_packet_count", "kind")
    assert kinds["broadcast"] == tshark(path, "eth.dst == ff:ff:ff:ff:ff:ff")


def test_a_quiet_lan_has_none_of_it(lan: Lab, tmp_path: Path) -> None:
    path = tmp_path / "quiet.pcap"
    # As fast as memory allows, a bridge between two processors lets segments overtake each other,
    # and the sender repeats them: a wire has a rate.
    lan.run("server", "tc qdisc add dev eth0 root tbf rate 100mbit burst 16kb limit 4mb")
    try:
        # Who spoke to a device that is gone asks after it three times, from five seconds on: of
        # what was before, nothing is to be asked here.
        for node in ADDRESSES:
            lan.run(node, "ip neighbour flush dev eth0")
        with serving(lan, tmp_path), captured(lan, path):
            lan.run("pc", "curl -s -m 20 -o /dev/null http://198.18.9.30/page.bin")
    finally:
        lan.run("server", "tc qdisc del dev eth0 root")
    facts = found(path)
    assert value(facts, "frame_repeat_run_max_packets") == 1
    assert value(facts, "arp_conflict_count") == 0
    # A sender that a busy machine held up may send its last segments twice: of a thousand, a few.
    again = value(facts, "tcp_retransmission_count")
    swapped = value(facts, "tcp_out_of_order_count")
    assert isinstance(again, int)
    assert isinstance(swapped, int)
    assert again + swapped == sum(
        tshark(path, f"tcp.analysis.{kind} && tcp.len > 0")
        for kind in ("retransmission", "out_of_order")
    )
    assert again + swapped <= 10
    stray = to_nobody(path)
    assert value(facts, "unknown_unicast_packet_count") == len(stray)
    assert all("arp" in protocols for protocols in stray), stray
