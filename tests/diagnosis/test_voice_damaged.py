"""Records of captures and events that no reader would write are judged without an error."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nethealth.diagnosis import judge
from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import Asset, Inventory, Line, Site
from nethealth.model.observation import Event, Observation
from nethealth.model.record import Record, Run, Tool
from tests.diagnosis.build import STARTED

NAMES = (
    "capture_duration_s", "capture_dropped_packet_count", "rtp_packets_expected",
    "rtp_packets_received", "rtp_packets_lost", "rtp_packets_late", "packet_loss_ratio",
    "packet_loss_burst_ratio", "rtp_loss_run_max_packets", "r_factor", "mos_cqe",
    "far_end_packet_loss_ratio", "far_end_r_factor", "far_end_report_count", "call_outcome",
    "call_media_seen", "media_endpoint_announced", "call_left_out_count", "call_facsimile",
    "registration_requests_per_s_max", "account_registration_count", "registration_failure_count",
    "registration_attempt_count", "sip_retransmission_count", "registration_left_out_count",
    "registration_request_delay_p95_s", "legacy_signalling_gap_max_s", "dhcp_message_per_bin_max",
    "dhcp_phone_client_count", "tftp_request_per_bin_max", "tftp_client_count",
    "interface_in_octets_count", "interface_out_octets_count", "interface_in_octets_per_s",
    "interface_out_octets_per_s", "interface_out_discards_count", "interface_speed_bps",
    "interface_status", "uptime_s", "snmp_response_delay_median_s", "sip_status_code",
    "sip_transmission_count", "sip_last_copy_response_delay_s", "packets_sent_count",
    "packets_received_count",
)  # fmt: skip
NUMBERS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**12), st.floats(), st.integers(0, 2000)
)
ENDS = st.sampled_from(
    ["203.0.113.1:4000", "203.0.113.2:4000", "198.51.100.1:5060", "[2001:db8::1]:5", "nowhere", ""]
)
WORDS = st.sampled_from(
    ["answered", "rejected", "unanswered", "both ways", "towards the caller", "refused", "unistim",
     "REGISTER", "caller", "callee", "far end", "router", "0x1", "Gi0/0"]
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.one_of(NUMBERS, ENDS, WORDS)
LISTS = st.lists(st.one_of(st.integers(-3, 300), st.floats(), ENDS, st.none()), max_size=12)
_LOOSE = (
    "ssrc", "payload_type", "codec", "duration_s", "payload_octets", "call", "side", "expected",
    "status_code", "protocol", "message", "outcome", "bin_s", "successes", "expiry_granted_s",
    "interface", "bits", "late_discard_count", "e_model_codec", "port",
)  # fmt: skip
_LISTED = ("requests", "refusals", "registrars", "endpoints", "bin_offsets", "bin_counts")
METHODS = st.fixed_dictionaries(
    {"capture_started": st.sampled_from(["2026-11-22T19:00:00Z", "yesterday", None, 7])},
    optional={
        **{key: st.one_of(ENDS, st.sampled_from(["far end"]), NUMBERS) for key in (
            "source", "destination", "caller", "callee", "stream_source", "stream_destination",
            "reporter", "address",
        )},
        **dict.fromkeys(_LOOSE, VALUES),
        **dict.fromkeys(_LISTED, LISTS),
    },
)  # fmt: skip
CHECKS = st.builds(
    CheckResult,
    id=st.sampled_from(
        ["capture", "capture#2", "a:snmp", "a:snmp#2", "a:sip", "a:ping", "a:ping#2"]
    ),
    probe=st.sampled_from(["capture", "snmp", "sip", "ping"]),
    council=st.none(),
    site=st.sampled_from([None, "hall"]),
    asset=st.sampled_from([None, "a"]),
    target=st.just("x"),
    outcome=st.sampled_from(Outcome),
    failure=st.one_of(st.none(), st.sampled_from(Failure)),
    started_s=st.one_of(st.none(), st.floats(), st.floats(0, 1000)),
    finished_s=st.one_of(st.none(), st.floats(0, 1000)),
)
OBSERVATIONS = st.builds(
    Observation,
    id=st.text(max_size=3),
    check=st.sampled_from(["capture", "capture#2", "a:snmp", "a:snmp#2", "a:sip", "a:ping"]),
    name=st.sampled_from(NAMES),
    value=VALUES,
    t_s=st.one_of(st.none(), st.floats(), st.floats(0, 1000)),
    samples=st.one_of(st.none(), st.integers(-1, 2000)),
    method=METHODS,
)
EVENTS = st.builds(
    Event,
    id=st.text(min_size=1, max_size=3),
    time=st.one_of(
        st.integers(-100, 1000).map(lambda after: STARTED + timedelta(seconds=after)),
        st.sampled_from([datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]),
    ),
    kind=st.sampled_from(["call-start", "call-end", "restart", "pbx-restart", "registration-lost"]),
    site=st.sampled_from([None, "hall", "gone"]),
    asset=st.sampled_from([None, "a", "gone"]),
    clock_error_s=st.one_of(st.none(), st.floats()),
)
INVENTORY = Inventory(
    site=(Site(id="hall", council="c", name="Hall", gateway="203.0.113.1", wan_up_mbps=1.0),
          Site(id="depot", council="c", name="Depot")),
    asset=(Asset(id="a", site="hall", kind="router", address="203.0.113.1"),
           Asset(id="b", site="depot", kind="pbx", address="198.51.100.1")),
    line=(Line(id="l", site="depot", kind="analogue", use="lift"),),
)  # fmt: skip


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(CHECKS, max_size=6),
    st.lists(OBSERVATIONS, max_size=30),
    st.lists(EVENTS, max_size=8),
    st.randoms(),
)
def test_any_record_of_captures_and_events_is_judged_without_an_error_and_in_any_order(
    checks: list[CheckResult], observations: list[Observation], events: list[Event], random: Any
) -> None:
    def judged() -> str:
        run = Run("r", "period", "desk", STARTED)
        return repr(judge(Record(
            Tool("0"), run, INVENTORY, checks=tuple(checks), observations=tuple(observations),
            events=tuple(events),
        )))  # fmt: skip

    before = judged()
    random.shuffle(checks)
    random.shuffle(observations)
    random.shuffle(events)
    assert judged() == before
