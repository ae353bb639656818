"""T.38 in a real capture of a gateway that falls back to G.711: refused, as tshark reads it."""

import json
import subprocess
from pathlib import Path

import pytest

from nethealth.model.pseudonym import Revealed
from nethealth.passive.announced import MediaBook
from nethealth.passive.fragments import Fragments
from nethealth.passive.sip import SipAnalysis
from probes.capture.reader import Reader
from tests import captures
from tests.cli.command import nethealth

pytestmark = pytest.mark.captures
NAME = "wswiki__FAX-Call-t38-CA-TDM-SIP-FB-1.pcap"
_FIELDS = ("sip.Call-ID", "sip.CSeq.seq", "sip.Method", "sip.Status-Code", "sdp.media")


def by_tshark() -> dict[str, int]:
    """Of each Call-ID with an INVITE for an image alone, the final code that the INVITE got."""
    command = ["tshark", "-r", str(captures.folder() / NAME), "-Y", 'sip.CSeq.method == "INVITE"',
               "-T", "fields", *(part for field in _FIELDS for part in ("-e", field))]  # fmt: skip
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    rows = [line.split("\t") for line in said.splitlines()]
    asked = {
        (call_id, number) for call_id, number, method, _, media in rows
        if method and media and all(one.startswith("image") for one in media.split(","))
    }  # fmt: skip
    return {
        call_id: int(code)
        for call_id, number, _, code, _ in rows
        if (call_id, number) in asked and code and int(code) >= 200
    }


def test_both_legs_are_refused_as_tshark_reads_it() -> None:
    expected = by_tshark()
    assert expected, "the capture asks for T.38"
    analysis, fragments = SipAnalysis(Revealed(), MediaBook()), Fragments()
    for packets in Reader([str(captures.folder() / NAME)]):
        analysis.feed(fragments.joined(packets))
    facts = list(analysis.finish())
    ids = {
        one.method["call"]: str(one.method["call_id"])
        for one in facts
        if one.name == "call_outcome"
    }
    ours = {
        ids[one.method["call"]]: (one.value, one.method["status_code"])
        for one in facts
        if one.name == "call_facsimile"
    }
    assert ours == {call_id: ("refused", code) for call_id, code in expected.items()}


def test_the_program_says_that_they_were_refused(tmp_path: Path) -> None:
    done = nethealth(
        "capture", "read", str(captures.folder() / NAME), "--format", "json", home=tmp_path
    )
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["code"], finding["verdict"], finding["direction"]) == (
        "fax-over-ip", "supported", None,
    )  # fmt: skip
    assert f"{len(by_tshark())} of {len(by_tshark())} facsimile calls" in finding["statement"]
