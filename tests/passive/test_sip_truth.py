"""SIP of real captures, counted by us and by tshark (oracle/*.sip.tsv)."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from nethealth.model.pseudonym import Revealed
from nethealth.passive.announced import MediaBook
from nethealth.passive.sip import METHOD_MAX_CHARACTERS, SipAnalysis
from probes.capture.reader import Reader
from tests import captures

pytestmark = pytest.mark.captures
_SUFFIX = ".sip.tsv"
_ORACLE = captures.folder() / "oracle"
_IN_FRAGMENTS = {"sngrep__ipv6frag.pcap", "wswiki__c07-sip-r2.cap"}
_ALL = {path.name.removesuffix(_SUFFIX) for path in _ORACLE.glob(f"*{_SUFFIX}")}
NAMES = sorted(_ALL - _IN_FRAGMENTS)


def analysed(path: Path) -> SipAnalysis:
    analysis = SipAnalysis(Revealed(), MediaBook())
    for packets in Reader([str(path)]):
        analysis.feed(packets)
    list(analysis.finish())
    return analysis


def oracle(name: str) -> tuple[Counter[str], Counter[int], set[str]]:
    """Requests by method, responses by code, and the Call-IDs of INVITEs and their answers."""
    requests: Counter[str] = Counter()
    responses: Counter[int] = Counter()
    calls = set()
    with (_ORACLE / f"{name}{_SUFFIX}").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            method, status, cseq = row["method"], row["status"], row["cseq"] or ""
            if method:
                long = len(method) > METHOD_MAX_CHARACTERS
                requests["other" if long else method] += 1
            if status:
                responses[int(status)] += 1
            if cseq.endswith("INVITE"):
                calls.add(row["call_id"])
    return requests, responses, calls


@pytest.mark.parametrize("name", NAMES)
def test_messages_and_calls_as_tshark_counts_them(name: str) -> None:
    requests, responses, calls = oracle(name)
    analysis = analysed(captures.folder() / name)
    assert analysis.requests == requests
    assert analysis.responses == responses
    assert analysis.calls.call_count == len(calls)


def test_there_are_captures_to_compare() -> None:
    assert len(NAMES) >= 38


def test_a_call_as_another_tool_reports_it() -> None:
    """sipnab's own call report: 60 s, PDD 0.50 s, setup 2.00 s, ring 1.50 s, teardown 0.10 s."""
    (call,) = analysed(captures.folder() / "sipnab__sip_call.pcap").calls.results
    assert call.last_ns - call.first_ns == pytest.approx(60e9, abs=0.2e9)
    assert call.post_dial_delay_s == pytest.approx(0.5)
    assert call.answer_delay_s == pytest.approx(2.0)
    assert call.ring_time_s == pytest.approx(1.5)
    assert call.bye_ns is not None
    assert call.bye_answered_ns is not None
    assert call.bye_answered_ns - call.bye_ns == pytest.approx(0.1e9)
    assert (call.outcome, call.ended_by, call.copy_count) == ("answered", "caller", 0)


def test_a_capture_on_both_sides_of_a_translator_and_of_a_mirror_port() -> None:
    """Each message of the first call stands there three times, and nobody sent one again."""
    name = "wswiki__FAX-Call-t38-CA-TDM-SIP-FB-1.pcap"
    analysis = analysed(captures.folder() / name)
    assert analysis.calls.call_count == 2
    assert not analysis.calls.copies
    assert analysis.messages.mirrored_count > 0
    assert [call.reason for call in analysis.calls.results] == ["Q.850 16", "Q.850 16"]
