"""The watch as text: whole at 80x24, honest in a small window, deaf to what a peer writes."""

import re
import unicodedata

import pytest
from rich.cells import cell_len

from nethealth.cli.watch_view import Line, render
from nethealth.model.check import Check
from nethealth.model.failure import Failure, Outcome
from nethealth.quality.emodel import estimate
from nethealth.watch import Watch
from tests.watch.rounds import (
    PING,
    ROUTE,
    SIP,
    STAMP,
    TARGET,
    echo,
    feed,
    options,
    path,
    result,
    stream,
    trace,
)

SIZES = [(80, 24), (132, 50), (60, 12), (40, 10), (20, 5), (300, 100)]


def watch(*more: Check) -> Watch:
    return Watch(TARGET, (ROUTE, *more), 1.0)


def text(state: Watch, width: int = 80, height: int = 24, now: float = 83.0) -> str:
    return "\n".join(line.text.rstrip() for line in render(state.view(now), width, height))


def full() -> Watch:
    state = watch(PING, SIP)
    feed(state, ROUTE, path(), path(2), path())
    feed(state, PING, *[echo(0.010)] * 18, echo(None), echo(0.020))
    feed(state, SIP, options(200, server="lab sipp"))
    return state


# 18 of 10 ms, one lost, one of 20 ms: ranks 17.1 and 17.82 of 0 to 18 are 11 and 18.2 ms
USUAL = """\
 nethealth watch  192.0.2.9                                            00:01:23
 Running: 3 traces, one every 1 s, marked DSCP 46 (EF)

 Hop Address          Answered Lost %       95 % Last ms Median  95th  Mark
   1 192.0.2.1             3/3    0.0   0.0-56.1    1.00   1.00  1.00  46
   2 192.0.2.2             2/3    0.0   0.0-56.1    2.00   2.00  2.00  46
   3 192.0.2.3             3/3    0.0   0.0-56.1    3.00   3.00  3.00  46
   4 192.0.2.9             3/3    0.0   0.0-56.1    4.00   4.00  4.00  –

 Echoes: 20 sent, 1 lost, 5.0 % (95 %: 0.9-23.6); mark 46, back 46
   Round trip in ms: last 20.0, median 10.0, 95th 11.0; pdv 95th 1.00, 99th 8.20
   MOS {mos}, R {factor} by G.107: G.711+PLC, 5.00 ms a way, buffer 40 ms, BurstR 1.0

 OPTIONS: 200 OK; 1 of 1 answered
   Answered in ms: last 10.0, median 10.0, 95th 10.0
   by lab sipp







 p pause   r reset   q quit"""


def test_a_host_at_the_usual_size() -> None:
    quality = estimate(one_way_delay_s=0.005, loss_ratio=0.05)
    score = f"MOS {quality.mos_cqe:.2f}, R {quality.r_factor:.1f} by"
    assert text(full()) == USUAL.replace("MOS {mos}, R {factor} by", score)


def test_a_reflector_by_direction() -> None:
    state = watch(STAMP)
    feed(state, ROUTE, path())
    feed(state, STAMP, stream(2, 0), stream(0, 0), stream(1, 3, mark=0))
    shown = text(state)
    assert re.search(r"forward +3/150 +2\.0 +\S+ +4\.00 +6\.00 +4\.\d\d +8\d\.\d +0, was 46", shown)
    assert re.search(r"return +3/147 +2\.0 +\S+ +4\.00 +6\.00 +4\.\d\d +8\d\.\d +0, was 46", shown)
    assert re.search(r"both ways +6/150 +4\.0 +\S+ +4\.00 +6\.00 +– +–", shown)
    assert "Streams: 3 rounds, marked DSCP 46 (EF)" in shown


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_line_fits_the_window(width: int, height: int) -> None:
    for state in (watch(PING), full()):
        lines = render(state.view(1.0), width, height)
        assert len(lines) == height
        assert {cell_len(line.text) for line in lines} == {width}
        assert "q quit" in lines[-1].text or width < 27


def test_hops_that_do_not_fit_are_counted() -> None:
    state = watch(PING)
    feed(state, ROUTE, trace([(f"198.51.100.{hop}", 0.001, 46) for hop in range(1, 31)]))
    shown = text(state, 80, 24)
    first = [int(found) for found in re.findall(r"^ +(\d+) 198\.51\.100\.\d+ ", shown, re.M)]
    hidden = re.search(r"… (\d+) hops are not shown", shown)
    assert hidden is not None
    assert first[-1] == 30, "the target itself always stands there"
    assert first[:-1] == list(range(1, len(first)))
    assert int(hidden[1]) == 30 - len(first)
    assert "198.51.100.17 " in text(state, 80, 60)


def test_narrow_windows_lose_columns_and_no_digits() -> None:
    shown = text(full(), 66, 24)
    assert "Answered Lost" not in shown
    assert "95th  Mark" not in shown
    assert re.search(r"192\.0\.2\.3 +0\.0 +0\.0-56\.1 +3\.00 +3\.00 +46$", shown, re.M)


SIX = "2001:db8:19:{}:1234:5678:9abc:def0"


@pytest.mark.parametrize(("width", "whole"), [(100, True), (96, True), (80, False)])
def test_long_addresses_are_whole_or_at_least_told_apart(width: int, whole: bool) -> None:
    state = watch(PING)
    feed(state, ROUTE, trace([(SIX.format(hop), 0.001, 46) for hop in range(1, 4)]))
    shown = text(state, width)
    assert (SIX.format(2) in shown) is whole
    assert whole or re.search(r" …\S*:19:2:1234:5678:9abc:def0 ", shown)
    assert re.search(r"def0 .* 1\.00 +1\.00 .* 46$", shown, re.M)


def test_nothing_is_known_yet() -> None:
    shown = text(watch(PING, SIP), now=0.0)
    assert "the first trace is awaited" in shown
    assert "Echoes: none is over yet" in shown
    assert "0.0" not in shown, "no number stands for what was not measured"


def test_lost_packets_and_few() -> None:
    state = watch(PING)
    feed(state, ROUTE, trace([], reached=False))
    feed(state, PING, echo(None), echo(None))
    shown = text(state)
    assert "no answer from any hop yet" in shown
    assert "2 sent, 2 lost, 100.0 % (95 %: 34.2-100.0)" in shown
    assert "Round trip: nothing was answered" in shown
    assert "MOS: too few packets to say" in shown


def test_a_mark_that_is_lost_is_said_in_words() -> None:
    state = watch(PING)
    feed(state, ROUTE, path(mark=0))
    assert re.search(r"192\.0\.2\.2 .* 0, was 46$", text(state), re.M)
    unseen = watch(PING)
    feed(unseen, ROUTE, path(mark=None))
    assert "seen only by root, or with CAP_NET_RAW" in text(unseen)


def test_pause_reset_and_faults_are_words() -> None:
    state = full()
    state.paused = True
    state.reset(70.0)
    failed = result(PING, Outcome.FAILED, Failure.UNREACHABLE, "no route to 192.0.2.9")
    state.take(PING.id, state.begin(PING.id), failed, [])
    shown = text(state)
    assert "PAUSED, nothing is sent" in shown
    assert "counts since 00:01:10" in shown
    assert "p go on" in shown
    assert "Not measured: ping: no route to 192.0.2.9" in shown


def test_styles_carry_nothing_that_words_do_not() -> None:
    """Only headings and side remarks are styled, whatever was measured."""
    state = full()
    feed(state, PING, *[echo(None)] * 50)
    styled = [line.text.strip() for line in render(state.view(9.0), 80, 24) if line.style == "head"]
    assert [line[:8] for line in styled] == ["nethealt", "Hop Addr", "p pause "]


HOSTILE = "\x1b[2J\x07\x9b31m\u202e[red]x[/red]\r\nforged: line\u200b\ud800 水" + "A" * 500


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_what_a_peer_writes_cannot_leave_its_line(width: int, height: int) -> None:
    state = Watch(HOSTILE, (ROUTE, PING, SIP), 1.0)
    feed(state, ROUTE, trace([(HOSTILE, 0.001, 46), (HOSTILE + "b", 0.002, None)]))
    feed(state, PING, echo(0.01))
    feed(state, SIP, options(200, phrase=HOSTILE, server=HOSTILE))
    failed = result(PING, Outcome.FAILED, Failure.PROTOCOL, HOSTILE)
    state.take(PING.id, state.begin(PING.id), failed, [])
    lines: list[Line] = render(state.view(1.0), width, height)
    assert len(lines) == height
    for line in lines:
        assert cell_len(line.text) == width
        hidden = {unicodedata.category(character) for character in line.text}
        assert not hidden & {"Cc", "Cf", "Cs", "Zl", "Zp"}
