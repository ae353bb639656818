"""A witness that is honest within and lies on its way out: each test says how."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from secrets import token_bytes
from time import monotonic

from nethealth.protocol.reflector_peers import Peers
from nethealth.protocol.witness import Action, Came, Hang, Listening, Say, Tell, Witness
from nethealth.wire.witness import Told, build_line, parse_told
from tests.peers.ports import free_row
from tests.probes.hostile import Behave, stream_server

HERE = "127.0.0.1"
Twist = Callable[[Told], Iterable[Told | bytes]]
Spoken = Callable[[Say], Iterable[tuple[bytes, str]]]  # the octets, and from which address


def truly(told: Told) -> Iterable[Told | bytes]:
    return (told,)


def plainly(say: Say) -> Iterable[tuple[bytes, str]]:
    return ((say.data, HERE),)


@dataclass(frozen=True)
class Ports:
    """Where it listens; the second port is the one after `control`."""

    control: int
    sip: int


@asynccontextmanager
async def lying(
    tell: Twist = truly, speak: Spoken = plainly, *, listening: Callable[[Listening], Listening]
    = lambda it: it,
) -> AsyncIterator[Ports]:  # fmt: skip
    """Its ports, for the length of a block."""
    control = free_row(3)
    ports = Ports(control, control + 2)
    known = listening(Listening(ports.sip, ports.control, ports.control + 1))
    core = Witness(Peers([ip_network("127.0.0.0/8")], 1e6), known, token_bytes)
    loop = asyncio.get_running_loop()
    writers: dict[int, asyncio.StreamWriter] = {}
    sockets: dict[int, socket.socket] = {}

    def do(actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Tell(number, line) if number in writers:
                    for told in tell(parse_told(line[:-1])):
                        writers[number].write(told if isinstance(told, bytes) else build_line(told))
                case Say():
                    for data, source in speak(action):
                        _send(sockets, action, data, source)
                case Hang(number) if number in writers:
                    writers[number].close()

    def drain(sock: socket.socket, port: int) -> None:
        data, peer = sock.recvfrom(65_535)
        do(core.datagram(Came(data, peer[0], peer[1], HERE, port, monotonic())))

    def serve(port: int) -> Behave:
        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            number, (address, source) = id(writer), writer.get_extra_info("peername")
            first = await reader.read(1)
            if first == b"{":
                core.connected(number, address, source, HERE, monotonic())
                writers[number] = writer
                line = first + await reader.readline()
                while line:
                    do(core.line(number, line.rstrip(b"\n"), monotonic()))
                    line = await reader.readline()
                core.closed(number)
                writers.pop(number, None)
            elif first:
                data = first + await reader.read(4096)
                do(core.stream(Came(data, address, source, HERE, port, monotonic())))
                await reader.read(1)

        return one

    async def clock() -> None:
        while True:
            do(core.due(monotonic()))
            await asyncio.sleep(0.01)

    async with AsyncExitStack() as stack:
        for port in (ports.control, ports.control + 1, ports.sip):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.bind((HERE, port))
            sockets[port] = sock
            loop.add_reader(sock, drain, sock, port)
            stack.callback(sock.close)
            stack.callback(loop.remove_reader, sock)
        for port in (ports.control, ports.sip):
            await stack.enter_async_context(stream_server(serve(port), port=port))
        ticking = asyncio.create_task(clock())
        stack.callback(ticking.cancel)
        yield ports


def _send(sockets: dict[int, socket.socket], say: Say, data: bytes, source: str) -> None:
    if source == HERE:
        sockets[say.local_port].sendto(data, (say.address, say.port))
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((source, say.local_port))
        other.sendto(data, (say.address, say.port))
