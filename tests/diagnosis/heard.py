"""Streams and calls as reading a capture would have observed them, by hand."""

from typing import Any

from tests.diagnosis.captured import Fact


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
