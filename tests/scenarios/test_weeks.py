"""Mechanisms that only attribution can show: eight weeks of readings, and registered hypotheses.

What must come of each is the handbook's (section 6): who is alike on all days is not identifiable,
a shared cause blames nobody, and the reversed arrow contradicts.
"""

from dataclasses import replace

import numpy as np
import pytest

from nethealth.diagnosis.attribution.trial import schedule
from nethealth.diagnosis.attribution.trials import judge_trials
from nethealth.diagnosis.attribution.verdicts import judge_hypotheses
from nethealth.model.finding import Direction, Finding, Verdict
from nethealth.model.hypothesis import Hypothesis, HypothesisFile, Trial
from tests.scenarios.weeks import (
    AFTER,
    DAYS,
    LAST_DAY,
    REGISTERED,
    SLOTS,
    STEP,
    Weeks,
    at_times,
    flooding,
)

# Twelve streams of music on hold at 174 octets with their headers, every 20 ms (handbook 5, 9).
PAGE_BPS = 60 * 50 * 218 * 8
PAGING = Hypothesis(
    id="paging", mechanism="multicast-flood", site="hall", outcome="packet_loss_ratio",
    exposure="page", window_minutes=60, smallest_effect=0.02, looks=(LAST_DAY,),
    controls=("barn",),
)  # fmt: skip
RESTARTS = Hypothesis(
    id="restarts", mechanism="registration-avalanche", site="hall", outcome="packet_loss_ratio",
    exposure="pbx-restart", window_minutes=60, smallest_effect=0.02, looks=(LAST_DAY,),
    controls=("barn",),
)  # fmt: skip
FIRMWARE = Hypothesis(
    id="firmware", mechanism="firmware-wave", site="hall", outcome="round_trip_delay_median_s",
    exposure="tftp-load", window_minutes=60, smallest_effect=0.005, looks=(LAST_DAY,),
    controls=("barn",),
)  # fmt: skip


def judged(weeks: Weeks, *hypotheses: Hypothesis) -> dict[str, Finding]:
    file = HypothesisFile(hypothesis=hypotheses)
    found = judge_hypotheses(file, REGISTERED, AFTER, weeks.history())
    return {finding.id.rpartition(":")[2]: finding for finding in found}


def blamed(findings: dict[str, Finding]) -> list[str]:
    return [
        name
        for name, one in findings.items()
        if one.direction is Direction.TELEPHONY_TO_NETWORK
        and one.verdict in {Verdict.SUPPORTED, Verdict.DEMONSTRATED}
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_paging_at_odd_times_that_fills_slow_ports_is_found(seed: int) -> None:
    places = at_times(seed)
    weeks = Weeks(seed, {"hall": flooding(places, PAGE_BPS)}, happened={"page": places})
    found = judged(weeks, PAGING)["paging"]
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.TELEPHONY_TO_NETWORK)
    assert found.site == "hall"
    assert found.evidence and found.refutations and found.alternatives and found.action


def test_paging_alike_on_all_days_cannot_be_told_from_history() -> None:
    """Pages at 10:00 and 15:00 of every working day, and they do fill the ports."""
    places = [day * SLOTS + slot for day in range(DAYS) if day % 7 < 5 for slot in (40, 60)]
    weeks = Weeks(4, {"hall": flooding(places, PAGE_BPS)}, happened={"page": places})
    found = judged(weeks, PAGING)["paging"]
    assert found.verdict is Verdict.INSUFFICIENT_DATA
    assert any("trial" in one for one in found.missing)


@pytest.mark.parametrize("seed", [11, 12])
def test_paging_that_does_nothing_while_the_provider_loses_packets(seed: int) -> None:
    """A provider's bad hours come by themselves; pages come in office hours and touch nothing."""
    random = np.random.default_rng(seed)
    bad = {int(at) + more for at in random.integers(0, DAYS * SLOTS, 60) for more in range(6)}
    weeks = Weeks(
        seed, faults={"hall": lambda at: 0.15 if at in bad else 0.0},
        happened={"page": at_times(seed)},
    )  # fmt: skip
    assert blamed(judged(weeks, PAGING)) == []


@pytest.mark.parametrize("seed", [21])
def test_pages_at_about_nine_are_not_blamed_for_the_log_on_peak(seed: int) -> None:
    """At nine everybody logs on; the page comes then too, some minutes sooner or later."""
    random = np.random.default_rng(seed)
    working = [day for day in range(DAYS) if day % 7 < 5]
    places = [day * SLOTS + 36 + int(random.integers(-1, 2)) for day in working]
    peak = {day * SLOTS + slot for day in working for slot in (36, 37, 38)}
    logons = {site: (lambda at: 5e6 if at in peak else 0.0) for site in ("hall", "barn")}
    weeks = Weeks(seed, logons, happened={"page": places})
    assert blamed(judged(weeks, PAGING)) == []


def test_an_effect_below_one_packet_of_a_reading_is_not_ruled_out() -> None:
    """A median of readings of sixty packets cannot move by less than one of them, 1.7 %."""
    weeks = Weeks(15, happened={"page": at_times(15)})
    found = judged(weeks, replace(PAGING, smallest_effect=0.005))["paging"]
    assert found.verdict is Verdict.INSUFFICIENT_DATA
    assert judged(weeks, PAGING)["paging"].verdict is Verdict.NO_EVIDENCE


def test_people_who_page_when_the_network_is_bad_are_not_the_cause() -> None:
    """The reversed arrow: an hour after the trouble began somebody is called by a page."""
    bad = at_times(31, first=36, last=56)
    weeks = Weeks(
        31, {"hall": flooding(bad, PAGE_BPS, slots=6)}, happened={"page": [at + 4 for at in bad]}
    )
    assert blamed(judged(weeks, PAGING)) == []


def test_what_hits_the_site_without_telephony_too_contradicts() -> None:
    """A fault of a shared hub, at both sites, at the moments of the pages."""
    places = at_times(41)
    both = flooding(places, PAGE_BPS)
    weeks = Weeks(41, {"hall": both, "barn": both}, happened={"page": places})
    found = judged(weeks, PAGING)["paging"]
    assert found.verdict is Verdict.CONTRADICTED
    assert found.direction is Direction.NOT_TELEPHONY


def test_of_three_hypotheses_only_the_true_one_is_named() -> None:
    pages, restarts = at_times(51), at_times(52, share_of_days=0.4, per_day=1)
    loads = at_times(53, share_of_days=0.5, per_day=1)
    weeks = Weeks(
        51, {"hall": flooding(restarts, 6e6)},
        happened={"page": pages, "pbx-restart": restarts, "tftp-load": loads},
    )  # fmt: skip
    found = judged(weeks, PAGING, RESTARTS, FIRMWARE)
    assert blamed(found) == ["restarts"]
    assert found["restarts"].code == "registration-avalanche"


def test_a_wave_of_files_that_fills_the_line_is_found_by_its_delay() -> None:
    loads = at_times(61, share_of_days=0.6, per_day=1)
    weeks = Weeks(61, {"hall": flooding(loads, 4e6)}, happened={"tftp-load": loads})
    found = judged(weeks, FIRMWARE)["firmware"]
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.TELEPHONY_TO_NETWORK)


SETS = Hypothesis(
    id="sets", mechanism="broadcast-sensitive-phones", site="hall", outcome="packet_loss_ratio",
    exposure="broadcast-storm", window_minutes=60, smallest_effect=0.02, looks=(LAST_DAY,),
    controls=("barn",),
)  # fmt: skip


@pytest.mark.parametrize(("seed", "share_of_days", "per_day", "lost"), [
    (81, 0.6, 1, 0.08), (83, 0.4, 2, 0.15),
])  # fmt: skip
def test_old_sets_that_neglect_packets_in_storms_are_found_as_the_ones_that_are_hurt(
    seed: int, share_of_days: float, per_day: int, lost: float
) -> None:
    """Handbook 5, 10: above some 500 broadcasts a second old sets lose packets; computers do not.

    The storms are the network's: the finding's direction is to the telephony.
    """
    storms = at_times(seed, share_of_days=share_of_days, per_day=per_day)
    neglects = flooding(storms, lost)  # of the packets to the sets
    weeks = Weeks(seed, faults={"hall": neglects}, happened={"broadcast-storm": storms})
    found = judged(weeks, SETS)["sets"]
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.NETWORK_TO_TELEPHONY)
    assert blamed({"sets": found}) == []


TRIAL = Trial(
    id="hold", mechanism="multicast-flood", site="hall", outcome="packet_loss_ratio",
    switch="music on hold by multicast", first=REGISTERED.date(), pairs=12, seed=2026,
)  # fmt: skip


@pytest.mark.parametrize(("bps", "verdict"), [
    (PAGE_BPS, Verdict.DEMONSTRATED), (0.0, Verdict.NO_EVIDENCE),
])  # fmt: skip
def test_a_trial_by_lot_settles_what_history_cannot(bps: float, verdict: Verdict) -> None:
    """Music on hold plays all day, every day; by lot it is switched off for half of each day."""
    on = [half for half in schedule(TRIAL, "Europe/London") if half.on]

    def added(at: int) -> float:
        moment = REGISTERED + STEP * at
        return bps if any(half.start <= moment < half.end for half in on) else 0.0

    weeks = Weeks(71, {"hall": added})
    (found,) = judge_trials(HypothesisFile(trial=(TRIAL,)), REGISTERED, AFTER, weeks.history())
    assert found.verdict is verdict
    if verdict is Verdict.DEMONSTRATED:
        assert found.direction is Direction.TELEPHONY_TO_NETWORK
