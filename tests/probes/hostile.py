"""Servers that do what no server should, for the length of a block, on a free port."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Answer = Callable[[bytes], list[tuple[bytes, str]]]  # query -> (octets, address to send from)


@asynccontextmanager
async def stream_server(
    behave: Behave, *, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """A TCP server; `behave` is given each connection, which is dropped at the end of the block."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await behave(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the client has left, or the block has ended
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def reset(writer: asyncio.StreamWriter) -> None:
    """Tear the connection down with RST: a zero linger (socket(7))."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def forever() -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def datagram_server(answer: Answer, *, address: str = "127.0.0.1") -> AsyncIterator[int]:
    """A UDP server; `answer` says what to send back for each query, and from which address."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((address, 0))
    port = int(sock.getsockname()[1])

    def reply() -> None:
        query, peer = sock.recvfrom(65_535)
        for octets, source in answer(query):
            if source == address:
                sock.sendto(octets, peer)
            else:
                with socket.socket(family, socket.SOCK_DGRAM) as other:
                    other.bind((source, port))
                    other.sendto(octets, peer)

    loop.add_reader(sock, reply)
    try:
        yield port
    finally:
        loop.remove_reader(sock)
        sock.close()
