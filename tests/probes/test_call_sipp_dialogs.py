"""`call` against SIPp that does more within a call than answer it."""

import asyncio
from pathlib import Path

import pytest

from nethealth.model.check import CallCodec
from nethealth.model.failure import Failure, Outcome
from tests.peers.ports import free_port
from tests.peers.sipp_calls import (
    ACK,
    BYE,
    INVITE,
    answer,
    play,
    playing,
    receive,
    reply,
    request,
    rtp_capture,
    wait,
)
from tests.probes.call_runs import Said, parameters, place

PCMA = "8"


def call(
    folder: Path, *steps: str, codecs: tuple[CallCodec, ...] = ("PCMA", "PCMU"),
    duration_s: float = 1.0,
) -> Said:  # fmt: skip
    """One call that SIPp takes by these steps; it must come to the end of them."""
    port, media_port = free_port(), free_port() & ~1
    with playing(folder, port, INVITE, *steps, media_port=media_port) as sipp:
        said = asyncio.run(place(parameters(port, codecs=codecs, duration_s=duration_s)))
        assert not list(folder.glob("*errors.log")), (
            next(folder.glob("*errors.log")).read_text(), sipp.output(),
        )  # fmt: skip
    return said


def test_reliable_ringing_is_acknowledged_by_prack(tmp_path: Path) -> None:
    """RFC 3262: two reliable provisional answers, each of which SIPp waits for the PRACK of."""
    said = call(
        tmp_path,
        answer("183 Session Progress", "Require: 100rel", "RSeq: 100", formats=PCMA, again=True),
        receive("PRACK"), reply("200 OK"),
        answer("180 Ringing", "Require: 100rel", "RSeq: 101", again=True),
        receive("PRACK"), reply("200 OK"),
        answer("200 OK", again=True), ACK, BYE,
    )  # fmt: skip
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_prack_count") == 2
    assert said.value("sip_provisional_codes") == "183 180"
    assert said.value("rtp_packets_lost", direction="round-trip") == 0, "by the first description"


def test_early_media_is_heard_before_the_answer(tmp_path: Path) -> None:
    capture = rtp_capture(tmp_path / "early.pcap", 30)
    said = call(
        tmp_path,
        answer("183 Session Progress", formats=PCMA),
        play(capture), wait(900),
        answer("200 OK", formats=PCMA, again=True), ACK, BYE,
    )  # fmt: skip
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_provisional_codes") == "183"
    echoed = said.value("rtp_packets_sent", direction="forward")
    assert echoed == 50
    early = said.find("early_media_packets_received")
    foreign = said.one("rtp_foreign_ssrc_count")
    assert early[0].value == 30
    # what is counted further is the longer stream, our own that came back
    assert (foreign.value, foreign.method["ssrcs"]) == (30, ("0x00001234",))


def test_early_media_of_a_callee_that_speaks_on(tmp_path: Path) -> None:
    """The announcement goes on as the call is answered: one stream, part of it early."""
    capture = rtp_capture(tmp_path / "early.pcap", 100)
    said = call(
        tmp_path,
        answer("183 Session Progress", formats=PCMA),
        play(capture), wait(600),
        answer("200 OK", formats=PCMA, again=True), ACK, BYE,
        duration_s=1.6,
    )  # fmt: skip
    assert said.end == (Outcome.COMPLETED, None)
    (early,) = said.find("early_media_packets_received", direction="return")
    assert isinstance(early.value, int)
    assert 15 <= early.value <= 45, "about 0.6 s of it"
    assert said.value("rtp_packets_received", direction="return") == 100
    assert said.value("rtp_packets_lost", direction="return") == 0


def test_a_reinvite_of_the_callee(tmp_path: Path) -> None:
    """Section 14: held and resumed; what we sent meanwhile is no loss."""
    said = call(
        tmp_path,
        answer("200 OK", formats=PCMA, again=True), ACK, wait(300),
        request("INVITE", 1, formats=PCMA).replace("a=sendrecv", "a=sendonly"),
        receive("200"), request("ACK", 1), wait(300),
        request("INVITE", 2, formats=PCMA), receive("200"), request("ACK", 2),
        BYE,
        duration_s=1.4,
    )  # fmt: skip
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_request_count", sip_method="INVITE") == 2
    sent = said.one("rtp_packets_sent", direction="forward")
    skipped = sent.method["skipped"]
    assert isinstance(skipped, int)
    assert 5 <= skipped <= 40, "the time on hold"
    assert sent.value == 70 - skipped
    assert said.value("rtp_packets_lost", direction="round-trip") == 0


def test_session_timers_are_left_to_the_callee(tmp_path: Path) -> None:
    """RFC 4028: we support no timer, so the callee refreshes, by UPDATE or re-INVITE, or not."""
    said = call(
        tmp_path,
        answer("200 OK", "Session-Expires: 90;refresher=uas", formats=PCMA, again=True), ACK,
        wait(200),
        request("UPDATE", 1, "Session-Expires: 90;refresher=uac"), receive("200"),
        wait(100),
        request("INVITE", 2, "Session-Expires: 90", formats=PCMA), receive("200"),
        request("ACK", 2),
        BYE,
    )  # fmt: skip
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_request_count", sip_method="UPDATE") == 1
    assert said.value("sip_request_count", sip_method="INVITE") == 1
    assert said.value("rtp_packets_lost", direction="round-trip") == 0


def test_a_timer_that_is_required_is_refused(tmp_path: Path) -> None:
    said = call(
        tmp_path,
        answer("200 OK", formats=PCMA, again=True), ACK, wait(200),
        request("UPDATE", 1, "Require: timer", "Session-Expires: 90"), receive("420"),
        BYE,
    )  # fmt: skip
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("rtp_packets_sent", direction="forward") == 50


@pytest.mark.parametrize(
    ("codec", "payload_type", "reason"),
    # of G.729 no robustness is published: a packet that came late leaves no score
    [("G722", "9", "G.722"), ("G729", "18", "Bpl"), ("PCMU", "0", None)],
)
def test_a_codec_that_the_callee_chooses(
    tmp_path: Path, codec: CallCodec, payload_type: str, reason: str | None
) -> None:
    said = call(
        tmp_path,
        answer("200 OK", formats=payload_type, again=True), ACK, BYE,
        codecs=("PCMA", "PCMU", "G722", "G729"),
        duration_s=1.2,
    )  # fmt: skip
    assert said.end == (Outcome.COMPLETED, None)
    sent = said.one("rtp_packets_sent", direction="forward")
    assert (sent.value, sent.method["codec"]) == (60, codec)
    assert said.value("rtp_packets_lost", direction="round-trip") == 0
    factor = said.one("r_factor", direction="round-trip")
    if codec == "G722" or factor.value is None:
        assert reason is not None
        assert reason in str(factor.method["reason"])


def test_a_codec_that_nobody_offered(tmp_path: Path) -> None:
    said = call(
        tmp_path, answer("200 OK", formats="3", again=True), ACK, BYE, codecs=("PCMA", "G729")
    )
    assert said.end == (Outcome.FAILED, Failure.PROTOCOL)
    assert said.find("rtp_packets_sent") == []
