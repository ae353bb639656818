"""Which impairment of a call weighs most: the way, the loss, or what came too late to be played.

Each is taken away in turn and R estimated again; the one whose absence lifts R most weighs most.
"""

from dataclasses import dataclass
from typing import cast

from nethealth.diagnosis.text import milliseconds
from nethealth.model.observation import Passport
from nethealth.quality.emodel import DELAY_VARIANTS, DelayVariant, Quality, estimate


@dataclass(frozen=True, slots=True)
class Heard:
    """What a direction did to `sent` packets; `one_way_s` is the network's part of the delay."""

    sent: int
    lost: int
    discarded: int  # came, and too late to be played
    one_way_s: float
    burst_ratio: float | None
    passport: Passport  # of the estimate that the probe made


def estimated(passport: Passport, one_way_s: float, ratio: float, burst: float | None) -> Quality:
    """R again, under the assumptions of a passport."""
    variant = passport.get("delay_variant")
    return estimate(
        one_way_delay_s=one_way_s,
        loss_ratio=ratio,
        burst_ratio=burst,
        codec=str(passport.get("codec", "G.711+PLC")),
        delay_variant=cast(DelayVariant, variant) if variant in DELAY_VARIANTS else "default-echo",
        **_seconds(passport),
    )


def weighs_most(heard: Heard) -> str | None:
    """A sentence on the heaviest impairment; None where R cannot be estimated."""
    if heard.sent < 1:
        return None
    lost, late = heard.lost / heard.sent, heard.discarded / heard.sent

    def r_factor(one_way_s: float, ratio: float) -> float | None:
        return estimated(heard.passport, one_way_s, min(1.0, ratio), heard.burst_ratio).r_factor

    buffer = heard.passport.get("jitter_buffer_s")
    words = f" for a buffer of {milliseconds(buffer)}" if isinstance(buffer, int | float) else ""
    without = (
        (r_factor(heard.one_way_s, late), "The loss", f"{heard.lost} of {heard.sent} packets"),
        (
            r_factor(heard.one_way_s, lost),
            "What came too late",
            f"{heard.discarded} of {heard.sent} packets{words}",
        ),
        (r_factor(0.0, lost + late), "The way", f"{milliseconds(heard.one_way_s)} one way"),
    )
    known = [(value, what, how) for value, what, how in without if value is not None]
    if not known:
        return None
    best, what, how = max(known, key=lambda one: one[0])
    return f"{what} weighs most ({how}): without it R would be {best:.0f}."


def _seconds(passport: Passport) -> dict[str, float]:
    """The passport's durations, as far as it has them."""
    found: dict[str, float] = {}
    for argument, key in (("ptime_s", "packetisation_s"), ("jitter_buffer_s", "jitter_buffer_s")):
        value = passport.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10:
            found[argument] = float(value)
    return found
