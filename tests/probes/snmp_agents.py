"""Agents that say by SNMP what no device should, in BER of our own (X.690, RFC 3416)."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.probes.hostile import datagram_server

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
COUNTER32, GAUGE32, TICKS, COUNTER64, END_OF_VIEW = 0x41, 0x42, 0x43, 0x46, 0x82
GET, RESPONSE, BULK, REPORT = 0xA0, 0xA2, 0xA5, 0xA8
Numbers = tuple[int, ...]
UPTIME: Numbers = (1, 3, 6, 1, 2, 1, 1, 3, 0)


def tlv(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(octets))) + octets + body


def number(value: int, tag: int = INTEGER) -> bytes:
    octets = value.to_bytes(value.bit_length() // 8 + 1, signed=True)
    return tlv(tag, octets)


def oid(numbers: Numbers) -> bytes:
    body = bytes((numbers[0] * 40 + numbers[1],))
    for part in numbers[2:]:
        septets = [part & 0x7F]
        while part := part >> 7:
            septets.append(0x80 | part & 0x7F)
        body += bytes(reversed(septets))
    return tlv(OID, body)


def sequence(*parts: bytes, tag: int = SEQUENCE) -> bytes:
    return tlv(tag, b"".join(parts))


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The values that stand one after another, each as its tag and body."""
    while data:
        tag, size, start = data[0], data[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[2:start])
        yield tag, data[start : start + size]
        data = data[start + size :]


def read_oid(body: bytes) -> Numbers:
    numbers, part = [body[0] // 40, body[0] % 40], 0
    for octet in body[1:]:
        part = part << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(part)
            part = 0
    return tuple(numbers)


@dataclass(frozen=True)
class Asked:
    """A request of SNMPv2c."""

    bulk: bool
    request: bytes  # its id, as it came
    oids: tuple[Numbers, ...]
    non_repeaters: int
    repetitions: int

    @classmethod
    def of(cls, query: bytes) -> "Asked":
        (_, message), *_ = elements(query)
        _, _, (tag, pdu) = elements(message)
        (_, request), (_, first), (_, second), (_, binds) = elements(pdu)
        oids = tuple(read_oid(next(elements(bind))[1]) for _, bind in elements(binds))
        return cls(tag == BULK, request, oids, first[-1], second[-1])

    def answer(self, binds: Sequence[tuple[Numbers, bytes]], *, status: int = 0) -> bytes:
        return self.answer_raw(
            sequence(*(sequence(oid(name), value) for name, value in binds)), status=status
        )

    def answer_raw(self, binds: bytes, *, status: int = 0, request: bytes | None = None) -> bytes:
        pdu = sequence(
            tlv(INTEGER, self.request if request is None else request),
            number(status), number(1 if status else 0), binds, tag=RESPONSE,
        )  # fmt: skip
        return sequence(number(1), tlv(OCTETS, b"lab-community"), pdu)


Say = Callable[[Asked], list[bytes]]


@asynccontextmanager
async def agent(say: Say, *, source: str = "127.0.0.1") -> AsyncIterator[int]:
    """An agent of SNMPv2c; `say` gives the datagrams that answer a request."""

    def answer(query: bytes) -> list[tuple[bytes, str]]:
        return [(datagram, source) for datagram in say(Asked.of(query))]

    async with datagram_server(answer) as port:
        yield port


def system(asked: Asked, name: bytes = b"liar") -> list[bytes]:
    """A GET answered as a sane device would, with this name."""
    binds = [
        (each, number(100_000, TICKS) if each == UPTIME else tlv(OCTETS, name))
        for each in asked.oids
    ]
    return [asked.answer(binds)]


def report(query: bytes, reason: Numbers) -> bytes:
    """SNMPv3: an unauthenticated Report of that counter, whatever was asked."""
    (_, message), *_ = elements(query)
    _, (_, header), *_ = elements(message)
    message_id = next(elements(header))[1]
    security = sequence(
        tlv(OCTETS, b"\x80\x00\x1f\x88\x04liar"), number(1), number(1),
        tlv(OCTETS, b""), tlv(OCTETS, b""), tlv(OCTETS, b""),
    )  # fmt: skip
    bind = sequence(oid(reason), number(1, COUNTER32))
    pdu = sequence(number(0), number(0), number(0), sequence(bind), tag=REPORT)
    return sequence(
        number(3),
        sequence(tlv(INTEGER, message_id), number(65507), tlv(OCTETS, b"\x00"), number(3)),
        tlv(OCTETS, security),
        sequence(tlv(OCTETS, b"\x80\x00\x1f\x88\x04liar"), tlv(OCTETS, b""), pdu),
    )
