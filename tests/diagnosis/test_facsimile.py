"""Facsimiles as packets: refused T.38, lossy media, and those that go well."""

import pytest

from nethealth.model.finding import Finding, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, known
from tests.diagnosis.heard import stream, told_call, told_fax

ATA, GATEWAY = "203.0.113.10:5060", "198.51.100.10:5060"
OUT, BACK = "203.0.113.10:4000", "198.51.100.10:4000"


def fax(*facts: Fact) -> Finding | None:
    scene = Scene(kind="capture")
    known(scene, "depot-ata", "ata", "203.0.113.10")
    known(scene, "hall-gateway", "gateway", "198.51.100.10")
    found = capture(scene, None, *facts).findings()
    return next((one for one in found if one.code == "fax-over-ip"), None)


def test_refused_t38_is_told_of_the_site_that_sends() -> None:
    finding = fax(*told_fax(1, ATA, GATEWAY, 488))
    assert finding is not None
    assert (finding.id, finding.verdict) == ("fax-over-ip:depot", Verdict.SUPPORTED)
    assert finding.direction is None, "neither hurts the other"
    assert "1 of 1 facsimile call of Depot House were refused T.38 (488)" in finding.statement


def test_t38_that_is_taken_with_whole_media_is_none() -> None:
    assert fax(*told_fax(1, ATA, GATEWAY, 200), *stream(OUT, BACK)) is None


def test_refusal_between_two_that_take_it_in_another_call_is_only_suggested() -> None:
    facts = [*told_fax(1, ATA, GATEWAY, 488), *told_fax(2, ATA, GATEWAY, 200)]
    finding = fax(*facts)
    assert finding is not None
    assert finding.verdict is Verdict.SUGGESTIVE


def test_lossy_media_of_a_facsimile_breaks_its_modem() -> None:
    """30 of 1000 lost: Wilson's 95 % begins at 2.1 %, above the 1 % that a modem bears."""
    finding = fax(*told_fax(1, ATA, GATEWAY, 488), *stream(OUT, BACK, lost=30))
    assert finding is not None
    assert finding.verdict is Verdict.SUPPORTED
    assert "lost 30 of 1000 packets, 3.0 % (95 % interval 2.1 % to 4.3 %)" in finding.statement


@pytest.mark.parametrize("lost", [0, 30])
def test_speech_is_no_facsimile_whatever_it_loses(lost: int) -> None:
    assert fax(*told_call(1, ATA, GATEWAY), *stream(OUT, BACK, lost=lost)) is None


def test_loss_of_another_call_is_not_the_facsimiles() -> None:
    other = stream("203.0.113.11:4000", "198.51.100.10:4010", lost=100)
    assert fax(*told_fax(1, ATA, GATEWAY, 200), *other) is None
