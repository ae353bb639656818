"""A record of a period as a document, in the same shapes as that of a run."""

from reports.case import case_sections
from reports.citing import with_cited
from reports.document import Block, Document, Section, SectionKey
from reports.method import glossary_blocks
from reports.period_changes import change_blocks
from reports.period_findings import period_finding_blocks
from reports.period_method import (
    PERIOD_WORDS,
    in_brief,
    not_measured_blocks,
    period_method_blocks,
)
from reports.period_sites import asset_blocks, place_blocks
from reports.period_summary import summarise_period, verdict_of
from reports.period_timelines import timeline_blocks
from reports.period_view import PeriodView, span_of
from reports.view import long_date, long_moment, utc
from reports.words import listed


def compose_period(of: PeriodView, data: bytes) -> Document:
    """`data`: the record as JSON."""
    record, view, period = of.record, of.view, of.period
    found: tuple[tuple[SectionKey, str, tuple[Block, ...]], ...] = (
        ("places", "Sites over the period, worst first", place_blocks(of)),
        ("timelines", "Network and telephony side by side", timeline_blocks(of)),
        ("findings", "Findings and their evidence", period_finding_blocks(of)),
        ("before-after", "Before and after a change", change_blocks(of)),
    )
    after: tuple[tuple[SectionKey, str, tuple[Block, ...]], ...] = (
        ("not-measured", "What was not measured, and why", not_measured_blocks(of)),
        ("method", "Method and limits", period_method_blocks(of)),
        ("glossary", "Words used", (*PERIOD_WORDS, *glossary_blocks())),
        ("measured", "Annex: all assets", asset_blocks(of)),
    )
    sections, keys = with_cited(view, (*_sections(found), *case_sections(view), *_sections(after)))
    begins, ends = (long_moment(view, end) for end in (period.asked.since, period.asked.until))
    facts = (
        ("Period", f"from {begins} until {ends}"),
        ("Measured from", ", ".join(period.vantages) or "nowhere"),
        ("Runs", f"{period.runs:,}, of which {period.interrupted:,} did not end by themselves"),
        ("Made", long_moment(view, record.run.started)),
        ("Program", f"{record.tool.name} {record.tool.version}"),
        ("Data", f"sha256 {period.sha256}"),
    )
    return Document(
        record=record,
        data=data,
        sha256=period.sha256,
        title=_title(of),
        subtitle=f"{_where(of)} {span_of(period.days)}, {len(period.days):,} days.",
        banner=None,
        facts=facts,
        summary=summarise_period(of),
        sections=sections,
        heading_line=f"nethealth period, {span_of(period.days)}, made "
        f"{long_date(utc(record.run.started))}",
        limits_in_brief=in_brief(of),
        cited=keys,
        verdict_line=verdict_of(of),
    )


def _sections(found: tuple[tuple[SectionKey, str, tuple[Block, ...]], ...]) -> list[Section]:
    return [Section(key, title, blocks) for key, title, blocks in found if blocks]


def _title(of: PeriodView) -> str:
    asked = of.period.asked
    if asked.site is not None:
        return f"Network and telephony over a period: {of.view.site_name(asked.site)}"
    return "Network and telephony over a period"


def _where(of: PeriodView) -> str:
    asked = of.period.asked
    if asked.council is not None:
        return f"{of.view.council_name(asked.council)}."
    councils = list(dict.fromkeys(of.view.council_name(one.council) for one in of.sites))
    return f"{listed(sorted(councils), 4)}." if councils else ""
