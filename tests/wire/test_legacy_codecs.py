"""Legacy messages, written after their standards, as tshark takes them."""

import struct
from pathlib import Path

import pytest

from nethealth.wire import h225, h245, iax2, mgcp, sigtran, skinny, uaudp, unistim
from nethealth.wire.errors import WireError
from tests.passive.packet_frames import ethernet, ipv4, tcp
from tests.wire import lan_frames as made
from tests.wire.lan_frames import read_all_by_tshark, read_by_tshark

RRQ = bytes.fromhex("0e80051d060008914a0004000100c83907cc06b80100c83907cc040422c0")


def numbers(values: list[str]) -> list[int]:
    return [int(value, 0) for value in values]


def tpkt(message: bytes) -> bytes:
    return struct.pack("!BBH", 3, 0, 4 + len(message)) + message


def test_ras_messages_stand_at_their_index(tmp_path: Path) -> None:
    root = [bytes((index << 2 | 2,)) + RRQ[1:] for index in range(25)]
    # An addition is an open type: its length, then what would be the message.
    added = [bytes((0x80 | index, 8)) + bytes.fromhex("400005060008914a") for index in range(8)]
    frames = [made.udp(40000, 1719, octets) for octets in (*root, *added)]
    said = read_all_by_tshark(tmp_path, frames, ["h225.RasMessage"])
    names = [h225.parse_ras(octets) for octets in (*root, *added)]
    assert names == [*h225.RAS_MESSAGES, *h225.RAS_ADDITIONS]
    assert [numbers(each["h225.RasMessage"])[0] for each in said] == list(range(33))


def test_no_ras_message() -> None:
    for octets in (
        b"\x64\x00\x00\x00",
        b"\xc0\x00\x00\x00",
        b"\x88\x00\x00\x00",
        b"\x0e\x80\x05\x1d",
    ):
        with pytest.raises(WireError):
            h225.parse_ras(octets)


def test_h245_messages(tmp_path: Path) -> None:
    """Each a whole message of a call."""
    messages = {
        "02700106000881750003801380003c00": "request",
        "01003c4016e6": "request",
        "218001": "response",
        "2080": "response",
        "4a40": "command",
        "0480048000800100": "request",
    }
    octets = [bytes.fromhex(message) for message in messages]
    frames = [
        ethernet(ipv4(tcp(tpkt(message), 40000 + index, 1232, flags=0x18), 6))
        for index, message in enumerate(octets)
    ]
    fields = ["h245.request", "h245.response", "h245.command", "h245.indication"]
    said = read_all_by_tshark(tmp_path, frames, fields, decode="tcp.port==1232,h245")
    theirs = [[name for name in fields if each[name]] for each in said]
    assert theirs == [[f"h245.{h245.kind(message)}"] for message in octets]
    assert [h245.kind(message) for message in octets] == list(messages.values())


def test_q931_messages(tmp_path: Path) -> None:
    user_user = bytes.fromhex("0528c0060008914a0004")
    messages = [
        b"\x08\x02\xf7\xf4" + bytes((number,)) + b"\x7e" + struct.pack("!H", len(user_user))
        + user_user
        for number in h225.MESSAGE_TYPES
    ]  # fmt: skip
    frames = [
        ethernet(ipv4(tcp(tpkt(message), 40000 + index, 1720, flags=0x18), 6))
        for index, message in enumerate(messages)
    ]
    said = read_all_by_tshark(
        tmp_path, frames, ["q931.message_type", "q931.call_ref", "q931.call_ref_flag"]
    )
    calls = [h225.parse_call(message) for message in messages]
    assert [call.message for call in calls] == list(h225.MESSAGE_TYPES.values())
    assert [numbers(each["q931.message_type"])[0] for each in said] == list(h225.MESSAGE_TYPES)
    assert {call.call_reference for call in calls} == {0x77F4}
    assert {int(each["q931.call_ref"][0], 16) for each in said} == {0x77F4}
    assert not any(call.from_origin for call in calls)
    assert {each["q931.call_ref_flag"][0] for each in said} <= {"1", "True"}


def test_skinny_messages(tmp_path: Path) -> None:
    message = struct.pack("<IIIIII", 16, 0, 3, 5, 1, 7)
    header = skinny.parse_header(message)
    segment = tcp(message, 40000, 2000, flags=0x18)
    said = read_by_tshark(
        tmp_path, ethernet(ipv4(segment, 6)), ["skinny.messageId", "skinny.data_length"]
    )
    assert [header.message] == numbers(said["skinny.messageId"]) == [3]
    assert [header.length - 8] == numbers(said["skinny.data_length"]) == [16]
    assert header.name == "KeypadButton"


def test_mgcp_messages(tmp_path: Path) -> None:
    command = b"CRCX 1204 aaln/1@gw.example MGCP 1.0\r\nC: A3\r\n"
    said = read_by_tshark(
        tmp_path, made.udp(2727, 2427, command), ["mgcp.req.verb", "mgcp.transid"]
    )
    assert mgcp.parse(command) == mgcp.MgcpCommand("CRCX", 1204, "aaln/1@gw.example", "1.0")
    assert (said["mgcp.req.verb"], said["mgcp.transid"]) == (["CRCX"], ["1204"])
    response = b"200 1204 OK\r\n"
    said = read_by_tshark(tmp_path, made.udp(2427, 2727, response), ["mgcp.rsp.rspcode"])
    assert mgcp.parse(response) == mgcp.MgcpResponse(int(said["mgcp.rsp.rspcode"][0]), 1204)


def test_iax2_frames(tmp_path: Path) -> None:
    frame = struct.pack("!HHIBBBB", 0x8123, 0x0456, 30, 1, 2, 6, 1) + b"\x0b\x02\x00\x02"
    said = read_by_tshark(
        tmp_path,
        made.udp(4569, 4569, frame),
        ["iax2.src_call", "iax2.dst_call", "iax2.type", "iax2.iax.subclass", "iax2.timestamp"],
    )
    ours = iax2.parse(frame)
    assert [ours.source_call] == numbers(said["iax2.src_call"]) == [0x123]
    assert [ours.destination_call] == numbers(said["iax2.dst_call"]) == [0x456]
    assert [ours.frame_type] == numbers(said["iax2.type"]) == [6]
    assert [ours.subclass] == numbers(said["iax2.iax.subclass"]) == [1]
    assert [ours.timestamp_ms] == numbers(said["iax2.timestamp"]) == [30]


def test_unistim_packets(tmp_path: Path) -> None:
    octets = bytes.fromhex("0000e55b0202000000d39a0610810101")
    packet = unistim.parse(octets)
    said = read_by_tshark(
        tmp_path,
        made.udp(5000, 5000, octets),
        ["unistim.num", "unistim.type"],
        decode="udp.port==5000,unistim",
    )
    assert [packet.sequence] == numbers(said["unistim.num"])
    assert (packet.kind, numbers(said["unistim.type"])) == ("payload", [2])
    assert packet.terminal == 0xD3
    assert packet.commands == ((0x9A, bytes.fromhex("10810101")),)


def test_ua_packets(tmp_path: Path) -> None:
    packets = {
        "04": "keepalive",
        "05": "keepalive ack",
        "06000a": "nack",
        "070008000a0100aa": "data",
    }
    octets = [bytes.fromhex(packet) for packet in packets]
    frames = [made.udp(32000, 32512, each) for each in octets]
    said = read_all_by_tshark(tmp_path, frames, ["uaudp.opcode"], decode="udp.port==32000,uaudp")
    assert [numbers(each["uaudp.opcode"]) for each in said] == [[4], [5], [6], [7]]
    assert [uaudp.parse(each).operation for each in octets] == list(packets.values())


def test_isup_over_m3ua(tmp_path: Path) -> None:
    user_part = bytes.fromhex("010001000a000a0202070483906421430a0703131234567800")
    value = struct.pack("!IIBBBB", 1234, 4321, 5, 2, 0, 1) + user_part
    parameter = struct.pack("!HH", 0x0210, 4 + len(value)) + value
    message = struct.pack("!BBBBI", 1, 0, 1, 1, 8 + len(parameter)) + parameter
    chunk = struct.pack("!BBHIHHI", 0, 3, 16 + len(message), 1, 0, 0, 3) + message
    sctp = struct.pack("!HHII", 2905, 2905, 1, 0) + chunk + bytes(-len(message) % 4)
    (data,) = sigtran.data_chunks(sctp)
    mtp3 = sigtran.mtp3_of(data)
    assert mtp3
    said = read_by_tshark(
        tmp_path,
        made.ipv4(132, sctp),
        ["m3ua.protocol_data_opc", "m3ua.protocol_data_dpc", "m3ua.protocol_data_si",
         "isup.message_type"],
    )  # fmt: skip
    assert [mtp3.origin] == numbers(said["m3ua.protocol_data_opc"]) == [1234]
    assert [mtp3.destination] == numbers(said["m3ua.protocol_data_dpc"]) == [4321]
    assert (mtp3.service, numbers(said["m3ua.protocol_data_si"])) == ("isup", [5])
    assert [mtp3.user_part[2]] == numbers(said["isup.message_type"]) == [1]


def test_isup_on_mtp2(tmp_path: Path) -> None:
    unit = bytes.fromhex("1d1f098501800090 0c00090 09a18".replace(" ", ""))
    message = sigtran.parse_mtp2(unit)
    assert message
    said = read_by_tshark(
        tmp_path, unit, ["mtp3.opc", "mtp3.dpc", "mtp3.service_indicator"], link=140
    )
    assert [message.origin] == numbers(said["mtp3.opc"])
    assert [message.destination] == numbers(said["mtp3.dpc"])
    assert (message.service, numbers(said["mtp3.service_indicator"])) == ("isup", [5])
