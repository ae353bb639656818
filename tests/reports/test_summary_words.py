"""The summary as an officer with ten minutes reads it: what it must say, and what it never may."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from nethealth.model.finding import Direction, Finding, FindingCode, Severity, Verdict
from nethealth.model.record import Record
from reports import compose
from reports.document import Summary
from reports.summary import duration
from tests.reports import examples

PARTS = ("What was found", "How sure", "What is affected", "What to do next",
         "What was not measured")  # fmt: skip


def summary(record: Record) -> Summary:
    return compose(record).summary


def part(record: Record, title: str) -> str:
    return " ".join(dict(summary(record).parts).get(title, ()))


def whole(record: Record) -> str:
    found = summary(record)
    parts = (f"{title} {' '.join(sentences)}" for title, sentences in found.parts)
    return f"{found.mark.word} {found.answer} {' '.join(parts)}"


def mechanism(
    code: FindingCode,
    verdict: Verdict,
    direction: Direction = Direction.UNDETERMINED,
    site: str = "hall",
    severity: Severity = Severity.INFO,
) -> Finding:
    return replace(
        examples.acquitted().findings[0],
        id=f"{code}:{site}", code=code, site=site, severity=severity, verdict=verdict,
        direction=direction, statement="It was judged.", action="Do it.", evidence=(),
    )  # fmt: skip


def judged(*findings: Finding) -> Record:
    """The provider's fault of `acquitted`, and mechanisms of telephony that were judged beside."""
    record = examples.acquitted()
    return replace(record, findings=(*record.findings, *findings))


ACQUITTED = partial(
    judged,
    mechanism("call-load", Verdict.CONTRADICTED),
    mechanism("registration-avalanche", Verdict.NO_EVIDENCE),
    mechanism("multicast-flood", Verdict.INSUFFICIENT_DATA),
)


def test_a_telephony_that_is_acquitted_is_said_to_be_so_and_by_what() -> None:
    record = ACQUITTED()
    found = part(record, "What was found")
    assert found.startswith(
        "The telephony is not the cause. Looked for and not found: registration avalanche and "
        "calls load the link."
    )
    assert "Loss in the provider's network: South Cambridgeshire Hall." in found
    assert "multicast" not in found
    assert "Too little to judge: multicast flood." in part(record, "What was not measured")
    assert "supported by tests" in part(record, "How sure")
    assert "the provider" in part(record, "What to do next")
    assert "320 staff" in part(record, "What is affected")


def test_mechanisms_alone_that_were_not_found_are_no_sign() -> None:
    record = ACQUITTED()
    record = replace(record, findings=record.findings[1:])
    assert summary(record).mark.word == "No fault found"
    assert part(record, "What was found").startswith(
        "No sign was found that telephony and network disturb each other. Looked for and not found:"
    )


def test_one_site_where_it_was_found_is_not_hidden_by_another_where_it_was_not() -> None:
    record = judged(
        mechanism("call-load", Verdict.CONTRADICTED, site="guildhall"),
        mechanism("call-load", Verdict.DEMONSTRATED, Direction.TELEPHONY_TO_NETWORK,
                  "pathfinder", Severity.WARNING),
    )  # fmt: skip
    found = part(record, "What was found")
    assert "Looked for" not in found
    assert "The telephony disturbs the network at Pathfinder House." in found
    assert "The telephony is not the cause at South Cambridgeshire Hall." in found


def test_a_fault_of_another_kind_leaves_the_acquittal_to_its_place() -> None:
    other = replace(
        examples.degraded().findings[0], id="site-outage:eastfield", severity=Severity.CRITICAL
    )
    found = part(judged(other), "What was found")
    assert found.startswith("The telephony is not the cause at South Cambridgeshire Hall.")


def test_what_is_only_suggested_is_not_said_to_be_so() -> None:
    record = replace(judged(), findings=(mechanism("call-load", Verdict.SUGGESTIVE),))
    found = part(record, "What was found")
    assert found == "Suggested, not established: calls load the link."
    assert "disturbs" not in found


def test_too_little_is_neither_found_nor_acquitted() -> None:
    record = replace(judged(), findings=(mechanism("call-load", Verdict.INSUFFICIENT_DATA),))
    assert part(record, "What was found") == (
        "Too little was seen to tell whether telephony and network disturb each other."
    )
    assert "calls load the link" in part(record, "What was not measured")


def test_the_demonstration_names_its_faults_worst_first_and_what_to_do() -> None:
    record = examples.demonstration()
    found = part(record, "What was found")
    order = [found.index(name) for name in ("Eastfield House Depot", "hall-pbx", "One Leisure")]
    assert order == sorted(order)
    assert found.endswith("was not tested.")  # the last word, since no fault hangs on it
    assert summary(record).answer.startswith("Of 8 sites: 1 with a critical fault")
    assert part(record, "What to do next").startswith("Eastfield House Depot: ask whether")
    assert "demonstrated by measurement" in part(record, "How sure")
    assert "41 seconds" in part(record, "How sure")
    assert "1 of 13 planned checks and 2 whole sites" in part(record, "What was not measured")
    assert "What it costs" not in dict(summary(record).parts)


def test_an_estate_without_a_fault_promises_nothing() -> None:
    record = examples.all_clear()
    assert summary(record).answer == "None of the 7 sites showed a fault in the time observed."
    assert part(record, "How sure") == (
        "This covers 41 seconds only. A fault at another time would not have been seen."
    )
    assert not re.search(r"healthy|no problem|all is well|works", whole(record))


def test_a_case_says_what_it_costs_and_that_no_budget_falls() -> None:
    cost = part(examples.with_case(), "What it costs")
    assert re.fullmatch(
        r"Staff time lost while observed: £[\d,]+ to £[\d,]+, central £[\d,]+; no budget falls\.",
        cost,
    )
    assert "Measured for 28 days" in part(examples.with_case(), "How sure")


RECORDS: dict[str, Callable[[], Record]] = {**examples.ALL, "acquitted by tests": ACQUITTED}


@pytest.mark.parametrize("name", RECORDS)
def test_under_two_hundred_words_and_never_more_than_was_shown(name: str) -> None:
    text = whole(RECORDS[name]())
    assert len(text.split()) < 200
    assert not re.search(r"\bpro(of|ve[sdn]?|ving)\b|\bguarantee|\bcertain(ly)?\b|\bobvious", text)
    asked = dict(summary(RECORDS[name]()).parts)
    assert "What to do next" in asked
    assert "What was not measured" in asked
    assert set(asked) <= {*PARTS, "What it costs"}


@pytest.mark.parametrize("most", [1, 3, 22])
def test_however_many_were_judged_the_page_stays_short(most: int) -> None:
    codes: tuple[FindingCode, ...] = (
        "phone-loop", "phone-power-loop", "duplex-mismatch", "voice-vlan-conflict",
        "dhcp-exhaustion", "registration-avalanche", "keepalive-reset", "firmware-wave",
        "multicast-flood", "broadcast-sensitive-phones", "unknown-unicast-flood",
        "address-conflict", "dscp-misuse", "no-wan-qos", "dscp-bleached", "media-hairpin",
        "call-load", "clock-slip", "fax-over-ip", "poe-budget", "obsolete-security",
        "slow-port-start",
    )  # fmt: skip
    several = [mechanism(code, Verdict.NO_EVIDENCE) for code in codes[:most]]
    record = replace(examples.degraded(), findings=(*examples.degraded().findings, *several))
    assert len(whole(record).split()) < 200
    assert "Looked for and not found" in whole(record)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(41, "41 seconds"), (3 * 3600, "3.0 hours"), (47.9 * 3600, "47.9 hours"),
     (48 * 3600, "2 days"), (28 * 86_400, "28 days"), (2.25 * 86_400, "2.2 days")],
)  # fmt: skip
def test_long_times_are_days(seconds: float, words: str) -> None:
    assert duration(seconds) == words
