"""Whatever a record says of captures, it is judged without an error and in any order."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nethealth.diagnosis import judge
from nethealth.model.check import CheckResult
from nethealth.model.failure import Outcome
from nethealth.model.inventory import Asset, Inventory, Site
from nethealth.model.observation import Event, Observation
from nethealth.model.record import Record, Run, Tool
from tests.diagnosis.build import STARTED, Scene
from tests.diagnosis.captured import Fact, capture, series, troubled_lan
from tests.diagnosis.heard import registrations

NAMES = (
    "capture_duration_s", "arp_claimant_count", "redundancy_change_count", "dhcp_server_count",
    "dhcp_scope_client_count", "dhcp_message_count", "dhcp_cycle_count", "dhcp_cycle_median_s",
    "dhcp_phone_client_count", "voice_vlan_announced", "neighbour_device",
    "phone_vlan_packet_count",
    "multicast_group_packet_count", "multicast_group_per_bin_max", "igmp_querier_count",
    "broadcast_per_bin_max", "broadcast_source_packet_count", "frame_repeat_run_max_packets",
    "stp_bpdu_count", "stp_root_change_count", "stp_topology_change_per_bin_max",
    "unknown_unicast_packet_count", "unknown_unicast_destination_packet_count", "tftp_client_count",
    "tftp_data_packet_count", "tftp_data_octets", "tftp_data_per_bin_max", "dscp_octets",
    "tftp_file_request_count", "link_packet_per_bin_max", "ef_not_voice_packet_count",
    "ef_not_voice_flow_packet_count", "ef_not_voice_per_bin_max",
    "legacy_signalling_endpoint_packet_count",
)  # fmt: skip
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**12), st.floats(), st.text(max_size=4),
    st.sampled_from(["198.18.2.10", "239.1.1.1", "00:08:5d:00:00:01", "lldp", "cdp", "half"]),
)  # fmt: skip
KEYS = (
    "mac", "address", "group", "protocol", "vlan", "relay", "phones", "phones_leased",
    "phones_leased_elsewhere_too", "others_leased", "others_refused", "telephone", "tagged",
    "application", "asked", "members", "rtp_packets", "flow", "octets", "changes", "filename",
    "first_claimant", "silent_destinations", "destinations", "message_type", "duplex", "dscp",
    "packets_sent", "packets_of_all",
)  # fmt: skip
LISTS = (
    "other_claimants", "telephone_makers", "macs", "leased_addresses", "vlans", "clients",
    "servers", "source_addresses", "roots", "bin_offsets", "bin_counts", "addresses",
)  # fmt: skip
PASSPORTS = st.builds(
    lambda common, plain, lists: {**common, **plain, **lists},
    st.fixed_dictionaries({
        "capture_started": st.sampled_from(["2026-11-22T19:00:00.000000000Z", "no time", 5]),
        "bin_s": st.sampled_from([10.0, 0, 1e-9, -1.0, float("nan"), "x"]),
        "flooded_by_rule": st.booleans(),
    }),
    st.dictionaries(st.sampled_from(KEYS), SCALARS, max_size=6),
    st.dictionaries(
        st.sampled_from(LISTS), st.one_of(SCALARS, st.lists(SCALARS, max_size=3)), max_size=4
    ),
)  # fmt: skip
OBSERVATIONS = st.builds(
    Observation,
    id=st.text(max_size=3),
    check=st.sampled_from(["capture", "capture#2"]),
    name=st.sampled_from(NAMES),
    value=SCALARS,
    t_s=st.one_of(st.none(), st.floats(), st.floats(0, 100)),
    samples=st.one_of(st.none(), st.integers(-3, 10**6)),
    method=PASSPORTS,
)
EVENTS = st.builds(
    Event,
    id=st.text(max_size=2),
    time=st.sampled_from([STARTED, STARTED.replace(year=1), STARTED.replace(tzinfo=None)]),
    kind=st.sampled_from(["dhcp-no-leases", "registration-lost", "tftp-load", "restart"]),
    site=st.sampled_from([None, "hall"]),
)
CHECKS = [
    CheckResult(check, "capture", None, site, None, "x.pcap", Outcome.COMPLETED, started_s=0.0)
    for check, site in (("capture", "hall"), ("capture#2", None))
]
INVENTORY = Inventory(
    site=(Site(id="hall", council="scdc", name="Hall", wan_down_mbps=2.0),),
    asset=(Asset(id="hall-pbx", site="hall", kind="pbx", address="198.18.2.10"),),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(OBSERVATIONS, max_size=25), st.lists(EVENTS, max_size=12), st.booleans(), st.randoms()
)
def test_any_capture_is_judged_without_an_error_and_in_any_order(
    observations: list[Observation], events: list[Event], placed: bool, random: Any
) -> None:
    inventory = INVENTORY if placed else Inventory()

    def judged() -> str:
        return repr(
            judge(
                Record(
                    Tool("0"), Run("r", "capture", "desk", STARTED), inventory,
                    checks=tuple(CHECKS), observations=tuple(observations), events=tuple(events),
                )
            )
        )  # fmt: skip

    first = judged()
    random.shuffle(observations)
    random.shuffle(events)
    assert judged() == first


TROUBLED = troubled_lan(Scene()).record()


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from(["value", *KEYS, *LISTS]), SCALARS),
        max_size=6,
    ),
    st.randoms(),
)
def test_a_network_with_trouble_whose_record_was_damaged(
    damages: list[tuple[int, str, Any]], random: Any
) -> None:
    observations = list(TROUBLED.observations)
    for place, key, junk in damages:
        at = place % len(observations)
        seen = observations[at]
        observations[at] = (
            replace(seen, value=junk) if key == "value"
            else replace(seen, method={**seen.method, key: junk})
        )  # fmt: skip
    findings = judge(replace(TROUBLED, observations=tuple(observations)))
    assert len({finding.id for finding in findings}) == len(findings)
    random.shuffle(observations)
    assert repr(judge(replace(TROUBLED, observations=tuple(observations)))) == repr(findings)


@pytest.mark.parametrize("width_s", [1e-9, 5e-324])
@pytest.mark.parametrize(
    "made",
    [
        series("broadcast_per_bin_max", [9000, 9000]),
        series("multicast_group_per_bin_max", [9000], group="239.1.1.1"),
        registrations([1, 0, 0, 100, 40, 30, 10, 0, 1, 0, 0, 1])[0],
    ],
)
def test_a_bin_shorter_than_the_clocks_step_is_none(made: Fact, width_s: float) -> None:
    name, value, method = made
    scene = capture(Scene(kind="capture"), "fen", (name, value, {**method, "bin_s": width_s}))
    assert scene.findings() == ()
