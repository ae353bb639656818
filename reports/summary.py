"""The first page in words: the answer, how sure, what is affected, what next, what is missing."""

from collections import Counter
from collections.abc import Mapping, Sequence

from nethealth.model.finding import Finding, Severity, Verdict
from nethealth.model.measured import vantage_cut_off, was_measured
from reports.acquittal import judged, too_little, was_judged
from reports.document import Summary
from reports.groups import alike
from reports.short import as_many, by_severity, fits, in_room, short_finding, short_sites, words_in
from reports.steps import next_steps
from reports.view import View, base_id
from reports.words import count, listed

# With the answer of at most 26 words and the questions themselves these keep the page under 200
# words, whatever the record says. The first sentence of each part is short enough by itself.
_FOUND_WORDS = 46
_SURE_WORDS = 26
_AFFECTED_WORDS = 16
_NEXT_WORDS = 44
_COST_WORDS = 20  # taken from what is next, where there is a case
_NOT_MEASURED_WORDS = 17
_DAYS_FROM_S = 48 * 3600
_REST_WORDS = 5  # "And 7 further findings, below."
_TARGETS_WORDS = 8
_TARGETS_CHARACTERS = 160
_SURE_WORDING: Mapping[Verdict, str] = {
    Verdict.DEMONSTRATED: "demonstrated by measurement",
    Verdict.SUPPORTED: "supported by tests",
    Verdict.SUGGESTIVE: "suggested only",
    Verdict.NO_EVIDENCE: "without evidence",
    Verdict.CONTRADICTED: "contradicted",
    Verdict.INSUFFICIENT_DATA: "short of data",
}
_SURE_ENOUGH = {Verdict.DEMONSTRATED, Verdict.SUPPORTED}


def summarise(view: View) -> Summary:
    """The summary of one record; it repeats what diagnosis found and judges nothing."""
    faults = _faults(view)
    cost = _cost(view)
    parts = (
        ("What was found", _found(view, faults), _FOUND_WORDS),
        ("How sure", _sure(view, faults), _SURE_WORDS),
        ("What is affected", _affected(view, faults), _AFFECTED_WORDS),
        ("What it costs", cost, _COST_WORDS),
        ("What to do next", _next(view, faults), _NEXT_WORDS - (_COST_WORDS if cost else 0)),
        ("What was not measured", _not_measured(view), _NOT_MEASURED_WORDS),
    )
    return Summary(mark=view.mark(), answer=_answer(view), parts=in_room(parts))


def verdict_line(view: View) -> str:
    """The run in one line of text, the answer in capitals."""
    measured = sum(map(was_measured, view.record.checks))
    checks = f"{measured:,} of {count(len(view.record.checks), 'check')} measured"
    return f"{view.mark().word.upper()}: {', '.join([*by_severity(view.findings), checks])}"


def duration(seconds: float) -> str:
    """`41 seconds`, `12 minutes`, `3.5 hours`, `28 days`."""
    if seconds < 120:
        return count(max(1, round(seconds)), "second")
    if seconds < 7200:
        return count(round(seconds / 60), "minute")
    if seconds < _DAYS_FROM_S:
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds / 86_400:.1f}".removesuffix(".0") + " days"


def observed_s(view: View) -> float | None:
    """How long the run was watching: as the sweep says, else from its start to its end.

    Of a capture that is read, how long it lasts.
    """
    run = view.record.run
    if run.kind == "capture":
        for check in view.record.checks:
            for one in view.seen(check.id).get("capture_duration_s", ()):
                return float(one.value) if isinstance(one.value, int | float) else None
    if run.pacing.observed_s is not None:
        return run.pacing.observed_s
    return None if run.finished is None else (run.finished - run.started).total_seconds()


def _faults(view: View) -> list[Finding]:
    """Critical findings and warnings, without those that another one explains."""
    return [
        finding
        for finding in view.findings
        if finding.severity is not Severity.INFO and finding.id not in view.explained
    ]


def _answer(view: View) -> str:
    record = view.record
    if vantage_cut_off(record.findings):
        vantage = f" {record.run.vantage}" if fits(record.run.vantage) else ""
        return (
            f"This run says nothing about the sites: the measuring machine{vantage} was itself "
            "cut off."
        )
    if view.mark().kind == "none":
        return "Nothing could be measured, so nothing can be said."
    marks: Counter[str] = Counter(view.site_mark(site).kind for site in view.sites())
    if len(marks) == 1 and "ok" in marks and marks["ok"] > 1:
        return f"None of the {marks['ok']} sites showed a fault in the time observed."
    if sum(marks.values()) > 1:
        parts = [
            text
            for kind, text in (
                ("critical", "with a critical fault"),
                ("warning", "with a warning"),
                ("info", "with a note only"),
                ("ok", "with no fault found"),
                ("none", "not measured"),
            )
            if marks[kind]
            for text in [f"{marks[kind]} {text}"]
        ]
        return f"Of {count(sum(marks.values()), 'site')}: {listed(parts, 5)}."
    return _answer_for_few(view)


def _answer_for_few(view: View) -> str:
    """The answer where there is one site or none, as in a check of named targets."""
    targets = list(dict.fromkeys(check.target for check in view.record.checks))
    where = listed(targets, 2)
    if not fits(where, _TARGETS_WORDS, _TARGETS_CHARACTERS):
        where = count(len(targets), "target")
    severities = Counter(finding.severity for finding in _faults(view))
    if not severities:
        return f"{where} showed no fault in the time observed."
    parts = [
        count(severities[severity], text)
        for severity, text in ((Severity.CRITICAL, "critical fault"), (Severity.WARNING, "warning"))
        if severities[severity]
    ]
    return f"{listed(parts, 2)} at {where}."


def _found(view: View, faults: Sequence[Finding]) -> list[str]:
    told = judged(view)
    groups = alike(faults)
    shown = [short_finding(view, group) for group in groups]
    room = _FOUND_WORDS - words_in(told)
    kept = as_many(shown, room)
    if len(kept) < len(shown):
        kept = as_many(shown, room - _REST_WORDS)
    left = sum(map(len, groups[len(kept) :]))
    if left:
        kept.append(f"And {count(left, 'further finding')}, below.")
    return [*told, *kept] if was_judged(view) else [*kept, *told]


def _sure(view: View, faults: Sequence[Finding]) -> list[str]:
    watched = observed_s(view)
    time = "a time that was not recorded" if watched is None else duration(watched)
    if vantage_cut_off(view.record.findings) or view.mark().kind == "none":
        return []
    if not faults:
        return [f"This covers {time} only. A fault at another time would not have been seen."]
    verdicts = Counter(finding.verdict for finding in faults)
    many = len(faults) > 1
    if len(verdicts) == 1:
        every = f"All {len(faults)} findings are" if many else "The one finding is"
        ladder = f"{every} {_SURE_WORDING[faults[0].verdict]}."
    else:
        parts = [
            f"{verdicts[verdict]} {_SURE_WORDING[verdict]}"
            for verdict in Verdict
            if verdicts[verdict]
        ]
        ladder = f"Of {len(faults)} findings: {listed(parts, 6)}."
    return [
        ladder,
        f"Measured for {time}; it speaks for that time only.",
    ]


def _affected(view: View, faults: Sequence[Finding]) -> list[str]:
    sites = list(dict.fromkeys(finding.site for finding in faults if finding.site is not None))
    if not sites:
        return []
    staff = {site.id: site.staff for site in view.record.inventory.site if site.staff is not None}
    known = sum(staff[site] for site in sites if site in staff)
    people = f", where {known:,} staff work" if known else ""
    return [f"{short_sites(view, sites)}{people}."]


def _cost(view: View) -> tuple[str, ...]:
    if view.case is None:
        return ()
    from reports.case import cost_in_brief  # noqa: PLC0415 - shapes that only a case has

    return cost_in_brief(view)


def _next(view: View, faults: Sequence[Finding]) -> list[str]:
    acting = [*faults]
    if not acting:
        acting = [finding for finding in view.findings if finding.code == "instrument-limited"]
    if acting:
        return next_steps(view, acting)
    if view.mark().kind == "none":
        return ["Measure again; `nethealth doctor` says what this machine lacks."]
    return ["Nothing is needed now. Repeat the measurement at busier hours."]


def _not_measured(view: View) -> list[str]:
    record = view.record
    missed = [check for check in record.checks if not was_measured(check)]
    seen = {base_id(check.id) for check in record.checks if was_measured(check)}
    dark = [
        site
        for site in view.sites()
        if not any(base_id(check.id) in seen for check in view.site_checks(site))
    ]
    if vantage_cut_off(record.findings):
        return ["All sites: no answer reached this machine."]
    if not missed and not dark:
        return too_little(view) or ["Everything planned was measured."]
    parts = []
    if missed:
        parts.append(f"{len(missed):,} of {count(len(record.checks), 'planned check')}")
    if dark:
        parts.append(f"{count(len(dark), 'whole site')}")
    return [f"{listed(parts, 2)}; the reasons are below.", *too_little(view)]
