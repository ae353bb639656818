"""Frames of a simulated capture, and what the program's own analyses say of them.

A capture is read here as `capture read` does it, from octets: nothing of what the analyses find is
written by hand.
"""

import struct
from collections.abc import Sequence
from ipaddress import ip_address

import numpy as np

from nethealth.model.observation import Observation, Passport
from nethealth.model.pseudonym import Revealed
from nethealth.passive.announced import MediaBook
from probes.capture.analyses import LAN, MEDIA, Shared, all_units
from tests.passive.packet_frames import ethernet, ipv4, mac, packets, udp
from tests.scenarios.book import Book
from tests.scenarios.estate import Frame

EVERYONE = "ff:ff:ff:ff:ff:ff"
_RUN = 4096


def captured(book: Book, frames: Sequence[Frame], site: str | None = None) -> None:
    """A check `capture` of these frames, in the order of their times."""
    if not frames:
        return
    ordered = sorted(frames, key=lambda one: one.at_s)
    check = book.check("capture", 0.0, target="tap.pcap", taken_at=site)
    base_ns = int(book.started.timestamp() * 1e9)
    shared = Shared(MediaBook(), Revealed())
    analysers = [each.make(shared) for each in (*MEDIA, *LAN)]
    for first in range(0, len(ordered), _RUN):
        part = ordered[first : first + _RUN]
        run = packets([one.octets for one in part],
                      times_ns=[base_ns + int(one.at_s * 1e9) for one in part])  # fmt: skip
        for analyser in analysers:
            analyser.feed(run)
    started_ns = base_ns + int(ordered[0].at_s * 1e9)
    started = book.moment(ordered[0].at_s).isoformat()
    found = [list(analyser.finish()) for analyser in reversed(analysers)]
    made: list[Observation] = []
    units = all_units()
    for fact in (fact for each in reversed(found) for fact in each):
        method: Passport = {"capture_started": started, **fact.method}
        since_s = None if fact.time_ns is None else (fact.time_ns - started_ns) / 1e9
        made.append(
            Observation(
                f"{check}/{len(made) + 1}", check, fact.name, fact.value, units[fact.name],
                since_s, fact.samples, fact.interval, fact.failure, method,
            )
        )  # fmt: skip
    book.take(made)


def arp(operation: int, sender: str, sender_ip: str, target_ip: str) -> bytes:
    """A request (1) is broadcast, and so is a reply (2) that nobody asked for."""
    body = (
        struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
        + mac(sender) + ip_address(sender_ip).packed + bytes(6) + ip_address(target_ip).packed
    )  # fmt: skip
    return ethernet(body + bytes(18), 0x0806, source=sender, destination=EVERYONE)


def datagram(
    source: str, destination: str, ports: tuple[int, int], payload: bytes, *, source_mac: str,
    destination_mac: str, dscp: int = 0, identification: int = 0, vlan: int | None = None,
) -> bytes:  # fmt: skip
    packet = ipv4(udp(payload, *ports), source=source, destination=destination, tos=dscp << 2,
                  identification=identification)  # fmt: skip
    tags = [] if vlan is None else [(0x8100, vlan)]
    return ethernet(packet, source=source_mac, destination=destination_mac, tags=tags)


def dhcp(
    kind: int, transaction: int, client: str, *, server: str = "198.18.1.2", yours: str = "0.0.0.0",
    vendor: bytes = b"", vlan: int | None = None, server_mac: str = "02:00:5e:00:00:02",
) -> bytes:  # fmt: skip
    """DISCOVER 1, OFFER 2, REQUEST 3, ACK 5, NAK 6, RELEASE 7."""
    asks = kind in (1, 3, 7)
    options = struct.pack("!BBB", 53, 1, kind)
    if vendor and asks:
        options += bytes((60, len(vendor))) + vendor
    if not asks:
        options += bytes((54, 4)) + ip_address(server).packed
        options += bytes((51, 4)) + struct.pack("!I", 28_800)
    message = (
        struct.pack("!BBBBIHH", 1 if asks else 2, 1, 6, 0, transaction, 0, 0)
        + bytes(4) + ip_address(yours).packed + bytes(8) + mac(client) + bytes(10) + bytes(192)
        + b"\x63\x82\x53\x63" + options + b"\xff"
    )  # fmt: skip
    ports = (68, 67) if asks else (67, 68)
    packet = ipv4(udp(message, *ports), source="0.0.0.0" if asks else server,
                  destination="255.255.255.255")  # fmt: skip
    tags = [] if vlan is None else [(0x8100, vlan)]
    return ethernet(packet, source=client if asks else server_mac, destination=EVERYONE, tags=tags)


def leased(
    client: str, address: str, at_s: float, transaction: int, *, vendor: bytes = b"",
    server: str = "198.18.1.2", vlan: int | None = None,
) -> list[Frame]:  # fmt: skip
    """A whole lease: four messages in a row."""
    steps = ((1, 0.0), (2, 0.002), (3, 0.004), (5, 0.006))
    return [
        Frame(at_s + after, dhcp(kind, transaction, client, server=server, vendor=vendor,
                                 yours=address if kind in (2, 5) else "0.0.0.0", vlan=vlan))
        for kind, after in steps
    ]  # fmt: skip


def speech(
    source: tuple[str, str, int], to: tuple[str, str, int], start_s: float, count: int, *,
    ssrc: int, dscp: int = 46, jitter: np.random.Generator | None = None,
) -> list[Frame]:  # fmt: skip
    """G.711 every 20 ms; ends are (MAC, address, port)."""
    found = []
    for number in range(count):
        rtp = struct.pack("!BBHII", 0x80, 8, number & 0xFFFF, number * 160, ssrc) + b"\xd5" * 160
        late = 0.0 if jitter is None else float(jitter.exponential(0.0004))
        found.append(
            Frame(
                start_s + 0.02 * number + late,
                datagram(source[1], to[1], (source[2], to[2]), rtp, source_mac=source[0],
                         destination_mac=to[0], dscp=dscp, identification=number + 1),
            )
        )  # fmt: skip
    return found


def chatter(
    random: np.random.Generator, macs: Sequence[str], subnet: int, lasts_s: float,
    per_s: float = 4.0,
) -> list[Frame]:  # fmt: skip
    """What every LAN carries: addresses that are asked for, and a little data."""
    found = []
    for _ in range(int(random.poisson(per_s * lasts_s))):
        at = float(random.uniform(0, lasts_s))
        one, other = (int(random.integers(len(macs))) for _ in range(2))
        mine, yours = f"198.18.{subnet}.{50 + one}", f"198.18.{subnet}.{50 + other}"
        if random.random() < 0.4:
            found.append(Frame(at, arp(1, macs[one], mine, yours)))
        else:
            size = int(random.integers(20, 400))
            found.append(
                Frame(at, datagram(mine, yours, (40_000 + one, 7000), bytes(size),
                                   source_mac=macs[one], destination_mac=macs[other],
                                   identification=int(random.integers(1, 60_000))))
            )  # fmt: skip
    return found
