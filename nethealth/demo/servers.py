"""The demonstration's servers: SIP, HTTP, HTTPS and DNS on loopback, speaking for real."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

LOOPBACK = "127.0.0.1"
_ECHOED = ("via", "from", "to", "call-id", "cseq")


@dataclass(frozen=True, slots=True)
class SipBehaviour:
    """How a telephone system answers OPTIONS."""

    server: str
    status: str = "200 OK"
    delay_s: float = 0.002
    drops: int = 0  # how many copies of each request its full queue drops before it takes one
    extra: str = ""  # further header lines, each ending in CRLF


class SipServer(asyncio.DatagramProtocol):
    """Answers each request after its delay, as RFC 3261 section 8.2.6 lays an answer out."""

    def __init__(self, behaviour: SipBehaviour) -> None:
        self._behaviour = behaviour
        self._copies: Counter[bytes] = Counter()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, client: tuple[str, int]) -> None:
        self._copies[data] += 1
        if self._copies[data] <= self._behaviour.drops:
            return
        answer = _sip_answer(data, client, self._behaviour)
        loop = asyncio.get_running_loop()
        loop.call_later(self._behaviour.delay_s, self._send, answer, client)

    def _send(self, answer: bytes, client: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(answer, client)


def _sip_answer(request: bytes, client: tuple[str, int], behaviour: SipBehaviour) -> bytes:
    lines = request.decode("utf-8", "replace").split("\r\n")
    kept = []
    for line in lines[1:]:
        name = line.partition(":")[0].strip().lower()
        if name not in _ECHOED:
            continue
        if name == "via":  # RFC 3581 section 4
            kept.append(line.replace(";rport", f";received={client[0]};rport={client[1]}", 1))
        elif name == "to" and "tag=" not in line:
            kept.append(f"{line};tag=demo")
        else:
            kept.append(line)
    return (
        f"SIP/2.0 {behaviour.status}\r\n"
        + "".join(f"{line}\r\n" for line in kept)
        + f"Server: {behaviour.server}\r\n"
        + "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER\r\n"
        + behaviour.extra
        + "Content-Length: 0\r\n\r\n"
    ).encode()


class DnsServer(asyncio.DatagramProtocol):
    """Answers A questions from a table, NXDOMAIN for the rest."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, client: tuple[str, int]) -> None:
        from dns import exception, flags, message, rcode, rrset  # noqa: PLC0415

        try:
            query = message.from_wire(data)
        except exception.DNSException:
            return
        response = message.make_response(query)
        response.flags |= flags.AA
        name = query.question[0].name.to_text().rstrip(".") if query.question else ""
        if name in self._names:
            response.answer.append(rrset.from_text(f"{name}.", 300, "IN", "A", self._names[name]))
        else:
            response.set_rcode(rcode.NXDOMAIN)
        if self._transport is not None:
            self._transport.sendto(response.to_wire(), client)


async def serve_page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One HTTP/1.1 request, one small page, then the connection is closed."""
    try:
        await reader.readuntil(b"\r\n\r\n")
        page = b"<!doctype html><title>Service</title><h1>Service is running</h1>"
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nServer: demo\r\n"
            f"Content-Length: {len(page)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + page)
        await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        return  # a connection that asks nothing (the tcp probe) ends here
    finally:
        writer.close()


@dataclass(frozen=True, slots=True)
class Certificates:
    """A certificate authority of the demonstration's own; its `authority` file is what to trust."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    def context(self, names: Mapping[str, int]) -> dict[str, ssl.SSLContext]:
        """Make a server context per name, its certificate valid for that many days from now."""
        from cryptography import x509  # noqa: PLC0415
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

        now = datetime.now(UTC)
        day = timedelta(days=1)

        def subject(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text)])

        root_key = ec.generate_private_key(ec.SECP256R1())
        root_name = subject("Demonstration authority")
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        root_id = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
        root = (
            x509.CertificateBuilder()
            .subject_name(root_name).issuer_name(root_name).public_key(root_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day).not_valid_after(now + 3650 * day)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(root_id, critical=False)
            .sign(root_key, hashes.SHA256())
        )  # fmt: skip
        self.authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        contexts = {}
        for name, days in names.items():
            key = ec.generate_private_key(ec.SECP256R1())
            issuer_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_id)
            leaf = (
                x509.CertificateBuilder()
                .subject_name(subject(name)).issuer_name(root_name).public_key(key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - day).not_valid_after(now + days * day)
                .add_extension(x509.SubjectAlternativeName([_san(name)]), critical=False)
                .add_extension(issuer_id, critical=False)
                .add_extension(
                    x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]),
                    critical=False,
                )
                .sign(root_key, hashes.SHA256())
            )  # fmt: skip
            place = self.folder / f"{name}.pem"
            place.write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
                + leaf.public_bytes(serialization.Encoding.PEM)
            )
            place.chmod(0o600)
            contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            contexts[name].load_cert_chain(place)
        return contexts


def _san(name: str) -> "GeneralName":
    from cryptography import x509  # noqa: PLC0415

    try:
        return x509.IPAddress(IPv4Address(name))
    except ValueError:
        return x509.DNSName(name)
