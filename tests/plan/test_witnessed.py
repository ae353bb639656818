"""sip-alg and nat from inventories and targets: their tables, their deadlines, whom they ask."""

import pytest

from nethealth.inventory.faults import InventoryError
from nethealth.inventory.parsing import parse
from nethealth.model.check import NatParameters, SipAlgParameters
from nethealth.plan import TargetError, plan_inventory, plan_targets

HEAD = '[[council]]\nid = "c"\nname = "C"\n[[site]]\nid = "s"\ncouncil = "c"\nname = "S"\n'


def asset(kind: str, more: str, sweep: str = "") -> str:
    address = 'address = "198.18.0.9"'
    return f'{sweep}{HEAD}[[asset]]\nid = "a"\nsite = "s"\nkind = "{kind}"\n{address}\n{more}'


def test_a_reflector_gets_them_by_their_tables_and_not_by_its_kind() -> None:
    plain = [check.id for check in plan_inventory(parse(asset("reflector", "")))]
    assert plain == ["a:ping", "a:stamp"]
    text = asset(
        "reflector",
        "sip-alg.sip_port = 5080\nsip-alg.control_port = 9000\nsip-alg.family = 4\n"
        "nat.control_port = 9000\nnat.most_s = 20\nnat.bindings = 3\n",
    )
    checks = {check.id: check for check in plan_inventory(parse(text))}
    assert list(checks) == ["a:ping", "a:stamp", "a:sip-alg", "a:nat"]
    assert checks["a:sip-alg"].parameters == SipAlgParameters("198.18.0.9", 5080, 9000, family=4)
    assert checks["a:nat"].parameters == NatParameters("198.18.0.9", 9000, 15, 20, 3)


@pytest.mark.parametrize(("most_s", "least_s"), [(150.0, 15.0), (10.0, 10.0)])
def test_a_target_gets_a_deadline_that_leaves_room(most_s: float, least_s: float) -> None:
    (check,) = plan_targets(
        ["198.18.0.9"], None, probes=("nat",), options={"most_s": f"{most_s:g}"}
    )
    assert check.id == "198.18.0.9:nat"
    assert check.parameters == NatParameters("198.18.0.9", least_s=least_s, most_s=most_s)
    # the longest silence and 12 s, or the sweep's own 35 s
    assert check.deadline_s == max(35, most_s + 12)


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("nat", {"most_s": "10", "least_s": "20"}, "least_s of at most most_s"),
        ("nat", {"most_s": "601"}, "a number from 1 to 600"),
        ("nat", {"bindings": "9"}, "a whole number from 1 to 4"),
        ("sip-alg", {"sip_port": "0"}, "a whole number from 1 to 65535"),
        ("sip-alg", {"most_s": "20"}, "is no key of sip-alg"),
    ],
)
def test_options_that_mean_nothing_are_said(kind: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(TargetError, match=words):
        plan_targets(
            ["198.18.0.9"], None, probes=("nat" if kind == "nat" else "sip-alg",), options=options
        )


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (asset("pbx", 'checks = ["sip-alg"]\n'), 13, '"sip-alg" of an asset of kind "pbx"'),
        (asset("phone", "nat.most_s = 20\n"), 8, '"nat" of an asset of kind "phone"'),
        (asset("reflector", 'checks = ["nat"]\n'), 8, "at most sweep.deadline_s = 35 s"),
        (asset("reflector", "nat.most_s = 150\n"), 13, "150 s + 12 s = 162 s"),
        (asset("reflector", "nat.most_s = 20\nnat.least_s = 21\n"), 13, "least_s of at most"),
        (asset("reflector", "sip_alg.sip_port = 5060\n"), 13, 'did you mean "sip-alg"?'),
    ],
)
def test_an_inventory_that_asks_for_what_cannot_be_is_told_where(
    text: str, line: int, words: str
) -> None:
    with pytest.raises(InventoryError) as caught:
        parse(text)
    (fault,) = [one for one in str(caught.value).splitlines() if words in one]
    assert fault.startswith(f"sites.toml:{line}:"), fault


def test_a_longer_deadline_makes_room() -> None:
    text = asset("reflector", "nat.most_s = 150\n", "[sweep]\ndeadline_s = 162\n")
    (check,) = [one for one in plan_inventory(parse(text)) if one.probe == "nat"]
    assert check.deadline_s == 162
