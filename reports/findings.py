"""Findings as blocks with their evidence, and as tables where one line each is enough."""

from collections.abc import Callable, Sequence

from nethealth.model.finding import Finding, Severity
from reports.citing import evidence_row, known
from reports.document import Block, Cell, Column, Figure, FindingBlock, Paragraph, Statement, Table
from reports.groups import alike, thing
from reports.view import View, is_folded, long_date, severity_mark, utc
from reports.words import (
    CODE_TITLES,
    DIRECTION_WORDS,
    VERDICT_WORDS,
    count,
    listed,
)

SHOWN_MAX = 20  # of one finding's evidence, and of like findings; the record holds the rest
_COLUMNS = (
    Column("Observation"),
    Column("What"),
    Column("Value", numeric=True),
    Column("Samples", numeric=True),
    Column("95 % interval", numeric=True),
    Column("Target"),
)


def findings_blocks(view: View) -> tuple[Block, ...]:
    """Every finding: in full, as a note about the register, or as judged and not found."""
    folded = [finding for finding in view.findings if is_folded(finding)]
    notes = [finding for finding in view.findings if _is_note(finding)]
    full = [finding for finding in view.findings if finding not in folded and finding not in notes]
    blocks: list[Block] = [_block(view, group) for group in alike(full)]
    if not full:
        blocks.append(Paragraph("No fault was found."))
    if notes:
        blocks.append(_notes_table(view, notes))
    if folded:
        blocks.append(_folded_table(view, folded))
    return tuple(blocks)


def when(view: View, group: Sequence[Finding]) -> str:
    """From when to when, in UTC, with the vantage's own hours behind."""
    start = min(utc(finding.from_) for finding in group)
    end = max(utc(finding.to) for finding in group)
    if start.date() != end.date():
        return f"{long_date(start)} {start:%H:%M:%S} to {long_date(end)} {end:%H:%M:%S} UTC"
    text = f"{long_date(start)}, {start:%H:%M:%S} to {end:%H:%M:%S} UTC"
    local = view.local(start), view.local(end)
    if local[0] is None or local[1] is None or local[0][0].utcoffset() == utc(start).utcoffset():
        return text
    return f"{text} ({local[0][0]:%H:%M:%S} to {local[1][0]:%H:%M:%S} in {local[0][1]})"


def _is_note(finding: Finding) -> bool:
    """Information that rests on the register alone, such as an asset without an owner."""
    return (
        finding.severity is Severity.INFO
        and not finding.evidence
        and finding.code != "instrument-limited"
        and not is_folded(finding)
    )


def _block(view: View, group: Sequence[Finding]) -> FindingBlock:
    first, alone = group[0], len(group) == 1
    most = 3 if alone else 1
    place = view.place(first)
    if not alone and first.site is not None:
        place = f"{len(group):,} at {view.site_name(first.site)}"
    return FindingBlock(
        mark=severity_mark(first.severity),
        title=CODE_TITLES[first.code],
        place=place,
        statements=tuple(
            Statement(
                finding.statement,
                _evidence_in_brief(view, finding, most),
                known(view, finding.evidence[:most]),
            )
            for finding in group[:SHOWN_MAX]
        ),
        left=max(0, len(group) - SHOWN_MAX),
        action=first.action,
        sure=VERDICT_WORDS[first.verdict],
        when=when(view, group),
        evidence=_evidence(view, first) if alone and first.evidence else None,
        more=_more(view, group),
    )


def _more(view: View, group: Sequence[Finding]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    statements = {other.id: other.statement for other in view.findings}

    def explains(finding: Finding) -> Sequence[str]:
        return [statements.get(key) or _title_of(key) for key in finding.symptoms]

    def direction(finding: Finding) -> Sequence[str]:
        return () if finding.direction is None else (DIRECTION_WORDS[finding.direction],)

    def tests(finding: Finding) -> Sequence[str]:
        return [f"{each.test} {each.result}" for each in finding.refutations]

    titled: tuple[tuple[str, Callable[[Finding], Sequence[str]]], ...] = (
        ("Direction", direction),
        ("Size of the effect", _effect),
        ("What could have overturned it", tests),
        ("Still missing", lambda finding: finding.missing),
        ("Other explanations", lambda finding: finding.alternatives),
        ("This explains", explains),
    )
    said = ((title, _said_once(group, items)) for title, items in titled)
    return tuple((title, items) for title, items in said if items)


def _said_once(
    group: Sequence[Finding], items: Callable[[Finding], Sequence[str]]
) -> tuple[str, ...]:
    """What all findings of the group say, once; what only some say, with their names."""
    speakers: dict[str, list[str]] = {}
    for finding in group:
        for item in dict.fromkeys(items(finding)):
            speakers.setdefault(item, []).append(thing(finding))
    said = [
        item if len(names) == len(group) else f"{item} ({listed(names, 3)})"
        for item, names in speakers.items()
    ]
    left = len(said) - SHOWN_MAX
    return (*said[:SHOWN_MAX], f"and {left:,} more in the record") if left > 0 else tuple(said)


def _effect(finding: Finding) -> tuple[str, ...]:
    """The effect of a statistical test; a plain finding has its size in statement and evidence."""
    effect = finding.effect
    if effect is None or (effect.p is None and effect.mde is None):
        return ()
    parts = [f"{effect.estimate:.3g}"]
    if effect.interval is not None:
        parts.append(f"95 % interval {effect.interval[0]:.3g} to {effect.interval[1]:.3g}")
    if effect.p is not None:
        parts.append(f"p {effect.p:.2g}")
    if effect.mde is not None:
        parts.append(f"smallest effect that could have been seen {effect.mde:.3g}")
    return (", ".join(parts),)


def _title_of(finding_id: str) -> str:
    """A finding that was not raised because another explains it, known by its id alone."""
    code, _, place = finding_id.partition(":")
    titles = {str(key): title for key, title in CODE_TITLES.items()}
    return f"{titles[code]}: {place}." if code in titles else finding_id


def _evidence(view: View, finding: Finding) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (Figure(key, cites) if (cites := known(view, [key])) else key, *evidence_row(view, key)[1:])
        for key in finding.evidence[:SHOWN_MAX]
    ]
    left = len(finding.evidence) - len(rows)
    more = f"; {left:,} more in the record" if left > 0 else ""
    caption = f"Evidence: {CODE_TITLES[finding.code].lower()}, {view.place(finding)}{more}"
    return Table(caption, _COLUMNS, tuple(rows))


def _evidence_in_brief(view: View, finding: Finding, most: int) -> str:
    parts = []
    for key in finding.evidence[:most]:
        _, what, value, samples, bounds, _ = evidence_row(view, key)
        size = "" if samples == "–" else f" of {samples}"
        if size and not value.endswith("%"):
            size = f", {samples} {'sample' if samples == '1' else 'samples'}"
        spread = f" ({bounds})" if bounds != "–" else ""
        parts.append(f"{what} {value}{size}{spread} [{key}]")
    left = len(finding.evidence) - len(parts)
    if left > 0:
        parts.append(f"{left:,} more" if most == 1 else f"{left:,} more in the record")
    return "; ".join(parts)


def _notes_table(view: View, notes: Sequence[Finding]) -> Table:
    rows = tuple(
        (view.place(finding), CODE_TITLES[finding.code], finding.statement, finding.action)
        for finding in notes
    )
    columns = (Column("Place"), Column("Note"), Column("What was seen"), Column("What to do"))
    return Table(f"{count(len(rows), 'note')} on the register", columns, rows)


def _folded_table(view: View, folded: Sequence[Finding]) -> Table:
    rows = tuple(
        (
            CODE_TITLES[finding.code],
            view.place(finding),
            VERDICT_WORDS[finding.verdict].partition(":")[0],
            finding.statement,
        )
        for finding in folded
    )
    columns = (Column("What was looked for"), Column("Place"), Column("Verdict"), Column("Why"))
    return Table("Judged and not found", columns, rows)
