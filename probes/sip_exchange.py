"""One SIP transaction carried over a channel to its end; each peer's misconduct is bounded here."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TypeVar

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import Clock, DatagramChannel, NetworkFailure, StreamChannel
from nethealth.protocol.sip_transaction import ClientTransaction
from nethealth.wire.errors import WireError
from nethealth.wire.sip_stream import SipStreamParser

DATAGRAMS_MAX = 1000  # taken in by one check
STREAM_MAX_OCTETS = 262_144  # read by one check
_READ_OCTETS = 65_536

_T = TypeVar("_T")


@dataclass(slots=True)
class Ending:
    """How it went, besides what the transaction itself counted."""

    failure: Failure | None = None
    reason: str | None = None
    wrong_sources: Counter[str] = field(default_factory=Counter)  # datagrams by their sender


async def over_datagrams(
    channel: DatagramChannel, transaction: ClientTransaction, clock: Clock
) -> Ending:
    """Send, send again by the transaction's timers, and take in what comes, to the end."""
    ending = Ending()
    taken = 0
    try:
        while transaction.is_open and taken < DATAGRAMS_MAX:
            copy = transaction.due(clock.monotonic_s())
            if copy is not None:
                transaction.transmitted(channel.send(copy))
            deadline_s = transaction.next_deadline_s
            if deadline_s is None:
                break
            datagram = await _until(deadline_s, clock, channel.receive())
            if datagram is None:
                continue
            taken += 1
            if same_endpoint(datagram.source, channel.remote):
                transaction.receive_datagram(datagram.data, datagram.received_s)
            else:
                ending.wrong_sources[str(datagram.source)] += 1
    except NetworkFailure as error:
        ending.failure, ending.reason = error.failure, error.reason
    if transaction.final is None and ending.failure is None:
        ending.failure, ending.reason = _without_answer(transaction, ending, taken)
    return ending


async def over_stream(
    channel: StreamChannel,
    transaction: ClientTransaction,
    clock: Clock,
    parser: SipStreamParser,
) -> Ending:
    """Send once and read until the answer, the end of the stream, or a limit.

    `parser` is the connection's own: it holds what came of the next message already.
    """
    kept = b""
    read_octets = 0
    try:
        request = transaction.due(clock.monotonic_s()) or b""
        transaction.transmitted(clock.monotonic_s())
        deadline_s = transaction.next_deadline_s
        if deadline_s is None or await _until(deadline_s, clock, _write(channel, request)) is None:
            return Ending(Failure.TIMEOUT, "the peer did not take the request in")
        while transaction.is_open and deadline_s is not None:
            data = await _until(deadline_s, clock, channel.read(_READ_OCTETS))
            if data is None:
                transaction.due(clock.monotonic_s())
                deadline_s = transaction.next_deadline_s
                continue
            if not data and transaction.foreign_count:
                break
            if not data:
                where = "within a message" if parser.pending_octets else "before an answer"
                return Ending(Failure.RESET, f"the peer closed the connection {where}")
            read_octets += len(data)
            kept = (kept + data[:_READ_OCTETS])[:_READ_OCTETS]
            for message in parser.feed(data):
                transaction.receive(message, clock.monotonic_s(), kept)
            if read_octets > STREAM_MAX_OCTETS and transaction.is_open:
                return Ending(Failure.PROTOCOL, f"{read_octets} octets came without an answer")
    except WireError as error:
        transaction.receive_malformed(kept, error)
    except NetworkFailure as error:
        return Ending(error.failure, error.reason)
    ending = Ending()
    if transaction.final is None:
        ending.failure, ending.reason = _without_answer(transaction, ending, 0)
        if parser.pending_octets:
            ending.reason += "; part of a message came, and never its end"
    return ending


def same_endpoint(one: Endpoint, other: Endpoint) -> bool:
    """Whether both name one address and port, however an IPv6 address is spelt."""
    if one == other:
        return True
    return one.port == other.port and ip_address(one.address) == ip_address(other.address)


async def _write(channel: StreamChannel, data: bytes) -> bool:
    await channel.write(data)
    return True


async def _until(deadline_s: float, clock: Clock, wait: Awaitable[_T]) -> _T | None:
    """What `wait` gives, or None once the deadline has passed."""
    try:
        async with asyncio.timeout(max(0.0, deadline_s - clock.monotonic_s())):
            return await wait
    except TimeoutError:
        return None


def _without_answer(
    transaction: ClientTransaction, ending: Ending, taken: int
) -> tuple[Failure, str]:
    """Which failure it is that no final response came."""
    count = transaction.transmission_count
    asked = f"{count} {'copy' if count == 1 else 'copies'} of the request"
    flooded = f"; gave up after {taken} datagrams" if taken >= DATAGRAMS_MAX else ""
    provisional = transaction.last_provisional
    if provisional is not None:
        words = f"{asked} brought only provisional answers, the last {provisional.status_code}"
        return Failure.TIMEOUT, words + flooded
    spoilt = transaction.malformed_count + transaction.foreign_count
    if spoilt:
        kinds = f"{transaction.malformed_count} malformed, {transaction.foreign_count} foreign"
        words = f"{spoilt} answers, none of them good ({kinds}; first: {transaction.first_fault})"
        return Failure.PROTOCOL, words + flooded
    if ending.wrong_sources:
        source, _ = ending.wrong_sources.most_common(1)[0]
        words = f"{ending.wrong_sources.total()} answers, all from elsewhere (most from {source})"
        return Failure.WRONG_SOURCE, words + flooded
    return Failure.TIMEOUT, f"no answer to {asked}"
