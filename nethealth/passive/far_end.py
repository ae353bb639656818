"""What the far ends say they received, in the names of the record, whoever told it.

Their numbers are claims: each fact says who made it, how, and of which stream.
"""

from collections.abc import Iterator, Mapping, Sequence

from nethealth.model.observation import Passport, Scalar
from nethealth.passive.analysis import Fact, Units
from nethealth.wire.rtcp_xr import UNAVAILABLE, VoipMetrics
from nethealth.wire.vq_report import VqMetrics

SOURCE = "far end"

UNITS: Units = {
    "far_end_report_count": None,
    "far_end_packet_loss_ratio": "1",
    "far_end_fraction_lost_max_ratio": "1",
    "far_end_cumulative_lost_packets": "packets",
    "far_end_interarrival_jitter_median_s": "s",
    "far_end_interarrival_jitter_max_s": "s",
    "far_end_discard_ratio": "1",
    "far_end_burst_density_ratio": "1",
    "far_end_gap_density_ratio": "1",
    "far_end_burst_duration_mean_s": "s",
    "far_end_gap_duration_mean_s": "s",
    "far_end_round_trip_delay_s": "s",
    "far_end_system_delay_s": "s",
    "far_end_jitter_buffer_nominal_s": "s",
    "far_end_r_factor": "1",
    "far_end_mos_lq": "1",
    "far_end_mos_cq": "1",
    "rtcp_round_trip_delay_median_s": "s",
    "rtcp_round_trip_delay_max_s": "s",
    "rtcp_packet_count": None,
    "rtcp_malformed_count": None,
    "rtcp_left_out_count": None,
    "voice_quality_report_count": None,
}
# Fields of RFC 6035 section 4.6.2, the names that they have here, and the factor to our unit
_REPORTED = (
    ("NLR", "far_end_packet_loss_ratio", 0.01),
    ("JDR", "far_end_discard_ratio", 0.01),
    ("BLD", "far_end_burst_density_ratio", 0.01),
    ("GLD", "far_end_gap_density_ratio", 0.01),
    ("BD", "far_end_burst_duration_mean_s", 0.001),
    ("GD", "far_end_gap_duration_mean_s", 0.001),
    ("RTD", "far_end_round_trip_delay_s", 0.001),
    ("ESD", "far_end_system_delay_s", 0.001),
    ("IAJ", "far_end_interarrival_jitter_median_s", 0.001),
    ("JBN", "far_end_jitter_buffer_nominal_s", 0.001),
    ("RCQ", "far_end_r_factor", 1.0),
    ("MOSLQ", "far_end_mos_lq", 1.0),
    ("MOSCQ", "far_end_mos_cq", 1.0),
)


def voip_facts(metrics: VoipMetrics, method: Passport, time_ns: int) -> Iterator[Fact]:
    """The VoIP metrics block of RTCP XR (RFC 3611 section 4.7); what is unavailable is left out."""
    values: dict[str, float | None] = {
        "far_end_packet_loss_ratio": metrics.loss_rate / 256,
        "far_end_discard_ratio": metrics.discard_rate / 256,
        "far_end_burst_density_ratio": metrics.burst_density / 256,
        "far_end_gap_density_ratio": metrics.gap_density / 256,
        "far_end_burst_duration_mean_s": metrics.burst_duration_ms / 1000,
        "far_end_gap_duration_mean_s": metrics.gap_duration_ms / 1000,
        # 0 where it was never measured; a true round trip of less than half a millisecond is 0 too
        "far_end_round_trip_delay_s": metrics.round_trip_delay_ms / 1000 or None,
        "far_end_system_delay_s": metrics.end_system_delay_ms / 1000 or None,
        "far_end_jitter_buffer_nominal_s": metrics.jb_nominal_ms / 1000,
        "far_end_r_factor": _available(metrics.r_factor),
        "far_end_mos_lq": _tenths(metrics.mos_lq),
        "far_end_mos_cq": _tenths(metrics.mos_cq),
    }
    yield from _facts(values, {**method, "reported_by": "RTCP XR"}, time_ns)


def report_facts(metrics: VqMetrics, method: Passport, time_ns: int) -> Iterator[Fact]:
    """One side's metrics of a voice quality report (RFC 6035)."""
    values: dict[str, float | None] = {
        name: metrics.values[field] * factor
        for field, name, factor in _REPORTED
        if field in metrics.values
    }
    passport: dict[str, Scalar | Sequence[Scalar]] = {
        **method,
        "reported_by": "voice quality report",
    }
    if metrics.algorithms:
        passport["algorithms"] = [f"{key}: {text}" for key, text in metrics.algorithms.items()]
    for key, text in (("codec", metrics.codec), ("start", metrics.start), ("stop", metrics.stop)):
        if text is not None:
            passport[key] = text[:40]
    yield from _facts(values, passport, time_ns)


def _facts(values: Mapping[str, float | None], method: Passport, time_ns: int) -> Iterator[Fact]:
    for name, value in values.items():
        if value is not None:
            yield Fact(name, round(value, 9), method={"source": SOURCE, **method}, time_ns=time_ns)


def _available(value: int) -> float | None:
    return None if value == UNAVAILABLE else float(value)


def _tenths(value: int) -> float | None:
    """A MOS from 1 to 5; what is outside of that is none (section 4.7.5)."""
    return value / 10 if 10 <= value <= 50 else None
