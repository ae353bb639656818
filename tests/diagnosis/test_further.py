"""What is measured next: a command for each open finding, the least disturbing first."""

import shlex
from dataclasses import replace
from typing import get_args

import click
import pytest

from nethealth.cli import main
from nethealth.diagnosis.further import DISTURBANCES, MEASURES, further
from nethealth.model.finding import FindingCode, Verdict
from nethealth.model.inventory import Asset, SnmpOptions
from nethealth.model.record import Record
from tests.diagnosis.build import Scene

# They need no measurement: the inventory, or the calendar of the closing network, says it all.
PLAIN = {"isdn-retirement", "unowned-asset", "history-incomplete"}


def judged(scene: Scene, *assets: Asset) -> Record:
    record = scene.record()
    inventory = replace(record.inventory, asset=(*record.inventory.asset, *assets))
    return replace(record, findings=scene.findings(), inventory=inventory)


def test_every_code_that_can_be_open_has_measures() -> None:
    assert set(MEASURES) == set(get_args(FindingCode)) - PLAIN


def test_too_few_packets_ask_for_as_many_as_are_missing() -> None:
    record = judged(Scene().ping("hall-a", lost=1))
    (finding,) = record.findings
    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    (words,) = finding.missing
    needed = int(words.split()[1])
    (step,) = further(record).steps
    assert step.command == f"nethealth check hall --probe ping --option count={needed}"
    assert (step.settles, DISTURBANCES[step.disturbance]) == (
        ("packet-loss:hall",),
        "a few packets",
    )
    assert step.takes_s == pytest.approx(2 + 0.2 * needed)


def test_what_is_sure_needs_no_measurement() -> None:
    record = judged(Scene().ping("hall-a", lost=10).ping("hall-b", lost=10))
    assert {one.verdict for one in record.findings if one.code == "packet-loss"} == {
        Verdict.DEMONSTRATED
    }
    assert not [s for s in further(record).steps if "packet-loss:hall" in s.settles]


def test_a_reflector_and_a_switch_at_the_site_are_asked_and_those_elsewhere_are_not() -> None:
    reflector = Asset(id="hall-reflector", site="hall", kind="reflector", owner="3C")
    switch = Asset(id="hall-switch", site="hall", kind="switch", owner="3C",
                   snmp=SnmpOptions(version=2, community_env="C"))  # fmt: skip
    other = replace(switch, id="annex-switch", site="annex")
    steps = further(judged(Scene().ping("hall-a", lost=1), reflector, switch, other)).steps
    assert [step.command.rsplit(" --option", 1)[0] for step in steps] == [
        "nethealth check hall --probe ping",
        "nethealth check hall-switch --probe snmp",
        "nethealth check hall-reflector --probe stamp",
    ]
    assert [step.disturbance for step in steps] == sorted(step.disturbance for step in steps)


def test_one_measurement_for_several_findings_stands_once() -> None:
    record = judged(Scene().ping("hall-a", lost=1))
    (finding,) = record.findings
    another = replace(finding, id="high-delay:hall", code="high-delay")
    steps = further(replace(record, findings=(finding, another))).steps
    ping = next(step for step in steps if "--probe ping" in step.command)
    assert "packet-loss:hall" in ping.settles
    assert any("--probe route" in step.command for step in steps)


def test_what_no_command_settles_is_left_to_people() -> None:
    record = judged(Scene().ping("hall-a", lost=1))
    (finding,) = record.findings
    slip = replace(finding, id="clock-slip:hall", code="clock-slip")
    found = further(replace(record, findings=(slip,)))
    assert (found.steps, found.by_hand) == ((), (slip,))


def test_every_command_is_one_that_the_program_takes() -> None:
    scene = Scene().ping("hall-a", lost=1)
    able = Asset(id="hall-reflector", site="hall", kind="reflector", owner="3C",
                 snmp=SnmpOptions(version=2, community_env="C"))  # fmt: skip
    record = judged(scene, able)
    (finding,) = record.findings
    every = [
        replace(finding, id=f"{code}:hall", code=code)
        for code in get_args(FindingCode)
        if code not in PLAIN
    ]
    steps = further(replace(record, findings=tuple(every))).steps
    assert len(steps) >= 12
    for step in steps:
        program, *words = shlex.split(step.command)
        assert program == "nethealth"
        command: click.Command | None = main
        while isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words.pop(0))
        assert command is not None
        command.make_context("x", words)  # raises for an option that is none


def test_a_target_of_no_inventory_is_asked_again_by_its_own_name() -> None:
    record = judged(Scene().ping("lone:198.18.9.9", lost=1))
    (step,) = further(record).steps
    assert step.command.startswith("nethealth check a.198.18.9.9 --probe ping --option count=")
