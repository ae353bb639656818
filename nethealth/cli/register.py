"""`nethealth report register`: the asset register beside what was seen, as a table to work with."""

from pathlib import Path

import click

from nethealth.cli.exits import usage
from nethealth.cli.options import record_options, store_option


@click.command()
@record_options
@store_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The table to write, .csv or .xlsx.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def register(
    records: tuple[Path, ...], run: str | None, store: str | None, output: Path, force: bool
) -> None:
    """Write the register beside what was seen, a row for each device.

    Strangers first: what introduced itself and stands in no line of the inventory.
    """
    if output.suffix.lower() not in {".csv", ".xlsx"}:
        usage(f"--output: found {output.name!r}; allowed: a name that ends in .csv or .xlsx")
    if output.exists() and not force:
        usage(f"{output} is there already: --force writes over it, -o names another")
    from nethealth.cli.chosen import chosen  # noqa: PLC0415
    from nethealth.cli.output import write_whole  # noqa: PLC0415
    from reports.asset_register import COLUMNS, register_rows  # noqa: PLC0415
    from reports.registers import render_register  # noqa: PLC0415
    from reports.view import View  # noqa: PLC0415

    record, _ = chosen(records, run, store)
    rows = register_rows(View(record))
    xlsx = output.suffix.lower() == ".xlsx"
    write_whole(output, render_register(COLUMNS, rows, xlsx=xlsx, sheet="Register"))
    strangers = sum(not row["asset"] for row in rows)
    click.echo(f"{output}: {len(rows)} devices, {strangers} of them in no line of the register")
