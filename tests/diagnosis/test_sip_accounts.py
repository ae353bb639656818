"""Credentials, domains of several servers, and old TLS, as they are judged."""

import pytest

from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Severity, Verdict
from nethealth.model.observation import Observation, Passport, Scalar
from tests.diagnosis.build import Scene, healthy


def add(scene: Scene, name: str, value: Scalar, method: Passport, failure: Failure | None) -> None:
    """One more fact of the last check: a name may come more than once there."""
    check = scene.checks[-1].id
    number = len(scene.observations) + 100
    scene.observations.append(
        Observation(f"{check}/{number}", check, name, value, failure=failure, method=method)
    )


def challenged(login: bool | None, reason: str | None, answer: int | None = None) -> Scene:
    scene = healthy().ping("mill-pbx").sip("mill-pbx", 401, "Unauthorized")
    add(scene, "sip_authenticated", login, {"reason": reason}, None)
    if answer is not None:
        add(scene, "sip_status_code", answer, {"authenticated": True, "reason_phrase": "So"}, None)
    return scene


def test_a_login_that_was_taken_is_no_finding() -> None:
    assert challenged(True, None, 200).findings() == ()


def test_what_is_wrong_behind_the_login_is_told() -> None:
    assert challenged(True, None, 503).ids() == ["sip-overload:mill-pbx"]


@pytest.mark.parametrize("answer", [401, 403, 407])
def test_refused_credentials(answer: int) -> None:
    finding = challenged(False, "refused", answer).only("sip-auth:mill-pbx")
    assert "refused the credentials that are configured" in finding.statement
    assert f"{answer} So" in finding.statement
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.DEMONSTRATED)


def test_no_credentials() -> None:
    finding = challenged(None, "no credentials are configured").only("sip-auth:mill-pbx")
    assert "asks for credentials" in finding.statement
    assert "no credentials are configured" in finding.statement


def test_a_registration_that_was_refused() -> None:
    scene = healthy().sip("mill-pbx", 200, sip_registration_status_code=403).ping("mill-pbx")
    assert "did not register" in scene.only("sip-auth:mill-pbx").statement


def domain(*ends: tuple[int | None, Failure | None]) -> Scene:
    scene = healthy().ping("mill-pbx")
    completed = any(failure is None for _, failure in ends)
    scene.check(
        "mill-pbx", "sip", {"sip_target_count": len(ends)},
        outcome=Outcome.COMPLETED if completed else Outcome.FAILED,
        failure=None if completed else ends[0][1],
    )  # fmt: skip
    for number, (status, failure) in enumerate(ends, 1):
        target = {"target": f"sip{number}.example:5060;transport=udp"}
        add(scene, "sip_status_code", status, target, failure)
        word = "failed" if failure else "completed"
        add(scene, "sip_target_outcome", word, {**target, "reason": "so it went"}, failure)
    return scene


def test_a_domain_whose_servers_all_answer() -> None:
    assert domain((200, None), (404, None)).findings() == ()


@pytest.mark.parametrize("failure", [Failure.TIMEOUT, Failure.REFUSED, Failure.RESOLVE])
def test_one_server_of_a_domain_is_down(failure: Failure) -> None:
    finding = domain((200, None), (None, failure), (401, None)).only("sip-down:mill-pbx")
    assert "at sip2.example:5060;transport=udp" in finding.statement
    assert "2 of the 3 servers" in finding.statement


def test_a_domain_that_is_wholly_down() -> None:
    scene = domain((None, Failure.REFUSED), (None, Failure.TIMEOUT))
    assert "2 of the 2 servers" in scene.only("sip-down:mill-pbx").statement


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"tls_versions_accepted": "TLSv1, TLSv1.1, TLSv1.3"}, "still accepts TLSv1 and TLSv1.1."),
        ({"tls_version": "TLSv1"}, "speaks nothing better than TLSv1."),
    ],
)
def test_old_tls(facts: dict[str, str], said: str) -> None:
    scene = healthy().ping("mill-pbx").sip("mill-pbx", 200, "OK", 1, **facts)
    finding = scene.only("obsolete-security:mill-pbx")
    assert finding.statement == f"mill-pbx {said}"
    assert finding.severity is Severity.WARNING
    assert finding.direction is None


def test_current_tls_is_no_finding() -> None:
    scene = (
        healthy()
        .ping("mill-pbx")
        .sip("mill-pbx", 200, tls_version="TLSv1.2", tls_versions_accepted="TLSv1.2")
    )
    assert scene.findings() == ()
