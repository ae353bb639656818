"""Delay of a path: half of the round trip, by host and by site.

It needs the lower end of the 95 % interval of the median above the threshold; a delay that the
sample cannot tell from the threshold is said to be so, and is no warning.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, Round
from nethealth.diagnosis.text import counted, listing, milliseconds
from nethealth.model.finding import Effect, Finding, Refutation, Verdict

MEDIAN_SAMPLES_LEAST = 6  # the least of six delays bounds their median at 95 %, of five it does not


def high_delays(evidence: Evidence) -> Iterator[Finding]:
    """`high-delay` of each site of which half the hosts or the gateway are slow, else by host."""
    threshold = evidence.record.settings.thresholds.delay_one_way_s
    lag = evidence.record.run.instrument.loop_lag_p99_s or 0.0
    for place, hosts in evidence.groups:
        delays = [delay for host in hosts if (delay := _delay_of(host, lag))]
        over = [delay for delay in delays if delay.one_way_s > threshold]
        clear = [delay for delay in over if delay.low_s > threshold]
        if len(delays) > 1 and _speaks_for_site(over, delays):
            certain = _speaks_for_site(clear, delays)
            yield _high_delay(evidence, place, over, delays, certain=certain)
        else:
            for delay in over:
                certain = delay in clear
                yield _high_delay(evidence, delay.host.place, [delay], delays, certain=certain)


def half_the_round_trip_s(host: Host) -> float | None:
    """Half of the median round trip of a host's rounds: from here, the best guess at one way."""
    medians = [_median_s(one) for one in host.pings]
    known = [value for value in medians if value is not None]
    return median(known) / 2 if known else None


@dataclass(frozen=True)
class _Delay:
    host: Host
    one_way_s: float
    low_s: float  # lower end of the 95 % interval of the same; 0 where the sample has none


def _delay_of(host: Host, lag_s: float) -> _Delay | None:
    one_way_s = half_the_round_trip_s(host)
    if one_way_s is None:
        return None
    lows = [_median_low_s(one) for one in host.pings if _median_s(one) is not None]
    return _Delay(host, one_way_s, (median(lows) - lag_s) / 2)


def _median_s(one: Round) -> float | None:
    return one.number("round_trip_delay_median_s")


def _median_low_s(one: Round) -> float:
    seen = one.first("round_trip_delay_median_s")
    if seen is not None and seen.interval is not None:
        return seen.interval[0]
    least = one.number("round_trip_delay_min_s")
    return least if least is not None and one.received >= MEDIAN_SAMPLES_LEAST else 0.0


def _speaks_for_site(some: Sequence[_Delay], everyone: Sequence[_Delay]) -> bool:
    return 2 * len(some) >= len(everyone) or any(delay.host.gateway for delay in some)


def _high_delay(
    evidence: Evidence,
    place: Place,
    over: Sequence[_Delay],
    everyone: Sequence[_Delay],
    *,
    certain: bool,
) -> Finding:
    threshold = evidence.record.settings.thresholds.delay_one_way_s
    one_way_s = median(delay.one_way_s for delay in over)
    rounds = [one for delay in over for one in delay.host.pings]
    instrument = evidence.record.run.instrument
    statement = (
        f"Packets to {place.name} take {milliseconds(one_way_s)} one way (half of the median "
        f"round trip, {counted(len(over), 'host')}); the limit is {milliseconds(threshold)}"
    )
    return draft(
        evidence,
        "high-delay",
        place,
        f"{statement}." if certain else f"{statement}. Too few packets to be sure.",
        rounds=rounds,
        seen=[one.first("round_trip_delay_median_s") for one in rounds],
        verdict=Verdict.DEMONSTRATED if certain else Verdict.INSUFFICIENT_DATA,
        refutations=(
            Refutation(
                "Are other hosts of the site as slow?",
                f"{len(over)} of {counted(len(everyone), 'host')} above the limit",
            ),
            Refutation("Are other sites as slow?", _other_delays(evidence, place)),
            Refutation(
                "Did the measuring machine itself add the delay?",
                "not measured"
                if instrument.loop_lag_p99_s is None
                else f"its own lag was below {milliseconds(instrument.loop_lag_p99_s)} for 99 % "
                "of the time, and is taken off",
            ),
        ),
        missing=("the delay of each direction by itself, which needs a reflector at the site",),
        alternatives=(
            "a long route, by satellite or mobile network",
            "a queue on a full line",
            "a host that answers echo requests late while it serves well",
        ),
        effect=Effect(estimate=one_way_s),
    )


def _other_delays(evidence: Evidence, place: Place) -> str:
    others = [
        f"{other.name} {milliseconds(median(known))}"
        for other, hosts in evidence.groups
        if other.site and other.site != place.site
        if (known := [s for host in hosts if (s := half_the_round_trip_s(host)) is not None])
    ]
    return listing(others) if others else "no other site was measured"
