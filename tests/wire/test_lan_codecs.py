"""The LAN's messages, written after their standards, read by us and by tshark."""

from pathlib import Path

import pytest

from nethealth.wire import arp, bpdu, cdp, dhcp, igmp, lldp, redundancy, tftp
from nethealth.wire.errors import WireError
from tests.wire import lan_frames as made
from tests.wire.lan_frames import read_by_tshark

MAC_A, MAC_B = made.MAC_A.hex(":"), made.MAC_B.hex(":")


def numbers(values: list[str]) -> list[int]:
    return [int(value, 0) for value in values]


def test_a_telephone_by_lldp_med(tmp_path: Path) -> None:
    frame = lldp.parse(made.LLDP_PHONE)
    said = read_by_tshark(
        tmp_path,
        made.ethernet(made.LLDP_PHONE, lldp.ETHERTYPE),
        ["lldp.chassis.id.ip4", "lldp.port.id.mac", "lldp.time_to_live", "lldp.tlv.system.name",
         "lldp.tlv.enable_system_cap.telephone", "lldp.ieee.802_1.port_vlan.id",
         "lldp.media.subtype.class", "lldp.media.app_type", "lldp.media.vlan_id",
         "lldp.media.l2_prio", "lldp.media.dscp", "lldp.media.tag_flag", "lldp.media.policy_flag",
         "lldp.media.hardware", "lldp.media.firmware", "lldp.media.software", "lldp.media.sn",
         "lldp.media.manufacturer", "lldp.media.model", "lldp.media.asset"],
    )  # fmt: skip
    assert [frame.chassis] == said["lldp.chassis.id.ip4"] == ["198.18.0.20"]
    assert [frame.port] == said["lldp.port.id.mac"] == [MAC_A]
    assert [frame.ttl_s] == numbers(said["lldp.time_to_live"]) == [120]
    assert [frame.system_name] == said["lldp.tlv.system.name"]
    assert frame.telephone
    assert numbers(said["lldp.tlv.enable_system_cap.telephone"]) == [1]
    assert [frame.port_vlan] == numbers(said["lldp.ieee.802_1.port_vlan.id"]) == [100]
    assert [frame.med_class] == numbers(said["lldp.media.subtype.class"]) == [3]
    assert [each.application for each in frame.policies] == numbers(said["lldp.media.app_type"])
    assert [each.vlan for each in frame.policies] == numbers(said["lldp.media.vlan_id"])
    assert [each.priority for each in frame.policies] == numbers(said["lldp.media.l2_prio"])
    assert [each.dscp for each in frame.policies] == numbers(said["lldp.media.dscp"])
    assert [each.tagged for each in frame.policies] == [True, True]
    assert numbers(said["lldp.media.tag_flag"]) == [1, 1]
    assert [not each.known for each in frame.policies] == [
        bool(value) for value in numbers(said["lldp.media.policy_flag"])
    ]
    assert (frame.mau_type, frame.auto_negotiation) == (15, True)  # 100BASE-TX half duplex
    names = {
        "hardware": "hardware", "firmware": "firmware", "software": "software", "serial": "sn",
        "manufacturer": "manufacturer", "model": "model", "asset": "asset",
    }  # fmt: skip
    assert frame.inventory == {
        ours: said[f"lldp.media.{theirs}"][0] for ours, theirs in names.items()
    }


def test_an_lldpdu_without_its_mandatory_beginning() -> None:
    with pytest.raises(WireError, match="begins with chassis"):
        lldp.parse(made.LLDP_PHONE[8:])
    with pytest.raises(WireError, match="beyond the frame"):
        lldp.parse(made.LLDP_PHONE[:20])


def test_a_switch_by_cdp(tmp_path: Path) -> None:
    frame = cdp.parse(made.CDP_SWITCH)
    said = read_by_tshark(
        tmp_path,
        made.llc(made.CDP_SWITCH, "aaaa0300000c2000"),
        ["cdp.deviceid", "cdp.portid", "cdp.platform", "cdp.native_vlan", "cdp.duplex",
         "cdp.voice_vlan", "cdp.capabilities.voip_phone", "cdp.nrgyz.ip_address",
         "cdp.software_version"],
    )  # fmt: skip
    assert [frame.device] == said["cdp.deviceid"] == ["switch-7"]
    assert [frame.port] == said["cdp.portid"]
    assert [frame.platform] == said["cdp.platform"]
    assert [frame.software] == said["cdp.software_version"]
    assert [frame.native_vlan] == numbers(said["cdp.native_vlan"]) == [100]
    assert [frame.voice_vlan] == numbers(said["cdp.voice_vlan"]) == [200]
    assert frame.duplex == "half"
    assert numbers(said["cdp.duplex"]) == [0]
    assert not frame.telephone
    assert frame.address == "198.18.2.1"


@pytest.mark.parametrize(
    ("octets", "header", "kind"),
    [
        (made.bpdu(flags=0x81), "424203", "stp"),
        (made.RAPID, "424203", "rstp"),
        (made.bpdu(kind=2, version=3, flags=0x7C, more=bytes(67)), "424203", "mstp"),
        (made.PVST, "aaaa0300000c010b", "rstp"),
    ],
)
def test_a_bpdu(tmp_path: Path, octets: bytes, header: str, kind: str) -> None:
    per_vlan = header != "424203"
    unit = bpdu.parse(octets, per_vlan=per_vlan)
    said = read_by_tshark(
        tmp_path,
        made.llc(octets, header),
        ["stp.flags.tc", "stp.root.prio", "stp.root.ext", "stp.root.hw", "stp.root.cost",
         "stp.bridge.hw", "stp.port", "stp.hello", "stp.forward", "stp.pvst.origvlan"],
    )  # fmt: skip
    assert unit.kind == kind
    assert unit.root
    assert unit.bridge
    assert int(unit.topology_change) == numbers(said["stp.flags.tc"])[0]
    root = f"{said['stp.root.prio'][0]}/{said['stp.root.ext'][0]}/{said['stp.root.hw'][0]}"
    assert str(unit.root) == root == f"4096/10/{MAC_A}"
    assert unit.bridge.mac == said["stp.bridge.hw"][0] == MAC_B
    assert unit.root_path_cost == numbers(said["stp.root.cost"])[0] == 19
    assert unit.port_id == numbers(said["stp.port"])[0] == 0x8007
    assert unit.hello_s == float(said["stp.hello"][0]) == 2
    assert unit.forward_delay_s == float(said["stp.forward"][0]) == 15
    assert unit.vlan == (numbers(said["stp.pvst.origvlan"])[0] if per_vlan else None)


def test_a_topology_change_notification(tmp_path: Path) -> None:
    assert bpdu.parse(made.TCN) == bpdu.Bpdu("tcn")
    said = read_by_tshark(tmp_path, made.llc(made.TCN, "424203"), ["stp.type"])
    assert numbers(said["stp.type"]) == [0x80]


@pytest.mark.parametrize("octets", [made.DHCP_OVERLOADED, made.DHCP_ACK])
def test_a_dhcp_message(tmp_path: Path, octets: bytes) -> None:
    message = dhcp.parse(octets)
    said = read_by_tshark(
        tmp_path,
        made.udp(68, 67, octets),
        ["dhcp.id", "dhcp.option.dhcp", "dhcp.hw.mac_addr", "dhcp.option.vendor_class_id",
         "dhcp.ip.relay", "dhcp.ip.your", "dhcp.option.dhcp_server_id",
         "dhcp.option.ip_address_lease_time"],
    )  # fmt: skip
    assert message.transaction == numbers(said["dhcp.id"])[0]
    kinds = {name: number for number, name in dhcp.MESSAGE_TYPES.items()}
    assert kinds[message.message_type or ""] == numbers(said["dhcp.option.dhcp"])[0]
    assert message.client_mac == said["dhcp.hw.mac_addr"][0] == MAC_A
    assert [message.vendor_class or ""] == (said["dhcp.option.vendor_class_id"] or [""])
    assert (message.relay_ip or "0.0.0.0") == said["dhcp.ip.relay"][0]
    assert (message.your_ip or "0.0.0.0") == said["dhcp.ip.your"][0]
    assert [message.server or ""] == (said["dhcp.option.dhcp_server_id"] or [""])
    leases = numbers(said["dhcp.option.ip_address_lease_time"])
    assert message.lease_s == (leases[0] if leases else None)


def test_the_relays_word_of_where_a_client_is() -> None:
    message = dhcp.parse(made.DHCP_OVERLOADED)
    assert (message.relay_circuit, message.relay_remote) == ("Fa0/7:100", "switch-7")
    assert message.client_id == f"01:{MAC_A}"


def test_an_arp_claim(tmp_path: Path) -> None:
    packet = arp.parse(made.ARP_CLAIM + bytes(18))
    said = read_by_tshark(
        tmp_path,
        made.ethernet(made.ARP_CLAIM, 0x0806),
        ["arp.opcode", "arp.src.hw_mac", "arp.src.proto_ipv4", "arp.dst.hw_mac",
         "arp.dst.proto_ipv4", "arp.isgratuitous"],
    )  # fmt: skip
    assert [packet.operation] == numbers(said["arp.opcode"])
    assert [packet.sender_mac, packet.sender_ip] == [
        said["arp.src.hw_mac"][0], said["arp.src.proto_ipv4"][0],
    ]  # fmt: skip
    assert [packet.target_mac, packet.target_ip] == [
        said["arp.dst.hw_mac"][0], said["arp.dst.proto_ipv4"][0],
    ]  # fmt: skip
    assert packet.gratuitous
    assert numbers(said["arp.isgratuitous"]) == [1]
    assert not packet.probe


def test_igmp(tmp_path: Path) -> None:
    report = igmp.parse(made.IGMP_3_REPORT)
    said = read_by_tshark(tmp_path, made.ipv4(2, made.IGMP_3_REPORT), ["igmp.maddr"])
    assert [*report.groups, *report.left] == said["igmp.maddr"] == ["239.192.0.1", "239.192.0.2"]
    assert report == igmp.IgmpMessage("report", 3, ("239.192.0.1",), ("239.192.0.2",))
    assert igmp.parse(made.IGMP_2_QUERY) == igmp.IgmpMessage("query", 2)


def test_vrrp(tmp_path: Path) -> None:
    fields = ["vrrp.virt_rtr_id", "vrrp.prio", "vrrp.ip_addr", "vrrp.ipv6_addr"]
    for octets, frame in (
        (made.VRRP_2, made.ipv4(112, made.VRRP_2)),
        (made.VRRP_3_IPV6, made.ipv6(112, made.VRRP_3_IPV6)),
    ):
        hello = redundancy.parse_vrrp(octets)
        said = read_by_tshark(tmp_path, frame, fields)
        assert [hello.group] == numbers(said["vrrp.virt_rtr_id"])
        assert [hello.priority] == numbers(said["vrrp.prio"])
        assert [hello.address] == said["vrrp.ip_addr"] + said["vrrp.ipv6_addr"]
    assert hello.state == "resigned"  # priority 0


def test_hsrp(tmp_path: Path) -> None:
    first = redundancy.parse_hsrp(made.HSRP_1)
    said = read_by_tshark(
        tmp_path,
        made.udp(1985, 1985, made.HSRP_1, group=2),
        ["hsrp.group", "hsrp.state", "hsrp.priority", "hsrp.virt_ip"],
    )
    assert [first.group, 16, first.priority] == [
        numbers(said[f"hsrp.{name}"])[0] for name in ("group", "state", "priority")
    ]
    assert first.state == "active"
    assert [first.address] == said["hsrp.virt_ip"]
    second = redundancy.parse_hsrp(made.HSRP_2)
    said = read_by_tshark(
        tmp_path,
        made.udp(1985, 1985, made.HSRP_2, group=102),
        ["hsrp2.group", "hsrp2.state", "hsrp2.priority", "hsrp2.virt_ip"],
    )
    assert [second.group, 6, second.priority] == [
        numbers(said[f"hsrp2.{name}"])[0] for name in ("group", "state", "priority")
    ]
    assert (second.state, second.group) == ("active", 260)
    assert [second.address] == said["hsrp2.virt_ip"]


def test_glbp(tmp_path: Path) -> None:
    hello = redundancy.parse_glbp(made.GLBP_HELLO)
    said = read_by_tshark(
        tmp_path,
        made.udp(3222, 3222, made.GLBP_HELLO),
        ["glbp.group", "glbp.hello.vgstate", "glbp.hello.priority"],
    )
    assert [hello.group, 32, hello.priority] == [
        numbers(said[name])[0] for name in ("glbp.group", "glbp.hello.vgstate",
                                            "glbp.hello.priority")
    ]  # fmt: skip
    assert hello.state == "active"


def test_a_tftp_request(tmp_path: Path) -> None:
    request = tftp.parse(made.TFTP_READ)
    said = read_by_tshark(
        tmp_path, made.udp(40000, 69, made.TFTP_READ), ["tftp.source_file", "tftp.type"]
    )
    assert request == tftp.TftpRequest(False, said["tftp.source_file"][0], "octet", 1024)
    assert said["tftp.type"] == ["octet"]


def test_a_file_name_off_the_wire_is_escaped() -> None:
    request = tftp.parse(b"\x00\x01a\x1b[2Jb\0octet\0")
    assert isinstance(request, tftp.TftpRequest)
    assert request.filename == "a\\x1b[2Jb"
