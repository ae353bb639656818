"""`nethealth history`: how a site or an asset fared, run after run."""

from typing import TYPE_CHECKING

import click

from nethealth.cli.durations import duration
from nethealth.cli.exits import InputError
from nethealth.cli.given import opened_store
from nethealth.cli.options import store_option

if TYPE_CHECKING:
    from nethealth.store import Period

# What is followed, with the words and the factor it is shown with.
SHOWN = {
    "packet_loss_ratio": ("packet loss", "%", 100.0),
    "round_trip_delay_median_s": ("round trip, median", "ms", 1000.0),
    "pdv_p99_s": ("delay variation, p99", "ms", 1000.0),
    "r_factor": ("voice quality (R), estimated", "", 1.0),
    "sip_response_delay_s": ("SIP response", "ms", 1000.0),
    "sip_status_code": ("SIP status", "", 1.0),
    "tcp_connect_time_s": ("TCP connection", "ms", 1000.0),
    "dns_response_time_s": ("DNS response", "ms", 1000.0),
    "http_first_byte_time_s": ("HTTP first byte", "ms", 1000.0),
    "http_status_code": ("HTTP status", "", 1.0),
    "temperature_celsius": ("temperature", "°C", 1.0),
    "certificate_days_to_expiry": ("certificate, days left", "d", 1.0),
}
PERIODS_SHOWN_MOST = 60


@click.command()
@click.argument("place", metavar="SITE|ASSET")
@click.option(
    "--since", "since_s", metavar="D", callback=duration, default="30d", show_default=True,
    help="How far back: 8h, 30d.",
)  # fmt: skip
@click.option(
    "--by",
    type=click.Choice(["run", "hour", "day"]),
    default="run",
    show_default=True,
    help="What one column stands for.",
)
@store_option
def history(place: str, since_s: float, by: "Period", store: str | None) -> None:
    """Show how a site or an asset fared over time.

    One bar is the median of one run, hour or day, from the least to the greatest of the row; a dot
    is a time when nothing was measured.
    """
    from dataclasses import replace  # noqa: PLC0415
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    from nethealth.store import StoreError, TrendRow, trend  # noqa: PLC0415

    since = datetime.now(UTC) - timedelta(seconds=since_s)
    with opened_store(store) as opened:
        try:
            points = opened.series(SHOWN, asset=place, since=since)
            if not points:
                at_site = opened.series(SHOWN, site=place, since=since)
                points = tuple(replace(point, asset=None) for point in at_site)
        except StoreError as error:
            raise InputError(str(error)) from None
    # What was met beside a load of our own is no state of the line.
    points = tuple(one for one in points if one.method.get("phase") not in ("download", "upload"))
    if not points:
        raise InputError(
            f"no history of {place!r} since {since:%Y-%m-%d %H:%M} UTC: "
            "give the id of a site or an asset that was measured, or a longer --since"
        )

    def line(row: TrendRow) -> str:
        words, unit, factor = SHOWN[row.name]
        cells = row.cells[-PERIODS_SHOWN_MOST:]
        values = [cell.value for cell in cells if isinstance(cell.value, int | float)]
        spark = row.spark[-PERIODS_SHOWN_MOST:]
        if not values:
            return f"{words:30} {spark}  no data"
        last = cells[-1].value
        now = "no data" if last is None else f"{float(last) * factor:.4g}"
        low, high = min(values) * factor, max(values) * factor
        return f"{words:30} {spark}  now {now} {unit}  ({low:.4g} to {high:.4g})".rstrip()

    rows = trend(points, by)
    first, last = rows[0].cells[0].start, rows[0].cells[-1].start
    click.echo(f"{place}, by {by}, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC")
    for row in sorted(rows, key=lambda row: [*SHOWN].index(row.name)):
        click.echo(line(row))
