"""The findings of all runs of a period: how often each was made, then each in full."""

from reports.document import Block, Cell, Column, Paragraph, Table
from reports.findings import findings_blocks
from reports.period_view import PeriodView, local_moment
from reports.view import severity_mark
from reports.words import CODE_TITLES, count, percent

_TOLD_MOST = 200


def period_finding_blocks(of: PeriodView) -> tuple[Block, ...]:
    """A table of how often; the words and the evidence are those of the gravest run, the latest."""
    found = of.findings()
    if not found:
        return findings_blocks(of.view)
    rows: list[tuple[Cell, ...]] = []
    for finding in found[:_TOLD_MOST]:
        seen = of.seen.get(finding.id)
        if seen is None:
            continue
        rows.append(
            (
                CODE_TITLES[finding.code],
                severity_mark(finding.severity),
                of.view.place(finding),
                f"{seen.runs:,} of {seen.looked:,} ({percent(of.share(finding))})",
                local_moment(of.view, seen.first),
                local_moment(of.view, seen.last),
            )
        )
    columns = (
        Column("Finding"),
        Column("Severity"),
        Column("Place"),
        Column("Found in runs", numeric=True),
        Column("First"),
        Column("Last"),
    )
    caption = f"{count(len(rows), 'finding')}: in how many of the runs that looked"
    note = (
        "Below, each is told in the words of its gravest run, of several the latest; the numbers "
        "of its evidence are those of that run alone. The table says how often it was so."
    )
    return (Table(caption, columns, tuple(rows)), Paragraph(note), *findings_blocks(of.view))
