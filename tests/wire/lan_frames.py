"""Messages of the LAN, octet by octet after their standards, and tshark's reading of them."""

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

MAC_A, MAC_B = bytes.fromhex("0200c6120001"), bytes.fromhex("0200c6120002")


def lldp_tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("!H", kind << 9 | len(value)) + value


def med(subtype: int, value: bytes) -> bytes:
    return lldp_tlv(127, b"\x00\x12\xbb" + bytes((subtype,)) + value)


# A telephone: class 3, voice in VLAN 200 tagged with priority 5 and EF, signalling with CS3.
LLDP_PHONE = b"".join(
    (
        lldp_tlv(1, b"\x05\x01\xc6\x12\x00\x14"),
        lldp_tlv(2, b"\x03" + MAC_A),
        lldp_tlv(3, b"\x00\x78"),
        lldp_tlv(5, b"SEP0200C6120001"),
        lldp_tlv(7, b"\x00\x24\x00\x24"),
        lldp_tlv(127, b"\x00\x80\xc2\x01\x00\x64"),
        lldp_tlv(127, b"\x00\x12\x0f\x01\x03\x6c\x00\x00\x0f"),
        med(1, b"\x00\x33\x03"),
        med(2, b"\x01" + (1 << 22 | 200 << 9 | 5 << 6 | 46).to_bytes(3, "big")),
        med(2, b"\x02" + (1 << 22 | 200 << 9 | 3 << 6 | 24).to_bytes(3, "big")),
        med(5, b"HW 2"), med(6, b"BOOT 1.0"), med(7, b"S8.5"), med(8, b"FCH1234"),
        med(9, b"Example"), med(10, b"Phone 7900"), med(11, b"A-17"),
        lldp_tlv(0, b""),
    )
)  # fmt: skip


def cdp_tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, 4 + len(value)) + value


CDP_SWITCH = b"\x02\xb4\x00\x00" + b"".join(
    (
        cdp_tlv(1, b"switch-7"),
        cdp_tlv(2, b"\x00\x00\x00\x01\x01\x01\xcc\x00\x04\xc6\x12\x02\x01"),
        cdp_tlv(3, b"FastEthernet0/7"),
        cdp_tlv(4, b"\x00\x00\x00\x28"),
        cdp_tlv(5, b"IOS 12.2"),
        cdp_tlv(6, b"cisco WS-C3560"),
        cdp_tlv(10, b"\x00\x64"),
        cdp_tlv(11, b"\x00"),
        cdp_tlv(14, b"\x01\x00\xc8"),
    )
)


def bpdu(*, kind: int = 0, version: int = 0, flags: int = 0, more: bytes = b"") -> bytes:
    root, bridge = b"\x10\x0a" + MAC_A, b"\x80\x0a" + MAC_B
    times = (256, 20 * 256, 2 * 256, 15 * 256)
    return (
        struct.pack("!HBBB", 0, version, kind, flags)
        + root + struct.pack("!I", 19) + bridge + struct.pack("!H4H", 0x8007, *times) + more
    )  # fmt: skip


TCN = b"\x00\x00\x00\x80"
RAPID = bpdu(kind=2, version=2, flags=0x3D, more=b"\x00")
PVST = bpdu(kind=2, version=2, flags=0x3D, more=b"\x00") + b"\x00\x00\x00\x02\x00\x0a"


def dhcp_option(code: int, value: bytes) -> bytes:
    return bytes((code, len(value))) + value


# Options in the overflow area too (RFC 2132 section 9.3), relayed (RFC 3046).
DHCP_OVERLOADED = (
    struct.pack("!BBBBIHH", 1, 1, 6, 1, 0x12345678, 3, 0x8000)
    + bytes(12) + bytes((198, 18, 2, 1)) + MAC_A + bytes(10) + bytes(64)
    + (dhcp_option(60, b"Cisco Systems, Inc. IP Phone CP-7940") + b"\xff").ljust(128, b"\0")
    + b"\x63\x82\x53\x63"
    + dhcp_option(52, b"\x01") + dhcp_option(53, b"\x01") + dhcp_option(61, b"\x01" + MAC_A)
    + dhcp_option(82, dhcp_option(1, b"Fa0/7:100") + dhcp_option(2, b"switch-7")) + b"\xff"
)  # fmt: skip
DHCP_ACK = (
    struct.pack("!BBBBIHH", 2, 1, 6, 0, 7, 0, 0)
    + bytes(4) + bytes((198, 18, 2, 77)) + bytes(8) + MAC_A + bytes(10) + bytes(192)
    + b"\x63\x82\x53\x63" + dhcp_option(53, b"\x05") + dhcp_option(54, bytes((198, 18, 2, 2)))
    + dhcp_option(51, struct.pack("!I", 3600)) + b"\xff"
)  # fmt: skip

ARP_CLAIM = (
    struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2)
    + MAC_A + bytes((198, 18, 2, 9)) + MAC_B + bytes((198, 18, 2, 9))
)  # fmt: skip
IGMP_3_REPORT = (
    struct.pack("!BBHHH", 0x22, 0, 0, 0, 2)
    + b"\x04\x00\x00\x00" + bytes((239, 192, 0, 1))
    + b"\x03\x00\x00\x00" + bytes((239, 192, 0, 2))
)  # fmt: skip
IGMP_2_QUERY = struct.pack("!BBH4s", 0x11, 100, 0, bytes(4))
VRRP_2 = struct.pack("!BBBBBBH4s8x", 0x21, 7, 100, 1, 0, 1, 0, bytes((198, 18, 2, 1)))
VRRP_3_IPV6 = (
    struct.pack("!BBBBHH", 0x31, 9, 0, 1, 100, 0)
    + bytes.fromhex("fe800000000000000000000000000001")
)  # fmt: skip
HSRP_1 = struct.pack("!8B8s4s", 0, 1, 16, 3, 10, 110, 5, 0, b"cisco", bytes((198, 18, 2, 1)))
HSRP_2 = struct.pack(
    "!BBBBBBH6sIII4s12x", 1, 40, 2, 0, 6, 4, 260, MAC_A, 120, 3000, 10000, bytes((198, 18, 2, 1))
)
GLBP_HELLO = struct.pack("!BBHH6s", 1, 0, 10, 0, MAC_A) + struct.pack(
    "!BBBBBBHIIHHHBB4s", 1, 28, 0, 32, 0, 110, 0, 3000, 10000, 600, 14400, 0, 1, 4,
    bytes((198, 18, 2, 1)),
)  # fmt: skip
TFTP_READ = b"\x00\x01SEP0200C6120001.cnf.xml\0octet\0blksize\x001024\0tsize\x000\0"


def ethernet(payload: bytes, kind: int, destination: bytes = b"\x01\x80\xc2\x00\x00\x0e") -> bytes:
    return destination + MAC_A + struct.pack("!H", kind) + payload


def llc(payload: bytes, header: str) -> bytes:
    whole = bytes.fromhex(header) + payload
    return ethernet(whole, len(whole))


def ipv4(protocol: int, payload: bytes, group: int = 18) -> bytes:
    addresses = bytes((198, 18, 2, 3)), bytes((224, 0, 0, group))
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0xC0, 20 + len(payload), 1, 0, 255, protocol, 0, *addresses
    )
    return ethernet(header + payload, 0x0800)


def ipv6(protocol: int, payload: bytes) -> bytes:
    link_local = bytes.fromhex("fe800000000000000000000000000003")
    everyone = bytes.fromhex("ff020000000000000000000000000012")
    header = struct.pack("!IHBB", 6 << 28, len(payload), protocol, 255) + link_local + everyone
    return ethernet(header + payload, 0x86DD)


def udp(source: int, destination: int, payload: bytes, group: int = 18) -> bytes:
    header = struct.pack("!HHHH", source, destination, 8 + len(payload), 0)
    return ipv4(17, header + payload, group)


def read_by_tshark(
    folder: Path, frame: bytes, fields: Sequence[str], *, decode: str = "", link: int = 1
) -> dict[str, list[str]]:
    """Every value that tshark gives for each field of one frame; `decode` as its option -d."""
    (one,) = read_all_by_tshark(folder, [frame], fields, decode=decode, link=link)
    return one


def read_all_by_tshark(
    folder: Path,
    frames: Sequence[bytes],
    fields: Sequence[str],
    *,
    decode: str = "",
    link: int = 1,
) -> list[dict[str, list[str]]]:
    """The same of many frames in one run."""
    path = folder / "frames.pcap"
    path.write_bytes(
        struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
        + b"".join(
            struct.pack("<IIII", number, 0, len(frame), len(frame)) + frame
            for number, frame in enumerate(frames)
        )
    )
    asked = [part for field in fields for part in ("-e", field)]
    done = subprocess.run(
        ("tshark", "-n", "-r", path, "-T", "fields", "-E", "aggregator=|",
         *(("-d", decode) if decode else ()), *asked),
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [
        {
            field: value.split("|") if value else []
            for field, value in zip(fields, line.split("\t"), strict=True)
        }
        for line in done.stdout.split("\n")[: len(frames)]
    ]
