"""`nethealth import risks`: our lines into the council's own risk register, by id."""

from pathlib import Path

import click

from nethealth.cli.exits import InputError, usage
from nethealth.cli.given import DEFAULT_INVENTORY, load_case, load_inventory
from nethealth.cli.options import inventory_option

_CELL_MAX = 32_767  # of a workbook: nothing that a person wrote may be cut


@click.command()
@click.argument("register", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--case",
    "case_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The case.toml whose [[risk]] lines go in.",
)
@inventory_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The merged register, .csv or .xlsx; FILE itself is not touched.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def risks(
    register: Path, case_file: Path, inventory: Path | None, output: Path, force: bool
) -> None:
    """Merge the risks of a case into a register FILE (CSV or XLSX) by the column `id`.

    New risks are added and empty cells filled; nothing that a person wrote is overwritten, and
    where it differs from the case, stderr says so.
    """
    from nethealth.case.risks import COLUMNS, merge, ownerless, rows  # noqa: PLC0415
    from nethealth.cli.output import write_whole  # noqa: PLC0415
    from nethealth.inventory import assets as sheets  # noqa: PLC0415
    from reports.registers import render_register  # noqa: PLC0415

    if output.suffix.lower() not in {".csv", ".xlsx"}:
        usage(f"--output: found {output.name!r}; allowed: a name that ends in .csv or .xlsx")
    if output.exists() and not force:
        usage(f"{output} is there already: --force writes over it, -o names another")
    case = load_case(case_file, load_inventory(inventory or DEFAULT_INVENTORY))
    kind = sheets.Register(lambda cells: len({cell.lower() for cell in cells} & set(COLUMNS)),
                           _CELL_MAX)  # fmt: skip
    try:
        data = register.read_bytes()
        theirs = (
            sheets.rows_from_xlsx(data, kind)
            if register.suffix.lower() in {".xlsx", ".xlsm"}
            else sheets.rows_from_csv(data, kind)
        )
    except OSError as error:
        raise InputError(f"cannot read {register}: {error.strerror}") from None
    except sheets.AssetFileError as error:
        raise InputError(f"{register}: {error}") from None
    named = [{_ours(header, COLUMNS): cell for header, cell in row.items()} for row in theirs]
    if named and "id" not in named[0]:
        found = ", ".join(map(repr, list(named[0])[:8]))
        raise InputError(f"{register}: no column `id`; found {found}: name the column of ids so")
    columns = list(dict.fromkeys(column for row in named for column in row))
    merged = merge(columns, named, rows(case.risk, case.matrix))
    xlsx = output.suffix.lower() == ".xlsx"
    write_whole(output, render_register(merged.columns, merged.rows, xlsx=xlsx))
    click.echo(f"{output}: {len(merged.rows)} risks, {len(merged.added)} of them added")
    for id_, column in merged.filled:
        click.echo(f"nethealth: {id_}: {column} filled in", err=True)
    for id_, column, here, ours in merged.kept:
        click.echo(f"nethealth: {id_}: {column} stays {here!r}; the case has {ours!r}", err=True)
    for id_ in ownerless(case.risk):
        click.echo(f"nethealth: {id_} has no owner", err=True)


def _ours(header: str, columns: tuple[str, ...]) -> str:
    """Our name of a column, whatever its capitals; any other header as it stands."""
    return header.lower() if header.lower() in columns else header
