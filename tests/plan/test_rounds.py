"""Rounds of a repeated run keep each check's own id within reach."""

import pytest

from nethealth.model.check import Check, CoexistenceParameters
from nethealth.plan import base_id, plan_targets, with_round

CHECKS = plan_targets(["198.18.2.1", "https://x.example/#2"], None)


def test_the_first_round_has_the_plain_ids() -> None:
    assert with_round(CHECKS, 1) == CHECKS


def test_later_rounds_differ_in_nothing_but_the_id() -> None:
    third = with_round(CHECKS, 3)
    assert [check.id for check in third] == ["198.18.2.1:ping#3", "https://x.example/#2:http#3"]
    assert [check.parameters for check in third] == [check.parameters for check in CHECKS]


def test_a_load_is_made_in_the_first_round_alone() -> None:
    load = CoexistenceParameters("198.18.2.30", 20e6, 8e6, download_bps=10e6)
    check = Check("r:coexistence", "coexistence", "c", "hall", "r", "stamp:198.18.2.30", load)
    assert with_round((*CHECKS, check), 1)[-1] == check
    assert [one.probe for one in with_round((*CHECKS, check), 2)] == ["ping", "http"]


@pytest.mark.parametrize("number", [1, 2, 10, 12345])
def test_the_base_id_is_that_of_the_first_round(number: int) -> None:
    assert [base_id(check.id) for check in with_round(CHECKS, number)] == [
        check.id for check in CHECKS
    ]


def test_there_is_no_round_before_the_first() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        with_round(CHECKS, 0)
