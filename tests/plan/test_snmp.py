"""Planning SNMP: groups by kind, secrets by version, options of the command line."""

import pytest

from nethealth.inventory.faults import InventoryError
from nethealth.inventory.parsing import parse
from nethealth.model.check import SnmpParameters, secret_names
from nethealth.plan import TargetError, plan_inventory, plan_targets

SITE = '[[council]]\nid = "c"\nname = "C"\n[[site]]\nid = "hall"\ncouncil = "c"\nname = "Hall"\n'
V3 = 'version = 3, user_env = "U", auth_env = "A", priv_env = "P"'


def asset(kind: str, snmp: str, sweep: str = "") -> str:
    return (
        f'{sweep}{SITE}[[asset]]\nid = "a"\nsite = "hall"\nkind = "{kind}"\n'
        f'address = "198.18.2.2"\nowner = "x"\nsnmp = {{{snmp}}}\n'
    )


def planned(kind: str, snmp: str = V3, sweep: str = "") -> SnmpParameters:
    checks = plan_inventory(parse(asset(kind, snmp, sweep)))
    (found,) = [check for check in checks if check.probe == "snmp"]
    assert isinstance(found.parameters, SnmpParameters)
    assert found.id == "a:snmp"
    return found.parameters


@pytest.mark.parametrize(
    ("kind", "group", "absent"),
    [
        ("switch", "forwarding", "ups"),
        ("router", "arp", "poe"),
        ("pbx", "e1", "forwarding"),
        ("sensor", "sensors", "interfaces"),
        ("server", "interfaces", "spanning-tree"),
    ],
)
def test_groups_follow_from_the_kind(kind: str, group: str, absent: str) -> None:
    groups = planned(kind).groups
    assert group in groups
    assert absent not in groups


def test_a_table_overrides_the_kind_and_the_rest() -> None:
    text = f'{V3}, groups = ["e1"], port = 1161, auth = "SHA-512", interval_s = 0, timeout_s = 5'
    assert planned("switch", text) == SnmpParameters(
        "198.18.2.2", 3, ("e1",), port=1161, user_env="U", auth_env="A", priv_env="P",
        auth="SHA-512", interval_s=0, timeout_s=5,
    )  # fmt: skip


def test_every_secret_is_asked_for_before_the_run() -> None:
    assert secret_names(planned("switch")) == ("U", "A", "P")
    assert secret_names(planned("switch", 'version = 2, community_env = "C"')) == ("C",)


def test_two_readings_fit_into_a_short_deadline() -> None:
    assert planned("switch", sweep="[sweep]\ndeadline_s = 12\nping_count = 1\n").interval_s == 6


@pytest.mark.parametrize(
    ("snmp", "words"),
    [
        ("version = 2", "community_env: found nothing, with version = 2"),
        ('version = 3, user_env = "U", auth_env = "A"', "priv_env: found nothing, with version"),
        (f'{V3}, community_env = "C"', "community_env: found a secret of version 2"),
        ("version = 1", "version: found 1"),
        (f'{V3}, auth = "MD5"', 'auth: found "MD5"'),
        (f'{V3}, groups = ["all"]', 'found "all"'),
        (f"{V3}, interval_s = 20", "at most half of sweep.deadline_s"),
        (f'{V3}, community = "public"', "community"),
    ],
)
def test_what_is_wrong_is_said(snmp: str, words: str) -> None:
    with pytest.raises(InventoryError) as raised:
        parse(asset("switch", snmp))
    assert words in str(raised.value)


def test_a_device_named_on_the_command_line() -> None:
    (check,) = plan_targets(
        ["198.18.2.2"], None, probes=("snmp",),
        options={"version": "2", "community_env": "C", "groups": "sensors, ups"},
    )  # fmt: skip
    assert check.id == "198.18.2.2:snmp"
    assert check.parameters == SnmpParameters(
        "198.18.2.2", 2, ("sensors", "ups"), community_env="C"
    )


def test_a_device_without_secrets_says_what_it_needs() -> None:
    with pytest.raises(TargetError) as raised:
        plan_targets(["198.18.2.2"], None, probes=("snmp",))
    assert "--option version=2 --option community_env=NAME" in str(raised.value)
