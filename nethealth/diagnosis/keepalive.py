"""Telephones that start again because their server's heartbeat did not come through (mechanism 7).

The order decides. A silence of the length of the telephones' watchdog, and resets only when it has
run out: the network hurt the telephones. Resets before that, a server that was away itself, or a
site without power: the silence is not what reset them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nethealth.diagnosis.capture import Capture, captures, words
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.ends import Ends
from nethealth.diagnosis.evidence import Evidence, Place, number
from nethealth.diagnosis.lan import Lan, lans_by_site, place_of_lone, surest, taken_at
from nethealth.diagnosis.moments import moment_of, ran_at
from nethealth.diagnosis.telephone_resets import Resets, resets_of
from nethealth.diagnosis.text import counted
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Event, Observation

# UNIStim: the server's heartbeat comes every 30 s, and a telephone starts again after 200 s
# without one. Counted from the last one that came, the hole itself may be 30 s shorter.
WATCHDOG_S = 200.0
HOLE_LEAST_S = 170.0
SILENT_LEAST_S = 45.0  # one heartbeat missed, and half of the next
AFTER_MOST_S = 600.0  # from the end of the hole to the last telephone that notices
BEFORE_MOST_S = 900.0
PAIRS_LEAST = 3
_POWER_S = 60.0
# Signalling with a heartbeat of its own; the others are silent while nobody telephones.
_BEATING = frozenset({"unistim", "skinny", "minet", "noe"})


@dataclass(frozen=True)
class Hole:
    """A time in which nothing of a site, or none of its telephones' signalling, came through."""

    from_: datetime
    to: datetime
    by: str
    seen: tuple[Observation, ...]

    @property
    def lasted_s(self) -> float:
        return (self.to - self.from_).total_seconds()


def keepalive_resets(evidence: Evidence) -> Iterator[Finding]:
    """`keepalive-reset` of each site whose telephones started again near a silence."""
    yield from surest(_all(evidence))


def _all(evidence: Evidence) -> Iterator[Finding]:
    ends = Ends(evidence)
    by_site = lans_by_site(evidence)
    taken: dict[str | None, list[Capture]] = {}
    for capture in captures(evidence):
        taken.setdefault(_site(evidence, ends, capture), []).append(capture)
    for site in sorted({*by_site, *taken}, key=str):
        lan, here = by_site.get(site), taken.get(site, [])
        place = lan.place if lan is not None else place_of_lone(here[0])
        holes = [hole for capture in here for hole in heartbeat_holes(capture)]
        holes += _silences(evidence, lan) if lan is not None else []
        resets = resets_of(lan, here)
        for hole in sorted(holes, key=lambda one: (one.from_, one.by)):
            near = _nearest(hole, resets)
            if near is not None and (found := _judged(evidence, place, lan, hole, near)):
                yield found


def _site(evidence: Evidence, ends: Ends, capture: Capture) -> str | None:
    """The site of the telephones whose signalling paused; else of their server; else its own."""
    pairs = [
        [host for text in words(seen, "endpoints") if (host := text.partition(" ")[0])]
        for seen in capture.all("legacy_signalling_gap_max_s")
    ]
    often = Counter(host for pair in pairs for host in pair)
    server = often.most_common(1)[0][0] if often else None
    others = {end.site for host in often if host != server and (end := ends.of(host)) is not None}
    others.discard(None)
    if len(others) == 1:
        return others.pop()
    end = ends.of(server)
    if end is not None and end.site is not None:
        return end.site
    return taken_at(evidence, capture)


def heartbeat_holes(capture: Capture) -> Iterator[Hole]:
    """Of each protocol with a heartbeat the longest time in which three pairs were silent."""
    for protocol in sorted(_BEATING):
        gaps = []
        for seen in capture.all("legacy_signalling_gap_max_s", protocol=protocol):
            began, lasted_s = capture.moment(seen), number(seen)
            if began is not None and lasted_s is not None and SILENT_LEAST_S <= lasted_s < 1e7:
                gaps.append((began, began + timedelta(seconds=lasted_s), seen))
        if not gaps:
            continue
        longest = max(gaps, key=lambda gap: (gap[1] - gap[0], gap[2].id))
        alike = [gap for gap in gaps if _shared_s(gap, longest) >= 0.5 * _shared_s(gap, gap)]
        from_, to = max(gap[0] for gap in alike), min(gap[1] for gap in alike)
        if len(alike) >= PAIRS_LEAST and from_ < to:
            yield Hole(
                from_, to, f"no {protocol} between {len(alike)} pairs",
                tuple(gap[2] for gap in alike),
            )  # fmt: skip


def _shared_s(
    one: tuple[datetime, datetime, Observation], other: tuple[datetime, datetime, Observation]
) -> float:
    return (min(one[1], other[1]) - max(one[0], other[0])).total_seconds()


def _silences(evidence: Evidence, lan: Lan) -> list[Hole]:
    """Times in which every echo request to the site went unanswered, as far as that is certain."""
    rounds = sorted(
        (
            (ran, one.received > 0, one)
            for host in lan.hosts
            for one in host.pings
            if (ran := ran_at(evidence, one)) is not None
        ),
        key=lambda each: (each[0], each[2].check.id),
    )
    found, silent = [], []
    for each in [*rounds, None]:
        if each is not None and not each[1]:
            silent.append(each)
            continue
        if len(silent) > 1 and rounds[0] is not silent[0] and each is not None:
            seen = [seen for one in silent for seen in one[2].all("packets_received_count")]
            until = max(one[0][1] for one in silent)
            words_ = f"{counted(len(silent), 'round')} of echo requests without an answer"
            found.append(Hole(silent[0][0][0], until, words_, tuple(seen)))
        silent = []
    return found


def _nearest(hole: Hole, resets: Sequence[Resets]) -> Resets | None:
    """The resets that belong to a hole: those that began with it, else the first that follow it.

    What began with the silence explains it. Resets of a while before are told only where no others
    come: they may have nothing to do with it.
    """
    near = [
        (one, (one.from_ - hole.from_).total_seconds())
        for one in resets
        if one.from_ <= hole.to + timedelta(seconds=AFTER_MOST_S)
    ]
    with_it = [one for one, after_s in near if -_POWER_S <= after_s < HOLE_LEAST_S - one.clock_s]
    behind = [one for one, after_s in near if after_s >= HOLE_LEAST_S - one.clock_s]
    before = [one for one, after_s in near if -BEFORE_MOST_S <= after_s < -_POWER_S]
    return next(iter((*with_it, *behind, *before)), None)


def _judged(
    evidence: Evidence, place: Place, lan: Lan | None, hole: Hole, resets: Resets
) -> Finding | None:
    after_s = (resets.from_ - hole.from_).total_seconds()
    too_soon = after_s < HOLE_LEAST_S - resets.clock_s
    order = f"{-after_s:.0f} s before it" if after_s < 0 else f"{after_s:.0f} s after it began"
    if not too_soon and hole.lasted_s < HOLE_LEAST_S:
        return None  # too short for any watchdog, and they did not start again in it either
    away = _server_away(lan, hole)
    power, power_words = _power(lan, hole)
    if too_soon or away is not None or power is False:
        verdict = Verdict.CONTRADICTED
    else:
        verdict = Verdict.SUPPORTED if power else Verdict.SUGGESTIVE
    if too_soon:
        told = f"they started again {order}, when no watchdog of {WATCHDOG_S:.0f} s had run out"
    elif verdict is Verdict.CONTRADICTED:
        told = away or power_words
    else:
        told = f"{order} they started again"
    supported = verdict is Verdict.SUPPORTED
    return draft(
        evidence,
        "keepalive-reset",
        place,
        f"For {hole.lasted_s:.0f} s from {hole.from_:%H:%M:%S} UTC nothing came through at "
        f"{place.name} ({hole.by}), and {counted(resets.count, 'telephone')} started again at "
        f"{resets.from_:%H:%M:%S} ({resets.by}): {told}.",
        times=[hole.from_, hole.to, resets.from_, resets.to],
        seen=[*hole.seen, *resets.seen],
        verdict=verdict,
        direction=Direction.NETWORK_TO_TELEPHONY if supported else Direction.UNDETERMINED,
        refutations=(
            Refutation(
                "Which came first?",
                f"{'the resets' if after_s < 0 else 'the silence'}: they came {order} (clocks to "
                f"{resets.clock_s:.0f} s){', too soon for a watchdog' if too_soon else ''}",
            ),
            Refutation("Was the site without power?", power_words),
            Refutation("Was the server itself away?", away or "no log says so"),
        ),
        missing=(
            ()
            if power is not None
            else ("the uptime of the switch that feeds the telephones, read after the silence",)
        ),
        alternatives=(
            "a power cut of which neither switch nor log tells",
            "telephones that were told to start again",
        ),
    )


def _server_away(lan: Lan | None, hole: Hole) -> str | None:
    """A restart of the exchange in the hole, which then is its own."""
    for event in lan.happened("pbx-restart") if lan is not None else ():
        if _near(event, hole):
            return f"yes: the exchange started again at {event.time:%H:%M:%S} UTC"
    return None


def _power(lan: Lan | None, hole: Hole) -> tuple[bool | None, str]:
    """Whether what feeds the telephones went on through the hole; None where nothing tells."""
    if lan is None:
        return None, "not known: no device of the site was read"
    for event in lan.happened("restart"):
        asset = lan.evidence.assets.get(event.asset or "")
        if asset is not None and asset.kind in {"switch", "router"} and _near(event, hole):
            return False, f"yes: {event.asset} started again at {event.time:%H:%M:%S} UTC"
    through = []
    for device in lan.devices:
        for one in device.rounds:
            seen = one.first("uptime_s")
            up_s = None if seen is None else number(seen)
            moment = None if seen is None else moment_of(lan.evidence, seen)
            if up_s is None or moment is None or moment < hole.to or not 0 <= up_s < 1e9:
                continue
            began = moment - timedelta(seconds=up_s)
            if began > hole.from_ - timedelta(seconds=_POWER_S):
                return False, f"yes: {device.place.name} has run since {began:%H:%M:%S} UTC only"
            through.append(device.place.name)
    if through:
        return True, f"no: {through[0]} ran through it"
    return None, "not known: no device of the site was read after it"


def _near(event: Event, hole: Hole) -> bool:
    margin = timedelta(seconds=_POWER_S)
    return hole.from_ - margin <= event.time <= hole.to + margin
