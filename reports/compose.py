"""A record as a document: the same record gives the same document, on any machine at any time."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from nethealth.model import codec
from nethealth.model.finding import Finding
from nethealth.model.look import Look
from nethealth.model.record import Record
from reports.asset_register import register_blocks
from reports.calls import call_blocks
from reports.changes import change_lines, compare
from reports.citing import with_cited
from reports.document import Block, Bullets, Document, Paragraph, Section, SectionKey
from reports.escape import clip
from reports.estate import check_blocks, few_checks, site_blocks
from reports.findings import findings_blocks
from reports.graphs import chart_blocks
from reports.method import glossary_blocks, limits_in_brief, method_blocks, not_measured_blocks
from reports.resilience import resilience_blocks
from reports.streams import stream_blocks
from reports.summary import duration, observed_s, summarise, verdict_line
from reports.view import View, long_date, long_moment, utc
from reports.words import listed


def compose(
    record: Record,
    *,
    previous: Sequence[Finding] | None = None,
    rendered: datetime | None = None,
    look: Look | None = None,
) -> Document:
    """Lay the record out as a report.

    `previous`: the findings of the run before, for the section on what changed. `rendered`: stated
    as the time of making, if given; every other time comes from the record. `look`: whose report it
    is, which changes no figure.
    """
    data = codec.dump(record)
    if record.period is not None:
        return _looking(_of_period(record, data), look)
    return _looking(_of_run(record, data, previous, rendered), look)


def _of_run(
    record: Record,
    data: bytes,
    previous: Sequence[Finding] | None,
    rendered: datetime | None,
) -> Document:
    view = View(record)
    sha256 = hashlib.sha256(data).hexdigest()
    few = few_checks(view)
    measured = check_blocks(view)
    candidates: tuple[tuple[SectionKey, str, tuple[Block, ...]], ...] = (
        ("changes", "What changed since the run before", _changes(view, previous)),
        ("sites", "Sites, worst first", site_blocks(view)),
        ("findings", "Findings and their evidence", findings_blocks(view)),
        ("resilience", "What hangs on one thing, by building", resilience_blocks(view)),
        ("register", "The register beside what was seen", register_blocks(view)),
        ("calls", "Calls and registrations in the capture", call_blocks(view)),
        ("streams", "RTP streams in the capture", stream_blocks(view)),
        ("measured", "What was measured", measured if few else ()),
        ("charts", "Charts", chart_blocks(view)),
        ("not-measured", "What was not measured", not_measured_blocks(view)),
        ("method", "Method and limits", method_blocks(view)),
        ("glossary", "Words used", glossary_blocks()),
        ("measured", "Annex: all checks", () if few else measured),
    )
    sections, keys = with_cited(
        view,
        _with_case(
            view, [Section(key, title, blocks) for key, title, blocks in candidates if blocks]
        ),
    )
    return Document(
        record=record,
        data=data,
        sha256=sha256,
        title=_title(view),
        subtitle=_subtitle(view),
        banner=record.run.title,
        facts=_facts(view, sha256, rendered),
        summary=summarise(view),
        sections=sections,
        heading_line=_heading_line(view),
        limits_in_brief=limits_in_brief(view),
        verdict_line=verdict_line(view),
        cited=keys,
    )


def _looking(document: Document, look: Look | None) -> Document:
    """The document with the words of whoever's report it is; no figure is another."""
    if look is None:
        return document
    branding = look.branding
    own = (
        ("Report of", branding.name),
        ("Marking", branding.marking),
        ("Contact", branding.contact),
    )
    facts = tuple((title, text) for title, text in own if text is not None)
    return replace(
        document,
        title=branding.title or document.title,
        facts=(*facts, *document.facts),
        look=look,
    )


def _of_period(record: Record, data: bytes) -> Document:
    from reports.period import compose_period  # noqa: PLC0415 - shapes that only a period has
    from reports.period_view import PeriodView  # noqa: PLC0415

    return compose_period(PeriodView(record), data)


def _with_case(view: View, sections: Sequence[Section]) -> tuple[Section, ...]:
    """The business case stands behind what was found and before how it was measured."""
    if view.case is None:
        return tuple(sections)
    from reports.case import case_sections  # noqa: PLC0415 - shapes that only a case has

    first = {"changes", "sites", "findings", "resilience", "register"}
    before = [section for section in sections if section.key in first]
    after = [section for section in sections if section.key not in first]
    return (*before, *case_sections(view), *after)


def _title(view: View) -> str:
    if view.record.run.kind == "check":
        targets = list(dict.fromkeys(check.target for check in view.record.checks))
        return f"Network and telephony check of {clip(listed(targets, 2), 120)}"
    return "Network and telephony health report"


def _subtitle(view: View) -> str:
    councils = [view.council_name(council.id) for council in view.record.inventory.council]
    where = f"{listed(councils, 4)}. " if councils else ""
    return f"{where}Measured on {long_date(utc(view.record.run.started))}."


def _facts(view: View, sha256: str, rendered: datetime | None) -> tuple[tuple[str, str], ...]:
    run = view.record.run
    watched = observed_s(view)
    pairs = (
        ("Started", long_moment(view, run.started)),
        ("Watched for", "not known" if watched is None else duration(watched)),
        ("Measured from", run.vantage),
        ("Run", run.id),
        ("Program", f"{view.record.tool.name} {view.record.tool.version}"),
        ("Data", f"sha256 {sha256}"),
        ("Made", "" if rendered is None else long_moment(view, rendered)),
    )
    return tuple((title, text) for title, text in pairs if text)


def _heading_line(view: View) -> str:
    run = view.record.run
    targets = list(dict.fromkeys(check.target for check in view.record.checks))
    what = f"check {clip(listed(targets, 2), 60)}" if run.kind == "check" else run.kind
    return f"nethealth {what}, {long_moment(view, run.started)}, from {run.vantage}"


def _changes(view: View, previous: Sequence[Finding] | None) -> tuple[Block, ...]:
    if previous is None:
        return ()
    lines = change_lines(compare(previous, view.record.findings), view)
    return (Bullets(lines),) if lines else (Paragraph("Nothing: the same findings as before."),)
