"""TCP connections, and TLS on top of them by way of memory buffers."""

import asyncio
import contextlib
import socket
import ssl
import time
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import NetworkFailure, TlsFacts
from probes.addresses import endpoint_of, set_dscp, socket_address
from probes.datagram import source_for
from probes.failures import network_failure

if TYPE_CHECKING:
    from probes.trust import TrustStore

_CHUNK = 65_536
_LEGACY_SERVER_CONNECT = 0x4  # ssl.OP_LEGACY_SERVER_CONNECT, named since Python 3.12
_DER = 2  # _ssl.ENCODING_DER

_T = TypeVar("_T")


_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


@lru_cache(maxsize=len(_VERSIONS) + 1)
def _observing_context(version: str | None = None) -> ssl.SSLContext:
    """A context that shakes hands with anything, so that what is wrong with it can be told.

    Built once: each costs about 20 ms. Old versions, small keys and old renegotiation are let in,
    for the servers worth reporting are the old ones; trust is judged apart, on what was received.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    if version is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the old ones are deprecated: that is the point
            context.minimum_version = context.maximum_version = _VERSIONS[version]
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.options |= _LEGACY_SERVER_CONNECT
    return context


async def open_tcp(
    remote: Endpoint,
    dscp: int,
    trust: "Callable[[], TrustStore]",
    *,
    local_port: int | None = None,
) -> "TcpChannel":
    """Connect; the caller bounds the wait. NetworkFailure if there is no connection.

    With a `local_port` (0: any) others that were opened so may go from the same one to elsewhere.
    """
    loop = asyncio.get_running_loop()
    try:
        family, address = socket_address(remote)
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as error:
        raise network_failure(error, f"to {remote}") from None
    try:
        if dscp:
            set_dscp(sock, family, dscp)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if local_port is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            host, _, *scope = source_for(family, address)
            sock.bind((host, local_port, *scope))
        await loop.sock_connect(sock, address)
        local = endpoint_of(sock.getsockname())
        if local == remote:  # a simultaneous open with ourselves, where nobody listens
            raise NetworkFailure(Failure.REFUSED, f"connecting to {remote}: nobody listens")
    except OSError as error:
        sock.close()
        raise network_failure(error, f"connecting to {remote}") from None
    except BaseException:
        sock.close()
        raise
    return TcpChannel(sock, loop, local, remote, trust)


class TcpChannel:
    """The stream channel of the contract."""

    def __init__(
        self, sock: socket.socket, loop: asyncio.AbstractEventLoop, local: Endpoint,
        remote: Endpoint, trust: "Callable[[], TrustStore]",
    ) -> None:  # fmt: skip
        self.local = local
        self.remote = remote
        self._socket = sock
        self._loop = loop
        self._trust = trust
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    async def start_tls(self, server_name: str, *, version: str | None = None) -> TlsFacts:
        doing = f"TLS handshake with {self.remote}"
        try:
            # an address is sent in no server name (RFC 6066 section 3); ssl sees to that
            tls = _observing_context(version).wrap_bio(
                self._incoming, self._outgoing, server_hostname=server_name or None
            )
        except (ValueError, TypeError) as error:  # no name at all, or one with a NUL in it
            raise NetworkFailure(Failure.TLS, f"{doing}: {server_name!r}: {error}") from None
        started_s = time.monotonic()
        try:
            await self._pump(tls.do_handshake)
        except OSError as error:
            raise network_failure(error, doing) from None
        ended_s = time.monotonic()
        self._tls = tls
        certificates = _chain_as_sent(tls)
        cipher = tls.cipher()
        # In a thread: the first call loads the trust store, tens of milliseconds on some machines,
        # in which no other probe may be held up.
        verify_error = await asyncio.to_thread(
            lambda: self._trust().verify_error(certificates, server_name)
        )
        return TlsFacts(
            version=tls.version() or "unknown",
            cipher=cipher[0] if cipher else "unknown",
            certificates=certificates,
            verify_error=verify_error,
            alpn=tls.selected_alpn_protocol(),
            handshake_time_s=ended_s - started_s,
        )

    async def read(self, limit: int) -> bytes:
        # a read that need not wait does not let the loop turn, and a flood would outlast any limit
        await asyncio.sleep(0)
        try:
            if self._tls is None:
                return await self._loop.sock_recv(self._socket, limit)
            tls = self._tls
            return await self._pump(lambda: tls.read(limit))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""  # many servers end without close_notify; the protocol above knows its end
        except OSError as error:
            raise network_failure(error, f"reading from {self.remote}") from None

    async def write(self, data: bytes) -> None:
        try:
            if self._tls is None:
                await self._loop.sock_sendall(self._socket, data)
                return
            tls = self._tls
            await self._pump(lambda: tls.write(data))
        except OSError as error:
            raise network_failure(error, f"writing to {self.remote}") from None

    async def close(self) -> None:
        """Say goodbye without waiting for an answer, and let go."""
        if self._socket.fileno() < 0:
            return
        try:
            if self._tls is not None:
                self._say_close_notify(self._tls)
        finally:
            self._socket.close()

    def _say_close_notify(self, tls: ssl.SSLObject) -> None:
        with contextlib.suppress(ssl.SSLError):  # it wants the peer's own; nobody waits for that
            tls.unwrap()
        with contextlib.suppress(OSError):  # the peer is gone already, or its window is closed
            self._socket.send(self._outgoing.read())

    async def _pump(self, step: Callable[[], _T]) -> _T:
        """Do `step`, carrying octets between the buffers and the socket for as long as it asks."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._flush()
                received = await self._loop.sock_recv(self._socket, _CHUNK)
                if received:
                    self._incoming.write(received)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                await self._flush()  # the alert that tells the peer why
                raise
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._loop.sock_sendall(self._socket, self._outgoing.read())


def _chain_as_sent(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """The peer's certificates, DER, leaf first.

    Public since Python 3.13; before, the method stands on the object within. Where neither is
    there, the leaf alone.
    """
    public = getattr(tls, "get_unverified_chain", None)
    if public is not None:
        return tuple(public() or ())
    within = getattr(getattr(tls, "_sslobj", None), "get_unverified_chain", None)
    if within is not None:
        return tuple(certificate.public_bytes(_DER) for certificate in within() or ())
    leaf = tls.getpeercert(binary_form=True)
    return (leaf,) if leaf else ()
