"""Packets told by their headers alone: every analysis finds what it finds in all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from nethealth.model.pseudonym import Revealed
from nethealth.passive import known_headers
from nethealth.passive.analysis import Fact
from nethealth.passive.announced import MediaBook
from nethealth.passive.engine import Engine
from nethealth.passive.known_headers import KnownHeaders
from nethealth.passive.packets import Packets
from nethealth.wire.rtp import RtpPacket
from probes.capture.analyses import ANALYSES, PORTS_READ, Shared
from probes.capture.reader import Reader
from tests import captures
from tests.passive import oracle
from tests.passive.compiled_engine import ENGINE
from tests.passive.packet_frames import ethernet, ipv4, packets, udp

START_NS = 1_700_000_000_000_000_000
PHONE = "00:04:f2:00:00:01"
RUN = 300  # packets
ENGINES = pytest.mark.parametrize("engine", [None, ENGINE], ids=["numpy", "numba"])


def facts(
    runs: Sequence[Packets], known: KnownHeaders | None, engine: Engine | None = None
) -> tuple[list[Fact], int]:
    """What all analyses find, and how many packets went to none of them."""
    shared = Shared(MediaBook(), Revealed(), known=known)
    analysers = [each.make(shared) for each in ANALYSES]
    left = 0
    for run in runs:
        given = replace(run, engine=engine)
        rest = given if known is None else known.split(given)
        rest.prepare()
        left += len(run) - len(rest)
        for analyser in analysers:
            analyser.feed(rest)
    return [fact for each in reversed(analysers) for fact in each.finish()], left


def alike(value: Any, other: Any) -> bool:
    """Equal; sums of floats may be taken in another order."""
    if isinstance(value, float):
        return bool(value == pytest.approx(other, rel=1e-9, abs=1e-12))
    if isinstance(value, Mapping):
        return value.keys() == other.keys() and all(alike(value[key], other[key]) for key in value)
    if isinstance(value, (list, tuple)):
        return len(value) == len(other) and all(map(alike, value, other))
    return bool(value == other)


def compared(
    runs: Sequence[Packets],
    known: KnownHeaders | None,
    engine: Engine | None,
    whole: Sequence[Fact] | None = None,
) -> int:
    whole = whole if whole is not None else facts(runs, None)[0]
    found, left = facts(runs, known, engine)
    assert [fact.name for fact in found] == [fact.name for fact in whole]
    for one, other in zip(found, whole, strict=True):
        assert (one.samples, one.time_ns, one.failure) == (
            other.samples, other.time_ns, other.failure,
        )  # fmt: skip
        assert alike(one.value, other.value), (one, other)
        assert alike(one.method, other.method), (one, other)
        assert alike(one.interval, other.interval), (one, other)
    return left


def call(number: int, generator: Random) -> Iterator[tuple[int, bytes]]:
    """One direction of a call that loses, repeats and overtakes; marks and types change in it."""
    ports = 16384 + 2 * number, 20000 + 2 * number
    if number == 1:
        ports = 4569, 4569  # IAX2's, which somebody reads
    if number == 2:
        ports = 500, 600
    vlan = number % 3
    sequence, stamp = generator.randrange(65536), generator.randrange(1 << 32)
    for index in range(900):
        if generator.random() < 0.02:
            continue
        if index == 600 and number % 2:
            sequence, stamp = sequence + 20_000, stamp + 123_456  # the sender begins again
        event = number % 4 == 3 and 300 <= index < 310
        octets = RtpPacket(
            101 if event else 8,
            (sequence + index) & 0xFFFF,
            (stamp + 160 * index) & 0xFFFFFFFF,
            number + 7,
            bytes(4 if event else generator.choice((160, 160, 40))),
            marker=index % 100 == 0,
        ).encode()
        destination = "239.1.1.1" if number == 4 else "198.18.1.2"
        frame = ethernet(
            ipv4(
                udp(octets, *ports),
                source=f"198.18.0.{number + 1}",
                destination=destination,
                tos=0xB8 if index < 500 or number % 2 else 0,
                identification=index,
                flags_offset=0x4000 if number % 5 else 0,
            ),
            source=PHONE if number == 5 else f"02:00:00:00:01:{number:02x}",
            tags=((0x8100, 10 * vlan),) if vlan else (),
        )
        late = generator.choice((0, 0, 0, 0, 30_000_000)) if number % 2 else 0
        at = START_NS + index * 20_000_000 + number * 1_000_003 + generator.randrange(4_000_000)
        yield at + late, frame
        if generator.random() < 0.01:
            yield at + 300_000, frame


def shop(generator: Random, *, hostile: bool) -> list[tuple[int, bytes, int]]:
    """Calls, and a telephone that introduces itself: times, frames, lengths on the wire."""
    lldp = bytes.fromhex("0207040004f20000010403000004060200780e04002400200000")
    frames = [
        (START_NS + second * 1_000_000_000, ethernet(lldp, 0x88CC, source=PHONE,
                                                     destination="01:80:c2:00:00:0e"))
        for second in range(18)
    ]  # fmt: skip
    for number in range(8):
        frames += call(number, generator)
    frames.sort()
    sent = []
    for at, whole in frames:
        frame = bytearray(whole)
        length = len(frame)
        if hostile and generator.random() < 0.2:
            for _ in range(generator.randrange(3)):
                frame[generator.randrange(min(60, len(frame)))] = generator.randrange(256)
            del frame[generator.choice((len(frame), len(frame), generator.randrange(70))) :]
            length = generator.choice((length, len(frame), length + 9))
        sent.append((at, bytes(frame), max(length, len(frame))))
    return sent


def runs_of(sent: Sequence[tuple[int, bytes, int]]) -> list[Packets]:
    return [
        packets(
            [frame for _, frame, _ in part],
            times_ns=[at for at, _, _ in part],
            wire=[length for _, _, length in part],
        )
        for part in (sent[first : first + RUN] for first in range(0, len(sent), RUN))
    ]


@ENGINES
@pytest.mark.parametrize("seed", range(4))
def test_calls_that_lose_overtake_and_begin_again(seed: int, engine: Engine | None) -> None:
    sent = shop(Random(seed), hostile=False)
    left = compared(runs_of(sent), KnownHeaders(PORTS_READ), engine)
    assert left > len(sent) // 2


@ENGINES
@pytest.mark.parametrize("seed", range(4))
def test_octets_that_are_not_what_they_were(seed: int, engine: Engine | None) -> None:
    sent = shop(Random(seed), hostile=True)
    left = compared(runs_of(sent), KnownHeaders(PORTS_READ), engine)
    assert left > len(sent) // 4


@pytest.mark.parametrize("seed", range(4))
def test_compiled_loops_follow_what_is_not_known(seed: int) -> None:
    sent = shop(Random(seed), hostile=True)
    assert compared(runs_of(sent), None, ENGINE) == 0


def test_ports_that_somebody_reads_are_never_known() -> None:
    sent = shop(Random(9), hostile=False)
    known = KnownHeaders(PORTS_READ)
    facts(runs_of(sent), known)
    ports = set(known.ports.reshape(-1).tolist())
    assert ports
    assert not ports & {*PORTS_READ, *range(1024)}
    assert not (known.ip[:, 16] >= 224).any()  # a group that is sent to is looked at


@ENGINES
def test_a_full_table_learns_no_more(
    engine: Engine | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_headers, "HEADERS_MAX", 3)
    known = KnownHeaders(PORTS_READ)
    assert compared(runs_of(shop(Random(2), hostile=False)), known, engine) > 0
    assert len(known) == len(known.ip) == 3


@pytest.mark.captures
@pytest.mark.parametrize("name", oracle.names())
def test_open_captures(name: str) -> None:
    runs = list(Reader([str(captures.folder() / name)], packets_most=200))[:40]
    whole, _ = facts(runs, None)
    for engine in (None, ENGINE):
        compared(runs, KnownHeaders(PORTS_READ), engine, whole)
