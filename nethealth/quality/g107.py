"""The narrowband E-model of ITU-T G.107 whole: R = Ro − Is − Id − Ie,eff + A, step by step.

Names of inputs and steps are G.107's own, in lower case. Levels are in dB or dBm0p, delays in
milliseconds (as in the Recommendation, and only in this file), loss in percent.
"""

from dataclasses import dataclass
from math import atan2, cos, exp, log10, pi, sqrt


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """G.107's inputs with its default values; the class of delay sensitivity is sT, mT."""

    slr: float = 8.0
    rlr: float = 2.0
    stmr: float = 15.0
    lstr: float = 18.0
    ds: float = 3.0
    telr: float = 65.0
    wepl: float = 110.0
    t_ms: float = 0.0  # mean one-way delay of the echo path
    tr_ms: float = 0.0  # round trip of the four-wire loop
    ta_ms: float = 0.0  # absolute delay, mouth to ear
    qdu: float = 1.0
    ie: float = 0.0
    bpl: float = 4.3
    ppl: float = 0.0  # percent, discards at the de-jitter buffer included
    burst_r: float = 1.0
    nc: float = -70.0
    nfor: float = -64.0
    ps: float = 35.0
    pr: float = 35.0
    a: float = 0.0
    delay_sensitivity: float = 1.0
    delay_min_perceivable_ms: float = 100.0


@dataclass(frozen=True, slots=True)
class Steps:
    """Every intermediate value, and `r` held to 0–100."""

    no: float
    ro: float
    iolr: float
    ist: float
    iq: float
    idte: float
    idle: float
    idd: float
    ie_eff: float
    r: float

    @property
    def is_(self) -> float:
        """Simultaneous impairment."""
        return self.iolr + self.ist + self.iq

    @property
    def id_(self) -> float:
        """Delay impairment."""
        return self.idte + self.idle + self.idd


def compute(inputs: Inputs) -> Steps:
    """Run the whole algorithm (ITU-T G.107, clause 7)."""
    no = _noise(inputs)
    ro = 15 - 1.5 * (inputs.slr + no)
    iolr = _too_loud(inputs, no)
    ist = _sidetone(inputs)
    iq = _quantising(ro, inputs.qdu)
    idte = _talker_echo(inputs, no, ist)
    idle = _listener_echo(inputs, ro)
    idd = absolute_delay_impairment(
        inputs.ta_ms, inputs.delay_sensitivity, inputs.delay_min_perceivable_ms
    )
    ie_eff = effective_equipment_impairment(inputs.ie, inputs.bpl, inputs.ppl, inputs.burst_r)
    r = ro - (iolr + ist + iq) - (idte + idle + idd) - ie_eff + inputs.a
    return Steps(no, ro, iolr, ist, iq, idte, idle, idd, ie_eff, _within_scale(r))


def absolute_delay_impairment(ta_ms: float, st: float = 1.0, mt_ms: float = 100.0) -> float:
    """Idd: what delay alone costs even with perfect echo control; nothing up to `mt_ms`."""
    if ta_ms <= mt_ms:
        return 0.0
    x = log10(ta_ms / mt_ms) / log10(2)
    power = 6 * st
    return float(
        25 * ((1 + x**power) ** (1 / power) - 3 * (1 + (x / 3) ** power) ** (1 / power) + 2)
    )


def effective_equipment_impairment(
    ie: float, bpl: float, ppl: float, burst_r: float = 1.0
) -> float:
    """Ie,eff of a codec at `ppl` percent loss.

    Raises ValueError outside 0 ≤ Ie < 95, Bpl > 0, 0 ≤ Ppl ≤ 100, BurstR ≥ 1, where the formula
    turns over or has a pole.
    """
    if not (0 <= ie < 95 and bpl > 0 and 0 <= ppl <= 100 and burst_r >= 1):
        raise ValueError(f"Ie {ie}, Bpl {bpl}, Ppl {ppl} %, BurstR {burst_r}")
    return ie + (95 - ie) * ppl / (ppl / burst_r + bpl)


def linear_r(ta_ms: float, ie_eff: float = 0.0) -> float:
    """The popular straight-line fit, R = 93.2 − 0.024·d − 0.11·(d − 177.3)₊ − Ie,eff.

    Not G.107: it follows the default-echo curve to 300 ms and is too harsh beyond. Here for
    comparison with tools that use it.
    """
    return _within_scale(93.2 - 0.024 * ta_ms - 0.11 * max(0.0, ta_ms - 177.3) - ie_eff)


def mos_from_r(r: float) -> float:
    """MOS-CQE of a rating (ITU-T G.107, Annex B), never below 1.

    Below R = 6.5 the polynomial dips under 1, the lowest value of the scale.
    """
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r))


def r_from_mos(mos: float) -> float:
    """The rating of a MOS from 1 to 4.5; ValueError outside.

    Below R = 6.5, where several ratings share the MOS of 1, the greatest of them.
    """
    if not 1 <= mos <= 4.5:
        raise ValueError(f"{mos} is outside the scale of 1 to 4.5")
    # Rounding leaves the radicand a hair below 0 at the very top of the scale.
    root = sqrt(max(0.0, -903522 + 1113960 * mos - 202500 * mos * mos))
    h = atan2(15 * root, 18566 - 6750 * mos) / 3
    return (20 / 3) * (8 - sqrt(226) * cos(h + pi / 3))


def _noise(inputs: Inputs) -> float:
    """No: power sum of circuit noise, room noise at both ends, and the noise floor."""
    olr = inputs.slr + inputs.rlr
    nos = inputs.ps - inputs.slr - inputs.ds - 100 + 0.004 * (inputs.ps - olr - inputs.ds - 14) ** 2
    pre = inputs.pr + 10 * log10(1 + 10 ** ((10 - inputs.lstr) / 10))
    nor = inputs.rlr - 121 + pre + 0.008 * (pre - 35) ** 2
    nfo = inputs.nfor + inputs.rlr
    return 10 * log10(sum(10 ** (level / 10) for level in (inputs.nc, nos, nor, nfo)))


def _too_loud(inputs: Inputs, no: float) -> float:
    """Iolr: too low an overall loudness rating."""
    eighth = (inputs.slr + inputs.rlr + 0.2 * (64 + no - inputs.rlr)) / 8
    return float(20 * ((1 + eighth**8) ** (1 / 8) - eighth))


def _sidetone(inputs: Inputs) -> float:
    """Ist: sidetone that is not optimal."""
    s = -10 * log10(10 ** (-inputs.stmr / 10) + exp(-inputs.t_ms / 4) * 10 ** (-inputs.telr / 10))
    return float(
        12 * (1 + ((s - 13) / 6) ** 8) ** (1 / 8)
        - 28 * (1 + ((s + 1) / 19.4) ** 35) ** (1 / 35)
        - 13 * (1 + ((s - 3) / 33) ** 13) ** (1 / 13)
        + 29
    )


def _quantising(ro: float, qdu: float) -> float:
    """Iq: quantising distortion of `qdu` PCM stages."""
    q = 37 - 15 * log10(qdu)
    g = 1.07 + 0.258 * q + 0.0602 * q * q
    y = (ro - 100) / 15 + 46 / 8.4 - g / 9
    z = 46 / 30 - g / 40
    return 15 * log10(1 + 10**y + 10**z)


def _talker_echo(inputs: Inputs, no: float, ist: float) -> float:
    """Idte: the talker hears himself come back."""
    t = inputs.t_ms
    terv = inputs.telr - 40 * log10((1 + t / 10) / (1 + t / 150)) + 6 * exp(-0.3 * t * t)
    if inputs.stmr < 9:
        terv += ist / 2
    half = (-1.5 * (no - inputs.rlr) - (80 + 2.5 * (terv - 14))) / 2
    idte = (half + sqrt(half * half + 100) - 1) * (1 - exp(-t))
    return sqrt(idte * idte + ist * ist) if inputs.stmr > 20 else idte


def _listener_echo(inputs: Inputs, ro: float) -> float:
    """Idle: the listener hears the talker twice."""
    rle = 10.5 * (inputs.wepl + 7) / sqrt(sqrt(inputs.tr_ms + 1))
    half = (ro - rle) / 2
    return half + sqrt(half * half + 169)


def _within_scale(r: float) -> float:
    return min(100.0, max(0.0, r))
