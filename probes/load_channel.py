"""The near end of a load: a TCP connection that holds little back and is cut by a reset."""

import asyncio
import socket
import struct

from nethealth.model.endpoint import Endpoint
from nethealth.model.ports import NetworkFailure
from probes.addresses import endpoint_of, socket_address
from probes.failures import network_failure
from probes.load_service import cut, keep_little

_INFO_OCTETS = 136
_ACKNOWLEDGED = struct.Struct("@Q")
_ACKNOWLEDGED_AT = 120  # tcpi_bytes_acked in struct tcp_info, <linux/tcp.h>, since Linux 4.1


async def open_load(remote: Endpoint, rate_bps: float) -> "TcpLoad":
    """Connect; the caller bounds the wait. NetworkFailure if there is no connection."""
    loop = asyncio.get_running_loop()
    try:
        family, address = socket_address(remote)
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as error:
        raise network_failure(error, f"to {remote}") from None
    try:
        keep_little(sock, rate_bps)
        await loop.sock_connect(sock, address)
        return TcpLoad(sock, loop, endpoint_of(sock.getsockname()), remote)
    except OSError as error:
        sock.close()
        raise network_failure(error, f"connecting to {remote}") from None
    except BaseException:
        sock.close()
        raise


class TcpLoad:
    """The load channel of the contract."""

    def __init__(
        self, sock: socket.socket, loop: asyncio.AbstractEventLoop, local: Endpoint,
        remote: Endpoint,
    ) -> None:  # fmt: skip
        self.local = local
        self.remote = remote
        self._socket = sock
        self._loop = loop

    async def read(self, limit: int) -> bytes:
        try:
            return await self._loop.sock_recv(self._socket, limit)
        except OSError as error:
            raise self._failure(error, "reading from") from None

    async def write(self, data: bytes) -> None:
        try:
            await self._loop.sock_sendall(self._socket, data)
        except OSError as error:
            raise self._failure(error, "writing to") from None

    def acknowledged_octets(self) -> int:
        try:
            info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_OCTETS)
        except OSError as error:
            raise self._failure(error, "asking about") from None
        (octets,) = _ACKNOWLEDGED.unpack_from(info, _ACKNOWLEDGED_AT)
        return max(0, int(octets) - 1)  # the kernel counts SYN as one

    def cut(self) -> None:
        cut(self._socket)

    def _failure(self, error: OSError, doing: str) -> NetworkFailure:
        return network_failure(error, f"{doing} {self.remote}")
