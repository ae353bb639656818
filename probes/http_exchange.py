"""One GET on an open connection: h11 reads, we bound what may come."""

from collections.abc import Callable
from dataclasses import dataclass

import h11

from nethealth import __version__
from nethealth.model.failure import Failure
from nethealth.model.ports import NetworkFailure, StreamChannel
from probes.http_url import Location

HEADER_MAX_BYTES = 65_536
BODY_MAX_BYTES = 2 * 1024 * 1024
_INFORMATIONAL_MAX = 16
_BEGINS = b"HTTP/"
_CHUNK = 16_384


@dataclass(frozen=True)
class Head:
    """The status line and the headers that matter here; header values as text, bounded."""

    status: int
    first_byte_s: float  # monotonic
    location: str | None
    encoding: str | None


@dataclass(frozen=True)
class Body:
    """What was read; `complete` is false if there was more than BODY_MAX_BYTES."""

    content: bytes
    complete: bool


class Exchange:
    """Request, head, body, in this order; each raises NetworkFailure."""

    def __init__(self, channel: StreamChannel, now: Callable[[], float]) -> None:
        self._channel = channel
        self._now = now
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADER_MAX_BYTES)
        self._first_byte_s: float | None = None
        self._begins = b""
        self.body_bytes = 0  # so far, for when the rest does not come

    async def request(self, location: Location) -> None:
        """Send the GET; nothing of this machine's environment goes into it."""
        headers = [
            ("Host", location.host_header),
            ("User-Agent", f"nethealth/{__version__}"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ]
        request = h11.Request(method="GET", target=location.target, headers=headers)
        octets = self._h11.send(request) or b""
        octets += self._h11.send(h11.EndOfMessage()) or b""
        await self._channel.write(octets)

    async def head(self) -> Head:
        """The final response's head; interim ones (1xx) are passed over."""
        for _ in range(_INFORMATIONAL_MAX):
            event = await self._next_event()
            if isinstance(event, h11.Response):
                return Head(
                    event.status_code,
                    self._first_byte_s or self._now(),
                    _header(event, b"location"),
                    _header(event, b"content-encoding"),
                )
            if not isinstance(event, h11.InformationalResponse):
                raise self._broken("closed before any response")
        raise self._broken("interim responses without end")

    async def body(self) -> Body:
        """Up to BODY_MAX_BYTES of the body."""
        parts: list[bytes] = []
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Data):
                part = bytes(event.data)[: BODY_MAX_BYTES - self.body_bytes]
                parts.append(part)
                self.body_bytes += len(part)
                if self.body_bytes >= BODY_MAX_BYTES:
                    return Body(b"".join(parts), complete=False)
            elif isinstance(event, h11.EndOfMessage):
                return Body(b"".join(parts), complete=True)
            else:
                raise self._broken("closed within the body")

    async def _next_event(self) -> h11.Event:
        try:
            while True:
                event = self._h11.next_event()
                if isinstance(event, h11.Event):
                    return event
                if event is h11.PAUSED:
                    raise self._broken("switched to another protocol")
                received = await self._channel.read(_CHUNK)
                if received and self._first_byte_s is None:
                    self._first_byte_s = self._now()
                self._begins += received[: len(_BEGINS) - len(self._begins)]
                if not _BEGINS.startswith(self._begins):  # h11 would wait for a whole head of it
                    raise self._broken("the first octets are of another protocol")
                self._h11.receive_data(received)
        except h11.RemoteProtocolError as error:
            raise self._broken(str(error)) from None

    def _broken(self, what: str) -> NetworkFailure:
        return NetworkFailure(Failure.PROTOCOL, f"{self._channel.remote}: not HTTP: {what[:200]}")


def _header(response: h11.Response, name: bytes) -> str | None:
    for key, value in response.headers:
        if key == name:
            return value.decode("utf-8", errors="replace")
    return None
