"""The wideband E-model of ITU-T G.107.1, as far as it can be used: AMR-WB, its bit rate and loss.

R runs to 129 here and its MOS is MOS-CQEW: neither is ever compared, averaged or held against a
threshold together with the narrowband R and MOS-CQE. What a delay costs is not modelled, so that
an estimate is of a call whose delay nobody notices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from nethealth.model.observation import Passport, Scalar
from nethealth.quality.g107 import mos_from_r

Listening = Literal["handset", "diotic"]
R_MAX_WB = 129.0
_IE_TOP = 95.0  # of the term of loss: as in G.107, and not 129
SOURCE = "ITU-T G.113 (09/2024) Appendix IV"


@dataclass(frozen=True, slots=True)
class Mode:
    """One bit rate of AMR-WB: Ie,WB, and Bpl, None where none is published."""

    ie: float
    bpl: float | None = None


# By how it was listened to, kbit/s of the mode. That 23.85 is worse than 23.05 is as published.
AMR_WB: Mapping[Listening, Mapping[float, Mode]] = {
    "handset": {
        23.85: Mode(8), 23.05: Mode(1), 19.85: Mode(3), 18.25: Mode(5), 15.85: Mode(7),
        14.25: Mode(10), 12.65: Mode(13), 8.85: Mode(26), 6.6: Mode(41),
    },
    "diotic": {
        23.85: Mode(10, 4.9), 23.05: Mode(8, 4.6), 15.85: Mode(17), 12.65: Mode(20, 4.3),
        8.85: Mode(41), 6.6: Mode(56),
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class WidebandQuality:
    """An estimate, or `reason` in plain words why there is none; never both."""

    r_factor_wb: float | None
    mos_cqew: float | None
    passport: Passport
    reason: str | None = None


def ie_eff_wb(mode: Mode, loss_percent: float) -> float:
    """Ie,WB raised by random loss; ValueError where loss is to be scored and no Bpl is published.

    ITU-T G.107.1 (06/2019, Corrigendum 1 of 2020): Ie + (95 − Ie)·Ppl / (Ppl + Bpl).
    """
    if loss_percent <= 0:
        return mode.ie
    if mode.bpl is None:
        raise ValueError("no robustness to loss (Bpl) is published for this mode")
    return mode.ie + (_IE_TOP - mode.ie) * loss_percent / (loss_percent + mode.bpl)


def mos_from_r_wb(r_factor_wb: float) -> float:
    """MOS-CQEW: the narrowband polynomial of R divided by 1.29 (ITU-T G.107.1)."""
    return mos_from_r(r_factor_wb / (R_MAX_WB / 100))


def estimate_wideband(
    kbit_s: float, *, loss_ratio: float | None, listening: Listening = "diotic"
) -> WidebandQuality:
    """R and MOS-CQEW of AMR-WB at a bit rate and this loss (0 to 1, late packets included)."""
    passport: dict[str, Scalar] = {
        "model": "ITU-T G.107.1, without the impairment of delay",
        "codec": f"AMR-WB {kbit_s:g}",
        "listening": listening,
        "loss_ratio": loss_ratio,
        "source": SOURCE,
    }
    mode = AMR_WB[listening].get(kbit_s)
    reason = None
    if mode is None:
        reason = f"no value is published for AMR-WB at {kbit_s:g} kbit/s, {listening}"
    elif loss_ratio is None or not isfinite(loss_ratio):
        reason = "no loss was measured"
    elif loss_ratio > 0 and mode.bpl is None:
        reason = f"no robustness to loss (Bpl) is published for this mode, {listening}"
    if reason is not None or mode is None or loss_ratio is None:
        return WidebandQuality(None, None, passport, reason)
    loss_percent = 100 * min(1.0, max(0.0, loss_ratio))
    raised = ie_eff_wb(mode, loss_percent)
    r_factor_wb = max(0.0, R_MAX_WB - raised)
    passport |= {"ie": mode.ie, "bpl": mode.bpl, "ie_eff": raised}
    return WidebandQuality(r_factor_wb, mos_from_r_wb(r_factor_wb), passport)
