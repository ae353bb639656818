"""SIP servers that misbehave, each a function from a request to what is sent back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast

from tests.peers.ports import free_port

Answer = Callable[[int, bytes], Sequence[bytes]]  # how many requests came before, and this one
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def response(request: bytes, start: str = "200 OK", *, more: str = "", body: str = "") -> bytes:
    """A response as RFC 3261 section 8.2.6.2 has it: five headers copied, rport filled in."""
    lines = request.decode().split("\r\n")
    names = ("Via", "From", "To", "Call-ID", "CSeq")
    copied = [line for line in lines if line.partition(":")[0] in names]
    marked = [line.replace(";rport", ";rport=51000;received=203.0.113.9") for line in copied]
    extra = [more] if more else []
    head = [f"SIP/2.0 {start}", *marked, *extra, f"Content-Length: {len(body)}", "", ""]
    return ("\r\n".join(head) + body).encode()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer, reply_through: asyncio.DatagramTransport | None) -> None:
        self.requests: list[bytes] = []
        self._answer = answer
        self._transport = reply_through

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._transport is None:
            self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.requests.append(data)
        assert self._transport is not None
        for reply in self._answer(len(self.requests) - 1, data):
            self._transport.sendto(reply, addr)


@asynccontextmanager
async def datagram_server(
    answer: Answer, *, address: str = "127.0.0.1", answer_from: str | None = None
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """The port it listens on and the requests as they come; `answer_from`: another address."""
    loop = asyncio.get_running_loop()
    other: asyncio.DatagramTransport | None = None
    if answer_from is not None:
        other, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=(answer_from, 0)
        )
    port = free_port(address)
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: _Datagrams(answer, other), local_addr=(address, port)
    )
    try:
        yield port, protocol.requests
    finally:
        transport.close()
        if other is not None:
            other.close()
        await asyncio.sleep(0)  # the transports close in the loop's next turn


@asynccontextmanager
async def stream_server(
    converse: Conversation, *, address: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """The port on which each connection is given to `converse` and then closed."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await converse(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, address, 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def request_on(reader: asyncio.StreamReader) -> bytes:
    """One request without a body."""
    return await reader.readuntil(b"\r\n\r\n")
