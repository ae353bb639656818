"""What is concluded from a test call."""

import pytest

from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Severity, Verdict
from nethealth.model.observation import Passport, Scalar
from tests.diagnosis.build import Scene, healthy
from tests.diagnosis.calls import call, refused, talked


def test_a_call_that_is_well_says_nothing() -> None:
    assert talked(healthy(), "hall-pbx", r_factor=("return", 91.0, 0.0, 0.0)).ids() == []


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_refused_call(status: int) -> None:
    found = refused(healthy(), "hall-pbx", status, "No Such Luck").only("call-failed:hall-pbx")
    assert f"was refused with {status} No Such Luck." in found.statement
    assert (found.verdict, found.severity) == (Verdict.DEMONSTRATED, Severity.WARNING)
    assert found.direction is None
    answers = {one.test: one.result for one in found.refutations}
    assert answers["Does the host answer OPTIONS?"] == "yes: 200"


@pytest.mark.parametrize("status", [401, 407, 480, 486, 600, 603])
def test_a_callee_that_will_not_is_no_fault_of_the_way(status: int) -> None:
    found = refused(healthy(), "hall-pbx", status, "").only("call-failed:hall-pbx")
    assert (found.verdict, found.severity) == (Verdict.INSUFFICIENT_DATA, Severity.INFO)


@pytest.mark.parametrize("status", [401, 403, 407])
def test_credentials_that_are_refused_say_nothing_of_the_way(status: int) -> None:
    why = f"the server answered {status} to the credentials"
    facts: list[tuple[str, Scalar, Passport]] = [
        ("sip_status_code", status, {"reason_phrase": "No"}),
        ("sip_authenticated", False, {"reason": why}),
    ]
    scene = call(
        healthy(), "hall-pbx", facts, outcome=Outcome.FAILED, failure=Failure.AUTH, reason=why
    )
    found = scene.only("call-failed:hall-pbx")
    assert f"was refused with {status} No ({why})" in found.statement
    assert (found.verdict, found.severity) == (Verdict.INSUFFICIENT_DATA, Severity.INFO)


def test_a_number_that_is_refused_after_a_login_is_a_fault() -> None:
    facts: list[tuple[str, Scalar, Passport]] = [
        ("sip_status_code", 404, {"reason_phrase": "Not Found"}),
        ("sip_authenticated", True, {}),
    ]
    found = call(healthy(), "hall-pbx", facts).only("call-failed:hall-pbx")
    assert "was refused with 404 Not Found (after a login)" in found.statement
    assert found.verdict is Verdict.DEMONSTRATED


def test_it_rang_and_nobody_answered() -> None:
    facts: list[tuple[str, Scalar, Passport]] = [
        ("sip_status_code", 487, {}),
        ("sip_provisional_codes", "100 180", {}),
    ]
    scene = call(
        healthy(), "hall-pbx", facts, outcome=Outcome.FAILED, failure=Failure.TIMEOUT,
        reason="it rang for 20 s and nobody answered",
    )  # fmt: skip
    found = scene.only("call-failed:hall-pbx")
    assert "it rang for 20 s" in found.statement
    assert found.refutations[0].result == "yes: 100 180"


def test_an_answer_without_media() -> None:
    scene = call(
        healthy(), "hall-pbx", [("sip_status_code", 200, {})], outcome=Outcome.FAILED,
        failure=Failure.PROTOCOL, reason="answered without media that we could send to",
    )  # fmt: skip
    found = scene.only("call-failed:hall-pbx")
    assert "was answered and broke off" in found.statement


def test_a_dead_host_fails_no_call_besides() -> None:
    scene = healthy().silent("hall-fax")
    scene = call(
        scene, "hall-fax", [("sip_status_code", None, {})], outcome=Outcome.FAILED,
        failure=Failure.TIMEOUT,
    )  # fmt: skip
    found = scene.only("host-down:hall-fax")
    assert found.symptoms == ("call-failed:hall-fax",)


@pytest.mark.parametrize(
    ("back", "forward", "words"),
    [
        (0, 500, "no audio got from the far end to here: not one packet arrived, while it reports "
                 "500 of ours"),
        (0, None, "no audio got from the far end to here: not one packet arrived; whether ours "
                  "(500) got there is not known"),
        (500, 0, "no audio got from here to the far end: it reports none of our 500 packets, while "
                 "500 packets of its own arrived here"),
        (0, 0, "no audio passed in either direction"),
    ],
)  # fmt: skip
def test_which_side_is_not_heard(back: int, forward: int | None, words: str) -> None:
    found = talked(healthy(), "hall-pbx", back=back, forward=forward).only("one-way-audio:hall-pbx")
    assert words in found.statement
    assert (found.verdict, found.severity) == (Verdict.DEMONSTRATED, Severity.WARNING)
    assert found.direction is None
    assert found.evidence


def test_media_from_elsewhere_is_named() -> None:
    found = talked(healthy(), "hall-pbx", back=0, strangers=400).only("one-way-audio:hall-pbx")
    assert "400 packets came from 203.0.113.9:4000 instead of the address" in found.statement


def test_a_call_on_hold_or_too_short_says_nothing_of_its_audio() -> None:
    assert talked(healthy(), "hall-pbx", back=0, media="sendonly").ids() == []
    assert talked(healthy(), "hall-pbx", sent=49, back=0).ids() == []


def test_a_poor_call_is_supported() -> None:
    # 10 % loss, at least 8 %: by the handbook's table R 66 and 70 without delay, below with it
    scene = talked(healthy(), "hall-pbx", r_factor=("return", 64.0, 0.10, 0.08))
    found = scene.only("poor-voice-quality:hall-pbx")
    assert found.verdict is Verdict.SUPPORTED
    assert "sounded poor from the far end to here: R 64" in found.statement
    assert "Of 500 packets 10.0 % were lost or came too late" in found.statement
    assert found.effect is not None
    assert found.effect.estimate == 64.0


def test_a_poor_call_by_too_few_packets_is_none() -> None:
    scene = talked(healthy(), "hall-pbx", r_factor=("return", 64.0, 0.10, 0.001))
    assert scene.ids() == []


def test_the_worse_direction_is_told() -> None:
    scene = talked(healthy(), "hall-pbx", r_factor=("forward", 40.0, 0.30, 0.2))
    assert "poor from here to the far end" in scene.only("poor-voice-quality:hall-pbx").statement


def test_one_bad_round_of_several_is_not_persistent() -> None:
    scene = talked(talked(Scene().asset("hall-pbx"), "hall-pbx", back=0), "hall-pbx")
    assert scene.ids() == []
