"""A callee of our own making: it answers by a script, and sends media from where it likes."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.peers.hostile_sip import response

SDP = "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 8\r\n"
Script = Callable[["Callee", str, bytes], Sequence[bytes]]


def tagged(octets: bytes, tag: str = "far") -> bytes:
    """A response with a tag of the far end, unless it has one."""
    head = re.search(rb"\r\nTo: [^\r]*", octets)
    assert head is not None
    if b";tag=" in head[0]:
        return octets
    return octets.replace(head[0], head[0] + f";tag={tag}".encode(), 1)


@dataclass
class Callee:
    """What it heard, and its sockets: `media` is the one that its SDP announces."""

    address: str
    port: int
    media: socket.socket
    media_port: int
    methods: list[str] = field(default_factory=list)
    invite: bytes = b""
    caller: tuple[str, int] = ("", 0)
    transport: asyncio.DatagramTransport | None = None

    @property
    def caller_media(self) -> tuple[str, int]:
        """Where the INVITE wants its media."""
        found = re.search(rb"m=audio ([0-9]+) ", self.invite)
        assert found is not None
        return self.address, int(found[1])

    def answer(self, start: str = "200 OK", *, body: str | None = None, more: str = "") -> bytes:
        """A response to the INVITE, with a good SDP unless another body is given."""
        sdp = SDP.format(self.address, self.media_port) if body is None else body
        contact = f"Contact: <sip:far@{self.address}:{self.port}>"
        lines = "\r\n".join(filter(None, (contact, more, "Content-Type: application/sdp")))
        return tagged(response(self.invite, start, more=lines, body=sdp))

    def request(self, method: str, number: int = 1, body: str = "") -> bytes:
        """A request within the call."""
        lines = self.invite.decode().split("\r\n")
        header = {line.partition(":")[0]: line.partition(": ")[2] for line in lines}
        head = [
            f"{method} sip:nethealth@{self.caller[0]}:{self.caller[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address}:{self.port};branch=z9hG4bK{method}{number}",
            f"From: {header['To']};tag=far",
            f"To: {header['From']}",
            f"Call-ID: {header['Call-ID']}",
            f"CSeq: {number} {method}",
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join([*head, "", ""]) + body).encode()

    def say(self, octets: bytes) -> None:
        """Send a message to the caller now."""
        assert self.transport is not None
        self.transport.sendto(octets, self.caller)


class _Sip(asyncio.DatagramProtocol):
    def __init__(self, callee: Callee, script: Script) -> None:
        self._callee = callee
        self._script = script

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        callee = self._callee
        method = data.split(b" ", 1)[0].decode(errors="replace")
        callee.methods.append(method)
        callee.caller = (addr[0], addr[1])
        if method == "INVITE" and not callee.invite:
            callee.invite = data
        for reply in self._script(callee, method, data):
            callee.say(reply)


def polite(callee: Callee, method: str, data: bytes) -> Sequence[bytes]:
    """Answers at once, and agrees to everything else."""
    if method == "INVITE":
        return [callee.answer()]
    return [] if method == "ACK" or method.startswith("SIP/") else [tagged(response(data))]


@asynccontextmanager
async def callee(script: Script = polite, *, address: str = "127.0.0.1") -> AsyncIterator[Callee]:
    """A callee for the length of a block."""
    loop = asyncio.get_running_loop()
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as media:
        media.bind((address, 0))
        media.setblocking(False)
        made = Callee(address, 0, media, media.getsockname()[1])
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Sip(made, script), local_addr=(address, 0)
        )
        made.transport = transport
        made.port = transport.get_extra_info("sockname")[1]
        try:
            yield made
        finally:
            transport.close()
            await asyncio.sleep(0)
