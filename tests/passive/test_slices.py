"""tcpdump applies the filters to frames made by hand: one slice each, no octet of media kept."""

import struct
import subprocess
from pathlib import Path

import pytest

from nethealth.passive.slices import WHOLE, Link, Slice, slices
from tests.passive.frames import DIGIT, RTCP, RTP, SIP, SPEECH, ethernet, ipv4, ipv6, tcp, udp


def passing(frames: list[bytes], one: Slice, link: Link, folder: Path) -> list[int]:
    """The lengths, as the file dates them, of what tcpdump lets pass: each frame its own length."""
    number = {"ethernet": 1, "raw": 101}[link]
    file = folder / "frames.pcap"
    with file.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, number))
        for index, frame in enumerate(frames):
            out.write(struct.pack("<IIII", 1_700_000_000 + index, 0, len(frame), len(frame)))
            out.write(frame)
    command = ["tcpdump", "-r", str(file), "-n", "-tt", "-q", one.filter]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [
        int(line.split(".")[0]) - 1_700_000_000
        for line in done.stdout.splitlines()
        if line.startswith("17000")
    ]


# Each IP packet with what may be kept of it: all, or so many octets behind the link's header.
PACKETS: dict[str, tuple[bytes, int | None]] = {
    "speech": (ipv4(17, udp(16384, 16386, RTP)), 40),
    "speech from a signalling port": (ipv4(17, udp(5060, 5060, RTP)), 40),
    "a digit": (ipv4(17, udp(16384, 16386, DIGIT)), 40),
    "speech over IPv6": (ipv6(17, udp(16384, 16386, RTP)), 60),
    "speech from 5060 over IPv6": (ipv6(17, udp(5060, 5060, RTP)), 60),
    "first fragment of speech": (ipv4(17, udp(16384, 16386, RTP), 0x2000), 40),
    "later fragment": (ipv4(17, SPEECH, 0x0010), 20),
    "IAX2 speech": (ipv4(17, udp(4569, 4569, b"\x12\x34\0\0" + SPEECH)), 32),
    "IAX2 speech that looks like RTCP": (ipv4(17, udp(4569, 4569, b"\x80\xc9\0\0" + SPEECH)), 32),
    "IAX2 over IPv6": (ipv6(17, udp(4569, 4569, b"\x12\x34\0\0" + SPEECH)), 20),
    "ICMP error quoting speech": (
        ipv4(1, struct.pack("!BBHI", 3, 3, 0, 0) + ipv4(17, udp(16384, 16386, RTP))), 68,
    ),
    "IPv6 fragment": (ipv6(44, bytes(8) + SPEECH), 20),
    "a web page": (ipv4(6, tcp(80, 40000, b"<html>" * 50)), 40),
    "an empty datagram": (ipv4(17, udp(9, 9, b"")), 40),
    "SIP": (ipv4(17, udp(5060, 5060, SIP)), None),
    "SIP over IPv6": (ipv6(17, udp(5060, 5060, SIP)), None),
    "SIP over TCP": (ipv4(6, tcp(40000, 5060, SIP)), None),
    "SIP at a port of one's own": (ipv4(17, udp(40000, 5070, SIP)), None),
    "Skinny": (ipv4(6, tcp(40000, 2000, bytes(300))), None),
    "RTCP": (ipv4(17, udp(16385, 16387, RTCP)), None),
    "RTCP over IPv6": (ipv6(17, udp(16385, 16387, RTCP)), None),
    "IGMP": (ipv4(2, bytes(8)), None),
    "VRRP": (ipv4(112, bytes(20)), None),
    "ISUP": (ipv4(132, struct.pack("!HHII", 2905, 2905, 1, 0) + bytes(60)), None),
}  # fmt: skip


def check_kept(link: Link, frames: list[bytes], octets: list[int | None], folder: Path) -> None:
    chosen = slices(link, (5070,))
    kept: dict[int, list[int]] = {index: [] for index in range(len(frames))}
    for one in (*chosen.signalling, *chosen.headers):
        for index in passing(frames, one, link, folder):
            kept[index].append(one.octets)
    names = [*PACKETS, "the LAN's own"]
    for index, found in kept.items():
        expected = octets[index]
        name = names[min(index, len(PACKETS))]
        assert found == [WHOLE if expected is None else expected], name


@pytest.mark.parametrize("tag", [False, True])
def test_every_frame_is_in_one_slice_and_no_media_is_kept(tag: bool, tmp_path: Path) -> None:
    link_octets = 18 if tag else 14
    frames = [ethernet(packet, tag=tag) for packet, _ in PACKETS.values()]
    octets = [None if most is None else most + link_octets for _, most in PACKETS.values()]
    frames += [ethernet(bytes(46), kind=0x0806, tag=tag), ethernet(bytes(46), kind=0x88CC, tag=tag)]
    octets += [None, None]
    if not tag:
        frames += [ethernet(b"\x42\x42\x03" + bytes(40), kind=43)]  # LLC: a BPDU
        octets += [None]
    check_kept("ethernet", frames, octets, tmp_path)


def test_a_tunnel_has_no_link_header(tmp_path: Path) -> None:
    check_kept(
        "raw",
        [packet for packet, _ in PACKETS.values()],
        [n for _, n in PACKETS.values()],
        tmp_path,
    )
