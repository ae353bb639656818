"""The sites worst first, and every check with its figures."""

from collections.abc import Sequence

from nethealth.model.check import CheckResult
from nethealth.model.failure import Outcome
from nethealth.model.measured import was_measured
from nethealth.model.observation import Observation
from reports.citing import figure
from reports.document import (
    Block,
    Cell,
    Column,
    Figure,
    Heading,
    KeyValues,
    Mark,
    Paragraph,
    Table,
)
from reports.figures import Seen, brief, figures, is_number, number_of, worst
from reports.groups import alike
from reports.hops import hop_table
from reports.view import View, is_folded, worst_round
from reports.words import CODE_TITLES, OUTCOME_WORDS, count, percent, seconds

CITED_OF_CHECK_MOST = 40
IN_FULL_MOST = 4  # so few checks are shown with every figure, not as a table
_STATE_ORDER = ("critical", "warning", "none", "info", "ok")


def site_blocks(view: View) -> tuple[Block, ...]:
    """One table a council, councils and sites worst first; nothing where no site is named."""
    by_council: dict[str | None, list[str]] = {}
    for site in view.sites():
        by_council.setdefault(view.site_council(site), []).append(site)
    rank = {site: _STATE_ORDER.index(view.site_mark(site).kind) for site in view.sites()}
    tables = []
    for council, sites in by_council.items():
        ordered = sorted(sites, key=lambda site: (rank[site], view.site_name(site)))
        rows = tuple(_site_row(view, site) for site in ordered)
        columns = (
            Column("Site"),
            Column("State"),
            Column("Main finding"),
            Column("Checks measured", numeric=True, optional=True),
            Column("Highest loss", numeric=True),
            Column("Highest median delay", numeric=True),
        )
        tables.append((rank[ordered[0]], Table(view.council_name(council), columns, rows)))
    return tuple(table for _, table in sorted(tables, key=lambda pair: (pair[0], pair[1].caption)))


def few_checks(view: View) -> bool:
    """Whether the checks are few enough to show each in full."""
    return len(view.series) <= IN_FULL_MOST


def check_blocks(view: View) -> tuple[Block, ...]:
    """Every check: with all its figures where there are few, else one row each, worst first."""
    series = list(view.series.values())
    if few_checks(view):
        blocks: list[Block] = []
        for rounds in series:
            check = worst_round(rounds)
            lines = figures(check, view.seen(check.id))
            ended = "" if check.outcome == "completed" else f": {OUTCOME_WORDS[check.outcome]}"
            blocks.append(Heading(f"{check.probe} {check.target}{ended.lower()}"))
            blocks.append(KeyValues(tuple(lines) or (("figures", "no data"),)))
            hops = hop_table(view.seen(check.id))
            if hops is not None:
                blocks.append(hops)
            blocks += _rests_on(view, check)
        return tuple(blocks) or (Paragraph("No check was planned."),)
    columns = (
        Column("Target"),
        Column("Site"),
        Column("Asset"),
        Column("Probe"),
        Column("Outcome"),
        Column("Figures"),
        Column("Check", optional=True),
    )
    order = (Outcome.FAILED, Outcome.NOT_RUN, Outcome.COMPLETED)
    ordered = sorted(
        series,
        key=lambda rounds: (
            -view.check_rank(rounds[0].id),
            order.index(worst_round(rounds).outcome),
        ),
    )
    rows = tuple(_check_row(view, rounds) for rounds in ordered)
    telling = sum(_tells(view, rounds) for rounds in ordered)
    further = count(len(rows) - telling, "further check" if telling else "check")
    rest = f"{further} without a finding; all of them in html, csv and json"
    caption = count(len(rows), "check")
    return (Table(caption, columns, rows, telling, rest if len(rows) > telling else ""),)


def _rests_on(view: View, check: CheckResult) -> list[Block]:
    """What the lines above rest on; a terminal leaves it out, since the record names them too."""
    ids = [one.id for found in view.seen(check.id).values() for one in found]
    if not ids:
        return []
    text = count(len(ids), "observation")
    if len(ids) > CITED_OF_CHECK_MOST:
        text += f", of which {CITED_OF_CHECK_MOST} are named here"
    told = Figure(text, tuple(ids[:CITED_OF_CHECK_MOST]))
    columns = Column("Check"), Column("It rests on")
    return [Table("Where these figures come from", columns, ((check.id, told),), telling=0)]


def _tells(view: View, rounds: Sequence[CheckResult]) -> bool:
    """Whether a finding rests on the check, or it did not complete."""
    completed = worst_round(rounds).outcome is Outcome.COMPLETED
    return view.check_rank(rounds[0].id) >= 0 or not completed


def _check_row(view: View, rounds: Sequence[CheckResult]) -> tuple[Cell, ...]:
    check = worst_round(rounds)
    word = OUTCOME_WORDS[check.outcome]
    if len(rounds) > 1:
        alike = sum(one.outcome is check.outcome for one in rounds)
        word = f"{word} in {alike} of {len(rounds)} rounds"
    return (
        check.target,
        view.site_name(check.site) if check.site else "–",
        view.asset_name(check.asset) if check.asset else "–",
        check.probe,
        _outcome(check, word),
        brief(check, view.seen(check.id)),
        check.id,
    )


def _outcome(check: CheckResult, word: str) -> Cell:
    """Marked only where it did not complete: a completed check may have lost every packet."""
    if check.outcome is Outcome.COMPLETED:
        return word
    return Mark("warning" if check.outcome is Outcome.FAILED else "none", word)


def _site_row(view: View, site: str) -> tuple[Cell, ...]:
    checks = view.site_checks(site)
    findings = [
        finding for finding in view.findings if finding.site == site and not is_folded(finding)
    ]
    gravest = alike(findings)[0] if findings else ()
    main = CODE_TITLES[gravest[0].code] if gravest else "–"
    if len(gravest) > 1:
        main += f" ({len(gravest):,})"
    left = len(findings) - len(gravest)
    more = f" and {left:,} more" if left else ""
    # Beside a load of our own a line is not as its users find it.
    seen = [view.seen(check.id) for check in checks if check.probe != "coexistence"]
    loss = _highest(seen, "packet_loss_ratio")
    delay = _highest(seen, "round_trip_delay_median_s")
    measured = sum(map(was_measured, checks))
    return (
        view.site_name(site),
        view.site_mark(site),
        main + more,
        f"{measured:,} of {len(checks):,}" if checks else "none planned",
        "no data" if loss is None else figure(percent(number_of(loss)), [loss]),
        "no data" if delay is None else figure(seconds(number_of(delay)), [delay]),
    )


def _highest(seen: Sequence[Seen], name: str) -> Observation | None:
    """Of all checks of a site the observation with the highest value of that name."""
    found = [one for each in seen if (one := worst(each, name)) and is_number(one.value)]
    return max(found, key=number_of, default=None)
