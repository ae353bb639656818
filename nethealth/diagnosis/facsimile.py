"""Facsimile over a network that breaks its modems: T.38 refused, or media that loses packets.

A facsimile machine's modem bears neither lost packets nor two clocks that are not one. T.38 carries
the page itself; where it is refused, the modem's tones go on as G.711.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nethealth.diagnosis.capture import Capture
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.ends import Ends, host_of, place_of_capture, site_place
from nethealth.diagnosis.evidence import Evidence, Place
from nethealth.diagnosis.recorded import Recordings, Stream
from nethealth.diagnosis.text import counted, listing, percent, percent_range
from nethealth.model.finding import Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Observation
from nethealth.quality.loss import LossStatistics, pool

LOSS_MOST = 0.01  # from which modem sessions break off (handbook 5, mechanism 19)


@dataclass(frozen=True)
class Fax:
    """One call that asked for T.38, what came of it, and its streams of audio."""

    asked: Observation
    outcome: Observation | None
    streams: tuple[Stream, ...]

    @property
    def refused(self) -> bool:
        return self.asked.value == "refused"

    @property
    def hosts(self) -> frozenset[str]:
        method = self.outcome.method if self.outcome is not None else {}
        return frozenset(str(host_of(method.get(side))) for side in ("caller", "callee"))

    @property
    def loss(self) -> LossStatistics | None:
        parts = [stream.loss for stream in self.streams if stream.loss is not None]
        return pool(parts) if parts else None


def faxes_over_ip(held: Recordings) -> Iterator[Finding]:
    """One `fax-over-ip` for each site whose facsimiles are refused T.38, or lose packets."""
    evidence, ends = held.evidence, held.ends
    for capture in held.captures:
        faxes = _faxes(held, capture)
        by_place: dict[Place, list[Fax]] = defaultdict(list)
        for fax in faxes:
            by_place[_place(evidence, capture, ends, fax)].append(fax)
        for place, group in sorted(by_place.items(), key=lambda pair: pair[0].key):
            if found := _finding(evidence, capture, place, group, faxes):
                yield found


def _faxes(held: Recordings, capture: Capture) -> list[Fax]:
    asked = capture.all("call_facsimile")
    if not asked:
        return []
    outcomes = {seen.method.get("call"): seen for seen in capture.all("call_outcome")}
    media: dict[object, set[str]] = defaultdict(set)
    for seen in capture.all("media_endpoint_announced"):
        media[seen.method.get("call")].add(str(seen.value))
    streams = held.streams(capture)
    found = []
    for one in asked:
        number = one.method.get("call")
        places = media.get(number, set())
        own = tuple(stream for stream in streams if set(stream.endpoints) & places)
        found.append(Fax(one, outcomes.get(number), own))
    return found


def _place(evidence: Evidence, capture: Capture, ends: Ends, fax: Fax) -> Place:
    """The site of whoever called, else of whom was called, else of the capture."""
    for side in ("caller", "callee"):
        end = ends.of(fax.outcome.method.get(side)) if fax.outcome is not None else None
        if end is not None and end.site is not None:
            return site_place(evidence, end.site)
    return place_of_capture(evidence, capture)


def _finding(
    evidence: Evidence, capture: Capture, place: Place, group: Sequence[Fax], all_: Sequence[Fax]
) -> Finding | None:
    refused = [fax for fax in group if fax.refused]
    lossy = [fax for fax in group if fax.loss is not None and fax.loss.interval[0] > LOSS_MOST]
    if not refused and not lossy:
        return None
    taken = [
        fax
        for fax in all_
        if fax.asked.value == "accepted" and any(fax.hosts == one.hosts for one in refused)
    ]
    verdict = Verdict.SUPPORTED if lossy or not taken else Verdict.SUGGESTIVE
    codes = sorted({str(fax.asked.method.get("status_code")) for fax in refused})
    said = []
    if refused:
        said.append(
            f"{len(refused)} of {counted(len(group), 'facsimile call')} of {place.name} were "
            f"refused T.38 ({listing(codes)}), and go on as tones in G.711 if at all"
        )
    loss = pool([fax.loss for fax in lossy if fax.loss is not None]) if lossy else None
    if loss is not None:
        said.append(
            f"the media of {counted(len(lossy), 'facsimile call')} of {place.name} lost "
            f"{loss.lost} of {counted(loss.sent, 'packet')}, {percent(loss.ratio)} (95 % interval "
            f"{percent_range(loss.interval)}), where a modem bears {percent(LOSS_MOST)}"
        )
    return draft(
        evidence,
        "fax-over-ip",
        place,
        f"{'; '.join(said)}.",
        rounds=[capture.round],
        times=[capture.moment(fax.asked) for fax in group],
        seen=[
            *(seen for fax in group for seen in (fax.asked, fax.outcome)),
            *(stream.seen.get("packet_loss_ratio") for fax in lossy for stream in fax.streams),
        ],
        verdict=verdict,
        refutations=(
            Refutation(
                "Was T.38 taken between the same two in another call?",
                f"yes: in {counted(len(taken), 'call')}" if taken else "in none of this capture",
            ),
            Refutation("Does their media lose packets?", _losing(group)),
        ),
        missing=("whether the pages came through: short ones pass where long ones fail",),
        alternatives=(
            "a gateway that was set to G.711 on purpose, with a clean network",
            "two clocks that are not one, in an E1 behind the gateway (clock-slip)",
        ),
        effect=Effect(estimate=loss.ratio, interval=loss.interval) if loss is not None else None,
    )


def _losing(group: Sequence[Fax]) -> str:
    parts = [fax.loss for fax in group if fax.loss is not None]
    if not parts:
        return "not seen: the capture holds no stream of theirs"
    loss = pool(parts)
    return f"{loss.lost} of {counted(loss.sent, 'packet')} are missing"
