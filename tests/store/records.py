"""Records for the store: one by hand, and any number by hypothesis."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

from hypothesis import strategies as st

from nethealth.case.example import example
from nethealth.case.parsing import parse_case
from nethealth.case.result import work_out
from nethealth.inventory import example as sites_example
from nethealth.inventory import parse
from nethealth.model.case_codec import plain
from nethealth.model.check import CheckResult, ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Effect, Finding, Refutation, Severity, Verdict
from nethealth.model.inventory import Asset, Blackout, Council, Inventory, Site
from nethealth.model.observation import Event, Observation, Scalar
from nethealth.model.record import Instrument, Record, Run, Source, Tool


def _unsigned_zero(value: float) -> float:
    """SQLite keeps a real that is a whole number as an integer, which has no -0."""
    return value + 0.0


WHEN = datetime(2026, 11, 22, 19, 3, 55, tzinfo=UTC)

SITES = parse(sites_example())
INVENTORY = Inventory(
    council=(Council(id="scdc", name="South Cambridgeshire District Council"),),
    site=(Site(id="hall", council="scdc", name="Hall"),),
    blackout=(Blackout(site="hall", days="mon-fri", from_="09:00", to="10:30"),),
    asset=(Asset(id="pbx", site="hall", kind="pbx", address="198.18.2.10", legacy=True),),
)


def begun(run_id: str = "r1", *, after: timedelta = timedelta(), kind: str = "sweep") -> Record:
    """A record as it stands when its run begins."""
    run = Run(run_id, "sweep" if kind == "sweep" else "check", "hq", WHEN + after)
    return Record(tool=Tool("0.1.0"), run=run, inventory=INVENTORY)


def result(check_id: str = "pbx:ping", asset: str | None = "pbx") -> CheckResult:
    return CheckResult(
        check_id, "ping", "scdc", "hall", asset, "198.18.2.10", Outcome.COMPLETED,
        started_s=0.5, finished_s=4.5,
    )  # fmt: skip


def seen(
    name: str = "packet_loss_ratio",
    value: Scalar = 0.05,
    *,
    check: str = "pbx:ping",
    number: int = 1,
    unit: str | None = "1",
) -> Observation:
    return Observation(
        f"{check}/{number}", check, name, value, unit, 1.25 * number, 20, (0.009, 0.236), None,
        {"address": "198.18.2.10", "hops": [1, 2], "ip_version": 4},
    )  # fmt: skip


def finding(severity: Severity = Severity.WARNING, code: str = "hall") -> Finding:
    return Finding(
        f"packet-loss:{code}", "packet-loss", "scdc", "hall", None, WHEN, WHEN, severity,
        Verdict.DEMONSTRATED, None, "Loss.", "Look.", evidence=("pbx:ping/1",),
        refutations=(Refutation("again", "same"),), effect=Effect(0.05, (0.009, 0.236)),
    )  # fmt: skip


def finished(record: Record, *, findings: tuple[Finding, ...] = ()) -> Record:
    """The record with its run at an end."""
    run = replace(
        record.run,
        finished=record.run.started + timedelta(seconds=9),
        instrument=Instrument(loop_lag_p99_s=0.001, notes=("one",)),
    )
    return replace(record, run=run, findings=findings, events=(Event("e1", WHEN, "restart"),))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES: st.SearchStrategy[Scalar] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False).map(_unsigned_zero), TEXT
)
PASSPORTS = st.dictionaries(TEXT, st.one_of(VALUES, st.lists(VALUES, max_size=3)), max_size=3)
SECONDS = st.none() | st.floats(-10, 1e6).map(_unsigned_zero)


def observations_of(check_id: str, number: int) -> st.SearchStrategy[Observation]:
    return st.builds(
        Observation,
        st.just(f"{check_id}/{number}") | TEXT.filter(bool),
        st.just(check_id),
        TEXT,
        VALUES,
        st.none() | TEXT,
        SECONDS,
        st.none() | st.integers(0, 2**40),
        st.none() | st.tuples(*[st.floats(-9, 9).map(_unsigned_zero)] * 2),
        st.none() | st.sampled_from(Failure),
        PASSPORTS,
    )


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Finished records whose observations stand grouped by check, as a sweep makes them."""
    checks, observations = [], []
    for check_id in draw(st.lists(TEXT, unique=True, max_size=5)):
        checks.append(
            CheckResult(
                check_id, draw(st.sampled_from(get_args(ProbeKind))), draw(st.none() | TEXT),
                draw(st.none() | TEXT), draw(st.none() | TEXT), draw(TEXT),
                draw(st.sampled_from(Outcome)), draw(st.none() | st.sampled_from(Failure)),
                draw(st.none() | TEXT), draw(SECONDS), draw(SECONDS),
            )
        )  # fmt: skip
        observations += [
            draw(observations_of(check_id, number))
            for number in range(1, draw(st.integers(0, 4)) + 1)
        ]
    findings = tuple(
        finding(severity, str(n))
        for n, severity in enumerate(draw(st.lists(st.sampled_from(Severity), max_size=3)))
    )
    whole = finished(begun(), findings=findings)
    return replace(
        whole,
        checks=tuple(checks),
        observations=tuple(observations),
        sources=(Source("r0", "ab" * 32),),
        case=plain(work_out(parse_case(example(), SITES), replace(whole, inventory=SITES))),
    )
