"""ARP, spanning tree, DHCP, neighbours, redundancy, multicast, TFTP and marks, frame by frame."""

import struct

from nethealth.passive.lan_arp import ArpAnalysis
from nethealth.passive.lan_dhcp import DhcpAnalysis
from nethealth.passive.lan_dscp import DscpAnalysis
from nethealth.passive.lan_icmp import IcmpAnalysis
from nethealth.passive.lan_multicast import MulticastAnalysis
from nethealth.passive.lan_neighbours import NeighboursAnalysis
from nethealth.passive.lan_redundancy import RedundancyAnalysis
from nethealth.passive.lan_spanning_tree import SpanningTreeAnalysis
from nethealth.passive.lan_tftp import TftpAnalysis
from tests.passive.packet_frames import ethernet, ipv4, ipv6, mac, tcp, udp
from tests.passive.run import MS, S, facts, method, value, values
from tests.wire import lan_frames as made

OWNER, OTHER, PHONE = "02:00:00:00:00:01", "02:00:00:00:00:02", "08:00:0f:00:00:07"


def arp(operation: int, sender: str, sender_ip: int, target_ip: int) -> bytes:
    packet = (
        struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
        + mac(sender) + struct.pack("!I", sender_ip) + bytes(6) + struct.pack("!I", target_ip)
    )  # fmt: skip
    return ethernet(packet + bytes(18), 0x0806, source=sender)


def llc(octets: bytes, header: str = "424203") -> bytes:
    whole = bytes.fromhex(header) + octets
    return ethernet(whole, len(whole), source=OWNER, destination="01:80:c2:00:00:00")


def test_two_who_claim_one_address() -> None:
    ip, asked = 0xC6120009, 0xC6120001
    frames = [(index * S, arp(1, OWNER, ip, asked)) for index in range(3)]
    frames += [(4 * S, arp(2, OTHER, ip, asked)), (5 * S, arp(1, OTHER, ip, ip))]
    frames += [(6 * S, arp(1, OWNER, ip, asked)), (7 * S, arp(1, OTHER, 0, ip))]  # a probe
    for pieces in (1, 3):
        found = facts(ArpAnalysis(), frames, pieces)
        assert value(found, "arp_conflict_count") == 2
        assert value(found, "arp_claimant_count") == 2
        claims = method(found, "arp_claimant_count")
        assert claims["first_claimant"] == OWNER
        assert claims["first_claimant_packets"] == 4
        assert claims["other_claimants"] == [OTHER]
        assert claims["changes"] == 2
        assert claims["telephone_makers"] == [None, None]
        assert value(found, "arp_gratuitous_count") == 1
        assert values(found, "arp_message_count", "operation") == {"request": 6, "reply": 1}


def test_a_router_that_answers_for_many_is_no_conflict() -> None:
    frames = [(index, arp(2, OWNER, 0xC6120000 + index, 0xC6120001)) for index in range(1, 9)]
    found = facts(ArpAnalysis(), frames)
    assert value(found, "arp_conflict_count") == 0
    assert values(found, "arp_claimant_count") == {}


def test_topology_changes_and_a_new_root() -> None:
    frames = [
        (0, llc(made.bpdu())),
        (2 * S, llc(made.bpdu(flags=0x01))),
        (3 * S, llc(made.TCN)),
        (4 * S, llc(made.PVST, "aaaa0300000c010b")),
        (6 * S, llc(made.bpdu().replace(made.MAC_A, made.MAC_B, 1))),
    ]
    found = facts(SpanningTreeAnalysis(), frames, pieces=2)
    assert value(found, "stp_topology_change_count") == 3
    assert values(found, "stp_bpdu_count", "kind") == {"stp": 3, "tcn": 1, "rstp": 1}
    assert values(found, "stp_root_change_count", "tree_vlan") == {"None": 1, "10": 0}


def dhcp(
    kind: int, transaction: int, *, client: str = PHONE, vendor: bytes = b"", lease: int = 0
) -> bytes:
    options = made.dhcp_option(53, bytes((kind,)))
    if vendor:
        options += made.dhcp_option(60, vendor)
    message = (
        struct.pack("!BBBBIHH", 1 if kind in (1, 3) else 2, 1, 6, 0, transaction, 0, 0)
        + bytes(4) + struct.pack("!I", lease) + bytes(8) + mac(client) + bytes(10 + 192)
        + b"\x63\x82\x53\x63" + options + b"\xff"
    )  # fmt: skip
    ports = (68, 67) if kind in (1, 3) else (67, 68)
    return udp(message, *ports)


def test_a_telephone_that_goes_in_circles() -> None:
    frames = []
    for turn in range(4):
        start, tag = turn * 90 * S, [(0x8100, 100 if turn % 2 else 200)]
        for step, kind in enumerate((1, 2, 3, 5)):
            packet = ipv4(dhcp(kind, turn, vendor=b"ipphone.mitel.com" if kind in (1, 3) else b""))
            frames.append((start + step * MS, ethernet(packet, tags=tag)))
        frames.append((start + 5 * MS, ethernet(ipv4(dhcp(1, turn)), tags=tag)))  # sent again
    found = facts(DhcpAnalysis(), frames, pieces=5)
    assert values(found, "dhcp_message_count", "message_type") == {
        "DISCOVER": 8, "OFFER": 4, "REQUEST": 4, "ACK": 4,
    }  # fmt: skip
    assert value(found, "dhcp_cycle_count") == 4
    assert value(found, "dhcp_cycle_median_s") == 90
    assert method(found, "dhcp_cycle_count")["vlans"] == [100, 200]
    assert values(found, "dhcp_phone_client_count", "vlan") == {"100": 1, "200": 1}
    assert value(found, "dhcp_unanswered_client_count") == 0


def test_a_scope_that_is_exhausted() -> None:
    frames = [
        (index * S, ethernet(ipv4(dhcp(1, index, client=f"02:00:00:00:01:{index:02x}"))))
        for index in range(20)
    ]
    frames += [(30 * S, ethernet(ipv4(dhcp(6, 1, client="02:00:00:00:01:01"))))]
    found = facts(DhcpAnalysis(), frames)
    assert value(found, "dhcp_unanswered_client_count") == 20
    assert method(found, "dhcp_unanswered_client_count")["clients_refused"] == 1
    assert values(found, "dhcp_cycle_count") == {}


def test_who_holds_the_leases_of_each_scope() -> None:
    """A telephone leased in both VLANs, one in the data VLAN alone, and a computer refused."""
    twice, once, laptop = PHONE, "08:00:0f:00:00:08", "f2:00:00:00:00:09"
    frames = []
    for at, (client, vlan, answer) in enumerate(
        [(twice, 100, 5), (twice, 200, 5), (once, 100, 5), (laptop, 100, 6)]
    ):
        tag, lease = [(0x8100, vlan)], 0xC6120A00 + at if answer == 5 else 0
        frames.append((at * S, ethernet(ipv4(dhcp(1, at, client=client)), tags=tag)))
        packet = ipv4(dhcp(answer, at, client=client, lease=lease))
        frames.append((at * S + MS, ethernet(packet, tags=tag)))
    found = facts(DhcpAnalysis(), frames, pieces=3)
    assert values(found, "dhcp_scope_client_count", "vlan") == {"100": 3, "200": 1}
    data, voice = (each.method for each in found if each.name == "dhcp_scope_client_count")
    assert (data["phones"], data["phones_leased"], data["others_leased"]) == (2, 2, 0)
    assert (data["phones_leased_elsewhere_too"], data["others_refused"]) == (1, 1)
    assert (data["local_macs"], voice["local_macs"]) == (1, 0)
    assert (voice["phones_leased"], voice["phones_leased_elsewhere_too"]) == (1, 1)
    phones = [each.method for each in found if each.name == "dhcp_phone_client_count"]
    assert phones[0]["macs"] == [twice, once]
    assert phones[0]["leased_addresses"] == ["198.18.10.0", "198.18.10.2"]


def test_errors_of_icmp_by_type_and_version() -> None:
    frames = [
        (0, ethernet(ipv4(b"\x03\x01" + bytes(34), 1))),
        (1, ethernet(ipv4(b"\x0b\x00" + bytes(34), 1))),
        (2, ethernet(ipv4(b"\x08\x00" + bytes(34), 1))),
        (3, ethernet(ipv6(b"\x03\x00" + bytes(50), 58), 0x86DD)),
        (4, ethernet(ipv6(b"\x87\x00" + bytes(20), 58), 0x86DD)),
        (5, ethernet(ipv4(b"\x0b\x00" + bytes(30), 1, flags_offset=0x2000))),
    ]
    found = facts(IcmpAnalysis(), frames, pieces=2)
    keys = [
        (fact.method["ip_version"], fact.method["icmp_type"], fact.value)
        for fact in found
        if fact.name == "icmp_error_count"
    ]
    assert keys == [(4, 3, 1), (4, 11, 1), (6, 3, 1)]


def test_a_telephone_and_its_switch_introduce_themselves() -> None:
    frames = [
        (0, ethernet(made.LLDP_PHONE, 0x88CC, source=PHONE, destination="01:80:c2:00:00:0e")),
        (S, llc(made.CDP_SWITCH, "aaaa0300000c2000")),
        (2 * S, ethernet(ipv4(udp(b"x")), source=PHONE, tags=[(0x8100, 200)])),
        (3 * S, ethernet(ipv4(udp(b"x")), source=PHONE, tags=[(0x8100, 200)])),
        (4 * S, ethernet(ipv4(udp(b"x")), source=OTHER, tags=[(0x8100, 100)])),
    ]
    found = facts(NeighboursAnalysis(), frames, pieces=2)
    assert values(found, "neighbour_device", "protocol") == {
        "cdp": "switch-7", "lldp": "SEP0200C6120001",
    }  # fmt: skip
    (phone,) = [each.method for each in found if each.value == "SEP0200C6120001"]
    assert (phone["model"], phone["serial"]) == ("Phone 7900", "FCH1234")
    assert phone["telephone"] is True
    announced = {
        (str(each.method["protocol"]), each.value, each.method.get("dscp"))
        for each in found
        if each.name == "voice_vlan_announced"
    }
    assert announced == {("lldp", 200, 46), ("lldp", 200, 24), ("cdp", 200, None)}
    assert value(found, "half_duplex_neighbour_count") == 2
    assert values(found, "phone_vlan_packet_count", "vlan") == {"None": 1, "200": 2}


def hsrp(router: str, state: int, opcode: int = 0) -> bytes:
    message = made.HSRP_1[:1] + bytes((opcode, state)) + made.HSRP_1[3:]
    return ethernet(ipv4(udp(message, 1985, 1985), source=router, destination="224.0.0.2"))


def test_a_router_that_takes_over() -> None:
    one, two = "198.18.2.2", "198.18.2.3"
    frames = [(index * 3 * S, hsrp(one, 16)) for index in range(4)]
    frames += [(index * 3 * S + MS, hsrp(two, 8)) for index in range(4)]
    frames += [(13 * S, hsrp(two, 4, opcode=1)), (14 * S, hsrp(two, 16)), (15 * S, hsrp(one, 4))]
    found = facts(RedundancyAnalysis(), sorted(frames), pieces=3)
    assert value(found, "redundancy_change_count") == 1
    assert method(found, "redundancy_change_count")["routers"] == [one, two]
    assert method(found, "redundancy_change_count")["coups"] == 1
    assert value(found, "redundancy_state_change_count") == 3
    assert values(found, "redundancy_message_count", "protocol") == {"hsrp": 11}


def test_paging_that_nobody_joined() -> None:
    rtp = b"\x80\x00" + bytes(170)
    page = ethernet(ipv4(udp(rtp, 20480, 20480), destination="239.192.0.1"))
    joined = ethernet(ipv4(udp(rtp, 20480, 20480), destination="239.192.0.9"))
    report = struct.pack("!BBH4s", 0x16, 0, 0, bytes((239, 192, 0, 9)))
    frames = [(index * 20 * MS, page) for index in range(10)]
    frames += [(S, ethernet(ipv4(report, 2, destination="239.192.0.9")))]
    frames += [(2 * S + index * 20 * MS, joined) for index in range(5)]
    frames += [(3 * S, ethernet(ipv4(made.IGMP_2_QUERY, 2, source="198.18.0.254")))]
    found = facts(MulticastAnalysis(), frames, pieces=2)
    assert values(found, "multicast_group_packet_count", "group") == {
        "239.192.0.1": 10, "239.192.0.9": 5,
    }  # fmt: skip
    members = {
        each.method["group"]: (each.method["members"], each.method["rtp_packets"])
        for each in found
        if each.name == "multicast_group_packet_count"
    }
    assert members == {"239.192.0.1": (0, 10), "239.192.0.9": (1, 5)}
    sources = [
        (each.method["source_addresses"], each.method["source_packets"])
        for each in found
        if each.name == "multicast_group_packet_count"
    ]
    assert sources == [(["198.18.0.1"], [10]), (["198.18.0.1"], [5])]
    assert value(found, "igmp_querier_count") == 1
    assert method(found, "igmp_querier_count")["queriers"] == ["198.18.0.254"]


def test_a_wave_of_firmware() -> None:
    frames = []
    for client in range(3):
        address, port = f"198.18.0.{10 + client}", 50_000 + client
        request = udp(made.TFTP_READ, port, 69)
        frames.append((client * MS, ethernet(ipv4(request, source=address))))
        for block in range(1, 5):
            data = udp(struct.pack("!HH", 3, block) + bytes(512), 61_000, port)
            frames.append((S + block, ethernet(ipv4(data, destination=address))))
            ack = udp(struct.pack("!HH", 4, block), port, 61_000)
            frames.append((S + block, ethernet(ipv4(ack, source=address))))
    missing = udp(b"\x00\x05\x00\x01File not found\0", 61_000, 50_000)
    frames.append((2 * S, ethernet(ipv4(missing, destination="198.18.0.10"))))
    stranger = udp(struct.pack("!HH", 3, 1) + bytes(512), 61_000, 40_000)
    frames.append((3 * S, ethernet(ipv4(stranger, destination="198.18.0.99"))))
    found = facts(TftpAnalysis(), frames, pieces=4)
    assert value(found, "tftp_request_count") == 3
    assert value(found, "tftp_client_count") == 3
    assert method(found, "tftp_client_count")["clients"] == [
        "198.18.0.10", "198.18.0.11", "198.18.0.12",
    ]  # fmt: skip
    assert method(found, "tftp_client_count")["servers"] == ["198.18.0.2"]
    assert value(found, "tftp_data_packet_count") == 12
    assert value(found, "tftp_data_octets") == 12 * 512
    assert value(found, "tftp_error_count") == 1
    assert values(found, "tftp_file_request_count", "filename") == {"SEP0200C6120001.cnf.xml": 3}


def test_data_that_wears_the_mark_of_voice() -> None:
    rtp = udp(b"\x80\x08" + bytes(170), 16384, 16386)
    stun = udp(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12), 16384, 16386)
    backup = tcp(b"x" * 1000, 50000, 445)
    name = udp(b"\x80\x08" + bytes(40), 50000, 53)
    frames = [(index, ethernet(ipv4(rtp, tos=0xB8))) for index in range(4)]
    frames += [(5, ethernet(ipv4(stun, tos=0xB8))), (6, ethernet(ipv4(backup, 6, tos=0xB8)))]
    frames += [(7, ethernet(ipv4(name, tos=0xB8))), (8, ethernet(ipv4(rtp, tos=0)))]
    found = facts(DscpAnalysis(), frames)
    assert values(found, "dscp_packet_count", "dscp") == {"0": 1, "46": 7}
    assert value(found, "ef_not_voice_packet_count") == 2
    assert values(found, "ef_not_voice_flow_packet_count", "flow") == {
        "TCP 198.18.0.1 port 50000 to 198.18.0.2 port 445": 1,
        "UDP 198.18.0.1 port 50000 to 198.18.0.2 port 53": 1,
    }
    # Ethernet 14, IP 20, TCP 20 and 1,000 of data; Ethernet 14, IP 20, UDP 8 and 42 of data.
    flows = [each for each in found if each.name == "ef_not_voice_flow_packet_count"]
    assert sorted(int(str(each.method["octets"])) for each in flows) == [84, 1054]
