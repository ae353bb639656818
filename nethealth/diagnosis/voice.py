"""Whether a telephone call over a path would sound bad, as far as ping can tell.

An echo request shares the path of a call and neither its marking nor its far end, and goes both
ways at once. So the verdict is at most `suggestive`.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import cast

from nethealth.diagnosis.delay import half_the_round_trip_s
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, Round
from nethealth.diagnosis.text import counted, milliseconds
from nethealth.model.finding import Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Passport
from nethealth.quality.emodel import DELAY_VARIANTS, DelayVariant, Quality, estimate
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
    variant = passport.get("delay_variant")
    return estimate(
        one_way_delay_s=one_way_s,
        loss_ratio=ratio,
        burst_ratio=loss.burst_ratio,
        codec=str(passport.get("codec", "G.711+PLC")),
        delay_variant=cast(DelayVariant, variant) if variant in DELAY_VARIANTS else "default-echo",
        **_seconds(passport, {"ptime_s": "packetisation_s", "jitter_buffer_s": "jitter_buffer_s"}),
    )


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
