"""The far end of a load: a TCP service that takes or gives octets, to allowed peers and bounded.

It runs on a thread of its own beside the reflector, whose time stamps are the kernel's.
"""

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from nethealth.protocol.load import (
    LINE_OCTETS_MAX,
    SECONDS_MAX,
    LoadGate,
    LoadRequest,
    Pace,
    Refusal,
    Way,
    answer,
)
from nethealth.protocol.reflector_peers import Allowed, closed_networks

REQUEST_WAIT_S = 2.0
OVERTIME_S = 1.0  # for the octets under way when the load's time is over
TURN_S = 0.005  # between two portions of the rate
CHUNK = 65_536
_WAITING_MAX = 8  # peers that have not yet said what they want
# <linux/tcp.h>, <asm-generic/socket.h>; Python does not name them in every version
TCP_NOTSENT_LOWAT, SO_MAX_PACING_RATE = 25, 47
_UNSENT_OCTETS_MAX = 16_384
_NO_LINGER = struct.pack("@ii", 1, 0)


@dataclass(slots=True)
class LoadCounts:
    """What came of the service's time; `refused` by the word that was given."""

    load_count: int = 0
    taken_octets: int = 0
    given_octets: int = 0
    refused: Mapping[str, int] | None = None


def keep_little(sock: socket.socket, rate_bps: float) -> None:
    """Let few octets wait in the socket, and the kernel spread them over the rate."""
    sock.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, _UNSENT_OCTETS_MAX)
    # A twentieth more than the rate: it smooths what `Pace` lets through, and limits nothing.
    sock.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, min(2**32 - 1, int(rate_bps / 8 * 1.05)))


def cut(sock: socket.socket) -> None:
    """End the connection by a reset: what still waits in the socket is not sent."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    sock.close()


class LoadService:
    """Bound at once (OSError if it cannot be); ValueError for `allow`; `rate_bps` caps a load."""

    def __init__(
        self, addresses: Sequence[str], port: int, allow: Sequence[Allowed], rate_bps: float
    ) -> None:
        self._gate = LoadGate(closed_networks(allow), rate_bps, SECONDS_MAX)
        self._counts = LoadCounts()
        self._waiting = 0
        self._sockets: list[socket.socket] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        try:
            for address in addresses:
                self._sockets.append(_listening(address, port))
        except OSError:
            self._close()
            raise

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> LoadCounts:
        """End every load at once; what was done."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._cancel)
            self._thread.join()
        self._close()
        self._counts.refused = {str(why): count for why, count in self._gate.refused.items()}
        return self._counts

    def _close(self) -> None:
        for sock in self._sockets:
            sock.close()
        self._loop.close()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serve())

    def _cancel(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as group:
            for sock in self._sockets:
                group.create_task(self._accept(sock, group))

    async def _accept(self, listening: socket.socket, group: asyncio.TaskGroup) -> None:
        while True:
            try:
                sock, (address, *_) = await self._loop.sock_accept(listening)
            except OSError:  # the peer is gone already, or there is no descriptor left
                await asyncio.sleep(TURN_S)
                continue
            if self._gate.refuse_peer(address) or self._waiting >= _WAITING_MAX:
                cut(sock)
                continue
            self._waiting += 1
            group.create_task(self._attend(sock))

    async def _attend(self, sock: socket.socket) -> None:
        try:
            try:
                async with asyncio.timeout(REQUEST_WAIT_S):
                    line = await self._line(sock)
            finally:
                self._waiting -= 1
            asked = self._gate.begin(line)
            if isinstance(asked, Refusal):
                await self._loop.sock_sendall(sock, answer(asked))
                # Not reset: that would take the answer away from whoever has not read it yet.
                sock.close()
                return
            try:
                await self._load(sock, asked)
            finally:
                self._gate.end()
        except (OSError, TimeoutError):
            return  # the peer has cut its load, or said nothing
        finally:
            cut(sock)

    async def _line(self, sock: socket.socket) -> bytes:
        line = b""
        while not line.endswith(b"\n") and len(line) <= LINE_OCTETS_MAX:
            octets = await self._loop.sock_recv(sock, LINE_OCTETS_MAX + 1 - len(line))
            if not octets:
                break
            line += octets
        return line

    async def _load(self, sock: socket.socket, asked: LoadRequest) -> None:
        if asked.way is Way.ASK:
            await self._loop.sock_sendall(sock, answer(None))
            sock.close()
            return
        keep_little(sock, asked.rate_bps)
        await self._loop.sock_sendall(sock, answer(None))
        self._counts.load_count += 1
        end_s = time.monotonic() + asked.seconds
        async with asyncio.timeout(asked.seconds + OVERTIME_S):
            if asked.way is Way.GIVE:
                await self._give(sock, Pace(asked.rate_bps, time.monotonic()), end_s)
            else:
                await self._take(sock, Pace(asked.rate_bps, time.monotonic()))

    async def _give(self, sock: socket.socket, pace: Pace, end_s: float) -> None:
        while (now_s := time.monotonic()) < end_s:
            octets = min(pace.free(now_s), CHUNK)
            if octets:
                await self._loop.sock_sendall(sock, bytes(octets))
                pace.passed(octets)
                self._counts.given_octets += octets
            await asyncio.sleep(TURN_S)

    async def _take(self, sock: socket.socket, pace: Pace) -> None:
        while True:
            free = min(pace.free(time.monotonic()), CHUNK)
            if free:
                octets = len(await self._loop.sock_recv(sock, free))
                if not octets:
                    return
                pace.passed(octets)
                self._counts.taken_octets += octets
            await asyncio.sleep(TURN_S)


def _listening(address: str, port: int) -> socket.socket:
    six = ip_address(address.partition("%")[0]).version == 6
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if six:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(_WAITING_MAX)
    except OSError:
        sock.close()
        raise
    return sock
