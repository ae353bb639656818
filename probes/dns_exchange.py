"""A question and its answer: which of the datagrams that come is it (RFC 5452 section 9.1)?"""

import asyncio
import struct
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import Datagram, NetworkFailure, StreamChannel
from nethealth.model.probe import Env

_HEADER_BYTES = 12
_DATAGRAM_MAX_BYTES = 4096  # thrice what we offer to take; reading 65,535 can hold the loop 0.7 s
_LENGTH = struct.Struct("!H")
# beside its own errors the parser lets some of its helpers' through
_MALFORMED = (dns.exception.DNSException, ValueError, struct.error, IndexError, KeyError)


@dataclass
class Ignored:
    """What came and was not the answer."""

    foreign: int = 0  # another id, another question, or no answer at all
    malformed: int = 0
    wrong_source: int = 0  # the right answer, from the wrong address


async def ask_by_datagram(
    env: Env,
    remote: Endpoint,
    question: dns.message.QueryMessage,
    timeout_s: float,
    ignored: Ignored,
) -> tuple[dns.message.Message, float]:
    """The answer, and how long it took. A truncated one comes with its question alone."""
    channel = await env.network.open_datagram(remote)
    try:
        sent_s = channel.send(question.to_wire())
        async with asyncio.timeout(timeout_s):
            while True:
                datagram = await channel.receive()
                answer = _sort(datagram, question, remote, ignored)
                if answer is not None:
                    return answer, datagram.received_s - sent_s
    except TimeoutError:
        raise _silence(remote, timeout_s, ignored) from None
    finally:
        channel.close()


async def ask_by_stream(
    channel: StreamChannel, question: dns.message.QueryMessage
) -> dns.message.Message:
    """The answer on an open connection, two octets of length before each message (RFC 7766)."""
    wire = question.to_wire()
    await channel.write(_LENGTH.pack(len(wire)) + wire)
    (length,) = _LENGTH.unpack(await _exactly(channel, _LENGTH.size))
    answer = await asyncio.to_thread(parsed, await _exactly(channel, length))
    if answer is None or not question.is_response(answer):
        raise NetworkFailure(Failure.PROTOCOL, f"{channel.remote}: no answer to the question asked")
    return answer


async def _exactly(channel: StreamChannel, count: int) -> bytes:
    received = b""
    while len(received) < count:
        more = await channel.read(count - len(received))
        if not more:
            raise NetworkFailure(
                Failure.PROTOCOL, f"{channel.remote} closed after {len(received)} of {count} bytes"
            )
        received += more
    return received


def _sort(
    datagram: Datagram,
    question: dns.message.QueryMessage,
    remote: Endpoint,
    ignored: Ignored,
) -> dns.message.Message | None:
    """The answer if `datagram` is it; else it is counted."""
    data = datagram.data
    if len(data) >= _HEADER_BYTES and int.from_bytes(data[:2]) != question.id:
        ignored.foreign += 1
        return None
    answer = parsed(data) if len(data) <= _DATAGRAM_MAX_BYTES else None
    if answer is None:
        if datagram.source == remote:
            ignored.malformed += 1
        else:
            ignored.foreign += 1
        return None
    if not question.is_response(answer):
        ignored.foreign += 1
        return None
    if datagram.source != remote:
        ignored.wrong_source += 1
        return None
    return answer


def parsed(data: bytes) -> dns.message.Message | None:
    """The message, or None if `data` is none; never raises."""
    if len(data) < _HEADER_BYTES:
        return None
    truncated = bool(int.from_bytes(data[2:4]) & dns.flags.TC)
    try:
        # a server may cut in the middle of a record; of such a message only the head is read
        return dns.message.from_wire(data, question_only=truncated, ignore_trailing=truncated)
    except _MALFORMED:
        return None


def _silence(remote: Endpoint, timeout_s: float, ignored: Ignored) -> NetworkFailure:
    waited = f"in {timeout_s:g} s"
    if ignored.wrong_source:
        return NetworkFailure(
            Failure.WRONG_SOURCE, f"the answer of {remote} came from another address, {waited}"
        )
    if ignored.malformed:
        return NetworkFailure(Failure.PROTOCOL, f"{remote} sent no readable answer {waited}")
    if ignored.foreign:
        return NetworkFailure(
            Failure.PROTOCOL, f"{remote} sent only answers to something else {waited}"
        )
    return NetworkFailure(Failure.TIMEOUT, f"no answer from {remote} {waited}")
