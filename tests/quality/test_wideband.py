"""The wideband E-model against published points of AMR-WB."""

import pytest

from nethealth.quality.codecs import CODECS, REFUSED
from nethealth.quality.emodel import estimate
from nethealth.quality.wideband import (
    AMR_WB,
    Listening,
    Mode,
    estimate_wideband,
    ie_eff_wb,
    mos_from_r_wb,
)


@pytest.mark.parametrize(("ie", "mos"), [
    (0, 4.500), (1, 4.4940), (8, 4.4206), (13, 4.3371), (41, 3.5123), (56, 2.9220),
])  # fmt: skip
def test_published_scores_without_loss(ie: float, mos: float) -> None:
    assert mos_from_r_wb(129 - ie) == pytest.approx(mos, abs=5.1e-5)


def test_the_published_point_with_loss() -> None:
    quality = estimate_wideband(12.65, loss_ratio=0.02)
    assert quality.passport["ie_eff"] == pytest.approx(43.8095, abs=5.1e-5)
    assert quality.mos_cqew == pytest.approx(3.4062, abs=5.1e-5)
    assert quality.r_factor_wb == pytest.approx(129 - 43.8095, abs=5.1e-5)


@pytest.mark.parametrize(("listening", "kbit_s", "mos"), [
    ("handset", 23.05, 4.4940), ("handset", 23.85, 4.4206), ("handset", 12.65, 4.3371),
    ("handset", 6.6, 3.5123), ("diotic", 23.05, 4.4206), ("diotic", 8.85, 3.5123),
    ("diotic", 6.6, 2.9220),
])  # fmt: skip
def test_each_mode_has_its_published_score(listening: Listening, kbit_s: float, mos: float) -> None:
    quality = estimate_wideband(kbit_s, loss_ratio=0, listening=listening)
    assert quality.mos_cqew == pytest.approx(mos, abs=5.1e-5)


def test_the_term_of_loss_tends_to_95_and_not_to_129() -> None:
    # At Ppl = Bpl half of the way from Ie to 95: 20 + 37.5.
    assert ie_eff_wb(Mode(20, 4.3), 4.3) == pytest.approx(57.5)


@pytest.mark.parametrize(("kbit_s", "listening", "loss", "reason"), [
    (12.65, "handset", 0.01, "no robustness to loss"),
    (15.85, "diotic", 0.01, "no robustness to loss"),
    (14.25, "diotic", 0.0, "no value is published"),
    (64.0, "diotic", 0.0, "no value is published"),
    (12.65, "diotic", None, "no loss was measured"),
    (12.65, "diotic", float("nan"), "no loss was measured"),
])  # fmt: skip
def test_without_published_values_there_is_no_score(
    kbit_s: float, listening: Listening, loss: float | None, reason: str
) -> None:
    quality = estimate_wideband(kbit_s, loss_ratio=loss, listening=listening)
    assert (quality.r_factor_wb, quality.mos_cqew) == (None, None)
    assert reason in str(quality.reason)


def test_the_two_scales_are_never_mixed() -> None:
    assert set(AMR_WB) == {"handset", "diotic"}
    assert "AMR-WB" in REFUSED
    assert not any(name.startswith("AMR") for name in CODECS)
    assert estimate(one_way_delay_s=0.01, loss_ratio=0.0, codec="AMR-WB").r_factor is None


def test_total_loss_is_held_to_the_scale() -> None:
    quality = estimate_wideband(23.05, loss_ratio=7.0)
    assert quality.r_factor_wb == pytest.approx(129 - (8 + 87 * 100 / 104.6))
    assert quality.mos_cqew is not None
    assert quality.mos_cqew >= 1
