"""Lines on the network that closes, as the inventory has them, on the day of the run."""

import pytest

from nethealth.model.finding import Finding, Severity, Verdict
from nethealth.model.inventory import Line
from nethealth.model.record import RunKind
from tests.diagnosis.build import Scene, healthy

# From 22 November 2026, the day of these scenes: 8 days of November, 31 of December, 31 of January.
DAYS_LEFT = "closes on 31 January 2027, 70 days after this run"


def lines(scene: Scene) -> Scene:
    scene.lines += [
        Line(id="hall-lift", site="hall", kind="analogue", use="lift alarm", owner="Facilities"),
        Line(id="hall-lift2", site="hall", kind="analogue", use="lift alarm", owner="Facilities"),
        Line(id="hall-trunk", site="hall", kind="isdn30", use="telephony"),
        Line(id="hall-fax", site="hall", kind="analogue", use="fax", migrated=True),
        Line(id="depot-gate", site="depot", kind="isdn2", use="gate", owner="Estates"),
    ]
    return scene


def by_id(scene: Scene) -> dict[str, Finding]:
    return {finding.id: finding for finding in scene.findings()}


def test_lines_of_each_site_are_told_by_use_and_owner_with_the_days_left() -> None:
    found = by_id(lines(healthy()))
    assert set(found) == {"isdn-retirement:hall", "isdn-retirement:depot"}
    hall = found["isdn-retirement:hall"]
    assert hall.statement == (
        "3 lines of Hall House still hang on the public switched telephone network, which "
        f"{DAYS_LEFT}: 2 analogue for lift alarm (Facilities) and 1 isdn30 for telephony "
        "(no owner)."
    )
    assert (hall.severity, hall.verdict, hall.direction) == (
        Severity.INFO, Verdict.DEMONSTRATED, None,
    )  # fmt: skip
    assert hall.missing == ("an owner of hall-trunk",)


@pytest.mark.parametrize("kind", ["check", "capture"])
def test_run_over_named_things_speaks_only_of_their_sites(kind: RunKind) -> None:
    scene = lines(Scene(kind=kind)).site("hall")
    assert scene.findings() == ()
    assert scene.ping("hall-pbx").only("isdn-retirement:hall").site == "hall"


def test_moved_lines_are_none() -> None:
    scene = healthy()
    scene.lines.append(Line(id="a", site="hall", kind="isdn2", use="gate", migrated=True))
    assert scene.findings() == ()
