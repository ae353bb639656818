"""snmp against agents that lie: loops, tables without end, wrong types, floods, garbage."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

from nethealth.model.check import SnmpGroup
from nethealth.model.failure import Failure
from tests.probes.driver import Seen
from tests.probes.hostile import datagram_server
from tests.probes.snmp_agents import (
    COUNTER32,
    COUNTER64,
    END_OF_VIEW,
    GAUGE32,
    OCTETS,
    TICKS,
    UPTIME,
    Asked,
    Say,
    agent,
    number,
    oid,
    report,
    sequence,
    system,
    tlv,
)
from tests.probes.snmp_runs import V3, ask

IF, IFX = (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
SENSOR = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1)


def against(say: Say, *groups: SnmpGroup, source: str = "127.0.0.1", **options: Any) -> Seen:
    async def run() -> Seen:
        async with agent(say, source=source) as port:
            return await ask(port, *groups, **{"timeout_s": 5.0, **options})

    return asyncio.run(run())


def tables(rows: Callable[[tuple[int, ...], int], tuple[tuple[int, ...], bytes]]) -> Say:
    """GETs as a sane device; of a GETBULK, `rows` says what follows an OID, for each repetition."""

    def say(asked: Asked) -> list[bytes]:
        if not asked.bulk:
            return system(asked)
        binds: list[tuple[tuple[int, ...], bytes]] = [(UPTIME, number(100_000, TICKS))]
        cursors: list[tuple[int, ...]] = list(asked.oids[1:])
        for repetition in range(asked.repetitions):
            for at, cursor in enumerate(cursors):
                name, value = rows(cursor, repetition)
                binds.append((name, value))
                cursors[at] = name
        return [asked.answer(binds)]

    return say


def group(seen: Seen, name: str) -> object:
    return seen.value("snmp_group", group=name)


def test_a_table_that_runs_in_circles() -> None:
    def rows(cursor: tuple[int, ...], _: int) -> tuple[tuple[int, ...], bytes]:
        root = cursor[:10] if cursor[:6] == IF[:6] else cursor
        last = cursor[len(root) :] or (0,)
        return (*root, 1 + last[0] % 3), number(1)

    seen = against(tables(rows), "interfaces")
    assert seen.completed()
    assert group(seen, "interfaces") == "cut short: the device's OIDs do not increase"
    assert seen.value("snmp_request_count") < 20


def test_a_table_without_end() -> None:
    def rows(cursor: tuple[int, ...], _: int) -> tuple[tuple[int, ...], bytes]:
        *root, last = cursor
        inside = len(cursor) > len(IFX) + 1
        return ((*root, last + 1) if inside else (*cursor, 1)), number(1)

    seen = against(tables(rows), "interfaces", rows_most=64)
    assert seen.completed()
    assert group(seen, "interfaces") == "cut short: too many rows"
    assert 64 <= seen.value("interface_count") <= 128  # of tables whose columns disagree
    assert seen.value("snmp_request_count") < 60


def test_an_agent_that_answers_with_nothing() -> None:
    def say(asked: Asked) -> list[bytes]:
        return [asked.answer([])] if asked.bulk else system(asked)

    seen = against(say, "interfaces")
    assert seen.completed()
    assert group(seen, "interfaces") == "cut short: the device answered with nothing new"


@pytest.mark.parametrize(
    ("status", "words"),
    [(1, "refused: tooBig, even for a single value"), (16, "refused: authorizationError"),
     (5, "refused by the device")],
)  # fmt: skip
def test_an_agent_that_refuses_every_table(status: int, words: str) -> None:
    def say(asked: Asked) -> list[bytes]:
        return [asked.answer([], status=status)] if asked.bulk else system(asked)

    seen = against(say, "ethernet")
    assert seen.completed()
    assert group(seen, "ethernet") == words
    assert seen.value("snmp_request_count") < 100


def test_a_device_too_small_for_what_is_asked_at_once() -> None:
    """tooBig until single values are asked for: all of them are read all the same."""

    def say(asked: Asked) -> list[bytes]:
        wanted = len(asked.oids) * max(1, asked.repetitions)
        if wanted > 2:
            return [asked.answer([], status=1)]
        if not asked.bulk:
            return system(asked)
        return [asked.answer([(UPTIME, number(1, TICKS)), (asked.oids[1], tlv(END_OF_VIEW, b""))])]

    seen = against(say, "sensors")
    assert seen.completed()
    assert seen.value("system_name") == "liar"
    assert group(seen, "sensors") == "absent"


def test_names_that_are_long_or_would_write_elsewhere() -> None:
    def say(asked: Asked) -> list[bytes]:
        return system(asked, b"\x1b[31m<script>\x00\r\n" + b"A" * 12_000 + b"\xff")

    name = against(say).value("system_name")
    assert len(name) == 120
    assert name.isprintable()
    assert "\x1b" not in name


def test_values_of_another_type_than_the_table_has() -> None:
    def rows(cursor: tuple[int, ...], _: int) -> tuple[tuple[int, ...], bytes]:
        if len(cursor) > len(IF) + 1:
            return (2, 1), tlv(END_OF_VIEW, b"")
        return (*cursor, 1), tlv(OCTETS, b"up")

    seen = against(tables(rows), "interfaces", "ethernet", "poe", "sensors", "e1", "arp",
                   "forwarding", "spanning-tree", "neighbours", "ups")  # fmt: skip
    assert seen.completed()
    assert seen.value("interface_status") == "unknown"
    assert not [each for each in seen.observations if each.name.startswith("interface_in")]
    assert "temperature_celsius" not in seen.names()


def test_numbers_beyond_every_bound() -> None:
    values = {1: number(8), 2: number(9), 3: number(0), 4: number(2**31 - 1), 5: number(1)}

    def rows(cursor: tuple[int, ...], _: int) -> tuple[tuple[int, ...], bytes]:
        column = cursor[len(SENSOR)] if cursor[: len(SENSOR)] == SENSOR else 0
        if column not in values or len(cursor) > len(SENSOR) + 1:
            return (2, 1), tlv(END_OF_VIEW, b"")
        return (*cursor, 1), values[column]

    hot = against(tables(rows), "sensors").only("temperature_celsius")
    assert hot.value is None
    values[4] = number(999)
    hot = against(tables(rows), "sensors").only("temperature_celsius")
    assert (hot.value, hot.method["reason"]) == (None, "the device's value is out of range")


def test_counters_that_jump_faster_than_any_link() -> None:
    said = [0]
    columns = {IF: {3: number(6), 8: number(1)}, IFX: {15: number(10, GAUGE32)}}

    def rows(cursor: tuple[int, ...], _: int) -> tuple[tuple[int, ...], bytes]:
        for root, values in columns.items():
            if cursor[:-1] == root and cursor[-1] in values:
                return (*cursor, 1), values[cursor[-1]]
        if cursor == (*IFX, 6):
            said[0] += 1
            return (*cursor, 1), number(2**63 if said[0] > 1 else 5, COUNTER64)
        if cursor == (*IF, 14):
            return (*cursor, 1), number(2**32 - 1, COUNTER32)
        return (2, 1), tlv(END_OF_VIEW, b"")

    seen = against(tables(rows), "interfaces", interval_s=1.0)
    jump = seen.only("interface_in_octets_per_s")
    assert jump.value is None
    assert jump.method["reason"]


@pytest.mark.parametrize(
    "garble",
    [
        lambda asked: [b""],
        lambda asked: [os.urandom(300)],
        lambda asked: [b"\x30\x84\xff\xff\xff\xff"],
        lambda asked: [b"\x30\x80" * 1000],
        lambda asked: [asked.answer([])[:-3]],
        lambda asked: [asked.answer_raw(tlv(OCTETS, b"no list"))],
        lambda asked: [asked.answer_raw(sequence(sequence(oid(UPTIME))))],
    ],
)
def test_garbage_is_waited_past_and_counted(garble: Say) -> None:
    seen = against(garble, timeout_s=0.4)
    assert seen.failed(Failure.TIMEOUT) or seen.failed(Failure.PROTOCOL)


def test_an_answer_to_another_request_is_none() -> None:
    def say(asked: Asked) -> list[bytes]:
        return [asked.answer_raw(sequence(), request=b"\x01")]

    seen = against(say, timeout_s=0.4)
    assert seen.failed(Failure.TIMEOUT) or seen.failed(Failure.PROTOCOL)


def test_an_answer_from_elsewhere_is_none() -> None:
    seen = against(system, source="127.0.0.2", timeout_s=0.4)
    assert seen.failed(Failure.TIMEOUT)
    assert seen.only("snmp_ignored_reply_count").method["wrong_source"] == 1


def test_a_device_that_falls_silent_has_handed_over_what_it_said() -> None:
    def say(asked: Asked) -> list[bytes]:
        return [] if asked.bulk else system(asked)

    seen = against(say, "interfaces", retries=1, timeout_s=0.4)
    assert seen.failed(Failure.TIMEOUT)
    assert "though it answered before" in (seen.end.reason or "")
    assert seen.value("system_name") == "liar"
    assert seen.value("snmp_unanswered_count") == 2
    assert group(seen, "interfaces") == "cut short: no time left"


@pytest.mark.parametrize(
    ("counter", "words"),
    [(2, "time window"), (4, "does not keep to one engine id"), (3, "no such user"),
     (5, "wrong authentication password")],
)  # fmt: skip
def test_reports_without_end(counter: int, words: str) -> None:
    """usmStats of RFC 3414: not in time windows 2, user names 3, engine ids 4, digests 5."""
    asked = [0]

    def answer(query: bytes) -> list[tuple[bytes, str]]:
        asked[0] += 1
        first = 4 if asked[0] == 1 else counter  # the first exchange is how the engine is found
        return [(report(query, (1, 3, 6, 1, 6, 3, 15, 1, 1, first, 0)), "127.0.0.1")]

    async def run() -> Seen:
        async with datagram_server(answer) as port:
            return await ask(port, **{**V3, "timeout_s": 5.0})

    seen = asyncio.run(run())
    assert words in (seen.end.reason or ""), seen.end
    assert asked[0] < 12
