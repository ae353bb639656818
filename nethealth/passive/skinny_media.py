"""Media that Skinny announces: which endpoints of RTP its telephones open, told to the book."""

from collections.abc import Iterator

from nethealth.passive.analysis import Fact, Units
from nethealth.passive.announced import AnnouncedMedia, MediaBook
from nethealth.passive.packets import Packet, Packets
from nethealth.wire.errors import WireError
from nethealth.wire.skinny import PORT, parse_header
from nethealth.wire.skinny_media import parse_media

UNITS: Units = {}
ANNOUNCED_MAX = 50_000
_MESSAGES_MAX = 64  # in one segment
_HEADER_OCTETS = 12


class SkinnyMediaAnalysis:
    """An `Analyser` without facts of its own. A message in several segments is not read."""

    def __init__(self, book: MediaBook) -> None:
        self._book = book
        self._announced = 0

    def feed(self, packets: Packets) -> None:
        ports = (packets.source_port == PORT) | (packets.destination_port == PORT)
        for row in packets.rows(packets.is_tcp & ports & (packets.payload_captured > 12)):
            if self._announced >= ANNOUNCED_MAX:
                return
            self._read(packets.packet(row))

    def finish(self) -> Iterator[Fact]:
        return iter(())

    def _read(self, packet: Packet) -> None:
        at = 0
        for _ in range(_MESSAGES_MAX):
            if at + _HEADER_OCTETS > len(packet.payload):
                return
            try:
                header = parse_header(packet.payload[at : at + _HEADER_OCTETS])
                media = parse_media(packet.payload[at : at + header.length])
            except WireError:
                return
            at += header.length
            if media is not None:
                self._announced += 1
                self._book.announce(
                    AnnouncedMedia(
                        media.address, media.port, packet.time_ns, packet_s=media.packet_s
                    )
                )
