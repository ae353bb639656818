"""The table of a route's hops."""

from nethealth.model.observation import Observation, Passport, Scalar
from reports.hops import hop_table


def seen(check: str, *hops: dict[str, Scalar], **method: Scalar) -> dict[str, list[Observation]]:
    found: dict[str, list[Observation]] = {}
    for number, facts in enumerate(hops, 1):
        passport: Passport = {"hop": number, **method}
        for name, value in facts.items():
            unit = "s" if name.endswith("_s") else "1" if name.endswith("_ratio") else None
            found.setdefault(name, []).append(
                Observation(f"{check}/{name}{number}", check, name, value, unit, samples=4,
                            method=passport)
            )  # fmt: skip
    return found


LIMITED: dict[str, Scalar] = {
    "hop_address": "198.19.2.2", "hop_reply_ratio": 0.25, "hop_packet_loss_ratio": 0.0,
    "hop_round_trip_delay_median_s": 0.0123, "hop_dscp_quoted": 46, "hop_ecn_quoted": 2,
}  # fmt: skip
SILENT: dict[str, Scalar] = {
    "hop_address": None, "hop_reply_ratio": 0.0, "hop_packet_loss_ratio": None,
}  # fmt: skip


def test_a_hop_that_answers_seldom_is_not_shown_as_loss() -> None:
    table = hop_table(seen("a:route", LIMITED, SILENT))
    assert table is not None
    assert [column.title for column in table.columns] == [
        "Hop", "Address", "Answered", "Median delay", "Lost on the way", "Mark seen there",
    ]  # fmt: skip
    assert table.rows == (
        ("1", "198.19.2.2", "1 of 4", "12.3 ms", "0 %", "DSCP 46, ECN 2"),
        ("2", "no answer", "0 of 4", "–", "not known", "–"),
    )


def test_marks_that_no_hop_showed_take_no_column() -> None:
    table = hop_table(seen("a:route", SILENT))
    assert table is not None
    assert len(table.columns) == 5


def test_of_a_repeated_run_the_last_round_is_shown() -> None:
    rounds = seen("a:route", LIMITED, SILENT)
    for name, observations in seen("a:route#2", LIMITED, addresses=None).items():
        rounds[name] += observations
    table = hop_table(rounds)
    assert table is not None
    assert len(table.rows) == 1


def test_a_check_without_hops_has_no_table() -> None:
    assert hop_table({}) is None
