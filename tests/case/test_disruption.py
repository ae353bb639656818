"""The cost of disruption by hand: rate, hours, heads and impairment, and nothing counted twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from nethealth.case.disruption import disruption_cost, loaded_rate
from nethealth.model.case import Basis, ContactCentre
from nethealth.model.case_result import DisruptionCost, Range
from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.case.build import INVENTORY, figure, finding, priced_case, staff_time

WEEKS = timedelta(days=28)


def cost(*findings: Finding, observed: timedelta = WEEKS) -> DisruptionCost:
    found = disruption_cost(priced_case(), findings, INVENTORY, observed, "Europe/London")
    assert found is not None
    return found


def test_the_loaded_rate_is_pay_over_hours_worked() -> None:
    assert loaded_rate(staff_time()).central == pytest.approx(20.0)
    # 33,000 + 4,200 + 5,800 over 1,924 - 200 - 59.2 - 60 - 30 hours, by a pocket calculator
    real = replace(
        staff_time(), salary_gbp=figure(33_000), employer_ni_gbp=figure(4_200),
        employer_pension_gbp=figure(5_800), contracted_h=figure(1_924), leave_h=figure(200),
        bank_holiday_h=figure(59.2), sickness_h=figure(60, 40, 80), training_h=figure(30),
    )  # fmt: skip
    rate = loaded_rate(real)
    assert rate.central == pytest.approx(27.305, abs=0.001)
    assert rate.low == pytest.approx(43_000 / 1_594.8)
    assert rate.high == pytest.approx(43_000 / 1_554.8)


def test_no_hours_left_is_refused() -> None:
    with pytest.raises(ValueError, match="productive hours"):
        loaded_rate(replace(staff_time(), leave_h=figure(1_900)))


def test_two_hours_of_a_hundred_people_at_a_quarter() -> None:
    found = cost(finding())
    # 2 h x 100 heads x 25 % (10, 50) x 20 pounds
    assert found.total_gbp == Range(400, 1000, 2000)
    [one] = found.priced
    assert (one.working_h, one.site, one.share) == (2, "hall", "other")


def test_only_working_hours_count() -> None:
    # from nine on Monday for two days: 08:30 to 17:30 leaves 8.5 and 9 and half an hour
    assert cost(finding(hours=48)).priced[0].working_h == pytest.approx(8.5 + 9 + 0.5)
    weekend = finding(start_h=24 * 5, hours=24)
    assert cost(weekend).priced[0].working_h == 0


def test_an_hour_of_a_person_is_counted_once() -> None:
    outage = finding("site-outage", start_h=1, hours=2, severity=Severity.CRITICAL)
    loss = finding("packet-loss", start_h=0, hours=4)
    poor = finding("poor-voice-quality", start_h=0, hours=4)
    found = cost(loss, outage, poor)
    hours = {one.code: one.working_h for one in found.priced}
    assert hours == {"site-outage": 2, "packet-loss": 2, "poor-voice-quality": 0}
    # 2 h at 80 % and 2 h at 25 %, 100 heads, 20 pounds
    assert found.total_gbp.central == 2 * 100 * 0.8 * 20 + 2 * 100 * 0.25 * 20


def test_another_site_has_hours_of_its_own() -> None:
    found = cost(finding(), finding(site="house"))
    assert found.total_gbp.central == 1000 + 500


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (Verdict.SUGGESTIVE, "suggestive: at least supported"),
        (Verdict.INSUFFICIENT_DATA, "insufficient-data: at least supported"),
        (Verdict.CONTRADICTED, "contradicted: at least supported"),
    ],
)
def test_what_is_not_sure_has_no_price(verdict: Verdict, reason: str) -> None:
    found = cost(finding(verdict=verdict))
    assert not found.priced
    assert reason in found.unpriced[0].reason


def test_a_mechanism_that_is_only_suggested_is_listed_though_it_is_a_note() -> None:
    """Every mechanism below `supported` is a note: without this it would be silently left out."""
    hint = finding(
        "multicast-flood", severity=Severity.INFO, verdict=Verdict.SUGGESTIVE,
        direction=Direction.TELEPHONY_TO_NETWORK,
    )  # fmt: skip
    found = cost(hint, finding())
    assert [one.code for one in found.priced] == ["packet-loss"]
    assert [one.reason for one in found.unpriced] == [
        "its verdict is suggestive: at least supported is needed"
    ]
    acquitted = finding("multicast-flood", severity=Severity.INFO, verdict=Verdict.NO_EVIDENCE)
    assert cost(acquitted).unpriced == ()


def test_heads_of_one_device_can_rest_on_assumption() -> None:
    """Impairment and rate of this case are quoted: what is assumed is the number of people."""
    phone = finding("site-outage", asset="phone-7", severity=Severity.CRITICAL)
    case = priced_case()

    def ratio(basis: Basis) -> float | None:
        assert case.disruption is not None
        heads = {"phone-7": figure(3, basis=basis)}
        told = replace(case, disruption=replace(case.disruption, staff=heads))
        found = disruption_cost(told, [phone], INVENTORY, WEEKS, "UTC")
        assert found is not None
        return found.assumed_ratio

    assert ratio("assumed") == 1
    assert ratio("quoted") == 0


def test_heads_that_nobody_counted_are_said() -> None:
    found = cost(finding(site="barn"), finding(site=None))
    assert sorted(one.reason for one in found.unpriced) == [
        "it belongs to no site", "nobody has said how many people work there",
    ]  # fmt: skip


def test_one_device_hinders_those_whose_work_hangs_on_it() -> None:
    phone = finding("host-down", asset="phone-7", severity=Severity.CRITICAL)
    assert cost(phone).unpriced[0].reason == "nobody has said whose work hangs on this one device"
    case = priced_case()
    assert case.disruption is not None
    told = replace(case, disruption=replace(case.disruption, staff={"phone-7": figure(3)}))
    found = disruption_cost(told, [phone], INVENTORY, WEEKS, "UTC")
    assert found is not None
    assert found.total_gbp.central == 2 * 3 * 0.25 * 20
    # while the whole site is cut off for the first of the two hours, the device adds nothing
    both = disruption_cost(told, [phone, finding("site-outage", hours=1)], INVENTORY, WEEKS, "UTC")
    assert both is not None
    assert {one.code: one.working_h for one in both.priced} == {"site-outage": 1, "host-down": 1}


def test_what_hinders_nobody_is_neither_priced_nor_listed() -> None:
    found = cost(finding("certificate-expiry"), finding("unowned-asset", severity=Severity.INFO))
    assert not found.priced
    assert not found.unpriced


def test_the_telephonys_share_is_kept_apart() -> None:
    disturbing = finding(
        "multicast-flood", direction=Direction.TELEPHONY_TO_NETWORK, verdict=Verdict.SUPPORTED
    )
    acquitted = finding("provider-loss", "house", direction=Direction.NOT_TELEPHONY)
    found = cost(disturbing, acquitted, finding("sip-down", "house", start_h=3))
    assert found.total_gbp.central == 1000 + 500 + 500
    assert found.telephony_gbp.central == 1000 + 500


def test_a_year_is_spoken_of_only_after_a_fortnight() -> None:
    down = finding("sip-down")
    assert cost(down, observed=timedelta(days=13)).telephony_gbp_per_year is None
    yearly = cost(down, observed=WEEKS).telephony_gbp_per_year
    assert yearly is not None
    assert yearly.central == pytest.approx(1000 * 365.25 / 28)


def test_the_share_that_rests_on_assumption() -> None:
    # the outage's impairment is quoted, that of loss assumed
    found = cost(finding("site-outage", hours=1), finding("packet-loss", start_h=2, hours=1))
    assert found.assumed_ratio == pytest.approx(500 / 2100)
    assert cost().assumed_ratio is None


def test_calls_of_a_contact_centre_are_a_line_of_their_own() -> None:
    centre = ContactCentre(
        site="hall", abandoned_calls=figure(100), repeated_calls=figure(50, 40, 60),
        contact_gbp=figure(4),
    )  # fmt: skip
    case = replace(priced_case(), contact_centre=(centre,))
    found = disruption_cost(case, [], INVENTORY, WEEKS, "Europe/London")
    assert found is not None
    assert found.contacts_gbp == Range(560, 600, 640)
    assert found.total_gbp.central == 0


def test_without_a_price_of_time_nothing_is_priced() -> None:
    case = replace(priced_case(), staff_time=None)
    assert disruption_cost(case, [finding()], INVENTORY, WEEKS, "UTC") is None
