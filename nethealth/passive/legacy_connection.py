"""Legacy signalling over TCP: H.225 and H.245 in TPKT, Skinny, Megaco, MiNET.

H.245 has no port of its own. A connection of TPKT packets is believed to be H.245 when it names
the standard's object identifier in a capability set, or when its address and port stood in an
H.225 message before. Calls of another kind that use TPKT too (RDP, ISO transport) prove
themselves by their next octets and are let go.

MiNET has no published description, and is mostly encrypted: it is known by its ports 6800 to 6802
alone, and only where nothing of another kind (text, TLS) is said there.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

import numpy as np

from nethealth.passive.columns import Keys
from nethealth.passive.legacy_stream import Stream
from nethealth.passive.packets import Packet
from nethealth.wire import h225, h245, megaco, skinny
from nethealth.wire.errors import WireError

MINET_PORTS = (6800, 6801, 6802)
PORTS: dict[int, str] = {
    h225.CALL_PORT: "tpkt",
    skinny.PORT: "skinny",
    megaco.TEXT_PORT: "tpkt",
    megaco.BINARY_PORT: "tpkt",
    **dict.fromkeys(MINET_PORTS, "minet"),
}
STREAMS_MAX = 4096
_CALLS_KEPT = 512  # messages that may announce where H.245 will be
_TPKT_HEADER, _SKINNY_HEADER = 4, 12


@dataclass(frozen=True, slots=True)
class Found:
    """A packet in which a message of `protocol` ends; `certain`: it can be nothing else."""

    protocol: str
    certain: bool


def _skinny_length(octets: bytes) -> int:
    return skinny.parse_header(octets).length


@dataclass(slots=True)
class Connections:
    """The streams that are followed, by the flow key of their direction."""

    streams: dict[int, Stream] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)
    _kinds: dict[int, str] = field(default_factory=dict)
    _announced: deque[bytes] = field(default_factory=lambda: deque(maxlen=_CALLS_KEPT))
    _minet_pairs: dict[tuple[tuple[str, int], ...], bool] = field(default_factory=dict)

    def feed(self, flow: int, sequence: int, packet: Packet) -> Iterator[Found]:
        """The protocols of which a message ends in this segment, each once."""
        if flow in self.refused:
            return
        kind = self._kinds.get(flow)
        if kind is None:
            kind = _kind(packet)
            if len(self._kinds) >= STREAMS_MAX:
                return
            self._kinds[flow] = kind
        if kind == "minet":
            yield from self._minet(flow, packet)
            return
        stream = self.streams.get(flow)
        if stream is None:
            stream = self.streams[flow] = (
                Stream(_skinny_length, _SKINNY_HEADER)
                if kind == "skinny"
                else Stream(h225.tpkt_length, _TPKT_HEADER)
            )
        missing = packet.payload_octets - len(packet.payload)
        messages = stream.feed(sequence, packet.payload, missing)
        if kind == "skinny":
            if messages:
                yield Found("skinny", stream.at_boundary)
            return
        found: dict[str, bool] = {}
        for message in messages:
            for protocol, certain in self._tpkt(flow, packet, message[_TPKT_HEADER:]):
                found[protocol] = found.get(protocol, False) or certain
        for protocol, certain in found.items():
            yield Found(protocol, certain)

    def followed(self) -> Keys:
        """The flows whose further segments are wanted, whatever they begin with."""
        return np.fromiter(self.streams, np.uint64, len(self.streams))

    def _tpkt(self, flow: int, packet: Packet, message: bytes) -> Iterator[tuple[str, bool]]:
        if len(message) < 2:
            return  # a keep-alive
        try:
            call = h225.parse_call(message)
        except WireError:
            pass
        else:
            self._announced.append(call.user_user)
            yield "h225", True
            if h225.tunnelled_h245(call.user_user):
                yield "h245", True
            return
        ports = (packet.source_port, packet.destination_port)
        if megaco.TEXT_PORT in ports or megaco.BINARY_PORT in ports:
            try:
                megaco.parse(message)
            except WireError:
                return
            yield "megaco", True
            return
        if h225.CALL_PORT in ports:
            return
        try:
            h245.kind(message)
        except WireError:
            self._refuse(flow)
            return
        yield "h245", h245.is_capability_set(message) or self._is_announced(packet)

    def _is_announced(self, packet: Packet) -> bool:
        ends = [
            ip_address(address).packed + port.to_bytes(2, "big")
            for address, port in (
                (packet.source, packet.source_port),
                (packet.destination, packet.destination_port),
            )
        ]
        return any(end in message for message in self._announced for end in ends)

    def _minet(self, flow: int, packet: Packet) -> Iterator[Found]:
        """Every packet with data, unless the first seen of the connection is something else."""
        key = tuple(
            sorted(
                (
                    (packet.source, packet.source_port),
                    (packet.destination, packet.destination_port),
                )
            )
        )
        if key not in self._minet_pairs and len(self._minet_pairs) < STREAMS_MAX:
            self._minet_pairs[key] = not _other_kind(packet.payload)
        if self._minet_pairs.get(key):
            yield Found("minet", True)
        else:
            self._refuse(flow)

    def _refuse(self, flow: int) -> None:
        self.streams.pop(flow, None)
        if len(self.refused) < STREAMS_MAX:
            self.refused.add(flow)


def _kind(packet: Packet) -> str:
    return PORTS.get(packet.destination_port) or PORTS.get(packet.source_port) or "tpkt"


def _other_kind(payload: bytes) -> bool:
    """Text (HTTP and the like) or a TLS record."""
    start = payload[:8]
    text = len(start) == 8 and all(0x20 <= octet < 0x7F or octet in b"\r\n\t" for octet in start)
    return text or (start[:2] == b"\x16\x03" and len(start) > 2 and start[2] <= 4)
