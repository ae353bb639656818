"""The LAN of real captures, counted by us and by tshark; every difference is named and decided."""

from collections import Counter

import pytest

from nethealth.passive.lan_arp import ArpAnalysis
from nethealth.passive.lan_dhcp import DhcpAnalysis
from nethealth.passive.lan_icmp import IcmpAnalysis
from nethealth.passive.lan_spanning_tree import SpanningTreeAnalysis
from nethealth.passive.lan_tcp import TcpAnalysis
from tests import captures
from tests.passive import oracle

pytestmark = pytest.mark.captures
NAMES = oracle.names()
DHCP_TYPES = {1: "DISCOVER", 3: "REQUEST", 5: "ACK", 6: "NAK"}

# capture -> (ours, tshark's, why ours is right)
ARP_DIFFERENCES = {
    "tcpdump__arp-oobr.pcap": (
        229, 237,
        "a fuzzed file; tshark also takes the target of a reply for a claim, which nobody made",
    ),
}  # fmt: skip
ARP_OTHERS = {
    "tcpdump__arp-oobr.pcap": 258,  # fuzzed: of no known hardware, protocol or size
    "wswiki__STP_UplinkFast.pcapng": 3,  # hardware type 277, protocol 0xAAAA: filling
    "wswiki__uaudp_ipv6.pcap": 145,  # RARP (EtherType 0x8035), which tshark shows as ARP
}
# tshark's filter counts SYNs sent again; the contract asks for data. Ours count apart.
TCP_DIFFERENCES = {
    "zeek__ssh-dups.pcap": (
        0, 166,
        "every frame stands four times in the file, with one identification and checksum: copies "
        "of a mirror port (Zeek's test calls them duplicates too); 162 of data, 4 of FIN",
    ),
    "wswiki__jul23-fastbusy-at-ccm-when-flex-oh-hook_1.pcap": (
        0, 3,
        "octets 65 to 108 come once each: tshark takes the number of a RST for an acknowledgement",
    ),
    "wswiki__SkypeIRC.cap": (
        10, 12 + 34,
        "34 are SYNs; frames 902 and 1405 have older time stamps than those that came before them "
        "(TSval 142175 behind 142176, 3304030 behind 3304041): overtaken, not sent again",
    ),
}  # fmt: skip
SYNS_AGAIN = {
    "ndpi__gnutella.pcap": 184,
    "ndpi__synscan.pcap": 9,
    "sanders__http_espn_fail.pcapng": 84,
    "wswiki__MINET-SAC-Traces.part1.pcap": 11,
    "wswiki__SIP_CALL_RTP_G711": 2,
    "wswiki__aaa.pcap": 4,
    "wswiki__ip-ethereal-trace-1.pcap": 2,
}


@pytest.mark.parametrize("name", NAMES)
def test_counts_of_the_lan(name: str) -> None:
    found = oracle.facts(
        captures.folder() / name,
        [ArpAnalysis(), DhcpAnalysis(), IcmpAnalysis(), SpanningTreeAnalysis()],
    )
    arp = oracle.by_key(found, "arp_message_count", "operation")
    assert arp.total() + ARP_OTHERS.get(name, 0) == oracle.count(name, "arp")
    _differs_as_said(
        ARP_DIFFERENCES,
        name,
        oracle.value(found, "arp_conflict_count"),
        oracle.count(name, "arp.duplicate-address-detected"),
    )
    messages = oracle.by_key(found, "dhcp_message_count", "message_type")
    assert messages.total() == oracle.count(name, "dhcp")
    for number, kind in DHCP_TYPES.items():
        assert messages[kind] == oracle.count(name, f"dhcp.option.dhcp=={number}")
    errors = Counter(
        {
            number: oracle.count(name, f"icmp.type=={number}")
            for number in (3, 4, 5, 11, 12)
            if oracle.count(name, f"icmp.type=={number}")
        }
    )
    ours = oracle.by_key(
        [fact for fact in found if fact.method.get("ip_version") == 4],
        "icmp_error_count",
        "icmp_type",
    )
    if name != "zeek__icmp-destunreach-udp.pcap":  # one frame; its oracle has no counts at all
        assert ours == {str(kind): number for kind, number in errors.items()}
    assert oracle.value(found, "stp_topology_change_count") == oracle.count(name, "stp.flags.tc==1")
    bpdus = oracle.by_key(found, "stp_bpdu_count", "kind")
    assert bpdus.total() == oracle.count(name, "stp")


@pytest.mark.parametrize("name", NAMES)
def test_data_sent_again(name: str) -> None:
    found = oracle.facts(captures.folder() / name, [TcpAnalysis()])
    ours = oracle.value(found, "tcp_retransmission_count")
    theirs = oracle.count(name, "tcp.analysis.retransmission")
    syns = oracle.value(found, "tcp_syn_retransmission_count")
    if name in SYNS_AGAIN:
        assert syns == SYNS_AGAIN[name]
        theirs -= syns
    _differs_as_said(TCP_DIFFERENCES, name, ours, theirs)
    assert oracle.value(found, "tcp_zero_window_count") == oracle.count(
        name, "tcp.analysis.zero_window"
    )


def test_copies_of_a_mirror_port_are_counted_as_such() -> None:
    found = oracle.facts(captures.folder() / "zeek__ssh-dups.pcap", [TcpAnalysis()])
    assert oracle.value(found, "tcp_data_segment_count") == 4 * 54
    assert oracle.value(found, "tcp_mirror_copy_count") == 3 * 54


def _differs_as_said(
    table: dict[str, tuple[int, int, str]], name: str, ours: int, theirs: int
) -> None:
    if name in table:
        assert (ours, theirs) == table[name][:2]
    else:
        assert ours == theirs
