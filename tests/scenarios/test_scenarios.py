"""Labelled histories: nobody innocent is blamed, and who is guilty is named."""

import pytest

from nethealth.diagnosis import judge
from nethealth.model.finding import Finding
from nethealth.model.record import Record
from tests.scenarios.labelled import SURE, Scenario, accusations, scenarios

ALL = {scenario.name: scenario for scenario in scenarios()}


def told(findings: tuple[Finding, ...]) -> str:
    return "\n".join(
        f"{one.verdict:>17} {one.direction or '-'} {one.id}: {one.statement}" for one in findings
    )


@pytest.mark.parametrize("name", ALL)
def test_scenario(name: str) -> None:
    scenario = ALL[name]
    record = scenario.record()
    findings = judge(record)
    if scenario.innocent:
        assert accusations(findings) == [], told(findings)
    for named in scenario.named:
        assert named.is_in(findings), f"{named}\n{told(findings)}"
    for never in scenario.never:
        assert not never.is_in(findings), f"{never}\n{told(findings)}"
    can_be_followed(record, findings)
    blamed_elsewhere(scenario, findings)


def blamed_elsewhere(scenario: Scenario, findings: tuple[Finding, ...]) -> None:
    """Whoever is blamed beside the guilty, or for another site, is blamed falsely."""
    others = [one for one in findings if not any(named.fits(one) for named in scenario.named)]
    assert accusations(others) == [], told(findings)


def can_be_followed(record: Record, findings: tuple[Finding, ...]) -> None:
    """Each finding leads to what was seen, says where, and what speaks against it."""
    known = {seen.id for seen in record.observations} | {event.id for event in record.events}
    places = {site.id: site.name for site in record.inventory.site}
    for finding in findings:
        assert set(finding.evidence) <= known, finding.id
        if finding.verdict not in SURE:
            continue
        # What the run says of the measuring machine, or the inventory of its assets, has no id.
        assert finding.evidence or finding.code in {"unowned-asset", "instrument-limited"}
        if finding.direction is None:
            continue
        assert finding.refutations, finding.id
        assert finding.alternatives, finding.id
        assert finding.action, finding.id
        where = [finding.asset, finding.site, places.get(finding.site or "")]
        assert any(name and name in finding.statement for name in where) or finding.site is None


def test_there_are_labels_enough() -> None:
    assert len({scenario.name for scenario in scenarios()}) == len(scenarios())
    assert all(len(scenario.reason) > 20 for scenario in scenarios())
