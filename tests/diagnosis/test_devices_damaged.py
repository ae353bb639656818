"""Records of devices that are damaged: whatever stands in them, they are judged, and alike."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nethealth.diagnosis import judge
from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import Asset, Council, Inventory, Site
from nethealth.model.observation import Observation, PastValue
from nethealth.model.record import Record, Run, Tool
from probes.snmp import UNITS
from tests.diagnosis.build import STARTED

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2**65), st.floats(),
    st.sampled_from(["half", "full", "v2c", "read", "delivering", "battery", "no alarm", "x"]),
)  # fmt: skip
PASSPORTS = st.fixed_dictionaries(
    {},
    optional={
        "interface": st.sampled_from(["Gi0/1", "Gi0/2", None, 7]),
        "duplex": st.sampled_from(["half", "full", None]),
        "capabilities": st.one_of(st.none(), st.just(["telephone"]), st.just("telephone")),
        "chassis": st.sampled_from(["00:1b:54:aa:bb:01", None]),
        "line": st.sampled_from(["E1", 3]),
        "poe_port": st.sampled_from(["1/1", "1/2"]),
        "class": VALUES,
        "sensor": st.sampled_from(["Rack", "Inlet", None]),
        "mib": st.sampled_from(["PowerNet-MIB uio", None]),
        "ip": st.sampled_from(["198.18.2.30", None, 5]),
        "bits": st.sampled_from([32, 64, "64"]),
        "group": st.sampled_from(["sensors", "poe"]),
    },
)
NAMES = st.sampled_from(sorted(UNITS))
CHECKS = st.builds(
    CheckResult,
    id=st.sampled_from([f"h{n}:snmp{suffix}" for n in range(3) for suffix in ("", "#2", "#3")]),
    probe=st.just("snmp"),
    council=st.none(),
    site=st.sampled_from([None, "a"]),
    asset=st.sampled_from([None, "h0", "h1"]),
    target=st.text(max_size=5),
    outcome=st.sampled_from(Outcome),
    failure=st.one_of(st.none(), st.sampled_from(Failure)),
    started_s=st.one_of(st.none(), st.floats()),
)
OBSERVATIONS = st.builds(
    Observation,
    id=st.text(max_size=3),
    check=st.sampled_from(["h0:snmp", "h1:snmp", "h0:snmp#2"]),
    name=NAMES,
    value=VALUES,
    t_s=st.one_of(st.none(), st.floats()),
    samples=st.one_of(st.none(), st.integers(-3, 10**9)),
    method=PASSPORTS,
)
PAST = st.builds(
    PastValue,
    time=st.datetimes(timezones=st.sampled_from([None, UTC])),
    check=st.just("h0:snmp"),
    asset=st.sampled_from([None, "h0", "h1"]),
    name=NAMES,
    value=VALUES,
    method=PASSPORTS,
)
ESTATE = Inventory(
    council=(Council(id="c", name="C"),),
    site=(Site(id="a", council="c", name="A"),),
    asset=(
        Asset(id="h0", site="a", kind="sensor", owner="x"),
        Asset(id="h1", site="a", kind="switch", owner="x"),
    ),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(CHECKS, max_size=6), st.lists(OBSERVATIONS, max_size=40), st.lists(PAST, max_size=12),
    st.sampled_from([STARTED, STARTED.replace(tzinfo=None), datetime(9999, 12, 31, tzinfo=UTC)]),
    st.randoms(),
)  # fmt: skip
def test_any_record_of_devices_is_judged_and_in_any_order(
    checks: list[CheckResult],
    observations: list[Observation],
    past: list[PastValue],
    started: datetime,
    random: Any,
) -> None:
    answers = [
        Observation(f"up{at}", check, "snmp_response_delay_median_s", 0.01)
        for at, check in enumerate(("h0:snmp", "h1:snmp", "h0:snmp#2"))
    ]
    run = Run("r", "sweep", "desk", started)

    def judged() -> str:
        everything = (*answers, *observations)
        record = Record(
            Tool("0"), run, ESTATE, checks=tuple(checks), observations=everything, past=tuple(past)
        )
        return repr(judge(record))

    first = judged()
    for part in (checks, observations, past):
        random.shuffle(part)
    assert judged() == first
