"""Registrations and the measures of RFC 6076, against examples worked out by hand."""

from collections.abc import Iterable

import pytest

from nethealth.model.pseudonym import Pseudonyms, Revealed
from nethealth.passive import sip_facts, sip_registrations
from nethealth.passive.bins import BINS_MAX, Bins
from nethealth.passive.sip_calls import Calls
from nethealth.passive.sip_measures import Measure, Measures
from nethealth.passive.sip_parties import Parties
from nethealth.passive.sip_read import SeenMessage
from nethealth.passive.sip_registrations import Attempt, Registrations
from nethealth.passive.sip_transactions import names_of
from tests.passive.sip_script import (
    ALICE,
    BOB,
    OFFER,
    PROXY,
    SECOND,
    START_NS,
    Script,
    ordinary_call,
)

CONTACT = ("Contact: <sip:a@198.18.0.1>;expires=3600",)
GRANTED = ("Contact: <sip:z@198.18.0.9>;expires=900, <sip:a@198.18.0.1>;expires=600",)


def registrations_of(messages: Iterable[SeenMessage], end_s: float = 1000.0) -> Registrations:
    registrations = Registrations(Parties(Revealed()))
    for seen in messages:
        registrations.take(seen, names_of(seen.message))
    registrations.finish(START_NS + round(end_s * SECOND))
    return registrations


def attempt_of(script: Script, end_s: float = 1000.0) -> Attempt:
    (attempt,) = registrations_of(script.seen, end_s).attempts
    return attempt


def challenged(code: int, call_id: str = "r", headers: tuple[str, ...] = GRANTED) -> Script:
    """REGISTER at 0, challenge at 0.25, again at 0.5, its answer at 1."""
    script = Script(call_id)
    script.request(0.0, "REGISTER", headers=CONTACT)
    script.response(0.25, 401, "REGISTER")
    script.request(0.5, "REGISTER", number=2, headers=(*CONTACT, "Authorization: Digest x=y"))
    script.response(1.0, code, "REGISTER", number=2, headers=headers)
    return script


def test_a_challenge_and_what_follows_it_are_one_attempt() -> None:
    attempt = attempt_of(challenged(200))
    assert (attempt.outcome, attempt.delay_s, attempt.challenge_count) == ("succeeded", 1.0, 1)
    assert (attempt.asked_s, attempt.granted_s, attempt.request_count) == (3600, 600, 2)


def test_credentials_that_are_refused() -> None:
    for code in (401, 403):
        attempt = attempt_of(challenged(code))
        assert (attempt.outcome, attempt.status_code) == ("failed", code)


def test_a_challenge_that_nobody_answers() -> None:
    script = Script()
    script.request(0.0, "REGISTER", headers=CONTACT)
    script.response(0.25, 401, "REGISTER")
    assert attempt_of(script).outcome == "challenged"
    assert attempt_of(script, 10.0).outcome == "in progress"


def test_a_registrar_that_is_silent() -> None:
    script = Script()
    for at_s in (0.0, 0.5, 1.5, 3.5):
        script.request(at_s, "REGISTER", headers=CONTACT)
    attempt = attempt_of(script)
    assert (attempt.outcome, attempt.copy_count, attempt.delay_s) == ("unanswered", 3, None)


def test_the_same_registration_at_two_hops_is_one() -> None:
    """A proxy in between writes a branch of its own, and nobody has sent anything again."""
    script, hop = Script(), "z9hG4bKproxy"
    script.request(0.0, "REGISTER", ALICE, PROXY, headers=CONTACT)
    script.request(0.01, "REGISTER", PROXY, BOB, branch=hop, headers=CONTACT)
    script.response(0.2, 401, "REGISTER", BOB, PROXY, branch=hop)
    script.response(0.21, 401, "REGISTER", PROXY, ALICE)
    registrations = registrations_of(script.seen)
    (attempt,) = registrations.attempts
    assert (attempt.outcome, attempt.request_count, attempt.copy_count) == ("challenged", 1, 0)
    assert (registrations.asked.total, registrations.copy_count) == (1, 0)
    script.request(0.3, "REGISTER", ALICE, PROXY, number=2, headers=CONTACT)
    script.response(0.5, 200, "REGISTER", BOB, PROXY, number=2, branch=hop)
    script.response(0.51, 200, "REGISTER", PROXY, ALICE, number=2)
    attempt = attempt_of(script)
    assert (attempt.outcome, attempt.delay_s) == ("succeeded", 0.51), "as the phone waited"


def test_a_removal_and_a_query_are_no_registrations() -> None:
    script = Script()
    script.request(0.0, "REGISTER", headers=("Contact: *", "Expires: 0"))
    script.response(0.1, 200, "REGISTER")
    assert attempt_of(script).purpose == "remove"
    script = Script()
    script.request(0.0, "REGISTER")
    script.response(0.1, 200, "REGISTER")
    assert attempt_of(script).purpose == "query"


def test_the_next_registration_of_the_same_phone_is_another_attempt() -> None:
    script = challenged(200)
    script.request(300.0, "REGISTER", number=3, headers=CONTACT)
    script.response(300.5, 503, "REGISTER", number=3)
    registrations = registrations_of(script.seen)
    assert [attempt.outcome for attempt in registrations.attempts] == ["succeeded", "failed"]
    (account,) = registrations.accounts.values()
    assert (account.attempt_count, account.success_count, dict(account.failures)) == (
        2,
        1,
        {503: 1},
    )
    assert (account.asked_s, account.granted_s) == (3600, 600)


def test_accounts_beyond_the_cap_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_registrations, "RECORDS_MAX", 3)
    monkeypatch.setattr(sip_facts, "RECORDS_SHOWN_MAX", 2)
    registrations = Registrations(Parties(Revealed()))
    for index in range(5):
        script = Script(f"r{index}")
        script.request(index, "REGISTER", headers=CONTACT, to_uri=f"sip:phone{index}@example.org")
        script.response(index + 0.5, 200, "REGISTER")
        for seen in script.seen:
            registrations.take(seen, names_of(seen.message))
    registrations.finish(START_NS + 1000 * SECOND)
    facts = {fact.name: fact for fact in sip_facts.registration_facts(registrations)}
    assert facts["registration_left_out_count"].value == 3
    assert facts["registration_attempt_count"].value == 5


def test_names_stand_in_one_place_as_tokens() -> None:
    parties = Parties(Pseudonyms(bytes(range(32))))
    numbers = [parties.number_of(uri) for uri in (
        "sip:0123456789@pbx.example:5060;transport=tcp", "sip:0123456789@PBX.example", "sip:x@y",
    )]  # fmt: skip
    assert numbers == [1, 1, 2]
    assert all("0123456789" not in text for text in parties.all().values())
    assert parties.all()[1].endswith("@pbx.example")


def test_bins_widen_and_lose_nothing() -> None:
    bins = Bins()
    for second in range(0, 10 * BINS_MAX, 10):
        bins.add(START_NS + second * SECOND)
    assert bins.total == BINS_MAX
    start_ns, counts = bins.series()
    assert (bins.width_s, sum(counts)) == (16, BINS_MAX)
    assert len(counts) <= BINS_MAX
    assert start_ns <= START_NS


def measures_of(calls: Iterable[Script], registers: Iterable[Script]) -> dict[str, Measure]:
    measures = Measures()
    tracker = Calls(Parties(Revealed()), measures.call)
    for script in calls:
        for seen in script.seen:
            tracker.take(seen, names_of(seen.message))
    tracker.finish(START_NS + 1000 * SECOND)
    for script in registers:
        for attempt in registrations_of(script.seen).attempts:
            measures.registration(attempt)
    return {f"{one.name} {one.result or ''}".strip(): one for one in measures.results()}


def refused(code: int | None, call_id: str, ringing: bool = False) -> Script:
    """INVITE at 0, perhaps ringing at 0.75, the answer at 1.5."""
    script = Script(call_id)
    script.request(0.0, "INVITE", body=OFFER)
    if ringing:
        script.response(0.75, 180)
    if code is not None:
        script.response(1.5, code)
    return script


def test_nothing_gives_no_data() -> None:
    for measure in measures_of([], []).values():
        assert measure.value == (0 if measure.name.endswith("_count") else None)
        assert measure.samples == 0


def test_the_measures_by_hand() -> None:
    """Ten INVITEs: 2 answered (one of them without BYE), 1 redirected, 486, 480, 603, 404 after
    ringing, 503, 500, and one without any answer."""
    answered = ordinary_call(Script("c0"))
    open_ended = Script("c1")
    open_ended.request(0.0, "INVITE")
    open_ended.response(1.0, 200)
    calls = [
        answered, open_ended, refused(302, "c2"), refused(486, "c3"), refused(480, "c4"),
        refused(603, "c5"), refused(404, "c6", ringing=True), refused(503, "c7"),
        refused(500, "c8"), refused(None, "c9"),
    ]  # fmt: skip
    # Of the registrations 3 count: succeeded, refused by 403, silent; one is still challenged
    silent, pending = Script("r2"), Script("r3")
    silent.request(0.0, "REGISTER", headers=CONTACT)
    pending.request(0.0, "REGISTER", headers=CONTACT)
    pending.response(0.1, 401, "REGISTER")
    found = measures_of(calls, [challenged(200), challenged(403, "r1"), silent, pending])
    # 4.6: 2 of 10 - 1; 4.7: 2 + 486 + 480 + 603 of 9; 4.8: 503, 500 and the silence of 10
    assert found["session_establishment_ratio"].value == pytest.approx(2 / 9)
    assert found["session_establishment_effectiveness_ratio"].value == pytest.approx(5 / 9)
    assert found["ineffective_session_attempts_ratio"].value == pytest.approx(3 / 10)
    assert found["session_completion_ratio"].value == pytest.approx(1 / 10)
    assert found["session_establishment_ratio"].samples == 9
    assert found["ineffective_session_attempts_ratio"].samples == 10
    # 4.3.1: 0.5 (180), 1.0 (200 at once), 0.75 (180 before the 404); 4.3.2: five refusals at 1.5
    assert found["session_request_delay_median_s successful"].value == 0.75
    assert found["session_request_delay_max_s successful"].value == 1.0
    assert found["session_request_delay_max_s successful"].samples == 3
    assert found["session_request_delay_median_s failed"].value == 1.5
    assert found["session_request_delay_median_s failed"].samples == 5
    # 4.4.1 and 4.5.1: BYE at 60, answered at 60.25, after a 200 at 2
    assert found["session_disconnect_delay_median_s successful"].value == 0.25
    assert found["session_duration_time_median_s successful"].value == 58.0
    # 4.1: 1.0 s with the challenge in it; 4.2: 403 and the silence, of 3
    assert found["registration_request_delay_median_s"].value == 1.0
    assert found["ineffective_registration_attempts_ratio"].value == pytest.approx(2 / 3)
    # Wilson's interval for 1 of 10, from the formula: 0.018 to 0.404
    assert found["session_completion_ratio"].interval == pytest.approx((0.0179, 0.4042), abs=1e-4)


def test_a_call_that_the_capture_cuts_off_is_left_out() -> None:
    measures = Measures()
    tracker = Calls(Parties(Revealed()), measures.call)
    for seen in ordinary_call(Script()).seen[:3]:
        tracker.take(seen, names_of(seen.message))
    tracker.finish(START_NS + 5 * SECOND)
    assert measures.call_left_out_count == 1
