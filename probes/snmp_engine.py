"""pysnmp over our own datagram channel: the one file that knows the library.

pysnmp builds and opens the messages (BER, USM of RFC 3414, AES of RFC 3826); it opens no socket
and keeps no timer here. What it does with a hostile message may be anything: nothing that it
raises while it reads one leaves this file.
"""

import asyncio
import errno
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from importlib.metadata import version
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from pysnmp import smi
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.carrier.base import (
    AbstractTransport,
    AbstractTransportAddress,
    AbstractTransportDispatcher,
)
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdgen
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.proto.api import v2c
from pysnmp.proto.rfc3412 import MsgAndPduDispatcher
from pysnmp.smi.builder import DirMibSource, MibBuilder
from pysnmp.smi.instrum import MibInstrumController

from nethealth.model.check import SnmpAuth, SnmpParameters, SnmpPrivacy
from nethealth.model.failure import Failure
from nethealth.model.ports import Clock, DatagramChannel, NetworkFailure
from nethealth.protocol.snmp import Kind, Oid, Reply, Request, VarBind

_AUTH: Mapping[SnmpAuth, Any] = {
    "SHA-1": config.USM_AUTH_HMAC96_SHA,
    "SHA-224": config.USM_AUTH_HMAC128_SHA224,
    "SHA-256": config.USM_AUTH_HMAC192_SHA256,
    "SHA-384": config.USM_AUTH_HMAC256_SHA384,
    "SHA-512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIVACY: Mapping[SnmpPrivacy, Any] = {
    "AES-128": config.USM_PRIV_CFB128_AES,
    "AES-192": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "AES-256": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "AES-192-C": config.USM_PRIV_CFB192_AES,
    "AES-256-C": config.USM_PRIV_CFB256_AES,
}
# By the tag that stood on the wire: a type of pysnmp is told by its class, the narrower first.
_KINDS: tuple[tuple[type, Kind], ...] = (
    (rfc1905.NoSuchObject, "noSuchObject"),
    (rfc1905.NoSuchInstance, "noSuchInstance"),
    (rfc1905.EndOfMibView, "endOfMibView"),
    (rfc1902.IpAddress, "address"),
    (rfc1902.Counter32, "counter32"),
    (rfc1902.TimeTicks, "timeticks"),
    (rfc1902.Gauge32, "gauge32"),
    (rfc1902.Counter64, "counter64"),
    (rfc1902.Opaque, "opaque"),
    (rfc1902.Integer, "integer"),
    (rfc1902.OctetString, "octets"),
    (rfc1902.univ.ObjectIdentifier, "oid"),
)
_OCTETS_MOST = 65_535
_USER = "nethealth"  # pysnmp's own names for what this engine knows of: one device, one user
_PLACE = ("0.0.0.0", 161)  # pysnmp wants an address; the channel alone knows the real one

# What the device, or pysnmp on reading its answer, says of our credentials (RFC 3414 section 3.2).
_REFUSALS: Mapping[str, str] = {
    "unknownUserName": "no such user",
    "unknownSecurityName": "no such user",
    "wrongDigest": "wrong authentication password or protocol",
    "authenticationFailure": "wrong authentication password or protocol",
    "decryptionError": "wrong privacy password or protocol",
    "unsupportedSecurityLevel": "the user may not sign and encrypt (authPriv)",
    "authorizationError": "the user may see nothing",
    "noSuchView": "the user may see nothing",
    "unknownCommunityName": "no such community",
}
_OUT_OF_STEP: Mapping[str, str] = {
    "notInTimeWindow": "not in its time window: its clock or boot count keeps changing",
    "unknownEngineID": "it does not keep to one engine id",
    "engineIDMismatch": "it does not keep to one engine id",
}


@dataclass(slots=True)
class Strays:
    """Datagrams that were no answer to the request that was out."""

    wrong_source: int = 0
    unreadable: int = 0


class _Dispatcher(AbstractTransportDispatcher):  # type: ignore[misc]
    """No timer of its own: our adapter says how long a request is awaited, and sends no more."""


class _Address(tuple, AbstractTransportAddress):  # type: ignore[misc, type-arg]
    """What pysnmp takes for the address of the device."""


class _Transport(AbstractTransport):  # type: ignore[misc]
    """pysnmp's way to the network: our channel."""

    PROTO_TRANSPORT_DISPATCHER = _Dispatcher
    ADDRESS_TYPE = _Address

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send

    def send_message(self, outgoingMessage: bytes, transportAddress: object) -> None:  # noqa: N803
        self._send(bytes(outgoingMessage))

    def hand_over(self, message: bytes) -> None:
        if self._callback_function is not None:
            self._callback_function(self, _Address(_PLACE), message)


class SnmpConversation:
    """Requests to one device, one at a time, over one channel. Close it when done.

    Make it by `open`. Every failure is a NetworkFailure: `timeout`, `auth` (the device, or the
    digest of its answer, says so), `protocol`, or what the channel raises.
    """

    def __init__(self, channel: DatagramChannel, clock: Clock, engine: Any) -> None:
        self.strays = Strays()
        self.heard_count = 0  # datagrams of the device itself, those of a first exchange included
        self._channel = channel
        self._clock = clock
        self._engine = engine
        self._transport = _Transport(channel.send)
        config.add_transport(engine, udp.DOMAIN_NAME, self._transport)
        self._generator = cmdgen.CommandGenerator()
        self._received_s = 0.0

    @classmethod
    async def open(
        cls,
        channel: DatagramChannel,
        clock: Clock,
        parameters: SnmpParameters,
        secrets: Mapping[str, str],
    ) -> "SnmpConversation":
        """Ready to ask; raises ValueError for a secret that SNMP cannot take, without the secret.

        The engine is made in another thread: its 0.04 s would hold up every other probe.
        """
        engine = await asyncio.to_thread(_engine, parameters, secrets)
        return cls(channel, clock, engine)

    async def ask(self, request: Request, timeout_s: float) -> Reply:
        """The answer to one request, sent once."""
        answer: asyncio.Future[tuple[Any, Any]] = asyncio.get_running_loop().create_future()

        def take(engine: object, handle: object, error: Any, pdu: Any, context: object) -> None:
            if not answer.done():
                answer.set_result((error, pdu))

        try:
            self._generator.send_pdu(self._engine, _USER, None, "", _pdu(request), take, None)
        except NetworkFailure:
            raise
        except Exception as fault:
            raise NetworkFailure(Failure.PROTOCOL, f"cannot ask: {_words(fault)}") from fault
        try:
            async with asyncio.timeout(timeout_s):
                while not answer.done():
                    await self._read_one()
        except TimeoutError:
            raise NetworkFailure(
                Failure.TIMEOUT, f"no answer from {self._channel.remote} in {timeout_s:g} s"
            ) from None
        error, pdu = answer.result()
        if error is not None:
            raise _refused(str(self._channel.remote), error)
        return self._reply(pdu)

    def close(self) -> None:
        with suppress(Exception):  # a library's tidying may not spoil a result
            self._engine.close_dispatcher()
        self._channel.close()

    async def _read_one(self) -> None:
        datagram = await self._channel.receive()
        if datagram.source != self._channel.remote:
            self.strays.wrong_source += 1
            return
        self.heard_count += 1
        self._received_s = datagram.received_s
        try:
            self._transport.hand_over(datagram.data)
        except NetworkFailure:
            raise  # of sending the next step of an exchange
        except Exception:  # noqa: BLE001 - whatever a library does with hostile octets
            self.strays.unreadable += 1

    def _reply(self, pdu: Any) -> Reply:
        try:
            status = int(v2c.apiPDU.get_error_status(pdu))
            varbinds = tuple(_varbind(oid, value) for oid, value in v2c.apiPDU.get_varbinds(pdu))
        except Exception as error:
            raise NetworkFailure(
                Failure.PROTOCOL, f"{self._channel.remote}: an answer that is none"
            ) from error
        return Reply(varbinds, self._received_s, status)


def self_test() -> str:
    """The library's version, once it has built a signed and encrypted user and a request."""
    parameters = SnmpParameters(
        "192.0.2.1", 3, (), user_env="U", auth_env="A", priv_env="P", auth="SHA-256"
    )
    _engine(parameters, {"U": "doctor", "A": "a password", "P": "a password"})
    _pdu(Request("bulk", ((1, 3),), 0, 1))
    return f"pysnmp {version('pysnmp')} signs by SHA-2 and encrypts by AES"


class _Source(DirMibSource):  # type: ignore[misc]
    """pysnmp's own MIBs, from the bytecode that Python keeps: compiling them holds up the loop."""

    def read(self, f: str) -> tuple[Any, str]:
        path = Path(self._srcName) / f"{f}.py"
        if not path.is_file():
            raise OSError(errno.ENOENT, "no such MIB", str(path))
        return _code(str(path)), ".py"

    def full_path(self, f: str = "", sfx: str = "") -> str:
        """What pysnmp then runs as a file: the bytecode, where it is there."""
        path = Path(self._srcName) / f"{f}{sfx}"
        kept = Path(cache_from_source(str(path)))
        return str(kept if kept.is_file() else path)


@lru_cache(maxsize=128)
def _code(path: str) -> Any:
    return SourceFileLoader("mib", path).get_code("mib")


def _new_engine() -> Any:
    """An engine that looks for MIBs, which are programs, among pysnmp's own files alone.

    By itself it would also look into folders that the environment names, and below the current.
    """
    builder = MibBuilder()
    own = Path(smi.__path__[0]) / "mibs"
    builder.set_mib_sources(_Source(str(own)), _Source(str(own / "instances")))
    return SnmpEngine(msgAndPduDsp=MsgAndPduDispatcher(MibInstrumController(builder)))


def _engine(parameters: SnmpParameters, secrets: Mapping[str, str]) -> Any:
    engine = _new_engine()
    if parameters.version == 2:
        community = _secret(secrets, parameters.community_env, 1, "community")
        config.add_v1_system(engine, _USER, community, securityName=_USER)
        config.add_target_parameters(engine, _USER, _USER, "noAuthNoPriv", 1)
    else:
        user = _secret(secrets, parameters.user_env, 1, "user name")
        config.add_v3_user(
            engine,
            user,
            _AUTH[parameters.auth],
            _secret(secrets, parameters.auth_env, 8, "authentication password"),
            _PRIVACY[parameters.privacy],
            _secret(secrets, parameters.priv_env, 8, "privacy password"),
        )
        config.add_target_parameters(engine, _USER, user, "authPriv", 3)
    config.add_target_address(engine, _USER, udp.DOMAIN_NAME, _PLACE, _USER, 100, 0)
    return engine


def _secret(secrets: Mapping[str, str], name: str | None, least: int, what: str) -> str:
    """Passwords have 8 characters at least (RFC 3414 section 11.2)."""
    value = secrets.get(name or "", "")
    if not least <= len(value) <= (32 if what == "user name" else 1024) or not value.isascii():
        raise ValueError(f"the {what} in {name} must be {least} or more ASCII characters")
    return value


def _pdu(request: Request) -> Any:
    if request.kind == "bulk":
        pdu = v2c.GetBulkRequestPDU()
        v2c.apiBulkPDU.set_defaults(pdu)
        v2c.apiBulkPDU.set_non_repeaters(pdu, request.non_repeaters)
        v2c.apiBulkPDU.set_max_repetitions(pdu, request.max_repetitions)
        v2c.apiBulkPDU.set_varbinds(pdu, [(oid, v2c.null) for oid in request.oids])
        return pdu
    pdu = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_varbinds(pdu, [(oid, v2c.null) for oid in request.oids])
    return pdu


def _varbind(oid: Any, value: Any) -> VarBind:
    name: Oid = tuple(int(part) for part in oid)
    kind: Kind = next((kind for cls, kind in _KINDS if isinstance(value, cls)), "other")
    match kind:
        case "integer" | "counter32" | "gauge32" | "timeticks" | "counter64":
            return VarBind(name, kind, int(value))
        case "octets" | "address" | "opaque":
            return VarBind(name, kind, bytes(value)[:_OCTETS_MOST])
        case "oid":
            return VarBind(name, kind, tuple(int(part) for part in value))
        case _:
            return VarBind(name, kind)


def _refused(remote: str, error: Any) -> NetworkFailure:
    name = _words(error)
    if name in _REFUSALS:
        return NetworkFailure(Failure.AUTH, f"{remote}: {_REFUSALS[name]} ({name})")
    if name in _OUT_OF_STEP:
        return NetworkFailure(Failure.PROTOCOL, f"{remote}: {_OUT_OF_STEP[name]} ({name})")
    return NetworkFailure(Failure.PROTOCOL, f"{remote}: {name}")


def _words(error: Any) -> str:
    """The name of an error of pysnmp, never what it says: that may hold what a device sent."""
    if isinstance(error, str):
        return "badResponse"  # the one error that it gives as a text: another request's answer
    name = type(error).__name__
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
