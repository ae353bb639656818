"""Estimates from a path's delay and loss: the joint points, the passport, and the refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.quality.codecs import CODECS
from nethealth.quality.emodel import DELAY_VARIANTS, DelayVariant, estimate


@pytest.mark.parametrize(
    ("codec", "network_s", "loss", "rating"),
    [
        # The mouth-to-ear delays of 150, 200 and 300 ms less 65 ms of packet, buffer and device,
        # and 5 ms of look-ahead for G.729A.
        ("G.711+PLC", 0.085, 0.01, 85.899),
        ("G.711+PLC", 0.135, 0.01, 82.165),
        ("G.729A", 0.080, 0.01, 74.339),
        ("G.729A", 0.130, 0.02, 66.805),
        ("G.711+PLC", 0.235, 0.03, 62.524),
    ],
)
def test_joint_points_from_the_network_delay(
    codec: str, network_s: float, loss: float, rating: float
) -> None:
    quality = estimate(one_way_delay_s=network_s, loss_ratio=loss, codec=codec)
    assert quality.r_factor == pytest.approx(rating, abs=5.1e-4)
    assert quality.reason is None


@pytest.mark.parametrize(
    ("variant", "rating", "mos"),
    [("default-echo", 85.805, 4.223), ("echo-free", 90.162, 4.343), ("linear", 85.903, 4.226)],
)
def test_each_variant_at_200_ms(variant: DelayVariant, rating: float, mos: float) -> None:
    quality = estimate(one_way_delay_s=0.135, loss_ratio=0, delay_variant=variant)
    assert quality.r_factor == pytest.approx(rating, abs=5.1e-4)
    assert quality.mos_cqe == pytest.approx(mos, abs=5.1e-4)
    assert quality.passport["delay_variant"] == variant


def test_passport_holds_every_part_of_the_delay() -> None:
    passport = estimate(
        one_way_delay_s=0.03, loss_ratio=0.02, burst_ratio=1.5, codec="G.729A"
    ).passport
    parts = ("one_way_delay_s", "packetisation_s", "lookahead_s", "jitter_buffer_s", "device_s")
    assert [passport[part] for part in parts] == [0.03, 0.02, 0.005, 0.04, 0.005]
    assert passport["mouth_to_ear_s"] == pytest.approx(0.1)
    assert (passport["ie"], passport["bpl"], passport["burst_r"]) == (11, 19.0, 1.5)
    assert "G.107" in str(passport["model"])
    assert "G.113" in str(passport["source"])


@pytest.mark.parametrize(
    ("codec", "reason"),
    [
        ("G.722", "no narrowband value"), ("Opus", "Opus"), ("EVS", "EVS"), ("AMR-NB", "AMR-NB"),
        ("AMR-WB", "G.107.1"), ("Speex", "Speex"), ("G.729", "Bpl"),
    ],
)  # fmt: skip
def test_codec_without_a_value_is_refused_with_the_reason(codec: str, reason: str) -> None:
    quality = estimate(one_way_delay_s=0.01, loss_ratio=0.01, codec=codec)
    assert (quality.r_factor, quality.mos_cqe) == (None, None)
    assert quality.reason is not None
    assert reason in quality.reason


def test_codec_without_bpl_is_scored_where_nothing_was_lost() -> None:
    quality = estimate(one_way_delay_s=0.0, loss_ratio=0, codec="G.729", delay_variant="echo-free")
    assert quality.r_factor == pytest.approx(93.206 - 10, abs=5.1e-4)
    assert quality.passport["bpl"] is None


@pytest.mark.parametrize(
    ("delay", "loss", "burst", "reason"),
    [
        (None, 0.0, None, "no delay"), (0.01, None, None, "no loss"),
        (float("nan"), 0.0, None, "not possible"), (-0.01, 0.0, None, "not possible"),
        (float("inf"), 0.0, None, "not possible"), (0.01, float("nan"), None, "not a number"),
        (0.01, 0.1, float("inf"), "not a number"),
    ],
)  # fmt: skip
def test_what_was_not_measured_gives_no_score(
    delay: float | None, loss: float | None, burst: float | None, reason: str
) -> None:
    quality = estimate(one_way_delay_s=delay, loss_ratio=loss, burst_ratio=burst)
    assert quality.r_factor is None
    assert reason in str(quality.reason)


def test_loss_and_burst_ratio_are_held_to_their_bounds() -> None:
    clean = estimate(one_way_delay_s=0.01, loss_ratio=0)
    assert estimate(one_way_delay_s=0.01, loss_ratio=-0.5).r_factor == clean.r_factor
    every = estimate(one_way_delay_s=0.01, loss_ratio=1)
    assert estimate(one_way_delay_s=0.01, loss_ratio=7).r_factor == every.r_factor
    low = estimate(one_way_delay_s=0.01, loss_ratio=0.1, burst_ratio=0.3)
    assert low.r_factor == estimate(one_way_delay_s=0.01, loss_ratio=0.1).r_factor


@given(
    st.one_of(st.none(), st.floats()),
    st.one_of(st.none(), st.floats()),
    st.one_of(st.none(), st.floats()),
    st.sampled_from([*CODECS, "Opus"]),
    st.sampled_from(DELAY_VARIANTS),
)
def test_any_input_gives_a_rating_on_the_scale_or_a_reason(
    delay: float | None, loss: float | None, burst: float | None, codec: str, variant: DelayVariant
) -> None:
    quality = estimate(
        one_way_delay_s=delay, loss_ratio=loss, burst_ratio=burst, codec=codec,
        delay_variant=variant,
    )  # fmt: skip
    assert (quality.r_factor is None) == (quality.reason is not None)
    if quality.r_factor is not None and quality.mos_cqe is not None:
        assert 0 <= quality.r_factor <= 100
        assert 1 <= quality.mos_cqe <= 4.5
