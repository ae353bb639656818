"""Analyses that wait for what they are about find what they find when they do not wait."""

import subprocess
import sys

import pytest

from nethealth.model.pseudonym import Revealed
from nethealth.passive.announced import MediaBook
from nethealth.passive.awaited import Awaited
from probes.capture.analyses import ABSENT_UNITS, ANALYSES, Analysis, Shared
from probes.capture.reader import Reader
from tests import captures

WAITING = [each for each in ANALYSES if each.gate is not None]


def shared() -> Shared:
    return Shared(MediaBook(), Revealed())


@pytest.mark.parametrize("analysis", WAITING)
def test_what_is_said_where_nothing_came_is_what_the_analysis_would_say(analysis: Analysis) -> None:
    nothing = {fact.name: fact for fact in analysis.make(shared()).finish()}
    for fact in analysis.absent:
        assert fact.method.items() <= nothing[fact.name].method.items()
        assert (fact.value, fact.samples) == (nothing[fact.name].value, nothing[fact.name].samples)
        assert ABSENT_UNITS[fact.name] == analysis.units()[fact.name]
    said = {fact.name for fact in analysis.absent}
    assert not any(fact.value for name, fact in nothing.items() if name not in said)


@pytest.mark.captures
def test_no_gate_keeps_anything_of_the_open_captures_out() -> None:
    opened, kept_shut = set(), set()
    for path in sorted(captures.folder().glob("*")):
        if not path.is_file() or not path.name.lower().endswith(("pcap", "cap", "pcapng", "gz")):
            continue
        eager = [each.make(shared()) for each in WAITING]
        waiting = [each.begun(shared()) for each in WAITING]
        for run in Reader([str(path)], packets_most=200):
            for analyser in (*eager, *waiting):
                analyser.feed(run)
        for analysis, one, other in zip(WAITING, eager, waiting, strict=True):
            assert isinstance(other, Awaited)
            found = list(one.finish())
            if other.came:
                opened.add(analysis.gate)
                assert list(other.finish()) == found, (path.name, analysis.gate)
            else:
                kept_shut.add(analysis.gate)
                assert found == list(analysis.make(shared()).finish()), (path.name, analysis.gate)
                assert tuple(other.finish()) == analysis.absent
    assert len(opened) == len(kept_shut) == len(WAITING), "every gate was both open and shut"


def test_what_no_capture_needs_is_not_loaded_with_the_reader() -> None:
    code = "import sys, probes.capture.read; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "nethealth.passive.rtp" in loaded
    for name in ("sip", "rtcp", "lan_dhcp", "lan_icmp", "lan_neighbours", "lan_tftp"):
        assert f"nethealth.passive.{name}" not in loaded
