"""SIP messages out of a stream, framed by Content-Length (RFC 3261 section 18.3)."""

import re

from nethealth.wire.errors import WireError
from nethealth.wire.sip import (
    HEADERS_END,
    MESSAGE_MAX_OCTETS,
    SipRequest,
    SipResponse,
    parse_head,
    with_body,
)

_EMPTY_LINES = re.compile(rb"[\r\n]+")


class SipStreamParser:
    """Takes octets as they come, gives each message as soon as it is whole.

    A broken message ends the stream: no frame can be found after it. It raises WireError once the
    whole messages before it have been handed out, and again at every later call.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # octets of the buffer in which no end of headers begins
        self._head: tuple[SipRequest | SipResponse, int] | None = None
        self._error: WireError | None = None

    @property
    def pending_octets(self) -> int:
        """Octets of a message that is not yet whole: not 0 at the end means it was cut off."""
        return len(self._buffer) + (self._head is not None)

    def feed(self, data: bytes) -> list[SipRequest | SipResponse]:
        """The messages that `data` completes, in order."""
        messages: list[SipRequest | SipResponse] = []
        if self._error is None:
            self._buffer += data
            try:
                while (message := self._next()) is not None:
                    messages.append(message)
            except WireError as error:
                self._error = error
                self._buffer.clear()
        if self._error is not None and not messages:
            raise self._error
        return messages

    def _next(self) -> SipRequest | SipResponse | None:
        if self._head is None:
            self._head = self._next_head()
        if self._head is None:
            return None
        message, length = self._head
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        return with_body(message, body)

    def _next_head(self) -> tuple[SipRequest | SipResponse, int] | None:
        if self._searched == 0:
            # Empty lines between messages keep a connection alive (RFC 5626 section 3.5.1).
            empty = _EMPTY_LINES.match(self._buffer)
            if empty is not None:
                del self._buffer[: empty.end()]
        end = HEADERS_END.search(self._buffer, self._searched)
        if (len(self._buffer) if end is None else end.start()) > MESSAGE_MAX_OCTETS:
            raise WireError(f"headers of more than {MESSAGE_MAX_OCTETS} octets")
        if end is None:
            self._searched = max(0, len(self._buffer) - 2)
            return None
        message, length = parse_head(bytes(self._buffer[: end.start()]))
        if length is None:
            raise WireError("no Content-Length in a stream: nobody can say where the body ends")
        del self._buffer[: end.end()]
        self._searched = 0
        return message, length
