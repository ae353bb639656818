"""What a history comes to, as checks and observations of the record: the findings' evidence."""

from collections.abc import Iterator

import numpy as np

from nethealth.diagnosis.history.course import Course
from nethealth.diagnosis.history.frame import Frame
from nethealth.model.check import CheckResult
from nethealth.model.failure import Outcome
from nethealth.model.observation import Observation, Passport
from nethealth.model.period import SUMMED
from nethealth.quality.loss import wilson


def check_id(course: Course) -> str:
    return f"{course.place.key}{SUMMED}"


def summary(
    course: Course, frame: Frame, started_s: float
) -> tuple[CheckResult, tuple[Observation, ...]]:
    """One check for a host's whole history, with what it came to.

    `answered_check_ratio` with Wilson's interval is of checks, outages included; the others leave
    outages out. Medians are of bins of `method.bin_s`.
    """
    id_ = check_id(course)
    check = CheckResult(
        id_, "ping", course.place.council, course.place.site, course.place.asset,
        course.place.name, Outcome.COMPLETED, started_s=course.first_s - started_s,
        finished_s=course.last_s - started_s,
    )  # fmt: skip
    return check, tuple(_facts(course, frame, id_, course.last_s - started_s))


def _facts(course: Course, frame: Frame, id_: str, t_s: float) -> Iterator[Observation]:
    method: Passport = {
        "statistic_of": "history", "checks": list(course.checks), "bin_s": frame.bin_s,
        "step_s": course.step_s,
    }  # fmt: skip
    number = 0

    def seen(name: str, value: float | int | None, unit: str, samples: int) -> Observation:
        nonlocal number
        number += 1
        return Observation(f"{id_}/{number}", id_, name, value, unit, t_s, samples, method=method)

    ratio = course.answered / course.ran
    low, high = wilson(course.answered, course.ran)
    yield Observation(
        f"{id_}/0", id_, "answered_check_ratio", ratio, "1", t_s, course.ran, (low, high),
        method=method,
    )  # fmt: skip
    sent, lost = int(course.sent.sum()), int(course.lost.sum())
    if sent:
        yield seen("packet_loss_ratio", lost / sent, "1", sent)
        yield seen("packets_sent_count", sent, "packets", sent)
        yield seen("packets_received_count", sent - lost, "packets", sent)
    for name, values, unit in (
        ("round_trip_delay_median_s", course.delay_s, "s"),
        ("r_factor", course.speech, "1"),
    ):
        known = values[np.isfinite(values)]
        if known.size:
            yield seen(name, round(float(np.median(known)), 9), unit, int(known.size))
