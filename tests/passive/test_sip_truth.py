"""SIP of real captures, counted by us and by tshark (oracle/*.sip.tsv)."""

import csv
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from nethealth.model.pseudonym import Revealed
from nethealth.passive.announced import MediaBook
from nethealth.passive.fragments import Fragments
from nethealth.passive.sip import METHOD_MAX_CHARACTERS, SipAnalysis
from probes.capture.reader import Reader
from tests import captures

pytestmark = pytest.mark.captures
_SUFFIX = ".sip.tsv"
_NETMON = {"wswiki__c07-sip-r2.cap"}
_ORACLE = captures.folder() / "oracle"
NAMES = sorted(path.name.removesuffix(_SUFFIX) for path in _ORACLE.glob(f"*{_SUFFIX}"))


def analysed(path: Path) -> SipAnalysis:
    analysis, fragments = SipAnalysis(Revealed(), MediaBook()), Fragments()
    for packets in Reader([str(path)]):
        analysis.feed(fragments.joined(packets))
    list(analysis.finish())
    return analysis


def readable(name: str, folder: Path) -> Path:
    """The capture; one in Microsoft's format, which we do not read, as pcap."""
    path = captures.folder() / name
    if name not in _NETMON:
        return path
    command = ["editcap", "-F", "pcap", str(path), str(folder / "converted.pcap")]
    subprocess.run(command, check=True, timeout=60)
    return folder / "converted.pcap"


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
def test_messages_and_calls_as_tshark_counts_them(name: str, tmp_path: Path) -> None:
    requests, responses, calls = oracle(name)
    analysis = analysed(readable(name, tmp_path))
    assert analysis.requests == requests
    assert analysis.responses == responses
    assert analysis.calls.call_count == len(calls)


def test_the_torture_messages_as_one_capture() -> None:
    """As tshark counts, but for one OPTIONS with blanks behind its start line (frame 14, trws).

    RFC 4475 section 3.1.2.10 lets a liberal reader take it; tshark leaves it unread. Both leave
    out blanks within a Request-URI (13, lwsruri) and SIP/7.0 (18, badvers), which we name.
    """
    folder = captures.folder() / "sip_messages"
    requests: Counter[str] = Counter()
    responses: Counter[int] = Counter()
    for line in (folder / "rfc4475_open.tshark.tsv").read_text().splitlines():
        _, _, method, status, *_ = [*line.split("\t"), "", "", ""]
        requests.update([method] if method else [])
        responses.update([int(status)] if status else [])
    analysis = analysed(folder / "rfc4475_open.pcap")
    assert analysis.requests == requests + Counter(OPTIONS=1)
    assert analysis.responses == responses
    assert analysis.messages.faults == {
        "start line": 2,  # lwsruri, badvers
        "headers without an end": 1,  # baddn, which was stored without its empty line
        "Content-Length": 1,  # ncl
        "CSeq": 1,  # scalarlg: above 2**32 - 1
        "Call-ID": 2,  # insuf has none, multi01 has two
    }


def test_there_are_captures_to_compare() -> None:
    assert len(NAMES) >= 40


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
