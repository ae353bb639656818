"""The example is a case, has every key, and what does not fit is named with its line."""

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from nethealth.case.example import example
from nethealth.case.parsing import parse_case
from nethealth.inventory import InventoryError, parse
from nethealth.inventory import example as sites
from nethealth.model.case import CaseFile

INVENTORY = parse(sites())


def faults(text: str) -> list[str]:
    with pytest.raises(InventoryError) as error:
        parse_case(text, INVENTORY)
    return [str(fault) for fault in error.value.faults]


def changed(old: str, new: str) -> str:
    assert example().count(old) >= 1
    return example().replace(old, new, 1)


def test_the_example_reads() -> None:
    case = parse_case(example(), INVENTORY)
    assert case.case.horizon_years == 10
    assert [option.kind for option in case.option] == ["business-as-usual", "do-minimum", "option"]


def keys_of(model: Any, found: set[str]) -> set[str]:
    """Every key that the model's tables have."""
    for each in fields(model):
        found.add(each.name)
        for inner in [each.type, *getattr(each.type, "__args__", ())]:
            for part in [inner, *getattr(inner, "__args__", ())]:
                if is_dataclass(part) and part is not model:
                    keys_of(part, found)
    return found


def test_the_example_shows_every_key() -> None:
    for key in keys_of(CaseFile, set()):
        assert f"{key} =" in example() or f"{key}]" in example() or f"{key}." in example(), key


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("central = 33000", "central = -1", "found -1; allowed: a number from 0 to 1e+10"),
        ("central = 33000", "central = 1e15", "found 1000000000000000.0; allowed: a number"),
        ("low = 29000", "low = 34000", "found 34000; allowed: at most the central 33000"),
        ("high = 38000", "high = 30000", "found 30000; allowed: at least the central 33000"),
        ("central = 0.25,", "central = 25,", "found 25; allowed: a share from 0 to 1"),
        ("salary_gbp", "salery_gbp", 'did you mean "salary_gbp"?'),
        (
            'council = "scdc"           #',
            'council = "nowhere" #',
            'found "nowhere"; allowed: an id',
        ),
        ("[disruption.staff]         #", "[disruption.staff]\nnosuch = 1 #", "found 1; allowed"),
        ('kind = "do-minimum"', 'kind = "option"', '0 of kind "do-minimum"; allowed: at least one'),
        ('bias = "outsourcing"', 'bias = "standard-buildings"', "[optimism.standard-buildings]"),
        ("bands = [4, 9, 15, 25]", "bands = [4, 9, 15, 24]", "the last is 25"),
        ('names = ["low", "medium",', 'names = ["low",', "one for each of 4 bands"),
        ("likelihood = 5, impact = 4", "likelihood = 6, impact = 4", "found 6; allowed: 1 to 5"),
        ('working_days = "mon-fri"', 'working_days = "often"', "days and spans"),
        ("horizon_years = 10", "horizon_years = 100", "a whole number from 1 to 60"),
        ('id = "adapters"', 'id = "usual"', "an id that no other has"),
        ("first_year = 1\nlast_year = 10", "first_year = 9\nlast_year = 2", "the first year 9"),
        ('source = "Payroll", ', "", "source: found nothing"),
        ("date = 2026-11-25", "date = 2026-11-31", "TOML"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(old: str, new: str, says: str) -> None:
    found = faults(changed(old, new))
    assert any(says in fault for fault in found), found
    assert all(fault.startswith("case.toml:") for fault in found)
    assert any(fault.split(":")[1].isdigit() for fault in found)


def test_all_faults_come_at_once() -> None:
    text = changed("central = 4200", "central = -1").replace("price_year = 2026", "price_year = 1")
    assert len(faults(text)) == 2
