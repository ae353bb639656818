"""What the payload types of a stream stand for: announced by signalling, or fixed for good."""

from nethealth.passive.announced import AnnouncedMedia, Encoding, MediaBook
from nethealth.passive.rtp_payload import STATIC
from nethealth.passive.rtp_rows import Ends


class Encodings:
    """Looks into the book of announced media."""

    def __init__(self, book: MediaBook) -> None:
        self._book = book

    def of(
        self, ends: Ends, payload_type: int, at_ns: int
    ) -> tuple[Encoding | None, AnnouncedMedia | None]:
        """What the payload type stands for, and the announced endpoint the stream belongs to."""
        media = self.announced(ends, at_ns)
        for each in media:
            if payload_type in each.encodings:
                return each.encodings[payload_type], each
        return STATIC.get(payload_type), media[0] if media else None

    def announced(self, ends: Ends, at_ns: int) -> list[AnnouncedMedia]:
        """Announcements of the stream's ends, the receiving end's and the latest before it first.

        Who says where it receives also sends from there, nearly always; so both ends count.
        """
        found = []
        for address, port in (
            (ends.destination, ends.destination_port),
            (ends.source, ends.source_port),
        ):
            here = self._book.at(address, port)
            found += sorted(
                here, key=lambda each: (each.from_ns > at_ns, abs(each.from_ns - at_ns))
            )
        return found
