"""Registered hypotheses over made histories: found, refuted, acquitted, or not answerable."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from nethealth.diagnosis.attribution.days import Floats
from nethealth.diagnosis.attribution.trial import analyse, schedule
from nethealth.diagnosis.attribution.trials import judge_trials
from nethealth.diagnosis.attribution.verdicts import History, Series, judge_hypotheses
from nethealth.model.finding import Direction, Finding, Severity, Verdict
from nethealth.model.hypothesis import Hypothesis, HypothesisFile, Outcome, Trial
from nethealth.model.inventory import Council, Inventory, Site
from nethealth.model.observation import Event
from tests.diagnosis.attribution.simulate import autoregressive

REGISTERED = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)  # a Monday
DAYS = 56
LOOK = (REGISTERED + timedelta(days=DAYS - 1)).date()
NOW = REGISTERED + timedelta(days=DAYS + 1)
SLOTS = 96  # quarters of an hour
INVENTORY = Inventory(
    council=(Council(id="c", name="Council"),),
    site=(Site(id="hall", council="c", name="Hall"), Site(id="barn", council="c", name="Barn")),
)
PAGING = Hypothesis(
    id="paging", mechanism="multicast-flood", site="hall", outcome="packet_loss_ratio",
    exposure="page", window_minutes=60, smallest_effect=0.01, looks=(LOOK,), controls=("barn",),
)  # fmt: skip


def noise(seed: int) -> Floats:
    """A loss about 1 %, with an office-hours cycle and memory, by quarters of an hour."""
    values = 0.01 + 0.002 * autoregressive(DAYS * SLOTS, np.random.default_rng(seed))
    by_day = values.reshape(DAYS, SLOTS)
    for day in range(DAYS):
        if day % 7 < 5:
            by_day[day, 36:68] += 0.004
    return values


def pages(seed: int) -> list[int]:
    """Two at random on most working days, in quarters of an hour from the beginning."""
    random = np.random.default_rng(seed)
    found = []
    for day in range(DAYS):
        if day % 7 < 5 and random.random() < 0.7:
            slots = random.choice(np.arange(36, 64), 2, replace=False)
            found += [day * SLOTS + int(slot) for slot in slots]
    return sorted(found)


def events(places: Sequence[int], kind: str = "page") -> list[Event]:
    return [
        Event(f"{kind}:{place}", REGISTERED + timedelta(minutes=15 * place), kind, "hall")
        for place in places
    ]


def history(hall: Floats, barn: Floats, happened: Sequence[Event]) -> History:
    def outcome(site: str, name: Outcome) -> Series:
        values = hall if site == "hall" else barn
        return [
            (REGISTERED + timedelta(minutes=15 * index), float(value))
            for index, value in enumerate(values)
        ]

    return History(outcome, lambda kind, site: happened, INVENTORY, "UTC")


def lifted(values: Floats, places: Sequence[int], by: float) -> Floats:
    found = values.copy()
    for place in places:
        found[place : place + 4] += by
    return found


def judged(made: History, *more: Hypothesis, now: datetime = NOW) -> Finding:
    file = HypothesisFile(hypothesis=more or (PAGING,))
    return judge_hypotheses(file, REGISTERED, now, made)[0]


def test_paging_that_lifts_the_loss_is_supported_in_its_direction() -> None:
    places = pages(1)
    found = judged(history(lifted(noise(2), places, 0.02), noise(3), events(places)))
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.TELEPHONY_TO_NETWORK)
    assert found.severity is Severity.WARNING
    assert found.effect is not None
    assert found.effect.interval is not None
    assert found.effect.interval[0] < 0.02 < found.effect.interval[1]
    assert found.effect.p is not None
    assert 0 < found.effect.p <= 0.05
    assert set(found.evidence) == {one.id for one in events(places)}
    assert any("which they cannot reach" in one.test for one in found.refutations)


def test_paging_that_does_nothing_is_acquitted_with_what_could_have_been_found() -> None:
    places = pages(1)
    found = judged(history(noise(2), noise(3), events(places)))
    assert (found.verdict, found.severity) == (Verdict.NO_EVIDENCE, Severity.INFO)
    assert "would have been found 8 times in 10" in found.statement


def test_a_cause_that_hits_all_sites_contradicts() -> None:
    places = pages(1)
    both = history(lifted(noise(2), places, 0.02), lifted(noise(3), places, 0.02), events(places))
    found = judged(both)
    assert (found.verdict, found.direction) == (Verdict.CONTRADICTED, Direction.NOT_TELEPHONY)
    assert "so it does at barn" in found.statement


@pytest.mark.parametrize("controls", [(), ("nowhere",)])
def test_without_a_clean_control_nobody_is_blamed(controls: tuple[str, ...]) -> None:
    places = pages(1)
    made = history(lifted(noise(2), places, 0.02), noise(3), events(places))
    unseen = replace(
        made, outcome=lambda site, name: [] if site == "nowhere" else made.outcome(site, name)
    )
    found = judged(unseen, replace(PAGING, controls=controls))
    assert (found.verdict, found.severity) == (Verdict.SUGGESTIVE, Severity.INFO)
    assert any("as a control" in one for one in found.missing)


def test_a_hypothesis_that_is_not_due_yet_is_corrected_for_as_well() -> None:
    places = pages(1)
    made = history(lifted(noise(2), places, 0.02), noise(3), events(places))
    waiting = replace(PAGING, id="later", looks=(date(2027, 1, 1),))
    found = judged(made, PAGING, waiting)
    # the least p of 9,999 permutations, twice
    assert found.refutations[0].result == "2 were registered together: p 0.0002 by Holm"


def test_the_nine_o_clock_peak_is_not_blamed_on_pages_at_nine() -> None:
    """Pages at a fixed hour of all working days, and everything bad at that hour."""
    places = [day * SLOTS + 36 for day in range(DAYS) if day % 7 < 5]
    found = judged(history(lifted(noise(2), places, 0.05), noise(3), events(places)))
    assert found.verdict is Verdict.INSUFFICIENT_DATA
    assert "alike on all days" in found.statement
    assert any("experiment plan" in one for one in found.missing)


def test_an_effect_too_small_to_be_seen_is_not_denied() -> None:
    places = pages(1)
    picky = replace(PAGING, smallest_effect=1e-5)
    found = judged(history(noise(2), noise(3), events(places)), picky)
    assert found.verdict is Verdict.INSUFFICIENT_DATA
    assert "could not have been found" in found.statement


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda made: replace(made, events=lambda kind, site: events(pages(1)[:4])), "events with"),
        (lambda made: replace(made, outcome=lambda site, name: []), "no data since"),
    ],
)
def test_too_little_is_said(change: Callable[[History], History], says: str) -> None:
    found = judged(change(history(noise(2), noise(3), events(pages(1)))))
    assert found.verdict is Verdict.INSUFFICIENT_DATA
    assert says in found.statement


def test_nothing_is_tested_before_the_day_that_was_named() -> None:
    places = pages(1)
    made = history(lifted(noise(2), places, 0.05), noise(3), events(places))
    found = judged(made, now=REGISTERED + timedelta(days=40))
    assert found.verdict is Verdict.INSUFFICIENT_DATA
    assert "not tested before 1 March 2026" in found.statement
    assert found.effect is None


def test_a_look_sees_only_what_was_there_then_however_late_it_is_read() -> None:
    places = pages(1)
    made = history(lifted(noise(2), places, 0.02), noise(3), events(places))
    early = replace(PAGING, looks=(date(2026, 2, 1),))
    first = judged(made, early, now=datetime(2026, 2, 2, tzinfo=UTC))
    later = judged(made, early, now=NOW)
    assert first.effect == later.effect
    assert first.evidence == later.evidence


def test_data_from_before_the_registration_do_not_count() -> None:
    places = pages(1)
    made = history(lifted(noise(2), places, 0.02), noise(3), events(places))
    file = HypothesisFile(hypothesis=(PAGING,))
    [found] = judge_hypotheses(file, REGISTERED + timedelta(days=50), NOW, made)
    assert found.verdict is Verdict.INSUFFICIENT_DATA


def test_many_hypotheses_are_corrected_together() -> None:
    places = pages(1)
    made = history(noise(2), noise(3), events(places))
    several = [replace(PAGING, id=f"h{number}", bin_minutes=15) for number in range(3)]
    found = judge_hypotheses(HypothesisFile(hypothesis=tuple(several)), REGISTERED, NOW, made)
    assert len(found) == 3
    assert "3 were registered together" in found[0].refutations[0].result
    assert all(one.verdict is not Verdict.SUPPORTED for one in found)


TRIAL = Trial(
    id="moh", mechanism="multicast-flood", site="hall", outcome="packet_loss_ratio",
    switch="multicast music on hold", first=REGISTERED.date(), pairs=20, seed=7,
)  # fmt: skip


def tried(effect: float, trial: Trial = TRIAL, now: datetime = NOW) -> Finding:
    values = noise(5)
    for half in schedule(trial, "UTC"):
        if half.on:
            first = int((half.start - REGISTERED) / timedelta(minutes=15))
            last = int((half.end - REGISTERED) / timedelta(minutes=15))
            values[first:last] += effect
    made = history(values, noise(6), [])
    return judge_trials(HypothesisFile(trial=(trial,)), REGISTERED, now, made)[0]


def test_a_trial_by_lot_demonstrates_and_acquits() -> None:
    found = tried(0.02)
    assert (found.verdict, found.direction) == (
        Verdict.DEMONSTRATED, Direction.TELEPHONY_TO_NETWORK,
    )  # fmt: skip
    assert found.effect is not None
    assert found.effect.estimate == pytest.approx(0.02, abs=0.003)
    assert tried(0.0).verdict is Verdict.NO_EVIDENCE
    assert tried(-0.02).verdict is Verdict.CONTRADICTED


def test_a_trial_is_not_looked_into_before_its_end_nor_registered_after_its_begin() -> None:
    assert "is not over before" in tried(0.02, now=REGISTERED + timedelta(days=10)).statement
    early = replace(TRIAL, first=date(2025, 12, 1))
    assert "registered after it began" in tried(0.02, early).statement


def test_the_schedule_is_balanced_skips_weekends_and_can_be_drawn_again() -> None:
    halves = schedule(TRIAL, "Europe/London", holidays={date(2026, 1, 6)})
    assert halves == schedule(TRIAL, "Europe/London", holidays={date(2026, 1, 6)})
    assert len(halves) == 40
    assert sum(half.on for half in halves) == 20
    assert all(half.start.weekday() < 5 and half.start.day != 6 for half in halves[:4])
    assert halves != schedule(replace(TRIAL, seed=8), "Europe/London", holidays={date(2026, 1, 6)})
    # the coin, thrown again by sha256sum: printf 7:0 | sha256sum ends its first octet in an odd
    mornings = [half.on for half in halves if half.start.hour < 12]
    assert 4 <= sum(mornings) <= 16


def test_the_p_of_a_trial_by_hand() -> None:
    """Five pairs, all worse: of 32 turns of the signs two are as far from 0, so p is 1/16."""
    halves = schedule(replace(TRIAL, pairs=5), "UTC")
    moments = [half.start + timedelta(minutes=15) for half in halves]
    values = [1.0 + half.pair if half.on else 0.0 for half in halves]
    found = analyse(halves, moments, values, np.random.default_rng(1))
    assert found.p == 2 / 32
    assert found.differences.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert found.estimate == 3.0
