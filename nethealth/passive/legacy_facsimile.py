"""Facsimile over UDPTL (T.38): by what signalling announced, or by packets that prove it.

Signalling alone proves nothing: a gateway that announced T.38 and went on with G.711 sends RTP to
the very port. So each packet must add up as UDPTL; where no announcement was seen, a flow must
bring several that do, with sequence numbers that follow.
"""

from dataclasses import dataclass

import numpy as np

from nethealth.passive.announced import AnnouncedMedia
from nethealth.passive.columns import Flags, u8
from nethealth.passive.packets import FRAGMENT_NONE, Packet, Packets
from nethealth.wire import udptl
from nethealth.wire.errors import WireError

FLOWS_MAX = 8192
PROOF = 3  # packets that follow one another
_PORT_MIN = 1024
_STEP_MAX = 2  # repeated (0), next (1), one lost (2)
IMAGE = "image"


@dataclass(slots=True)
class _Run:
    """Packets of one flow that followed one another."""

    sequence: int
    length: int = 1


class Facsimile:
    """Tells the T.38 packets of a run."""

    def __init__(self) -> None:
        self._runs: dict[int, _Run] = {}

    def rows(self, packets: Packets) -> list[int]:
        """Rows that may be UDPTL, by four octets; few others have them all."""
        udp = packets.is_udp & (packets.fragment == FRAGMENT_NONE)
        udp &= packets.payload_captured >= 5
        candidates = np.flatnonzero(udp)
        if not len(candidates):
            return []
        at = packets.payload_at[candidates]
        octets = packets.octets
        # What begins with the version of RTP or RTCP would be a very long facsimile.
        first = octets[at]
        kept = (first & 0xC0) != 0x80
        candidates, at = candidates[kept], at[kept]
        primary = u8(octets, at + 2)
        recovery_at = 3 + primary
        kept = (primary > 0) & (primary < 0x80)
        kept &= recovery_at + 1 < packets.payload_captured[candidates]
        kept &= packets.source_port[candidates] >= _PORT_MIN
        kept &= packets.destination_port[candidates] >= _PORT_MIN
        candidates, at, recovery_at = candidates[kept], at[kept], recovery_at[kept]
        kept = (octets[at + recovery_at] & 0x7F) == 0
        found: list[int] = candidates[kept].tolist()
        return found

    def feed(self, flow: int, packet: Packet) -> bool | None:
        """None: no UDPTL; else whether the flow has proved itself with this packet."""
        try:
            sequence = udptl.parse(packet.payload).sequence
        except WireError:
            return None
        run = self._runs.get(flow)
        if run is None:
            if len(self._runs) >= FLOWS_MAX:
                return None
            self._runs[flow] = _Run(sequence)
            return False
        step = (sequence - run.sequence) & 0xFFFF
        run.length = run.length + 1 if step <= _STEP_MAX else 1
        run.sequence = sequence
        return run.length >= PROOF


def announced_rows(packets: Packets, media: tuple[AnnouncedMedia, ...]) -> Flags:
    """Rows of UDP from or to a port that was announced for images."""
    mask: Flags = np.zeros(len(packets), np.bool_)
    ports = {each.port for each in media if each.media == IMAGE and each.port}
    if not ports:
        return mask
    wanted = np.array(sorted(ports))
    mask |= np.isin(packets.source_port, wanted) | np.isin(packets.destination_port, wanted)
    mask &= packets.is_udp & (packets.fragment == FRAGMENT_NONE)
    return mask


def is_announced(packet: Packet, media: tuple[AnnouncedMedia, ...]) -> bool:
    """Whether either end of the packet is an announced one, at its time."""
    ends = {
        (packet.source, packet.source_port),
        (packet.destination, packet.destination_port),
    }
    return any(
        each.media == IMAGE
        and (each.address, each.port) in ends
        and each.from_ns <= packet.time_ns
        and (each.until_ns is None or packet.time_ns <= each.until_ns)
        for each in media
    )


def is_facsimile(packet: Packet, media: tuple[AnnouncedMedia, ...]) -> bool:
    """Whether a datagram at an announced port begins like UDPTL, and not like RTP."""
    payload = packet.payload
    rtp = bool(payload) and payload[0] & 0xC0 == 0x80
    return not rtp and udptl.begins(payload) and is_announced(packet, media)
