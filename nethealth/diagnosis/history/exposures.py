"""Whether the round trip of a site is longer after what happened there, looked at afterwards.

Nobody wrote these questions down before the data: whatever comes of it is `suggestive` at the most.
Events of a kind are tested as an experiment's are; calls at once, and a series that captures saw,
where five days are known of it, by moving its days round. All p are corrected together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from nethealth.diagnosis.attribution.aligned import (
    EVENTS_LEAST,
    Aligned,
    Windows,
    aligned_test,
)
from nethealth.diagnosis.attribution.blocks import Association, block_permuted
from nethealth.diagnosis.attribution.days import Days, Floats
from nethealth.diagnosis.attribution.many import benjamini_hochberg
from nethealth.diagnosis.capture import captures
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Place
from nethealth.diagnosis.history.calls import calls_at_once
from nethealth.diagnosis.history.course import about_medians
from nethealth.diagnosis.history.estate import Estate, SiteHistory
from nethealth.diagnosis.history.frame import Frame
from nethealth.diagnosis.text import counted, listing, milliseconds
from nethealth.model.finding import Direction, Effect, Finding, FindingCode, Refutation, Verdict
from nethealth.model.observation import Event, Observation

SEED = 20_261_127  # of the permutations, so that a second reading finds the same
_Q = 0.10  # the share of false ones among those that are shown
_MATTERS_S = 0.005  # a smaller change of the round trip is nobody's concern
_PERMUTATIONS = 999
_EVENTS_MOST = 300
_TESTS_MOST = 40
_DAYS_LEAST = 5
_WINDOWS = Windows(2)
_CLOCK_SHARE = 0.25  # of a bin, by which clocks may differ
_SHOWN = 4

# What happened, and the mechanism by which it might reach the network.
EVENT_MECHANISMS: Mapping[str, FindingCode] = {
    "page": "multicast-flood",
    "tftp-load": "firmware-wave",
    "pbx-restart": "registration-avalanche",
    "registration-lost": "registration-avalanche",
    "dhcp-no-leases": "dhcp-exhaustion",
    "duplicate-address": "address-conflict",
}
# A series of captures, its mechanism, and what it counts.
SERIES_MECHANISMS: Mapping[str, tuple[FindingCode, str]] = {
    "broadcast_per_bin_max": ("broadcast-sensitive-phones", "broadcasts"),
    "multicast_per_bin_max": ("multicast-flood", "multicast"),
    "tftp_data_per_bin_max": ("firmware-wave", "file transfers"),
    "registration_requests_per_s_max": ("registration-avalanche", "registrations"),
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question and what came of it; without a p it could not be answered."""

    site: SiteHistory
    code: FindingCode
    key: str
    what: str
    seen: tuple[Event | Observation, ...]
    result: Aligned | Association
    clock_error_s: float | None

    @property
    def p(self) -> float | None:
        return self.result.p


def explored(
    evidence: Evidence, estate: Estate, frame: Frame, events: Sequence[Event]
) -> Iterator[Finding]:
    """One finding for each kind of event and each series that could be laid beside a site."""
    asked = []
    for one in chain(
        _of_events(estate, frame, events),
        _of_calls(estate, frame, events),
        _of_captures(evidence, estate, frame),
    ):
        asked.append(one)
        if len(asked) == _TESTS_MOST:
            break
    known = [(number, one.p) for number, one in enumerate(asked) if one.p is not None]
    rates = benjamini_hochberg([p for _, p in known])
    rate_of = {number: rate for (number, _), rate in zip(known, rates, strict=True)}
    for number, one in enumerate(asked):
        yield _finding(evidence, one, rate_of.get(number), len(known), frame)


def _of_events(estate: Estate, frame: Frame, events: Sequence[Event]) -> Iterator[_Asked]:
    for site in estate.sites:
        days = _round_trips(site, frame)
        for kind, code in EVENT_MECHANISMS.items():
            mine = [one for one in events if one.kind == kind and one.site == site.place.site]
            if days is None or not mine or len(mine) > _EVENTS_MOST:
                continue
            places = days.place([one.time for one in mine], frame.timezone)
            if not len(places):
                continue
            result = aligned_test(
                days, places, _WINDOWS, np.random.default_rng(SEED), permutations=_PERMUTATIONS,
                interval=False,
            )  # fmt: skip
            errors = [one.clock_error_s for one in mine if one.clock_error_s is not None]
            yield _Asked(site, code, kind, f"events of kind {kind}", tuple(mine), result,
                         max(errors, default=None))  # fmt: skip


def _of_calls(estate: Estate, frame: Frame, events: Sequence[Event]) -> Iterator[_Asked]:
    """Calls are too many to be events each: how many there are at once is what may hurt."""
    for site in estate.sites:
        mine = [
            one
            for one in events
            if one.kind in {"call-start", "call-end"} and one.site == site.place.site
        ]
        days = _round_trips(site, frame)
        if days is None or not mine:
            continue
        exposure = calls_at_once(mine, frame)
        if _covered(exposure, frame) < _DAYS_LEAST:
            continue
        errors = [one.clock_error_s for one in mine if one.clock_error_s is not None]
        yield _Asked(site, "call-load", "calls", "more calls at once in the call records",
                     tuple(mine[:_EVENTS_MOST]), _associated(exposure, days),
                     max(errors, default=None))  # fmt: skip


def _of_captures(evidence: Evidence, estate: Estate, frame: Frame) -> Iterator[_Asked]:
    """Series of captures that bear no site are laid beside the one site that was measured."""
    if len(estate.sites) != 1:
        return
    (site,) = estate.sites
    days = _round_trips(site, frame)
    if days is None:
        return
    for name, (code, what) in SERIES_MECHANISMS.items():
        exposure, seen = _exposure(evidence, frame, name)
        if _covered(exposure, frame) < _DAYS_LEAST:
            continue
        clock_s = evidence.record.run.clock.error_s
        yield _Asked(site, code, "capture", f"more {what} in captures", seen,
                     _associated(exposure, days), clock_s)  # fmt: skip


def _covered(exposure: Floats, frame: Frame) -> int:
    """On how many days something is known of it."""
    return int(np.isfinite(exposure.reshape(frame.days, -1)).any(axis=1).sum())


def _associated(exposure: Floats, days: Days) -> Association:
    return block_permuted(
        exposure, days.flat, days.slots, np.random.default_rng(SEED), permutations=_PERMUTATIONS
    )


def _exposure(
    evidence: Evidence, frame: Frame, name: str
) -> tuple[Floats, tuple[Observation, ...]]:
    """How many by bin; 0 where a capture saw none, NaN where there was no capture."""
    counts = np.full(frame.bins, np.nan)
    seen: list[Observation] = []
    for one in captures(evidence):
        if one.started is None or not one.lasted_s:
            continue
        start_s, end_s = int(one.started.timestamp()), int(one.started.timestamp() + one.lasted_s)
        inside = np.arange(max(start_s, frame.since_s), min(end_s, frame.until_s), 60)
        if not inside.size:
            continue
        bins, kept = frame.bin_of(inside)
        fresh = np.unique(bins[kept])
        counts[fresh] = np.nan_to_num(counts[fresh])
        for each in one.bins(name):
            at_s = int(each.from_.timestamp())
            if frame.since_s <= at_s < frame.until_s:
                place, counted_in = frame.bin_of(np.asarray([at_s], dtype=np.int64))
                if counted_in[0]:
                    counts[place[0]] = np.nan_to_num(counts[place[0]]) + each.count
        seen += one.all(name)
    return counts, tuple(seen)


def _round_trips(site: SiteHistory, frame: Frame) -> Days | None:
    """The site's round trips, each host about its own median."""
    known = [one.delay_s for one in site.courses if np.isfinite(one.delay_s).any()]
    if not known or site.place.site is None:
        return None
    return frame.laid_out(about_medians(known))


def _finding(
    evidence: Evidence, asked: _Asked, rate: float | None, tests: int, frame: Frame
) -> Finding:
    verdict, words, missing = _judged(asked, rate, frame)
    place = asked.site.place
    estimate = asked.result.estimate if isinstance(asked.result, Aligned) else None
    return draft(
        evidence,
        asked.code,
        Place(f"{place.key}:history-{asked.key}", place.name, place.council, place.site),
        f"That the round trip to {place.name} is longer after {asked.what} {words}.",
        seen=asked.seen,
        verdict=verdict,
        direction=Direction.UNDETERMINED,
        refutations=(
            Refutation("Was it asked before the data were there?",
                       "no: looked at afterwards, so that it is no more than suggestive"),
            Refutation("Is it only one of several tests?",
                       f"{tests} were made"
                       + (f": false discovery rate {rate:.3f}" if rate is not None else "")),
        ),
        missing=missing,
        alternatives=("something else that happens at the same moments", "a time of day"),
        effect=None if estimate is None else Effect(
            estimate, None, asked.p, asked.result.mde if isinstance(asked.result, Aligned) else None
        ),
    )  # fmt: skip


def _judged(
    asked: _Asked, rate: float | None, frame: Frame
) -> tuple[Verdict, str, tuple[str, ...]]:
    register = "the same, registered before the data (`nethealth experiment plan`)"
    result = asked.result
    if asked.clock_error_s is not None and asked.clock_error_s > _CLOCK_SHARE * frame.bin_s:
        return (Verdict.INSUFFICIENT_DATA,
                f"cannot be told: the clocks differ by up to {asked.clock_error_s:.0f} s, in bins "
                f"of {frame.bin_s} s", ("events by a clock that is right",))  # fmt: skip
    if isinstance(result, Association):
        if result.p is None or rate is None or result.correlation is None:
            return Verdict.INSUFFICIENT_DATA, "cannot be told from what there is", (register,)
        words = f"was looked at over {result.bins} bins: rank correlation {result.correlation:.2f}"
        found = rate <= _Q and result.correlation > 0
        return (Verdict.SUGGESTIVE if found else Verdict.NO_EVIDENCE), words, (register,)
    if result.p is None:
        each = [milliseconds(value) for value in result.differences if np.isfinite(value)]
        shown = f": {listing(each, _SHOWN)}" if each else ""
        return (Verdict.INSUFFICIENT_DATA,
                f"has {counted(result.events, 'event')} with data around them{shown}; "
                f"{EVENTS_LEAST} are needed, fewer are shown and not tested",
                ("more of these events",))  # fmt: skip
    if not result.identifiable() or rate is None:
        return (Verdict.INSUFFICIENT_DATA,
                "cannot be answered from history: the events come alike on all days",
                ("a trial in which they are switched on and off by lot",))  # fmt: skip
    words = (
        f"was looked at over {counted(result.events, 'event')}: longer by "
        f"{milliseconds(result.estimate or 0.0)}, p {result.p:.4f}"
    )
    if rate <= _Q and (result.estimate or 0) > 0:
        return Verdict.SUGGESTIVE, words, (register,)
    if result.mde is not None and result.mde <= _MATTERS_S:
        return (
            Verdict.NO_EVIDENCE,
            f"{words}; {milliseconds(result.mde)} would have been found 8 times in 10",
            (),
        )
    return Verdict.INSUFFICIENT_DATA, words, ("more of these events, or a longer time",)
