"""A history judged: outages, loss, delay, voice, changes of level, each beside its look-alike."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from nethealth.diagnosis.history.frame import frame
from nethealth.diagnosis.history.shares import share_by_day
from nethealth.diagnosis.history.spans import both, lasting, total, without
from nethealth.model import codec
from nethealth.model.finding import Direction, Severity, Verdict
from nethealth.model.observation import Event
from tests.diagnosis.histories import DAY, MONDAY, Pinged, judged


def at(execution: float) -> datetime:
    return MONDAY + timedelta(minutes=15 * execution)


def test_a_healthy_history_has_no_finding_and_says_what_it_came_to() -> None:
    record, found = judged(Pinged("hall-pbx", 7 * DAY), Pinged("annex-a", 7 * DAY), days=7)
    assert not found
    seen = {(one.check, one.name): one for one in record.observations}
    answered = seen["hall-pbx:history", "answered_check_ratio"]
    assert (answered.value, answered.samples) == (1.0, 7 * 96)
    assert seen["hall-pbx:history", "packets_sent_count"].value == 7 * 96 * 20
    assert codec.load(codec.dump(record)) == record


def test_two_missed_in_a_row_are_an_outage_and_one_is_none() -> None:
    host = Pinged("hall-pbx", 3 * DAY).silent(50, 54).silent(100, 101).silent(120, 122)
    _, found = judged(host, Pinged("annex-a", 3 * DAY), days=3)
    one = found["host-down:hall-pbx"]
    # From the first that was missed to the next that was answered: one hour, and half of one.
    assert (one.from_, one.to) == (at(50), at(122))
    assert "2 times, 1 h 30 min in all" in one.statement
    assert "the longest from 2 March 2026 12:30 UTC to 2 March 2026 13:30 UTC" in one.statement
    assert (one.verdict, one.severity) == (Verdict.DEMONSTRATED, Severity.CRITICAL)
    assert one.evidence[0] == "hall-pbx:history/0"
    # What was lost in the outages is no loss: the one miss alone, 20 of 5,640, is below 1 %.
    assert "packet-loss:hall" not in found


def test_an_outage_that_lasts_to_the_end_is_said_to() -> None:
    host = Pinged("hall-pbx", DAY).silent(90, DAY)
    _, found = judged(host, Pinged("annex-a", DAY), days=1)
    assert "and still was at the end" in found["host-down:hall-pbx"].statement
    never = Pinged("hall-pbx", DAY).silent(0, DAY)
    _, found = judged(never, Pinged("annex-a", DAY), days=1)
    assert "It never answered in this time" in found["host-down:hall-pbx"].statement


def test_what_an_outage_lost_is_no_loss_of_the_line_even_at_the_end() -> None:
    hosts = [Pinged(name, 8).silent(6, 8) for name in ("hall-a", "hall-b")]
    _, found = judged(*hosts, Pinged("annex-a", 8), days=1)
    assert "site-outage:hall" in found
    assert not [one for one in found.values() if one.code == "packet-loss"]


def test_hosts_that_fall_silent_together_are_one_outage_of_their_site() -> None:
    pbx = Pinged("hall-pbx", DAY).silent(40, 44)
    door = Pinged("hall-door", DAY).silent(40, 44).silent(60, 64)
    _, found = judged(pbx, door, Pinged("annex-a", DAY), days=1)
    assert (
        "All 2 hosts of Hall were silent at the same time, once"
        in found["site-outage:hall"].statement
    )
    assert "host-down:hall-pbx" not in found
    # The door was silent once more, alone.
    assert found["host-down:hall-door"].from_ == at(60)


def test_every_site_silent_at_once_is_the_measuring_machine_and_held_against_none() -> None:
    hosts = [Pinged(name, DAY).silent(40, 44) for name in ("hall-a", "hall-b", "annex-a")]
    _, found = judged(*hosts, days=1)
    assert list(found) == ["instrument-limited:hq:link"]
    assert "1 h" in found["instrument-limited:hq:link"].statement
    # The one site of a single-site history may well be at fault.
    _, found = judged(*hosts[:2], days=1)
    assert "site-outage:hall" in found


def test_a_gap_is_no_outage_and_no_health_and_is_said() -> None:
    hosts = [Pinged(name, 2 * DAY).skipped(30, 70) for name in ("hall-a", "annex-a")]
    _, found = judged(*hosts, days=2)
    assert list(found) == ["history-incomplete:hq"]
    # From the last check before, number 29, to the first after, number 70.
    assert (
        "Nothing was measured anywhere once, 10 h 15 min in all, the longest 2 March 2026 07:15 UTC"
        in found["history-incomplete:hq"].statement
    )
    assert found["history-incomplete:hq"].severity is Severity.INFO
    # An outage does not go on through a gap: it ends with the last check that was missed.
    gone = Pinged("hall-a", 2 * DAY).silent(28, 30).skipped(30, 70)
    _, found = judged(gone, hosts[1], days=2)
    assert found["host-down:hall-a"].to == at(29)


def test_a_site_that_was_added_midway_is_not_held_against_the_time_before() -> None:
    late = Pinged("annex-a", 5 * DAY, start=5 * DAY)
    _, found = judged(Pinged("hall-a", 10 * DAY), late, days=10)
    assert list(found) == ["history-incomplete:hq"]
    assert (
        "Added midway: Annex is measured since 7 March 2026 00:00 UTC"
        in found["history-incomplete:hq"].statement
    )
    early = Pinged("annex-a", 5 * DAY)
    _, found = judged(Pinged("hall-a", 10 * DAY), early, days=10)
    assert "No more measured: Annex until 6 March" in found["history-incomplete:hq"].statement


def test_what_the_merge_noted_of_the_runs_is_said() -> None:
    notes = ("given more than once and counted once: r1", "the clock was moved during r2 by +9 s")
    _, found = judged(Pinged("hall-a", DAY), days=1, notes=notes)
    words = found["history-incomplete:hq"].statement
    assert "Given more than once and counted once: r1." in words
    assert "The clock was moved during r2 by +9 s." in words


def test_steady_loss_is_found_and_its_days_are_named() -> None:
    host = Pinged("hall-a", 10 * DAY)
    for day in (3, 4):  # 2 of 20 at every check of two days: 10 %
        for number in range(day * DAY, (day + 1) * DAY):
            host.lost[number] = 2
    _, found = judged(host, Pinged("annex-a", 10 * DAY), days=10)
    one = found["packet-loss:hall"]
    assert "384 of 19200 packets" in one.statement
    assert "2 of 10 days are above it by themselves: 5 March 2026 and 6 March 2026" in one.statement
    assert "packet-loss:annex" not in found
    # By days the interval is wide: two bad days of ten say little of the eleventh.
    assert one.effect is not None
    assert one.effect.interval is not None
    assert one.effect.interval[0] < 0.01 < 0.02 < one.effect.interval[1]


def test_a_host_that_answers_no_echo_has_no_loss_and_a_little_loss_is_none() -> None:
    little = Pinged("hall-a", 10 * DAY)
    for number in range(0, 10 * DAY, 10):
        little.lost[number] = 1  # one packet in 200
    _, found = judged(little, Pinged("annex-a", 10 * DAY), days=10)
    assert not found


def test_a_slow_path_is_found_on_its_days() -> None:
    host = Pinged("hall-a", 10 * DAY)
    host.delay_s[: 3 * DAY] = [0.4] * (3 * DAY)  # 200 ms one way, where 150 are the limit
    _, found = judged(host, Pinged("annex-a", 10 * DAY), days=10)
    assert "3 of 10 days" in found["high-delay:hall"].statement
    one_day = Pinged("hall-a", 10 * DAY)
    one_day.delay_s[:DAY] = [0.4] * DAY
    _, found = judged(one_day, Pinged("annex-a", 10 * DAY), days=10)
    assert "high-delay:hall" not in found


def test_poor_voice_is_a_share_of_the_time_and_no_more_than_suggestive_by_ping() -> None:
    host = Pinged("hall-a", 10 * DAY)
    for number in range(0, 10 * DAY, 5):
        host.r[number] = 55.0
    _, found = judged(host, Pinged("annex-a", 10 * DAY), days=10)
    one = found["poor-voice-quality:hall"]
    assert "for 20.0 % of the time" in one.statement
    assert one.verdict is Verdict.SUGGESTIVE
    _, found = judged(Pinged("hall-a", 10 * DAY), Pinged("annex-a", 10 * DAY), days=10)
    assert not found


def stepped(days: int, change: int, *, name: str = "hall-a", seed: int = 3) -> Pinged:
    """A round trip of 20 ms with noise, and 35 ms from execution `change` on."""
    random = np.random.default_rng(seed)
    values = 0.02 + random.exponential(0.002, days * DAY)
    values[change:] += 0.015
    return Pinged(name, days * DAY, delay_s=[float(value) for value in values])


def test_a_change_of_level_is_found_with_its_time_and_size() -> None:
    _, found = judged(stepped(28, 12 * DAY + 40), stepped(28, 28 * DAY, name="annex-a"), days=28)
    assert list(found) == ["level-change:hall:delay"]
    one = found["level-change:hall:delay"]
    # The 13th day's tenth hour: 14 March 2026, 10:00.
    assert "changed its level once: by +14.9 ms on 14 March 2026 10:00 UTC" in one.statement
    assert one.effect is not None
    assert one.effect.estimate == pytest.approx(0.015, abs=0.001)
    assert abs(one.from_ - at(12 * DAY + 40)) <= timedelta(hours=2)
    assert one.direction is None
    assert "no restart or change" in one.refutations[1].result


def restarts(*executions: int, site: str = "hall") -> list[Event]:
    return [
        Event(f"restart:{number}", at(number), "pbx-restart", site, "hall-pbx", "syslog", 1.0)
        for number in executions
    ]


def test_fewer_than_five_events_are_shown_and_not_tested() -> None:
    change = 12 * DAY + 40
    _, found = judged(stepped(28, change), days=28, events=restarts(change, 20 * DAY))
    one = found["level-change:hall:delay"]
    result = one.refutations[1].result
    assert "pbx-restart 14 March 2026 0 h apart" in result
    assert "fewer than 5 events are shown and not tested" in result
    assert "p 0" not in result
    assert one.direction is None
    # Events of another site are none of its own.
    _, found = judged(stepped(28, change), days=28, events=restarts(change, site="annex"))
    assert "no restart or change" in found["level-change:hall:delay"].refutations[1].result


def test_changes_at_the_dates_of_the_telephony_are_undetermined_and_p_is_never_0() -> None:
    """Five restarts, at each of which the round trip goes up or down: nearer than moved dates."""
    days = 60
    dates = [4 * DAY, 13 * DAY, 24 * DAY, 41 * DAY, 53 * DAY]
    random = np.random.default_rng(5)
    values = 0.02 + random.exponential(0.001, days * DAY)
    for number, date in enumerate(dates):
        values[date:] += 0.03 if number % 2 == 0 else -0.03
    host = Pinged("hall-a", days * DAY, delay_s=[float(value) for value in values])
    _, found = judged(host, days=days, events=restarts(*dates))
    one = found["level-change:hall:delay"]
    result = one.refutations[1].result
    assert one.direction is Direction.UNDETERMINED
    # As many moves as days, and none but the dates themselves fits.
    assert "where 0.0167 is the least possible" in result
    assert "p 0.0167" in result


def test_the_hour_that_autumn_repeats_is_left_out_of_the_time_of_day_and_said() -> None:
    """London, 25 October 2026: 02:00 BST is 01:00 UTC, and the clocks show 01:00 to 02:00 again."""
    midnight = datetime(2026, 10, 25, tzinfo=UTC)
    times = frame(
        int(midnight.timestamp()), int((midnight + timedelta(days=1)).timestamp()),
        "Europe/London",
    )  # fmt: skip
    quarters = np.arange(0, 8) * 1800 + int(midnight.timestamp())
    bins, kept = times.bin_of(quarters)
    # 00:00 UTC is 01:00 BST, 01:00 UTC is 01:00 GMT, 02:00 UTC is 02:00 GMT.
    assert bins.tolist() == [1, 1, 1, 1, 2, 2, 3, 3]
    assert kept.tolist() == [True, True, False, False, True, True, True, True]
    assert times.moment(3) == midnight + timedelta(hours=3)
    spring = datetime(2026, 3, 29, tzinfo=UTC)  # 01:00 GMT becomes 02:00 BST
    times = frame(
        int(spring.timestamp()), int((spring + timedelta(days=1)).timestamp()), "Europe/London"
    )
    bins, kept = times.bin_of(np.arange(0, 4) * 1800 + int(spring.timestamp()))
    assert bins.tolist() == [0, 0, 2, 2]
    assert kept.all()
    _, found = judged(Pinged("hall-a", 4 * DAY), days=300, timezone="Europe/London")
    assert "Europe/London showed twice" in found["history-incomplete:hq"].statement


def test_a_history_judged_again_gives_the_same() -> None:
    hosts = [stepped(28, 12 * DAY), Pinged("annex-a", 28 * DAY).silent(9, 20)]
    first, _ = judged(*hosts, days=28)
    again, _ = judged(*hosts, days=28)
    assert codec.dump(first) == codec.dump(again)


def test_the_end_of_a_history_that_does_not_end_is_its_beginning() -> None:
    record, _ = judged(Pinged("hall-a", 10), days=1)
    killed = replace(record, run=replace(record.run, finished=None))
    assert killed.run.finished is None


def test_spans_are_cut_and_joined() -> None:
    one, other = [(0, 10), (20, 30)], [(5, 22), (25, 26)]
    assert both(one, other) == [(5, 10), (20, 22), (25, 26)]
    assert without(one, other) == [(0, 5), (22, 25), (26, 30)]
    assert (total(one), lasting(other, 10)) == (20, [(5, 22)])


def test_the_interval_of_a_share_is_that_of_days() -> None:
    """Ten days of 100, on one of them 50 bad: 5 %, and by hand the days' variance is 0.0025.

    The ratio's residuals are 45 once and -5 nine times: their squares sum to 2,250, times 10/9 over
    1,000 squared. p(1 - p) over it is 19 independent values, and Wilson's interval ends at 24.28 %.
    """
    parts, wholes = np.array([50.0] + [0.0] * 9), np.full(10, 100.0)
    found = share_by_day(parts, wholes)
    assert found is not None
    assert found[0] == 0.05
    assert found[1][0] == pytest.approx(0.0089, abs=0.0005)
    assert found[1][1] == pytest.approx(0.2428, abs=0.0005)
    assert share_by_day(np.zeros(3), np.zeros(3)) is None
