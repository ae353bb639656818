"""Calls that a capture holds: those that a server failed, and those of which one side is not heard.

Busy, unanswered by a person and a number that does not exist are no failures of a server. Audio
that is missing at one point may have gone another way; what else passes there decides.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nethealth.diagnosis.capture import Capture
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.ends import End, Ends, host_of, place_of_capture, site_place
from nethealth.diagnosis.evidence import Evidence, Place, number
from nethealth.diagnosis.recorded import Recordings
from nethealth.diagnosis.text import counted, listing, percent
from nethealth.model.finding import Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Observation
from nethealth.quality.loss import wilson

FAILED_SHARE = 0.05  # of all calls to a server; the lower end of the interval must be above it
FAILED_LEAST = 2
_NO_REPLY = 408
_JUDGED = frozenset({"answered", "cancelled", "busy", "no answer", "rejected", "unanswered"})
_OTHER_SIDE = {"caller": "callee", "callee": "caller"}
_REACHED = {"towards the caller": "caller", "towards the callee": "callee"}
_BOTH = "both ways"


def recorded_calls(held: Recordings) -> Iterator[Finding]:
    """`call-failed` of each server that was called, `one-way-audio` of each place not heard."""
    evidence, ends = held.evidence, held.ends
    for capture in held.captures:
        calls = _calls(capture)
        for end, group in _by_callee(ends, calls).items():
            if found := _failed(evidence, capture, end, group, calls):
                yield found
        yield from _one_way(evidence, capture, ends, calls)


@dataclass(frozen=True)
class Call:
    """One call of a capture: how it ended, and what of its audio passed."""

    outcome: Observation
    audio: Observation | None
    media: tuple[Observation, ...]

    @property
    def number(self) -> object:
        return self.outcome.method.get("call")

    @property
    def code(self) -> int | None:
        found = self.outcome.method.get("status_code")
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    @property
    def server_failed(self) -> bool:
        """Whether whoever was called gave no answer at all, or said that it could not serve."""
        if self.outcome.value == "unanswered":
            return True
        code = self.code
        refused = self.outcome.value in {"rejected", "no answer"}
        return refused and code is not None and (500 <= code < 600 or code == _NO_REPLY)

    def announced(self, side: str) -> tuple[Observation, ...]:
        return tuple(one for one in self.media if one.method.get("side") == side)


def _calls(capture: Capture) -> tuple[Call, ...]:
    audio = {seen.method.get("call"): seen for seen in capture.all("call_media_seen")}
    media: dict[object, list[Observation]] = defaultdict(list)
    for seen in capture.all("media_endpoint_announced"):
        media[seen.method.get("call")].append(seen)
    return tuple(
        Call(
            seen,
            audio.get(seen.method.get("call")),
            tuple(media.get(seen.method.get("call"), ())),
        )
        for seen in capture.all("call_outcome")
    )


def _by_callee(ends: Ends, calls: Sequence[Call]) -> dict[End, list[Call]]:
    found: dict[End, list[Call]] = defaultdict(list)
    for call in calls:
        end = ends.of(call.outcome.method.get("callee"))
        if end is not None and call.outcome.value in _JUDGED:
            found[end].append(call)
    return dict(sorted(found.items(), key=lambda pair: pair[0].address))


def _failed(
    evidence: Evidence, capture: Capture, end: End, group: Sequence[Call], calls: Sequence[Call]
) -> Finding | None:
    failed = [call for call in group if call.server_failed]
    # Calls that went as usual are the ones that the reader leaves out: all may be of this server.
    of = len(group) + int(capture.count("call_left_out_count") or 0)
    if not failed or len(failed) / of <= FAILED_SHARE:
        return None
    low, high = wilson(len(failed), of)
    sure = len(failed) >= FAILED_LEAST and low > FAILED_SHARE
    codes = sorted({str(call.code) if call.code else "no answer" for call in failed})
    others = [call for call in calls if call not in group and call.outcome.value in _JUDGED]
    other_failures = sum(call.server_failed for call in others)
    return draft(
        evidence,
        "call-failed",
        _of_end(evidence, capture, end),
        f"{len(failed)} of {counted(of, 'call')} to {end.name} that a capture holds failed there "
        f"({listing(codes)}): {percent(len(failed) / of)} (95 % interval {percent(low)} to "
        f"{percent(high)}).",
        rounds=[capture.round],
        times=[capture.moment(call.outcome) for call in failed],
        seen=[call.outcome for call in failed],
        verdict=Verdict.DEMONSTRATED if sure else Verdict.INSUFFICIENT_DATA,
        refutations=(
            Refutation("Were the callees merely busy or away?", "no: such calls are not counted"),
            Refutation(
                "Do calls to other servers fail in the same capture?",
                f"{other_failures} of {len(others)}" if others else "it holds none to any other",
            ),
        ),
        missing=("the log of the server for these calls",),
        alternatives=(
            "a trunk or gateway behind the server that refuses",
            "calls that were tried on purpose against a server that was being worked on",
        ),
        effect=Effect(estimate=len(failed) / of, interval=(low, high)),
    )


def _one_way(
    evidence: Evidence, capture: Capture, ends: Ends, calls: Sequence[Call]
) -> Iterator[Finding]:
    """Calls whose descriptions want audio both ways, and of which one side's never passed."""
    judged = [
        call
        for call in calls
        if call.audio is not None and call.audio.method.get("expected") == _BOTH
    ]
    both = [call for call in judged if call.audio is not None and call.audio.value == _BOTH]
    silent: dict[tuple[Place, str], list[Call]] = defaultdict(list)
    for call in judged:
        reached = _REACHED.get(str(call.audio.value if call.audio else None))
        if reached is None:
            continue
        # Audio reached this side, so that what it sends itself is what is missing.
        end = _media_end(ends, call, reached)
        place = _of_end(evidence, capture, end) if end else place_of_capture(evidence, capture)
        silent[place, end.name if end else "one side"].append(call)
    for (place, name), group in sorted(silent.items(), key=lambda pair: pair[0][0].key):
        yield _unheard(evidence, capture, place, name, group, judged, both)


def _unheard(
    evidence: Evidence,
    capture: Capture,
    place: Place,
    name: str,
    group: Sequence[Call],
    judged: Sequence[Call],
    both: Sequence[Call],
) -> Finding:
    elsewhere = _reported(capture, group)
    shared = [call for call in group if _same_way(call)]
    sure = not elsewhere and bool(both or shared)
    return draft(
        evidence,
        "one-way-audio",
        place,
        f"Of {counted(len(group), 'call')} with {name} that a capture holds no audio from "
        f"{name} passed, while the other side's did: {len(group)} of {len(judged)} calls that "
        "should have had both.",
        rounds=[capture.round],
        times=[capture.moment(call.outcome) for call in group],
        seen=[one for call in group for one in (call.audio, *call.media)],
        verdict=Verdict.SUPPORTED if sure else Verdict.INSUFFICIENT_DATA,
        refutations=(
            Refutation(
                "Do both ways of other calls pass the capture point?",
                f"yes: of {len(both)} of {len(judged)}" if both else "no other call shows it",
            ),
            Refutation(
                "Did media and signalling go between the same two hosts?",
                f"yes: in {len(shared)} of {len(group)}, whose signalling passed both ways"
                if shared
                else "no: media may have gone another way",
            ),
            Refutation(
                "Do the receivers report audio that did not pass here?",
                f"yes: {listing(elsewhere, 3)}" if elsewhere else "no report of theirs says so",
            ),
        ),
        missing=("a capture at the silent side, which shows whether it sends at all",),
        alternatives=(
            "a capture that sees one way of that path alone",
            "a telephone that sends nothing while it hears silence",
            "a filter or a missing route for the ports of media",
        ),
    )


def _media_end(ends: Ends, call: Call, side: str) -> End | None:
    for seen in call.announced(side):
        if (end := ends.of(seen.value)) is not None:
            return end
    return ends.of(call.outcome.method.get(side))


def _same_way(call: Call) -> bool:
    """Whether both sides want their media where their signalling is: the ways are then one."""
    return all(
        any(
            host_of(seen.value) == host_of(call.outcome.method.get(side))
            for seen in call.announced(side)
        )
        for side in _OTHER_SIDE
    )


def _reported(capture: Capture, group: Sequence[Call]) -> list[str]:
    """Receivers of the group's calls that report on a source whose stream did not pass here."""
    receivers = {
        str(host)
        for call in group
        if call.audio is not None
        for side in [_OTHER_SIDE[_REACHED[str(call.audio.value)]]]
        for seen in call.announced(side)
        if (host := host_of(seen.value)) is not None
    }
    found = set()
    for seen in capture.all("far_end_report_count"):
        host = host_of(seen.method.get("reporter"))
        counts = (number(seen) or 0) > 0 and "stream_source" not in seen.method
        if host is not None and str(host) in receivers and counts:
            found.add(str(seen.method.get("reporter"))[:60])
    return sorted(found)


def _of_end(evidence: Evidence, capture: Capture, end: End) -> Place:
    if end.asset is not None:
        site = site_place(evidence, end.asset.site)
        return Place(f"{end.asset.id}:recorded", end.name, site.council, site.site, end.asset.id)
    if end.site is not None:
        return replace(site_place(evidence, end.site), key=f"{end.site}:{end.address}")
    own = place_of_capture(evidence, capture)
    return replace(own, key=f"{own.key}:{end.address}", name=end.name)
