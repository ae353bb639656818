"""SIP messages out of a stream that was overheard: what is missing or broken costs one message.

`sip_stream` is for a connection of our own, where a broken message ends everything. A capture may
begin in the middle of a message and lack segments; here the next start line is looked for instead.
"""

import re

from nethealth.wire.errors import WireError
from nethealth.wire.sip import (
    HEADERS_END,
    LINE_MAX_OCTETS,
    MESSAGE_MAX_OCTETS,
    SipRequest,
    SipResponse,
    parse_head,
    with_body,
)

# A whole start line at the start of a line; what may be the beginning of one is kept.
_START = re.compile(
    rb"(?:\A|(?<=\n))(?:[A-Za-z0-9\-.!%*_+`'~]{1,64} [^ \r\n]{1,4096} SIP/2\.0"
    rb"|SIP/2\.0 [1-6][0-9][0-9](?: [^\r\n]{0,1024})?)[ \t]*\r?\n",
    re.IGNORECASE,
)
_EMPTY_LINES = re.compile(rb"[\r\n]+")

Found = SipRequest | SipResponse | WireError


class SipResyncParser:
    """Takes octets as they come; gives messages, and a WireError for each that could not be read.

    A message whose body is cut off, or whose end nobody can tell for want of Content-Length, comes
    with what there is of it, before the error that says so.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searching = True
        self._head: tuple[SipRequest | SipResponse, int] | None = None
        self._searched = 0  # octets of the buffer in which no end of headers begins

    def feed(self, data: bytes) -> list[Found]:
        """What `data` completes, in order."""
        self._buffer += data
        found: list[Found] = []
        while self._advance(found):
            pass
        return found

    def gap(self) -> list[Found]:
        """Octets are missing here: gives up the message that they belong to."""
        found: list[Found] = []
        if self._head is not None:
            message, length = self._head
            found += [
                with_body(message, bytes(self._buffer[:length])),
                WireError(f"body cut off after {len(self._buffer)} of {length} octets"),
            ]
        elif self._buffer.strip() and not self._searching:
            found.append(WireError("headers cut off"))
        self._restart(len(self._buffer))
        return found

    def _advance(self, found: list[Found]) -> bool:
        """One step; whether another may follow."""
        if self._searching:
            return self._search()
        if self._head is None:
            return self._next_head(found)
        message, length = self._head
        if len(self._buffer) < length:
            return False
        found.append(with_body(message, bytes(self._buffer[:length])))
        del self._buffer[:length]
        self._head = None
        return True

    def _search(self) -> bool:
        match = _START.search(self._buffer)
        if match is None:
            del self._buffer[:-LINE_MAX_OCTETS]
            return False
        del self._buffer[: match.start()]
        self._searching = False
        self._searched = 0
        return True

    def _next_head(self, found: list[Found]) -> bool:
        if self._searched == 0:
            empty = _EMPTY_LINES.match(self._buffer)
            if empty is not None:
                del self._buffer[: empty.end()]
        end = HEADERS_END.search(self._buffer, self._searched)
        if end is None:
            if len(self._buffer) > MESSAGE_MAX_OCTETS:
                found.append(WireError(f"headers of more than {MESSAGE_MAX_OCTETS} octets"))
                self._restart(1)
                return True
            self._searched = max(0, len(self._buffer) - 2)
            return False
        try:
            message, length = parse_head(bytes(self._buffer[: end.start()]))
        except WireError as error:
            found.append(error)
            self._restart(1)
            return True
        if length is None:
            found += [message, WireError("no Content-Length in a stream")]
            self._restart(end.end())
            return True
        del self._buffer[: end.end()]
        self._searched = 0
        self._head = message, length
        return True

    def _restart(self, octets: int) -> None:
        """Drop so many octets, and look for a start line after them."""
        del self._buffer[:octets]
        self._head = None
        self._searching = True
