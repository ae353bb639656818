"""Every site of a period with its figures, worst first, and every asset at the end."""

from nethealth.model.period_report import Figure, Place
from reports.document import Block, Cell, Column, Paragraph, Table
from reports.period_view import PeriodView, share
from reports.words import CODE_TITLES, count, number, percent, seconds

ASSETS_PRINTED_MOST = 200
_FIGURES = (
    Column("Answered", numeric=True),
    Column("Loss", numeric=True),
    Column("Delay, 95th", numeric=True),
    Column("R, 5th", numeric=True),
)


def place_blocks(of: PeriodView) -> tuple[Block, ...]:
    """One table a council, councils and sites worst first."""
    if not of.sites:
        return (Paragraph("No site was measured in this period."),)
    by_council: dict[str | None, list[tuple[Cell, ...]]] = {}
    for place in of.sites:
        by_council.setdefault(place.council, []).append(_row(of, place))
    columns = (
        Column("Site"),
        Column("State"),
        Column("Worst finding"),
        Column("Hours seen", numeric=True, optional=True),
        *_FIGURES,
    )
    tables = [
        Table(of.view.council_name(council), columns, tuple(rows))
        for council, rows in by_council.items()
    ]
    note = (
        "Hours seen: the share of the period's hours in which anything was measured. Answered: of "
        "the checks that were made, those that got an answer. Loss: of the packets of checks that "
        "were answered at all. R: voice quality from 0 to 100; 95 in 100 checks were at least "
        "this good. In brackets the 95 % interval. Passing: in fewer than one run in twenty. How "
        "each is worked out stands under “Method and limits”."
    )
    return (*tables, Paragraph(note))


def asset_blocks(of: PeriodView) -> tuple[Block, ...]:
    """One row for each asset; print has the worst, the other formats all."""
    columns = (
        Column("Asset"),
        Column("Site"),
        Column("Checks", numeric=True),
        *_FIGURES,
        Column("Delay, median", numeric=True),
    )
    rows = tuple(
        (
            of.where(place),
            of.view.site_name(place.site) if place.site is not None else "–",
            f"{place.measured:,}",
            *_figures(place),
            _delay(place.delay_median_s),
        )
        for place in of.assets
    )
    if not rows:
        return ()
    table = Table(
        f"{count(len(rows), 'asset')}, worst first",
        columns,
        rows,
        telling=10,
        rest="" if len(rows) <= 10 else "and the others, in html, xlsx and csv",
        printed=ASSETS_PRINTED_MOST,
    )
    days = "The figures of each asset for each day stand in the formats xlsx, csv and json."
    return (Paragraph(days), table)


def _row(of: PeriodView, place: Place) -> tuple[Cell, ...]:
    worst = of.worst(place.site)
    finding: Cell = "–"
    if worst is not None:
        often = of.share(worst)
        left = len(of.findings(place.site)) - 1
        more = f", and {left:,} more" if left else ""
        finding = f"{CODE_TITLES[worst.code]}, in {percent(often)} of runs{more}"
    return (
        of.where(place),
        of.mark(place),
        finding,
        percent(place.hours / of.hours()) if of.hours() else "no data",
        *_figures(place),
    )


def _figures(place: Place) -> tuple[Cell, ...]:
    voice = place.r_factor_p5.value
    return (
        share(place.availability),
        share(place.loss),
        _delay(place.delay_p95_s),
        "no data" if voice is None else number(round(voice)),
    )


def _delay(figure: Figure) -> str:
    return "no data" if figure.value is None else seconds(figure.value)
