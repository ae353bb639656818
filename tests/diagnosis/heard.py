"""Streams and calls as reading a capture would have observed them, by hand."""

from dataclasses import replace
from typing import Any

from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, event, known


def stream(
    source: str,
    destination: str,
    *,
    sent: int = 1000,
    lost: int = 0,
    late: int = 0,
    burst: float = 1.0,
    r_factor: float | None = 93.0,
    at_s: float = 0.0,
    lasts_s: float = 20.0,
    ssrc: str = "0x00000001",
    codec: str = "PCMA",
) -> list[Fact]:
    """G.711 at 50 packets a second, 160 octets each, unless said otherwise."""
    own: dict[str, Any] = {
        "ssrc": ssrc, "source": source, "destination": destination, "payload_type": 8,
        "codec": codec, "t_s": at_s,
    }  # fmt: skip
    got = sent - lost
    facts: list[Fact] = [
        ("rtp_packets_expected", sent,
         {**own, "duration_s": lasts_s, "payload_octets": 160 * got, "known_by": "signalling"}),
        ("rtp_packets_received", got, own),
        ("rtp_packets_lost", lost, {**own, "samples": sent}),
        ("rtp_packets_late", late, {**own, "buffer_s": 0.04}),
        ("packet_loss_ratio", lost / sent, {**own, "samples": sent}),
        ("r_factor", r_factor,
         {**own, "samples": sent, "e_model_codec": "G.711+PLC", "delay_variant": "default-echo",
          "packetisation_s": 0.02, "jitter_buffer_s": 0.04, "late_discard_count": late}),
        ("mos_cqe", 2.0 if r_factor is not None and r_factor < 70 else 4.4, own),
    ]  # fmt: skip
    if lost:
        facts.append(("packet_loss_burst_ratio", burst, {**own, "samples": sent}))
    return facts


def claim(
    source: str,
    destination: str,
    *,
    loss: float,
    of: int = 1000,
    ssrc: str = "0x00000001",
    r_factor: float | None = None,
) -> list[Fact]:
    """What the receiver of a stream reports of it by RTCP."""
    own: dict[str, Any] = {
        "source": "far end", "ssrc": ssrc, "reporter": destination, "reported_by": "RTCP RR",
        "stream_source": source, "stream_destination": destination,
    }  # fmt: skip
    facts: list[Fact] = [
        ("far_end_report_count", 4, own),
        ("far_end_packet_loss_ratio", loss, {**own, "samples": of}),
    ]
    if r_factor is not None:
        facts.append(("far_end_r_factor", r_factor, {**own, "reported_by": "RTCP XR"}))
    return facts


def told_call(
    number: int,
    caller: str,
    callee: str,
    *,
    outcome: str = "answered",
    code: int | None = 200,
    audio: str | None = "both ways",
    media: tuple[str, str] | None = None,
    at_s: float = 0.0,
    talks_s: float = 20.0,
) -> list[Fact]:
    """One call; `media`: where caller and callee want audio, by default where they signal."""
    own: dict[str, Any] = {"call": number, "t_s": at_s}
    facts: list[Fact] = [
        ("call_outcome", outcome,
         {**own, "caller": caller, "callee": callee, "status_code": code}),
    ]  # fmt: skip
    if outcome != "answered":
        return facts
    places = media or tuple(f"{one.rpartition(':')[0]}:4000" for one in (caller, callee))
    facts += [
        ("media_endpoint_announced", place, {**own, "side": side, "media": "audio"})
        for side, place in zip(("caller", "callee"), places, strict=True)
    ]
    facts.append(("answer_delay_s", 0.0, own))
    facts.append(("talk_time_s", talks_s, own))
    if audio is not None:
        facts.append(("call_media_seen", audio, {**own, "expected": "both ways"}))
    return facts


def registrations(
    counts: list[int],
    refused: list[int] | None = None,
    *,
    accounts: int = 100,
    let_in: int | None = None,
    code: int = 503,
    again: int = 0,
    slow_s: float = 0.02,
    registrar: str = "198.51.100.10",
) -> list[Fact]:
    """REGISTERs in bins of ten seconds, and of how many accounts; `let_in` of them in the end."""
    refusals = refused or [0] * len(counts)
    own: dict[str, Any] = {
        "t_s": 0.0, "bin_s": 10, "requests": counts, "refusals": refusals,
        "registrars": [registrar],
    }  # fmt: skip
    facts: list[Fact] = [("registration_requests_per_s_max", max(counts) / 10, own)]
    for party in range(accounts):
        done = 1 if party < (accounts if let_in is None else let_in) else 0
        facts.append((
            "account_registration_count", 1,
            {"party": party, "successes": done, "expiry_granted_s": 3600, "t_s": 60.0},
        ))  # fmt: skip
    if sum(refusals):
        facts.append(("registration_failure_count", sum(refusals), {"status_code": code}))
    facts.append(("sip_retransmission_count", again, {"message": "REGISTER"}))
    facts.append(("registration_request_delay_p95_s", slow_s, {}))
    return facts


def beat_gap(phone: str, server: str, at_s: float, lasts_s: float) -> Fact:
    """The longest silence between a UNIStim telephone and its server."""
    ends = [f"{phone} port 5000", f"{server} port 5000"]
    return (
        "legacy_signalling_gap_max_s", lasts_s,
        {"t_s": at_s, "protocol": "unistim", "endpoints": ends, "samples": 40},
    )  # fmt: skip


def told_fax(number: int, caller: str, callee: str, code: int, **how: Any) -> list[Fact]:
    """A call that asked for T.38; from 300 on it was refused."""
    outcome = "accepted" if code < 300 else "refused"
    asked: Fact = ("call_facsimile", outcome, {"call": number, "status_code": code, "t_s": 0.0})
    return [*told_call(number, caller, callee, **how), asked]


def troubled_voice(scene: Scene) -> Scene:
    """Sites of their own, at which calls and telephones do what they should not."""
    known(scene, "pier-pbx", "pbx", "203.0.113.10")
    known(scene, "bank-switch", "switch", "192.0.2.2")
    wave = [1, 0, 0, 100, 40, 30, 10, 0, 1, 0, 0, 1]
    refused = [0, 0, 0, 60, 20, 10, 0, 0, 0, 0, 0, 0]
    facts = registrations(wave, refused, registrar="203.0.113.10")
    facts += stream("192.0.2.21:4000", "203.0.113.10:6000", ssrc="0xa")
    facts += stream("203.0.113.10:6002", "192.0.2.22:4000", ssrc="0xa")
    capture(scene, None, *facts, lasts_s=120.0)
    known(scene, "lock-ata", "ata", "203.0.113.129")
    silent: list[Fact] = []
    for at in range(3):
        event(scene, "registration-lost", 700.0 + at, "lock")
        silent.append(beat_gap(f"198.51.100.{200 + at}", "203.0.113.129", 420.0 + at, 230.0))
    capture(scene, "lock", *silent, *told_fax(1, "203.0.113.129:5060", "192.0.2.99:5060", 488))
    scene.site("weir")
    scene.sites["weir"] = replace(scene.sites["weir"], wan_down_mbps=1.0, wan_up_mbps=1.0)
    for at_s, kind in ((10.0, "call-start"), (60.0, "call-end")):
        for _ in range(12):
            event(scene, kind, at_s, "weir")
    return scene
