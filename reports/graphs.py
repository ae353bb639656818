"""What the charts show: delay and loss across the sites, these and temperatures over time."""

from collections.abc import Sequence
from dataclasses import dataclass

from nethealth.model.check import CheckResult
from nethealth.model.observation import Observation
from reports.citing import figure
from reports.document import (
    Block,
    Cell,
    ChartUnit,
    Column,
    IntervalChart,
    IntervalRow,
    SeriesChart,
    Table,
)
from reports.figures import is_number, round_trip, value, valued, worst
from reports.temperatures import temperature_charts
from reports.view import View
from reports.words import count, interval, observed, percent, seconds

CHART_MAX_ROWS = 40
SERIES_MAX = 12
_SERIES_TABLE_ROWS = 24


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
    return (*blocks, *temperature_charts(view))


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
    cells: list[tuple[Cell, ...]] = []
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
        shown = [
            figure(seconds(found), valued(seen, f"round_trip_delay_{word}_s"))
            for word, found in (("min", low), ("median", middle), ("p95", high))
        ]
        cells.append((host.label, *shown, samples))
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
    cells: list[tuple[Cell, ...]] = []
    for host in hosts[:CHART_MAX_ROWS]:
        loss = worst(view.seen(host.check.id), "packet_loss_ratio")
        if loss is None or not is_number(loss.value):
            continue
        share = float(loss.value or 0)
        low, high = loss.interval or (share, share)
        rows.append(IntervalRow(view.site_name(host.site), low * 100, share * 100, high * 100))
        samples = "–" if loss.samples is None else f"{loss.samples:,}"
        cells.append((host.label, figure(observed(loss), [loss]), interval(loss), samples))
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
            figure(observed(one), [one]),
            "–" if one.samples is None else f"{one.samples:,}",
        )
        for one in shown
    )
    return Table(caption, columns, rows)


def _scaled(observation: Observation, scale: float) -> float | None:
    return float(observation.value or 0) * scale if is_number(observation.value) else None
