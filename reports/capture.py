"""What a capture holds, counted: one line for each kind of thing in it."""

from collections.abc import Mapping, Sequence

from nethealth.model.observation import Observation
from reports.escape import clip
from reports.words import listed, number, observation_label, observed

Seen = Mapping[str, Sequence[Observation]]
_KINDS_MAX = 8
_WORD_MAX = 40
# A count that comes once for each value of a key of its passport, and that key
_BY_KEY = (
    ("sip_request_count", "sip_method"),
    ("sip_response_count", "status_code"),
    ("sip_malformed_count", "fault"),
    ("call_outcome_count", "outcome"),
    ("registration_attempt_count", "outcome"),
    ("legacy_signalling_packet_count", "protocol"),
    ("dhcp_message_count", "message_type"),
    ("icmp_error_count", "icmp_type"),
)
_WHERE_THERE = (
    "packet_count",
    "malformed_packet_count", "capture_dropped_packet_count", "call_count", "rtp_stream_count",
    "rtcp_packet_count", "stp_topology_change_count", "arp_conflict_count",
    "tcp_retransmission_count", "sip_mirrored_count", "sip_cut_count", "sip_tcp_gap_count",
    "voice_quality_report_count",
)  # fmt: skip


def capture_lines(seen: Seen) -> list[tuple[str, str]]:
    """Labels and values; what is not there, or none of it, has no line."""
    lasted = seen.get("capture_duration_s", ())
    lines = [(observation_label(one.name), observed(one)) for one in lasted[-1:]]
    for name in _WHERE_THERE:
        total = sum(one.value for one in seen.get(name, ()) if isinstance(one.value, int | float))
        if total:
            lines.append((observation_label(name), number(total)))
    for name, key in _BY_KEY:
        counts: dict[str, float] = {}
        for one in seen.get(name, ()):
            if isinstance(one.value, int | float) and one.value:
                word = clip(str(one.method.get(key, "–")), _WORD_MAX)
                counts[word] = counts.get(word, 0) + one.value
        if counts:
            ranked = sorted(counts.items(), key=lambda pair: -pair[1])
            text = listed([f"{number(amount)} × {word}" for word, amount in ranked], _KINDS_MAX)
            lines.append((observation_label(name), text))
    return lines
