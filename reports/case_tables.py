"""Tables of a business case: lines that are left, risks, recharges, and every figure's owner."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from nethealth.model.case import CaseFile, Figure
from nethealth.model.case_result import CaseResult, LineInventory, Recharged
from reports.citing import resting
from reports.document import Block, Bullets, Cell, Column, Paragraph, Table
from reports.money import pence, plain
from reports.view import View
from reports.words import count


def line_blocks(view: View, lines: LineInventory) -> Iterator[Block]:
    if not lines.lines:
        return
    days = (
        f"{count(lines.days_left, 'day')} are left"
        if lines.days_left > 0
        else "that day has passed"
    )
    yield Paragraph(
        f"The public switched telephone network and ISDN are to close on "
        f"{_long_date(lines)}: on {lines.today:%-d %B %Y} {days}. "
        f"{count(lines.remaining, 'line')} of {lines.remaining + lines.migrated} still "
        f"{'hangs' if lines.remaining == 1 else 'hang'} on it. This is a ground of its own: no "
        "fault need be found for it to hold."
    )
    left = [line for line in lines.lines if not line.migrated]
    if left:
        counted = (
            ("use", [line.use for line in left]),
            ("site", [view.site_name(line.site) for line in left]),
            ("owner", [line.owner or "nobody" for line in left]),
        )
        yield Bullets(tuple(f"By {what}: {_counts(names)}." for what, names in counted))
    if lines.ownerless:
        yield Paragraph(f"Without an owner: {', '.join(lines.ownerless)}.")
    yield Table(
        "Lines, those that are left first",
        (Column("Line"), Column("Site"), Column("Kind"), Column("Use"), Column("Owner"),
         Column("State")),
        tuple(
            (line.id, view.site_name(line.site), line.kind, line.use, line.owner or "nobody",
             "migrated" if line.migrated else "not migrated")
            for line in lines.lines
        ),
    )  # fmt: skip


def _counts(names: list[str]) -> str:
    """`lift alarm 2, door 1`: the most first."""
    ranked = sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{name} {number}" for name, number in ranked)


def _long_date(lines: LineInventory) -> str:
    return f"{lines.retirement:%-d %B %Y}"


def risk_blocks(view: View, case: CaseResult) -> Iterator[Block]:
    if not case.risks:
        return
    if case.ownerless_risks:
        yield Paragraph(f"Without an owner: {', '.join(case.ownerless_risks)}.")
    yield Table(
        f"Risks, likelihood times impact on a scale of {case.file.matrix.size}",
        (Column("Risk"), Column("Now"), Column("With controls"), Column("Target"), Column("Owner"),
         Column("Action"), Column("Evidence")),
        tuple(_risk_row(view, dict(row)) for row in case.risks),
    )  # fmt: skip


def _risk_row(view: View, row: dict[str, str]) -> tuple[Cell, ...]:
    def level(name: str) -> str:
        return f"{row[f'{name} score']}, {row[f'{name} band']}" if row[f"{name} score"] else "–"

    dates = [f"{what} {row[what]}" for what in ("due", "review") if row[what]]
    return (
        f"{row['id']}: {row['cause']}; so {row['event']}; then {row['consequence']}",
        level("inherent"),
        level("residual"),
        level("target"),
        row["owner"] or "nobody",
        "; ".join([row["action"] or "none", *dates]),
        _evidence(view, row["evidence"]),
    )


def _evidence(view: View, text: str) -> Cell:
    """What the risk names, ids or codes of findings, with what those rest on."""
    named = set(text.split("; "))
    found = [one for one in view.findings if one.id in named or one.code in named]
    return resting(view, text or "–", found)


def recharge_blocks(view: View, case: CaseResult) -> Iterator[Block]:
    for one in case.recharges:
        yield Table(
            f"{one.name}: by {one.key} as of {one.frozen:%-d %B %Y}, "
            f"total {pence(one.total_pence)}",
            (
                Column("Council"), Column("Key", numeric=True), Column("Common pot", numeric=True),
                Column("Its own", numeric=True), Column("Total", numeric=True),
            ),
            tuple(_recharge_rows(view, one)),
        )  # fmt: skip
        if one.uncounted:
            sites = ", ".join(view.site_name(site) for site in one.uncounted)
            yield Paragraph(f"Not counted, since the inventory gives no {one.key}: {sites}.")


def _recharge_rows(view: View, one: Recharged) -> Iterator[tuple[str, ...]]:
    for share in one.shares:
        yield (
            view.council_name(share.council), plain(share.key), pence(share.common_pence),
            pence(share.own_pence), pence(share.common_pence + share.own_pence),
        )  # fmt: skip
    common = sum(share.common_pence for share in one.shares)
    yield ("All", plain(sum(share.key for share in one.shares)), pence(common),
           pence(one.total_pence - common), pence(one.total_pence))  # fmt: skip


def figure_blocks(file: CaseFile) -> Iterator[Block]:
    yield Paragraph(
        f"{file.case.title}, dated {file.case.date:%-d %B %Y}, for which {file.case.owner} stands."
    )
    yield Table(
        "Every figure of the case",
        (
            Column("Figure"), Column("Central", numeric=True), Column("Low", numeric=True),
            Column("High", numeric=True), Column("Basis"), Column("Source"), Column("Date"),
            Column("Owner"),
        ),
        tuple(
            (path, plain(one.central), "–" if one.low is None else plain(one.low),
             "–" if one.high is None else plain(one.high), one.basis, one.source,
             one.date.isoformat(), one.owner)
            for path, one in _each_figure("", file)
        ),
    )  # fmt: skip


def _each_figure(path: str, value: object) -> Iterator[tuple[str, Figure]]:
    """Every figure of the file by its path, in the file's order."""
    if isinstance(value, Figure):
        yield path, value
    elif is_dataclass(value):
        for each in fields(value):
            yield from _each_figure(_joined(path, each.name), getattr(value, each.name))
    elif isinstance(value, dict):
        for key, inside in value.items():
            yield from _each_figure(_joined(path, str(key)), inside)
    elif isinstance(value, tuple):
        for index, inside in enumerate(value, 1):
            name = getattr(inside, "id", None) or getattr(inside, "name", None) or str(index)
            yield from _each_figure(_joined(path, str(name)), inside)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
