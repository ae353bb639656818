"""Whether a telephone call over a path would sound bad, as far as ping and streams can tell.

A STAMP stream has the shape and the mark of a call, and shows each direction: the verdict is
`supported`. An echo request shares the path of a call and neither its marking nor its far end, and
goes both ways at once: the verdict is at most `suggestive`, and a stream that is well refutes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from nethealth.diagnosis.delay import half_the_round_trip_s
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, Round, number
from nethealth.diagnosis.impairment import Heard, estimated, weighs_most
from nethealth.diagnosis.loads import loads_of
from nethealth.diagnosis.queueing import beyond_the_line
from nethealth.diagnosis.streams import directed, streamed
from nethealth.diagnosis.text import counted, milliseconds
from nethealth.model.finding import Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Observation, Passport
from nethealth.quality.emodel import Quality
from nethealth.quality.loss import LossStatistics, from_burst_ratio, pool


def poor_voice(evidence: Evidence) -> Iterator[Finding]:
    """`poor-voice-quality` of each site for which the probe estimated R at all.

    R is estimated afresh from the loss of all hosts pooled, since that of one host's few packets
    leaps by many points with each loss. It is a finding where R is below the threshold even at
    the least loss that the 95 % interval allows.
    """
    threshold = evidence.record.settings.thresholds.r_factor
    overflow = evidence.record.run.instrument.socket_overflow_count or 0
    for place, hosts in evidence.groups:
        streams = _streams(evidence, hosts)
        if streams:
            yield from _poor_streams(evidence, place, streams)
            continue
        passport = _passport(hosts)
        loss = _heard(hosts)
        delays = [s for host in hosts if (s := half_the_round_trip_s(host)) is not None]
        if passport is None or loss is None or not delays or overflow >= loss.lost > 0:
            continue
        one_way_s = median(delays)
        best = _estimate(passport, one_way_s, loss.interval[0], loss)
        likely = _estimate(passport, one_way_s, loss.ratio, loss)
        if best.r_factor is None or likely.r_factor is None or best.r_factor >= threshold:
            continue
        yield _finding(evidence, place, hosts, loss, one_way_s, likely)


@dataclass(frozen=True)
class _Stream:
    """One direction to one host: what would not be heard, and the score that follows.

    `beside` names the load that the line carried meanwhile.
    """

    host: Host
    way: str
    rounds: tuple[Round, ...]
    seen: tuple[Observation, ...]
    loss: LossStatistics
    discarded: int
    one_way_s: float
    best: float  # R at the least loss that the interval allows
    likely: Quality
    beside: str | None = None


def _streams(evidence: Evidence, hosts: Sequence[Host]) -> list[_Stream]:
    """Each direction of which a stream gave R; of a reflector that tells none, both at once.

    What was met beside a load counts only where the load filled the site's own line.
    """
    idle = [
        stream
        for host in hosts
        for way in ("forward", "return", "round-trip")
        if (
            stream := _stream(
                host,
                way,
                [
                    (one, seen)
                    for one in streamed([host])
                    if (seen := directed(one, "r_factor", way)) is not None
                ],
            )
        )
    ]
    return idle + [
        stream
        for load in loads_of(hosts)
        if not beyond_the_line(load, evidence)
        for way in ("forward", "return", "round-trip")
        if (seen := load.seen("r_factor", dscp=load.voice, direction=way)) is not None
        if (stream := _stream(load.host, way, [(load.one, seen)], load.words))
    ]


def _stream(
    host: Host, way: str, scored: Sequence[tuple[Round, Observation]], beside: str | None = None
) -> _Stream | None:
    found = [(one, seen, part) for one, seen in scored if (part := _missed(seen)) is not None]
    if not found:
        return None
    loss = pool(part for _, _, part in found)
    passport = found[-1][1].method
    delays = [_seconds(seen.method, {"s": "one_way_delay_s"}) for _, seen, _ in found]
    one_way_s = median(delay["s"] for delay in delays if delay)
    best = _estimate(passport, one_way_s, loss.interval[0], loss)
    likely = _estimate(passport, one_way_s, loss.ratio, loss)
    if best.r_factor is None or likely.r_factor is None:
        return None
    rounds = tuple(one for one, _, _ in found)
    seen = tuple(seen for _, seen, _ in found)
    discarded = min(loss.lost, sum(_discards(one) for one in seen))
    return _Stream(
        host, way, rounds, seen, loss, discarded, one_way_s, best.r_factor, likely, beside
    )


def _discards(seen: Observation) -> int:
    """What came and was too late to be played, as the probe counted it."""
    value = seen.method.get("late_discard_count")
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _missed(seen: Observation) -> LossStatistics | None:
    """What the probe counted as not heard: lost, or too late to be played."""
    ratio, burst = seen.method.get("loss_ratio"), seen.method.get("burst_r")
    known = number(seen) is not None and seen.samples and "one_way_delay_s" in seen.method
    if not known or not seen.samples or not isinstance(ratio, int | float) or not 0 <= ratio <= 1:
        return None
    clustering = float(burst) if isinstance(burst, int | float) and 1 <= burst < 1e6 else None
    return from_burst_ratio(seen.samples, round(ratio * seen.samples), clustering)


def _poor_streams(
    evidence: Evidence, place: Place, streams: Sequence[_Stream]
) -> Iterator[Finding]:
    limit = evidence.record.settings.thresholds.r_factor
    poor = [stream for stream in streams if stream.best < limit]
    if not poor:
        return
    worst = min(poor, key=lambda stream: stream.best)
    others = [stream for stream in streams if stream is not worst]
    where = {"forward": "towards", "return": "from"}.get(worst.way, "to and from")
    passport = worst.likely.passport
    while_loaded = f"Beside {worst.beside} of our own, a" if worst.beside else "A"
    heaviest = weighs_most(
        Heard(
            sent=worst.loss.sent,
            lost=worst.loss.lost - worst.discarded,
            discarded=worst.discarded,
            one_way_s=worst.one_way_s,
            burst_ratio=worst.loss.burst_ratio,
            passport=passport,
        )
    )
    yield draft(
        evidence,
        "poor-voice-quality",
        place,
        f"{while_loaded} call would sound poor to whoever hears what goes {where} "
        f"{worst.host.place.name}: R {worst.likely.r_factor or 0:.0f}, MOS-CQE "
        f"{worst.likely.mos_cqe or 1:.1f} ({passport['codec']}, {passport['delay_variant']}), "
        f"where the limit is R {limit:.0f}. "
        f"Of {counted(worst.loss.sent, 'packet')} like those of a call {worst.loss.lost} were "
        f"lost or came too late to be played.{f' {heaviest}' if heaviest else ''}",
        rounds=[one for stream in poor for one in stream.rounds],
        seen=[seen for stream in poor for seen in stream.seen],
        verdict=Verdict.SUPPORTED,
        refutations=(
            Refutation("Would it be poor at the least loss that the sample allows?", "yes"),
            Refutation(
                "Is every other direction and reflector as poor?",
                f"{sum(stream in poor for stream in others)} of {len(others)} are"
                if others
                else "no other was measured",
            ),
            *(
                (Refutation("Is it poor on the idle line too?", _idle(poor, streams)),)
                if any(stream.beside for stream in streams)
                else ()
            ),
        ),
        missing=(
            "a test call, for the path through the telephones themselves",
            "which codec, concealment and buffer the telephones use",
        ),
        alternatives=("telephones whose buffer grows with the delay",),
        effect=Effect(estimate=worst.likely.r_factor or 0.0),
    )


def _idle(poor: Sequence[_Stream], streams: Sequence[_Stream]) -> str:
    idle = [stream for stream in streams if not stream.beside]
    if not idle:
        return "not measured"
    some = sum(stream in poor for stream in idle)
    return f"{some} of {counted(len(idle), 'direction')} of it are" if some else "no"


def _heard(hosts: Sequence[Host]) -> LossStatistics | None:
    """What would not be heard, pooled over the hosts that echo: lost, or too late to play.

    The probe counted both into the loss of its own estimate.
    """
    parts = []
    for one in (one for host in hosts if host.echoes for one in host.pings):
        seen = one.first("r_factor")
        ratio = seen.method.get("loss_ratio") if seen else None
        burst = seen.method.get("burst_r") if seen else None
        if isinstance(ratio, int | float) and 0 <= ratio <= 1:
            missed = max(one.sent - one.received, round(ratio * one.sent))
        else:
            missed = one.sent - one.received
        clustering = float(burst) if isinstance(burst, int | float) and 1 <= burst < 1e6 else None
        parts.append(from_burst_ratio(one.sent, missed, clustering))
    return pool(parts) if parts else None


def _passport(hosts: Sequence[Host]) -> Passport | None:
    """The assumptions under which the probe estimated R; None if it did not."""
    for host in hosts:
        for one in host.pings:
            seen = one.first("r_factor")
            if seen is not None and one.number("r_factor") is not None:
                return seen.method
    return None


def _estimate(passport: Passport, one_way_s: float, ratio: float, loss: LossStatistics) -> Quality:
    return estimated(passport, one_way_s, ratio, loss.burst_ratio)


def _seconds(passport: Passport, names: Mapping[str, str]) -> dict[str, float]:
    """The passport's durations, as far as it has them."""
    found: dict[str, float] = {}
    for argument, key in names.items():
        value = passport.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10:
            found[argument] = float(value)
    return found


def _finding(
    evidence: Evidence,
    place: Place,
    hosts: Sequence[Host],
    loss: LossStatistics,
    one_way_s: float,
    likely: Quality,
) -> Finding:
    rounds: list[Round] = [one for host in hosts for one in host.pings if host.echoes]
    r_factor, mos_cqe = likely.r_factor or 0.0, likely.mos_cqe or 1.0
    assumed = f"{likely.passport['codec']}, {likely.passport['delay_variant']}"
    limit = evidence.record.settings.thresholds.r_factor
    lost = sum(one.sent - one.received for one in rounds)
    buffer_s = _seconds(likely.passport, {"buffer": "jitter_buffer_s"}).get("buffer", 0.0)
    lossless = _estimate(likely.passport, one_way_s, 0.0, loss).r_factor or 0.0
    return draft(
        evidence,
        "poor-voice-quality",
        place,
        f"A call to {place.name} would probably sound poor: R {r_factor:.0f}, MOS-CQE "
        f"{mos_cqe:.1f} ({assumed}), where the limit is R {limit:.0f}. Estimated from ping: "
        f"of {counted(loss.sent, 'packet')} {lost} were lost and {loss.lost - lost} came too late "
        f"for a buffer of {milliseconds(buffer_s)}; one way is taken as half of the round trip, "
        f"{milliseconds(one_way_s)}.",
        rounds=rounds,
        seen=[one.first("r_factor") for one in rounds],
        verdict=Verdict.SUGGESTIVE,
        refutations=(
            Refutation("Would it be poor at the least loss that the sample allows?", "yes"),
            Refutation("Would it be poor by the delay alone?", f"R {lossless:.0f} without loss"),
        ),
        missing=(
            "loss and delay of each direction by itself",
            "packets that bear the mark of voice",
            "which codec, concealment and buffer the telephones use",
        ),
        alternatives=(
            "voice that is marked and queued apart from these echo requests",
            "hosts that answer echo requests late or seldom",
            "telephones whose buffer grows with the delay",
        ),
        effect=Effect(estimate=r_factor),
    )
