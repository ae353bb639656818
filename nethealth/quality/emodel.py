"""From what was measured on the path to R and MOS-CQE, with every assumption in the passport."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal, get_args

from nethealth.model.observation import Passport, Scalar
from nethealth.quality.codecs import CODECS, REFUSED
from nethealth.quality.g107 import Inputs, compute, linear_r, mos_from_r

DelayVariant = Literal["default-echo", "echo-free", "linear"]
DELAY_VARIANTS: tuple[str, ...] = get_args(DelayVariant)

JITTER_BUFFER_S = 0.040  # two packets of 20 ms: a usual fixed buffer
DEVICE_S = 0.005  # analogue and digital conversion at both ends
MODELS = {
    "default-echo": "ITU-T G.107, echo path T = Ta, Tr = 2·Ta, TELR 65 dB",
    "echo-free": "ITU-T G.107, no echo path (T = Tr = 0)",
    "linear": "R = 93.2 − 0.024·d − 0.11·(d − 177.3)₊ − Ie,eff; a fit, not ITU-T G.107",
}


@dataclass(frozen=True, slots=True)
class Quality:
    """An estimate, or `reason` in plain words why there is none; never both.

    `passport` holds model, codec, ie, bpl, burst_r, delay_variant, source and each part of the
    mouth-to-ear delay in seconds, as far as they were known.
    """

    r_factor: float | None
    mos_cqe: float | None
    passport: Passport
    reason: str | None = None


def estimate(
    *,
    one_way_delay_s: float | None,
    loss_ratio: float | None,
    burst_ratio: float | None = None,
    codec: str = "G.711+PLC",
    ptime_s: float = 0.020,
    jitter_buffer_s: float = JITTER_BUFFER_S,
    delay_variant: DelayVariant = "default-echo",
    device_s: float = DEVICE_S,
) -> Quality:
    """R and MOS-CQE of a call that would meet this delay and loss.

    `loss_ratio` (0 to 1) includes what the de-jitter buffer would discard, if the caller counted
    it; `one_way_delay_s` is the network's. A loss outside 0 to 1 and a burst ratio below 1 are
    held to the nearest bound; what is not a number, and a negative delay, give no estimate.
    """
    passport: dict[str, Scalar] = {
        "model": MODELS[delay_variant],
        "codec": codec,
        "delay_variant": delay_variant,
        "one_way_delay_s": one_way_delay_s,
        "packetisation_s": ptime_s,
        "jitter_buffer_s": jitter_buffer_s,
        "device_s": device_s,
    }
    reason = _why_not(one_way_delay_s, loss_ratio, burst_ratio, codec)
    if reason or one_way_delay_s is None or loss_ratio is None:
        return Quality(None, None, passport, reason)
    row = CODECS[codec]
    loss = min(1.0, max(0.0, loss_ratio))
    burst_r = max(1.0, burst_ratio or 1.0)
    mouth_to_ear_s = one_way_delay_s + ptime_s + row.lookahead_s + jitter_buffer_s + device_s
    echo_ms = mouth_to_ear_s * 1000 if delay_variant == "default-echo" else 0.0
    steps = compute(
        Inputs(
            ta_ms=mouth_to_ear_s * 1000,
            t_ms=echo_ms,
            tr_ms=2 * echo_ms,
            ie=row.ie,
            bpl=row.bpl or 1.0,  # without loss Bpl does not enter the formula
            ppl=loss * 100,
            burst_r=burst_r,
        )
    )
    linear = delay_variant == "linear"
    r_factor = linear_r(mouth_to_ear_s * 1000, steps.ie_eff) if linear else steps.r
    passport |= {
        "ie": row.ie,
        "bpl": row.bpl,
        "burst_r": burst_r,
        "loss_ratio": loss,
        "lookahead_s": row.lookahead_s,
        "mouth_to_ear_s": mouth_to_ear_s,
        "source": row.source,
    }
    return Quality(r_factor, mos_from_r(r_factor), passport)


def _why_not(
    one_way_delay_s: float | None,
    loss_ratio: float | None,
    burst_ratio: float | None,
    codec: str,
) -> str | None:
    if codec in REFUSED:
        return REFUSED[codec]
    if codec not in CODECS:
        return f"no impairment value is known for {codec}"
    if one_way_delay_s is None:
        return "no delay was measured"
    if loss_ratio is None:
        return "no loss was measured"
    if not isfinite(one_way_delay_s) or one_way_delay_s < 0:
        return f"the delay of {one_way_delay_s} s is not possible"
    if not isfinite(loss_ratio) or (burst_ratio is not None and not isfinite(burst_ratio)):
        return "the loss is not a number"
    if loss_ratio > 0 and CODECS[codec].bpl is None:
        return f"no robustness to loss (Bpl) is published for {codec}"
    return None
