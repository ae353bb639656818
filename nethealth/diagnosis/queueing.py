"""What a load does to a line: a queue that grows long, and voice that waits in it with the rest.

The load is this program's own and small: that packets wait while it runs, and neither before nor
after it, shows a queue, and no telephone has any part in it.
"""

from collections.abc import Iterator, Sequence

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Place
from nethealth.diagnosis.loads import (
    AFTER,
    BEFORE,
    BEST_EFFORT,
    GATEWAY,
    NEAR,
    Loaded,
    Wait,
    loads_of,
)
from nethealth.diagnosis.text import listing, milliseconds, percent
from nethealth.model.finding import Direction, Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Observation
from nethealth.quality.loss import LossStatistics

# Of the others' wait: voice whose own may be at least the first, by its interval, and is at least
# the second has no queue of its own. A load that its guard ends soon leaves only some 30 packets.
ALIKE_SHARE, ALIKE_SHARE_LEAST = 0.9, 0.75
SPARED_SHARE = 0.5  # voice that has at most this has one
OF_PATH_SHARE = 0.5  # of the wait that a router on the way must show too, if it was asked


def queues(evidence: Evidence) -> Iterator[Finding]:
    """`queueing-delay` and `no-wan-qos` of each site where a load was made."""
    for place, hosts in evidence.groups:
        loads = [one for one in loads_of(hosts) if not beyond_the_line(one, evidence)]
        slow = [one for one in loads if _queue(one, evidence) is not None]
        if slow:
            yield _queueing_delay(evidence, place, slow)
        shared = [one for one in loads if _shared(one, evidence)]
        if shared:
            yield _no_qos(evidence, place, shared)
        elif spared := [one for one in slow if _spared(one)]:
            yield _qos(evidence, place, spared)


def beyond_the_line(one: Loaded, evidence: Evidence) -> str | None:
    """Where the wait arose, in words, if not on the site's line; None if it may have been there.

    A router that is passed on the way and answers as quickly as ever has no queue before it.
    """
    wait = one.wait(BEST_EFFORT)
    if wait is None or wait.interval[0] <= evidence.record.settings.thresholds.pdv_p99_s:
        return None
    near = one.guard_rise_s(NEAR)
    if near is not None and near >= OF_PATH_SHARE * wait.seconds:
        return (
            f"beside {one.words} the measuring machine's own gateway answered "
            f"{milliseconds(near)} later too, so that the queue is on this side"
        )
    gateway = one.guard_rise_s(GATEWAY)
    if gateway is not None and gateway < OF_PATH_SHARE * wait.seconds / 2:
        return (
            f"beside {one.words} the gateway of the site answered as ever and "
            f"{one.host.place.name} did not, so that the delay is behind the gateway"
        )
    if one.timer_error_s >= OF_PATH_SHARE * wait.seconds:
        return f"beside {one.words} the measuring machine itself was late"
    return None


def _queue(one: Loaded, evidence: Evidence) -> Wait | None:
    """The wait of unmarked packets, if it is above the limit for sure."""
    wait = one.wait(BEST_EFFORT)
    limit_s = evidence.record.settings.thresholds.pdv_p99_s
    return wait if wait is not None and wait.interval[0] > limit_s else None


def _lossy(loss: LossStatistics | None, evidence: Evidence) -> bool:
    return loss is not None and loss.interval[0] > evidence.record.settings.thresholds.loss


def _only_loaded(one: Loaded, dscp: int, evidence: Evidence) -> bool:
    """Whether packets of this mark were lost beside the load for sure, and not before it."""
    loaded, idle = one.loss(dscp), one.loss(dscp, BEFORE)
    return (
        _lossy(loaded, evidence)
        and loaded is not None
        and idle is not None
        and idle.interval[1] < loaded.ratio
        and not _lossy(idle, evidence)
    )


def _shared(one: Loaded, evidence: Evidence) -> bool:
    """Whether marked packets, whose mark was whole, waited or were lost just as the others."""
    voice = one.voice
    mark = one.mark_received()
    if voice is None or (mark is not None and mark[0] != mark[1]):
        return False  # a mark that is gone is another finding, and explains this
    limit_s = evidence.record.settings.thresholds.pdv_p99_s
    others, marked = _queue(one, evidence), one.wait(voice)
    if others is not None and marked is not None:
        return (
            marked.interval[0] > limit_s
            and marked.interval[1] >= ALIKE_SHARE * others.seconds
            and marked.seconds >= ALIKE_SHARE_LEAST * others.seconds
        )
    lost, lost_marked = one.loss(BEST_EFFORT), one.loss(voice)
    return (
        _only_loaded(one, BEST_EFFORT, evidence)
        and _only_loaded(one, voice, evidence)
        and lost is not None
        and lost_marked is not None
        and lost_marked.interval[1] >= lost.interval[0]
    )


def _spared(one: Loaded) -> bool:
    others = one.wait(BEST_EFFORT)
    marked = one.wait(one.voice) if one.voice is not None else None
    if others is None or marked is None:
        return False
    return marked.interval[1] <= SPARED_SHARE * others.seconds


def _queueing_delay(evidence: Evidence, place: Place, loads: Sequence[Loaded]) -> Finding:
    limit_s = evidence.record.settings.thresholds.pdv_p99_s
    waits = [(one, wait) for one in loads if (wait := one.wait(BEST_EFFORT)) is not None]
    said = "; ".join(
        f"beside {one.words} ({_where(one)}) packets waited {milliseconds(wait.seconds)} longer "
        f"than on the idle line (95 % interval {milliseconds(wait.interval[0])} to "
        f"{milliseconds(wait.interval[1])})"
        for one, wait in waits
    )
    worst_one, worst = max(waits, key=lambda pair: pair[1].seconds)
    lasting = [one for one, wait in waits if not _gone(one, wait)]
    return draft(
        evidence,
        "queueing-delay",
        place,
        f"A queue grows on the line of {place.name}: {said}. The limit is {milliseconds(limit_s)}.",
        rounds=[one.one for one in loads],
        seen=_evidence(loads),
        verdict=Verdict.INSUFFICIENT_DATA if lasting else Verdict.DEMONSTRATED,
        direction=Direction.NOT_TELEPHONY,
        refutations=(
            Refutation("Is it so without the load?", _idle(worst_one, limit_s)),
            Refutation(
                "Does it go when the load goes?",
                "no: it stayed, so that something else may have come" if lasting else "yes",
            ),
            Refutation("Does the site's gateway answer later too?", _gateway(worst_one)),
            Refutation("Is it on the measuring machine's own side?", _near(worst_one)),
            Refutation(
                "Did the measuring machine itself send late?",
                f"its packets left at most {milliseconds(worst_one.timer_error_s)} late for 99 % "
                "of the time",
            ),
            Refutation("Why did the load end?", worst_one.ended_by),
        ),
        missing=_missing(worst_one),
        alternatives=(
            "a line that is slower than it is declared to be",
            "other traffic that came at the same moment",
        ),
        effect=Effect(estimate=worst.seconds, interval=worst.interval),
    )


def _no_qos(evidence: Evidence, place: Place, loads: Sequence[Loaded]) -> Finding:
    one = loads[0]
    voice = one.voice or 0
    mark = one.mark_received()
    return draft(
        evidence,
        "no-wan-qos",
        place,
        f"On the line of {place.name} nothing favours voice: "
        f"{'; '.join(_alike(load) for load in loads)}. Data that fills this line disturbs calls.",
        rounds=[load.one for load in loads],
        seen=_evidence(loads),
        verdict=Verdict.SUPPORTED,
        direction=Direction.NETWORK_TO_TELEPHONY,
        refutations=(
            Refutation(
                "Did the mark of voice arrive, so that the line could have favoured it?",
                "not measured" if mark is None else f"yes: DSCP {mark[1]} as sent",
            ),
            Refutation("Are both as slow or lossy on the idle line?", _idle_both(one, voice)),
            Refutation("Does it go when the load goes?", _after_words(one, voice)),
            Refutation("Does the site's gateway answer later too?", _gateway(one)),
        ),
        missing=_missing(one),
        alternatives=(
            "a provider whose contract has no classes of service",
            "a queue for voice that takes less than it is given by other users of the mark",
        ),
        effect=_effect(one, voice),
    )


def _qos(evidence: Evidence, place: Place, loads: Sequence[Loaded]) -> Finding:
    """The mechanism was looked for and is not there: voice has a queue of its own."""
    said = "; ".join(_both(one) for one in loads)
    return draft(
        evidence,
        "no-wan-qos",
        place,
        f"Voice is favoured on the line of {place.name}: {said}.",
        rounds=[one.one for one in loads],
        seen=_evidence(loads),
        verdict=Verdict.CONTRADICTED,
        refutations=(
            Refutation("Do marked packets wait as long as the others?", "no"),
            Refutation("Was the line's queue filled?", "yes: packets without a mark waited"),
        ),
        effect=_effect(loads[0], loads[0].voice or 0),
    )


def _effect(one: Loaded, voice: int) -> Effect | None:
    wait = one.wait(voice)
    return None if wait is None else Effect(estimate=wait.seconds, interval=wait.interval)


def _where(one: Loaded) -> str:
    return "to the site" if one.phase == "download" else "from the site"


def _alike(one: Loaded) -> str:
    others, marked = one.loss(BEST_EFFORT), one.loss(one.voice or 0)
    lost = (
        f", and {percent(marked.ratio)} of them were lost against {percent(others.ratio)}"
        if others and marked and (others.lost or marked.lost)
        else ""
    )
    return f"{_both(one)}{lost}"


def _both(one: Loaded) -> str:
    others, marked = one.wait(BEST_EFFORT), one.wait(one.voice or 0)
    if others is None or marked is None:
        return f"beside {one.words} ({_where(one)}) both were measured"
    return (
        f"beside {one.words} ({_where(one)}) packets with DSCP {one.voice} waited "
        f"{milliseconds(max(0.0, marked.seconds))} longer than on the idle line, and those without "
        f"a mark {milliseconds(others.seconds)}"
    )


def _gone(one: Loaded, wait: Wait) -> bool:
    """Whether the wait was over after the load; a phase that was not measured does not say no."""
    after = one.wait(BEST_EFFORT, AFTER)
    return after is None or after.seconds < OF_PATH_SHARE * wait.seconds


def _after_words(one: Loaded, voice: int) -> str:
    after = one.wait(voice, AFTER)
    if after is None:
        return "not measured"
    return f"after it, voice waits {milliseconds(max(0.0, after.seconds))} longer than before it"


def _idle(one: Loaded, limit_s: float) -> str:
    variation_s = one.variation_s(BEST_EFFORT, BEFORE)
    if variation_s is None:
        return "not measured"
    words = f"before it, 99 of 100 packets were within {milliseconds(variation_s)} of the quickest"
    return f"in part: {words}" if variation_s > limit_s else f"no: {words}"


def _idle_both(one: Loaded, voice: int) -> str:
    losses = [loss for dscp in (voice, BEST_EFFORT) if (loss := one.loss(dscp, BEFORE))]
    if not losses:
        return "not measured"
    lost = " and ".join(f"{loss.lost} of {loss.sent}" for loss in losses)
    return f"no: of voice and of the others {lost} were lost, and the wait is counted from there"


def _gateway(one: Loaded) -> str:
    rise_s = one.guard_rise_s(GATEWAY)
    if rise_s is None:
        return "not measured"
    return f"yes, by {milliseconds(rise_s)}"


def _near(one: Loaded) -> str:
    rise_s = one.guard_rise_s(NEAR)
    if rise_s is None:
        return "not measured: no gateway of its own site was pinged"
    return f"no: its own gateway answered {milliseconds(max(0.0, rise_s))} later"


def _missing(one: Loaded) -> tuple[str, ...]:
    missing = ["the octet and discard counters of the line's interfaces"]
    if one.guard_rise_s(GATEWAY) is None:
        missing.append("echo requests to the site's gateway beside the load")
    if one.guard_rise_s(NEAR) is None:
        missing.append("echo requests to the gateway of the measuring machine's own site")
    return tuple(missing)


def _evidence(loads: Sequence[Loaded]) -> list[Observation]:
    found: list[Observation | None] = []
    for one in loads:
        waits = [one.wait(dscp) for dscp in (BEST_EFFORT, one.voice or 0)]
        found += [wait.seen for wait in waits if wait is not None]
        for dscp in (BEST_EFFORT, one.voice):
            found.append(one.seen("packet_loss_ratio", dscp=dscp, direction=one.way))
        found += [one.seen("load_rate_bps"), one.seen("load_ended_by")]
        found += [
            one.seen("guard_round_trip_delay_median_s", guard=name) for name in (GATEWAY, NEAR)
        ]
    return [seen for seen in found if seen is not None]


def misplaced_queues(evidence: Evidence) -> Iterator[str]:
    """Waits that are not of a site's line, for what limits the instrument."""
    for _, hosts in evidence.groups:
        reasons = [why for one in loads_of(hosts) if (why := beyond_the_line(one, evidence))]
        if reasons:
            yield listing(reasons)
