"""Legacy protocols out of frames made by hand, and what only looks like them."""

import struct

import pytest

from nethealth.passive.analysis import Fact
from nethealth.passive.announced import AnnouncedMedia, MediaBook
from nethealth.passive.legacy import LegacyAnalysis
from tests.passive.packet_frames import ethernet, ipv4, packets, tcp, udp
from tests.passive.run import MS, S, facts, values

A, B = "198.18.0.1", "198.18.0.2"
Frame = tuple[int, bytes]


def datagram(
    time_ns: int, payload: bytes, source: int, destination: int, *, back: bool = False
) -> Frame:
    ends = (B, A) if back else (A, B)
    packet = ipv4(udp(payload, source, destination), source=ends[0], destination=ends[1])
    return time_ns, ethernet(packet)


def segments(
    payloads: list[bytes], source: int, destination: int, *, first: int = 1000, start_ns: int = 0
) -> list[Frame]:
    """One direction of a connection, a segment a millisecond."""
    frames, sequence = [], first
    for index, payload in enumerate(payloads):
        inside = tcp(payload, source, destination, sequence=sequence & 0xFFFFFFFF, flags=0x18)
        frames.append((start_ns + index * MS, ethernet(ipv4(inside, 6, source=A, destination=B))))
        sequence += len(payload)
    return frames


def counts(frames: list[Frame], pieces: int = 1) -> dict[str | None, object]:
    return dict(
        values(
            facts(LegacyAnalysis(), frames, pieces), "legacy_signalling_packet_count", "protocol"
        )
    )


def tpkt(message: bytes) -> bytes:
    return struct.pack("!BBH", 3, 0, 4 + len(message)) + message


def q931(kind: int, user_user: bytes) -> bytes:
    # A bearer capability (Q.931 section 4.5.5) before it, as every SETUP has.
    body = b"\x05" + user_user
    return (
        b"\x08\x02\x77\xf4" + bytes((kind,)) + b"\x04\x03\x80\x90\xa5"
        + b"\x7e" + struct.pack("!H", len(body)) + body
    )  # fmt: skip


SETUP = q931(0x05, bytes.fromhex("20a8060008914a0004014006006d0065"))
TUNNEL = q931(0x62, bytes.fromhex("26800600 08914a0005 10c0 0180 04 01 02 4a40"))
CAPABILITIES = tpkt(bytes.fromhex("02700106000881750003801380003c000100000100"))
DETERMINATION = tpkt(bytes.fromhex("01003c4016e6"))
SKINNY_KEEPALIVE = struct.pack("<III", 4, 0, 0)
SKINNY_BUTTON = struct.pack("<IIIIII", 16, 0, 3, 5, 1, 7)
MEGACO = b"MEGACO/1 [198.18.0.1]:2944\r\nTransaction = 1 { Context = - { } }"
RRQ = bytes.fromhex("0e80051d060008914a0004000100c83907cc06b80100c83907cc040422c0")
UNREGISTER = bytes.fromhex("1a40051e22c0000d")


def test_h225_and_the_h245_it_carries() -> None:
    frames = segments([tpkt(SETUP), tpkt(TUNNEL), tpkt(b"")], 40000, 1720)
    assert counts(frames) == {"h225": 2, "h245": 1}


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_a_message_counts_where_it_ends(pieces: int) -> None:
    whole = tpkt(SETUP)
    frames = segments([whole[:4], whole[4:20], whole[20:] + whole], 40000, 1720)
    assert counts(frames, pieces) == {"h225": 1}


def test_a_segment_sent_again_counts_once() -> None:
    one = segments([tpkt(SETUP)], 40000, 1720)
    assert counts(one + segments([tpkt(SETUP)], 40000, 1720, start_ns=S)) == {"h225": 1}


def test_a_lost_segment_ends_the_joining() -> None:
    whole = tpkt(SETUP)
    frames = segments([whole, whole[:30], whole[30:], whole], 40000, 1720)
    del frames[1]
    assert counts(frames) == {"h225": 2}


def test_h245_by_its_object_identifier() -> None:
    frames = segments([DETERMINATION, CAPABILITIES, tpkt(b"\x20\x80")], 1232, 32804)
    assert counts(frames) == {"h245": 3}


def test_h245_where_h225_announced_it() -> None:
    address = bytes((198, 18, 0, 2)) + struct.pack("!H", 32804)
    call = q931(0x07, bytes.fromhex("22c0060008914a0003000a") + address)
    frames = segments([tpkt(call)], 1720, 40000)
    frames += segments([DETERMINATION], 1232, 32804, start_ns=S)
    assert counts(frames) == {"h225": 1, "h245": 1}
    assert counts(segments([DETERMINATION], 1232, 32804)) == {}


def test_remote_desktop_is_no_h245() -> None:
    request = tpkt(bytes.fromhex("0ee000000000000100080003000000"))  # X.224 connection request
    data = tpkt(bytes.fromhex("02f0807f658201940401010401"))  # X.224 data with MCS connect
    assert counts(segments([request, data], 50000, 3389)) == {}


def test_ras_with_its_identifier_and_what_follows_on_the_pair() -> None:
    frames = [datagram(0, RRQ, 1719, 1719), datagram(S, UNREGISTER, 1719, 1719)]
    assert counts(frames) == {"h225": 2}
    assert counts([datagram(S, UNREGISTER, 40000, 1719)]) == {}


def test_skinny() -> None:
    frames = segments([SKINNY_KEEPALIVE, SKINNY_BUTTON + SKINNY_KEEPALIVE], 50000, 2000)
    assert counts(frames) == {"skinny": 2}
    assert counts(segments([b"OPTIONS sip:a SIP/2.0\r\n\r\n", bytes(20)], 50000, 2000)) == {}


def test_mgcp_by_its_commands() -> None:
    frames = [
        datagram(0, b"RSIP 31 *@gw.example MGCP 1.0\r\nRM: restart\r\n", 2427, 2727),
        datagram(1, b"200 31 OK\r\n", 2727, 2427, back=True),
    ]
    assert counts(frames) == {"mgcp": 2}
    assert counts([datagram(0, b"200 31 OK\r\n", 2727, 2427)]) == {}
    assert counts([datagram(0, b"HELO 1 mail MGCP\r\n", 2427, 2727)]) == {}


def test_megaco_over_udp_tcp_and_sctp() -> None:
    chunk = struct.pack("!BBHIHHI", 0, 3, 16 + len(MEGACO), 1, 0, 0, 7) + MEGACO
    sctp = struct.pack("!HHII", 2944, 2944, 1, 0) + chunk
    frames = [datagram(0, MEGACO, 2944, 2944), (1, ethernet(ipv4(sctp, 132)))]
    frames += segments([tpkt(MEGACO)], 50000, 2944, start_ns=2)
    assert counts(frames) == {"megaco": 3}


def test_megaco_in_ber() -> None:
    binary = bytes.fromhex("3016a114800101a107a0058004c6120001a205a103800100")
    assert counts([datagram(0, binary, 2945, 2945)]) == {"megaco": 1}
    assert counts([datagram(0, b"\x30" + binary[1:-1], 2945, 2945)]) == {}


def test_unistim() -> None:
    frames = [
        datagram(0, bytes.fromhex("0000953502011e05120078"), 5000, 5000),
        datagram(1, bytes.fromhex("000095350102000000d3"), 5000, 5000, back=True),
    ]
    assert counts(frames) == {"unistim": 2}


def test_rtp_and_noise_at_port_5000_are_no_unistim() -> None:
    rtp = b"\x80\x00\x00\x01" + bytes(168)
    acks = bytes.fromhex("000095350100")  # could be one; nothing proves it
    frames = [datagram(0, rtp, 5000, 5000), datagram(1, acks, 5000, 5000)]
    assert counts([*frames, datagram(2, bytes(64), 5000, 5001)]) == {}


def test_iax2_with_its_media() -> None:
    new = struct.pack("!HHIBBBB", 0x8001, 0, 3, 0, 0, 6, 1) + b"\x0b\x02\x00\x02\x06\x00"
    mini = struct.pack("!HH", 1, 20) + bytes(160)
    frames = [datagram(0, new, 4569, 4569)]
    frames += [datagram(index * 20 * MS, mini, 4569, 4569) for index in range(1, 100)]
    assert counts(frames, pieces=3) == {"iax2": 100}
    assert counts(frames[1:]) == {}


def test_noe() -> None:
    data = bytes.fromhex("0700080 00a0800150280130328010008001502801302280101".replace(" ", ""))
    frames = [datagram(0, b"\x04", 32640, 32512), datagram(1, data, 32640, 32512)]
    frames += [datagram(2, b"\x05", 32512, 32640, back=True)]
    assert counts(frames) == {"noe": 3}
    assert counts([frames[0], frames[2]]) == {}


def test_minet_by_its_ports_unless_another_speaks_there() -> None:
    secret = bytes.fromhex("f73e3431ef8c42700d2d6270b9ec694b")
    assert counts(segments([secret, secret], 6912, 6802)) == {"minet": 2}
    assert counts(segments([b"POST /jsonrpc HTTP/1.1\r\n\r\n", secret], 50000, 6800)) == {}
    assert counts(segments([bytes.fromhex("160301002f010000"), secret], 50000, 6801)) == {}


def m3ua(service: int) -> bytes:
    value = struct.pack("!IIBBBB", 1, 2, service, 2, 0, 1) + b"\x01\x00\x01\x12\x00\x0a"
    parameter = struct.pack("!HH", 0x0210, 4 + len(value)) + value
    message = struct.pack("!BBBBI", 1, 0, 1, 1, 8 + len(parameter)) + parameter
    padding = bytes(-len(message) % 4)
    chunk = struct.pack("!BBHIHHI", 0, 3, 16 + len(message), 1, 0, 0, 3) + message
    return chunk + padding


def test_isup_and_bicc_in_one_packet_of_sctp() -> None:
    sctp = struct.pack("!HHII", 2905, 2905, 1, 0) + m3ua(5) + m3ua(13) + m3ua(3)
    assert counts([(0, ethernet(ipv4(sctp, 132)))]) == {"isup": 1, "bicc": 1}


def test_isup_on_a_signalling_link() -> None:
    analysis = LegacyAnalysis()
    unit = bytes.fromhex("1d1d208502400090 0e0001110000 0a03".replace(" ", ""))
    fill_in = bytes.fromhex("1d1d00")
    analysis.feed(packets([unit, fill_in], link_type=140))
    found = list(analysis.finish())
    assert values(found, "legacy_signalling_packet_count", "protocol") == {"isup": 1}


def udptl(sequence: int) -> bytes:
    return struct.pack("!H", sequence) + b"\x06\xc0\x01\x80\x00\x00\xff" + b"\x00\x00"


def test_t38_without_an_announcement_must_go_on() -> None:
    frames = [datagram(index * 20 * MS, udptl(index), 20000, 30000) for index in range(5)]
    assert counts(frames, pieces=2) == {"t38": 5}
    assert counts(frames[:2]) == {}
    jumping = [datagram(index * MS, udptl(index * 900), 20000, 30000) for index in range(9)]
    assert counts(jumping) == {}


def test_t38_where_it_was_announced_and_rtp_at_the_same_port() -> None:
    book = MediaBook()
    book.announce(AnnouncedMedia(B, 30000, 0, media="image"))
    rtp = b"\x80\x08" + bytes(170)
    frames = [datagram(S, udptl(9), 20000, 30000)]
    frames += [datagram(2 * S + index, rtp, 20000, 30000) for index in range(20)]
    found = facts(LegacyAnalysis(book), frames)
    assert values(found, "legacy_signalling_packet_count", "protocol") == {"t38": 1}


def unistim_at(*seconds: float) -> list[Fact]:
    heartbeat = bytes.fromhex("0000953502011e05120078")
    frames = [datagram(round(each * S), heartbeat, 5000, 5000) for each in seconds]
    return facts(LegacyAnalysis(bin_s=30), frames, pieces=3)


def test_the_longest_silence_of_a_pair_and_the_series() -> None:
    found = unistim_at(0, 30, 60, 265, 295)
    (gap,) = [fact for fact in found if fact.name == "legacy_signalling_gap_max_s"]
    assert (gap.value, gap.time_ns) == (205, 60 * S)
    (series,) = [fact for fact in found if fact.name == "legacy_signalling_per_bin_max"]
    assert series.method["bin_offsets"] == [0, 1, 2, 8, 9]
    sent = values(found, "legacy_signalling_endpoint_packet_count", "address")
    assert sent == {A: 5, B: 5}
