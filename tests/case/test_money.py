"""Shares that sum to the penny, recharges, the register of risks, and the lines that are left."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.case.lines import line_inventory
from nethealth.case.money import share_out
from nethealth.case.recharges import recharged
from nethealth.case.risks import COLUMNS, band, merge, ownerless, rows
from nethealth.model.case import Level, Matrix, OwnCost, Recharge, Risk
from nethealth.model.inventory import Line
from tests.case.build import INVENTORY, figure


def test_the_largest_remainders_get_the_pence_that_are_left() -> None:
    # 100 by 1/3 each: 33.33…; one penny left, equal remainders, the first by name
    assert share_out(100, {"c": 1, "b": 1, "a": 1}) == {"a": 34, "b": 33, "c": 33}
    # Hare's quotas of 101 by 50, 30, 20: 50.5, 30.3, 20.2
    assert share_out(101, {"a": 50, "b": 30, "c": 20}) == {"a": 51, "b": 30, "c": 20}


@given(
    st.integers(0, 10**9),
    st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 1e6), min_size=1, max_size=8),
)
def test_shares_sum_and_are_within_a_penny_of_exact(pence: int, weights: dict[str, float]) -> None:
    if sum(weights.values()) <= 0:
        with pytest.raises(ValueError, match="weights"):
            share_out(pence, weights)
        return
    shares = share_out(pence, weights)
    assert sum(shares.values()) == pence
    whole = sum(weights.values())
    for name, share in shares.items():
        assert abs(share - pence * weights[name] / whole) < 1 + 1e-6 * pence


RECHARGE = Recharge(
    name="Hosted telephony", total_gbp=figure(1000), key="extensions", frozen=date(2026, 4, 1)
)


def test_a_recharge_by_extensions() -> None:
    # 80 and 20 of 100 extensions; the barn has not been counted
    found = recharged(RECHARGE, INVENTORY)
    assert {one.council: one.common_pence for one in found.shares} == {
        "scdc": 80_000, "hdc": 20_000,
    }  # fmt: skip
    assert found.uncounted == ("barn",)
    assert found.total_pence == 100_000


def test_what_one_council_bears_alone_is_outside_the_pot() -> None:
    own = OwnCost(council="scdc", name="its exchange", amount_gbp=figure(12.34))
    found = recharged(replace(RECHARGE, own=(own,)), INVENTORY)
    scdc = next(one for one in found.shares if one.council == "scdc")
    assert (scdc.common_pence, scdc.own_pence) == (80_000, 1_234)
    assert found.total_pence == 101_234


def test_a_key_of_use_is_given_and_an_empty_key_is_refused() -> None:
    use = replace(RECHARGE, key="use", use={"scdc": 3, "hdc": 1})
    assert [one.common_pence for one in recharged(use, INVENTORY).shares] == [75_000, 25_000]
    with pytest.raises(ValueError, match="counts nothing"):
        recharged(replace(RECHARGE, key="use"), INVENTORY)


RISK = Risk(
    id="ICT-07", cause="the network closes", event="lines stop", consequence="no alarm",
    inherent=Level(likelihood=5, impact=4), residual=Level(likelihood=3, impact=3),
    evidence=("isdn-retirement",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("likelihood", "impact", "name"),
    [(1, 4, "low"), (5, 1, "medium"), (3, 3, "medium"), (5, 3, "high"), (4, 4, "very high")],
)
def test_bands_of_the_usual_matrix(likelihood: int, impact: int, name: str) -> None:
    assert band(Matrix(), Level(likelihood=likelihood, impact=impact)) == name


def test_a_risk_as_a_row_and_one_without_an_owner() -> None:
    [row] = rows([RISK], Matrix())
    assert tuple(row) == COLUMNS
    assert (row["inherent score"], row["inherent band"]) == ("20", "very high")
    assert (row["residual score"], row["target score"], row["owner"]) == ("9", "", "")
    assert ownerless([RISK, replace(RISK, id="b", owner="Head")]) == ("ICT-07",)


def test_a_merge_never_overwrites_what_a_person_wrote() -> None:
    theirs = [
        {"id": "ICT-07", "owner": "Facilities", "cause": "their words", "notes": "see minutes"},
        {"id": "FIN-01", "cause": "interest"},
    ]
    ours = rows([RISK, replace(RISK, id="ICT-08")], Matrix())
    found = merge(["id", "owner", "cause", "notes"], theirs, ours)
    first, second, third = found.rows
    assert (first["owner"], first["cause"], first["notes"]) == (
        "Facilities", "their words", "see minutes",
    )  # fmt: skip
    assert first["event"] == "lines stop"
    assert first["inherent score"] == "20"
    assert second["id"] == "FIN-01"
    assert third["id"] == "ICT-08"
    assert found.added == ("ICT-08",)
    assert found.kept == (("ICT-07", "cause", "their words", "the network closes"),)
    assert found.columns[:4] == ("id", "owner", "cause", "notes")


def test_a_second_merge_changes_nothing() -> None:
    ours = rows([RISK], Matrix())
    once = merge(["id"], [], ours)
    again = merge(once.columns, once.rows, ours)
    assert again.rows == once.rows
    assert (again.added, again.filled, again.kept) == ((), (), ())


def test_lines_left_by_site_use_and_owner() -> None:
    lines = (
        Line(id="a", site="hall", kind="analogue", use="lift alarm", owner="Facilities"),
        Line(id="b", site="house", kind="analogue", use="lift alarm"),
        Line(id="c", site="hall", kind="isdn30", use="exchange", migrated=True),
    )
    found = line_inventory(replace(INVENTORY, line=lines), date(2026, 11, 22))
    assert found.days_left == 70  # 22 November to 31 January
    assert (found.remaining, found.migrated) == (2, 1)
    assert found.by_use == (("lift alarm", 2),)
    assert found.ownerless == ("b",)
    assert [line.id for line in found.lines] == ["a", "b", "c"]
    assert line_inventory(INVENTORY, date(2027, 2, 1)).days_left == -1
