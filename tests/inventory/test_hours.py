"""Days as written in the inventory."""

import pytest

from nethealth.inventory.hours import weekdays


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("daily", {0, 1, 2, 3, 4, 5, 6}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("sat,sun", {5, 6}),
        ("Sat , Sun", {5, 6}),
        ("fri-mon", {4, 5, 6, 0}),
        ("wed", {2}),
        ("wed-wed", {2}),
        ("mon-tue,thu", {0, 1, 3}),
        ("sun-sat", {0, 1, 2, 3, 4, 5, 6}),
    ],
)
def test_days(days: str, expected: set[int]) -> None:
    assert weekdays(days) == expected
