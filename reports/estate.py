"""The sites worst first, the charts across them, and every check with its figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from nethealth.model.check import CheckResult
from nethealth.model.failure import Outcome
from nethealth.model.observation import Observation
from reports.document import (
    Block,
    Cell,
    ChartUnit,
    Column,
    Heading,
    IntervalChart,
    IntervalRow,
    KeyValues,
    Mark,
    Paragraph,
    SeriesChart,
    Table,
)
from reports.figures import brief, figures, is_number, round_trip, value, worst
from reports.view import View, is_folded, was_measured, worst_round
from reports.words import CODE_TITLES, OUTCOME_WORDS, count, interval, observed, percent, seconds

IN_FULL_MOST = 4  # so few checks are shown with every figure, not as a table
CHART_MAX_ROWS = 40
SERIES_MAX = 12
_SERIES_TABLE_ROWS = 24
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


def chart_blocks(view: View) -> tuple[Block, ...]:
    """Delay and loss of the worst host of each site; in a run of rounds also over time."""
    slowest = _worst_hosts(view, ("round_trip_delay_p95_s",))
    lossiest = _worst_hosts(view, ("packet_loss_ratio", "round_trip_delay_p95_s"))
    blocks: list[Block] = []
    if len(lossiest) > 1:
        charts = _delay_chart(view, slowest), _loss_chart(view, lossiest)
        blocks += [chart for chart in charts if chart is not None]
    if view.record.run.pacing.rounds > 1:
        blocks += [chart for host in lossiest[:SERIES_MAX] for chart in _over_time(view, host)]
    return tuple(blocks)


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
        return tuple(blocks) or (Paragraph("No check was planned."),)
    columns = (
        Column("Target"),
        Column("Site"),
        Column("Asset"),
        Column("Probe"),
        Column("Outcome"),
        Column("Figures"),
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
    return (Table(count(len(rows), "check"), columns, rows),)


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
    main = CODE_TITLES[findings[0].code] if findings else "–"
    more = f" and {len(findings) - 1} more" if len(findings) > 1 else ""
    seen = [view.seen(check.id) for check in checks]
    losses = [found for each in seen if (found := value(each, "packet_loss_ratio")) is not None]
    delays = [
        found for each in seen if (found := value(each, "round_trip_delay_median_s")) is not None
    ]
    measured = sum(map(was_measured, checks))
    return (
        view.site_name(site),
        view.site_mark(site),
        main + more,
        f"{measured:,} of {len(checks):,}" if checks else "none planned",
        percent(max(losses)) if losses else "no data",
        seconds(max(delays)) if delays else "no data",
    )


@dataclass(frozen=True, slots=True)
class _Host:
    """The ping of one host that speaks for its site in the charts."""

    site: str
    label: str
    check: CheckResult


def _worst_hosts(view: View, names: Sequence[str]) -> list[_Host]:
    """For each site the pinged host with the highest value of the first name, then of the next."""

    def badness(check: CheckResult) -> tuple[float, ...]:
        seen = view.seen(check.id)
        return tuple(-1.0 if (found := value(seen, name)) is None else found for name in names)

    hosts = []
    for site in view.sites():
        pings = [
            check
            for check in view.site_checks(site)
            if check.probe == "ping" and worst(view.seen(check.id), "packet_loss_ratio")
        ]
        if pings:
            check = max(pings, key=badness)
            label = f"{view.site_name(site)}, {check.asset or check.target}"
            hosts.append(_Host(site, label, check))
    hosts.sort(key=lambda host: host.label)
    return sorted(hosts, key=lambda host: badness(host.check), reverse=True)


def _delay_chart(view: View, hosts: Sequence[_Host]) -> IntervalChart | None:
    rows: list[IntervalRow] = []
    cells: list[tuple[str, ...]] = []
    silent: list[str] = []
    for host in hosts:
        seen = view.seen(host.check.id)
        low, middle, high = (round_trip(seen, word) for word in ("min", "median", "p95"))
        if low is None or middle is None or high is None:
            silent.append(host.label)
            continue
        rows.append(IntervalRow(view.site_name(host.site), low * 1000, middle * 1000, high * 1000))
        replies = worst(seen, "round_trip_delay_median_s")
        samples = f"{replies.samples:,}" if replies and replies.samples is not None else "–"
        cells.append((host.label, seconds(low), seconds(middle), seconds(high), samples))
    if not rows:
        return None
    order = sorted(range(len(rows)), key=lambda index: (-rows[index].high, rows[index].label))
    order = order[:CHART_MAX_ROWS]
    top = rows[order[0]]
    limit_ms = 2000 * view.record.settings.thresholds.delay_one_way_s
    description = (
        "For the slowest host of each site that replied: from the "
        "shortest delay to the 95th percentile, with the median marked"
        f"{_rounds_note(view)}. "
        f"The longest is {top.label} with {seconds(top.high / 1000)}. "
        f"The limit for speech, taken as twice the one-way limit, is {seconds(limit_ms / 1000)}."
    )
    if silent:
        description += f" No reply from {'; '.join(silent[:5])}" + (
            f" and {len(silent) - 5} more." if len(silent) > 5 else "."
        )
    columns = (
        Column("Site and host"),
        Column("Minimum", numeric=True),
        Column("Median", numeric=True),
        Column("95th percentile", numeric=True),
        Column("Replies", numeric=True),
    )
    table = Table("Round-trip delay, figures", columns, tuple(cells[index] for index in order))
    chosen = tuple(rows[index] for index in order)
    return IntervalChart(
        "delay", "Round-trip delay by site", description, "ms", chosen, table, limit_ms
    )


def _loss_chart(view: View, hosts: Sequence[_Host]) -> IntervalChart | None:
    rows: list[IntervalRow] = []
    cells: list[tuple[str, ...]] = []
    for host in hosts[:CHART_MAX_ROWS]:
        loss = worst(view.seen(host.check.id), "packet_loss_ratio")
        if loss is None or not is_number(loss.value):
            continue
        share = float(loss.value or 0)
        low, high = loss.interval or (share, share)
        rows.append(IntervalRow(view.site_name(host.site), low * 100, share * 100, high * 100))
        samples = "–" if loss.samples is None else f"{loss.samples:,}"
        cells.append((host.label, observed(loss), interval(loss), samples))
    if not rows:
        return None
    limit = 100 * view.record.settings.thresholds.loss
    description = (
        "For the host with the most loss of each site: the share of packets lost, with its 95 % "
        f"interval{_rounds_note(view)}. A wide interval means that few packets were sent. "
        f"The highest is {rows[0].label} with {percent(rows[0].middle / 100)}. "
        f"The limit is {percent(limit / 100)}."
    )
    columns = (
        Column("Site and host"),
        Column("Loss", numeric=True),
        Column("95 % interval", numeric=True),
        Column("Packets sent", numeric=True),
    )
    table = Table("Packet loss, figures", columns, tuple(cells))
    return IntervalChart("loss", "Packet loss by site", description, "%", tuple(rows), table, limit)


def _rounds_note(view: View) -> str:
    many = view.record.run.pacing.rounds > 1
    return "; over the rounds, the widest span and the median of medians" if many else ""


def _over_time(view: View, host: _Host) -> list[SeriesChart]:
    thresholds = view.record.settings.thresholds
    charts = (
        _series_chart(
            view, host, "round_trip_delay_median_s", "Median round-trip delay", "ms",
            2000 * thresholds.delay_one_way_s,
        ),
        _series_chart(view, host, "packet_loss_ratio", "Packet loss", "%", 100 * thresholds.loss),
    )  # fmt: skip
    return [chart for chart in charts if chart is not None]


def _series_chart(
    view: View, host: _Host, name: str, title: str, unit: ChartUnit, limit: float
) -> SeriesChart | None:
    """One figure of one host over the rounds; None where fewer than two rounds have it."""
    scale, show = (1000.0, seconds) if unit == "ms" else (100.0, percent)
    dated = [one for one in view.seen(host.check.id).get(name, ()) if one.t_s is not None]
    points = tuple((one.t_s or 0.0, _scaled(one, scale)) for one in dated)
    measured = [y for _, y in points if y is not None]
    if len(measured) < 2:
        return None
    description = (
        f"{count(len(points), 'round')}; lowest {show(min(measured) / scale)}, highest "
        f"{show(max(measured) / scale)}, {len(points) - len(measured)} without a value."
    )
    label = f"{title} over time, {host.label}"
    table = _series_table(label, dated)
    return SeriesChart(f"{name}-{host.site}", label, description, unit, points, table, limit)


def _series_table(label: str, dated: Sequence[Observation]) -> Table:
    """The rounds with the highest values, in the order of time."""
    ranked = sorted(dated, key=lambda one: -(_scaled(one, 1) or 0.0))[:_SERIES_TABLE_ROWS]
    shown = [one for one in dated if one in ranked]
    caption = f"{label}, figures"
    if len(shown) < len(dated):
        caption += f": the {len(shown)} highest of {len(dated)}"
    columns = (
        Column("Time since the start"),
        Column("Value", numeric=True),
        Column("Samples", numeric=True),
    )
    rows = tuple(
        (
            f"{one.t_s or 0:,.1f} s",
            observed(one),
            "–" if one.samples is None else f"{one.samples:,}",
        )
        for one in shown
    )
    return Table(caption, columns, rows)


def _scaled(observation: Observation, scale: float) -> float | None:
    return float(observation.value or 0) * scale if is_number(observation.value) else None
