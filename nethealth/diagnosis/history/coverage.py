"""What a history does not hold: in words, so that nobody takes silence of ours for health."""

from collections.abc import Iterator, Mapping, Sequence

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Place
from nethealth.diagnosis.history.course import Course
from nethealth.diagnosis.history.estate import Estate, SiteHistory, hosts
from nethealth.diagnosis.history.frame import Frame
from nethealth.diagnosis.history.spans import Spans, both, everywhere, lasting, total
from nethealth.diagnosis.history.words import at, between, length
from nethealth.diagnosis.text import listing
from nethealth.model.finding import Finding, Verdict
from nethealth.model.period import moment

_LATE_STEPS = 3
_NAMED = 5


def incomplete(
    evidence: Evidence, estate: Estate, frame: Frame, renamed: Mapping[str, str],
    notes: Sequence[str] = (),
) -> Iterator[Finding]:  # fmt: skip
    """`history-incomplete`: gaps, what was added or ended midway, clocks, and what came twice."""
    if not estate.sites:
        return
    words = [
        *_gaps(estate), *_midway(estate, frame), *_repeated(frame), *_renamed(renamed),
        *(f"{note[0].upper()}{note[1:]}." for note in evidence.record.run.instrument.notes
          if note.startswith(("given more", "the clock was", "measured from"))),
        *notes,
    ]  # fmt: skip
    if not words:
        return
    machine = evidence.vantage_place
    yield draft(
        evidence,
        "history-incomplete",
        Place(machine.key, machine.name),
        f"What this is judged from is not whole. {' '.join(words)} Nothing was put in its place.",
        times=[moment(frame.since_s), moment(frame.until_s)],
        verdict=Verdict.DEMONSTRATED,
        missing=("what happened in the times that were not measured",),
    )


def _gaps(estate: Estate) -> Iterator[str]:
    """Times in which nothing at all was measured; and hosts that have more gaps than these."""
    shared = everywhere([one.gaps for one in hosts(estate)])
    if shared:
        longest = max(shared, key=lambda span: span[1] - span[0])
        yield (
            f"Nothing was measured anywhere {_count(shared)}, {length(total(shared))} in "
            f"all, the longest {between(longest)}."
        )
    more = [
        f"{one.place.name} {length(total(own))}"
        for one in hosts(estate)
        if (own := lasting(_own(one.gaps, shared), _LATE_STEPS * one.step_s))
    ]
    if more:
        yield f"Besides, some hosts were not measured: {listing(more, _NAMED)}."


def _own(gaps: Spans, shared: Spans) -> Spans:
    return [gap for gap in gaps if not both([gap], shared)]


def _midway(estate: Estate, frame: Frame) -> Iterator[str]:
    """Sites and hosts that were added, or taken out, while the others were being measured."""
    first = min(one.first_s for one in hosts(estate))
    last = max(one.last_s for one in hosts(estate))
    if first - frame.since_s > 86_400:
        yield f"The first measurement is of {at(moment(first))}."
    added, ended = [], []
    for site in estate.sites:
        begins = min(one.first_s for one in site.courses)
        ends = max(one.last_s for one in site.courses)
        if _late(site.courses, begins - first):
            added.append(f"{site.place.name} is measured since {at(moment(begins))}")
        elif len(site.courses) > 1:
            added += [
                f"{one.place.name} since {at(moment(one.first_s))}"
                for one in site.courses
                if _late([one], one.first_s - begins)
            ]
        if _late(site.courses, last - ends):
            ended.append(f"{site.place.name} until {at(moment(ends))}")
        else:
            ended += _ended(site, ends)
    if added:
        yield f"Added midway: {listing(added, _NAMED)}."
    if ended:
        yield f"No more measured: {listing(ended, _NAMED)}."


def _ended(site: SiteHistory, ends: int) -> list[str]:
    return [
        f"{one.place.name} until {at(moment(one.last_s))}"
        for one in site.courses
        if _late([one], ends - one.last_s)
    ]


def _late(courses: Sequence[Course], by_s: int) -> bool:
    return by_s > max(86_400, _LATE_STEPS * max(one.step_s for one in courses))


def _repeated(frame: Frame) -> Iterator[str]:
    """The hour that autumn shows twice is counted by its first; said where it is in the history."""
    if frame.repeated.any():
        yield (
            f"The hour that the clocks of {frame.timezone} showed twice is left out of what "
            "follows the time of day, its second time."
        )


def _renamed(renamed: Mapping[str, str]) -> Iterator[str]:
    if renamed:
        words = [f"{new} was called {old}" for old, new in sorted(renamed.items())]
        yield f"By their addresses these are one: {listing(words, _NAMED)}."


def _count(spans: Spans) -> str:
    return "once" if len(spans) == 1 else f"{len(spans)} times"
