"""`nethealth import`: what other registers know, and what other systems have written down."""

from functools import partial
from pathlib import Path

import click

from nethealth.cli.exits import InputError, usage
from nethealth.cli.import_events import calls, syslog
from nethealth.cli.import_risks import risks


@click.group("import")
def imports() -> None:
    """Bring in what other registers know, and what other systems have written down."""


imports.add_command(risks)
imports.add_command(syslog)
imports.add_command(calls)


@imports.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--map",
    "map_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="A TOML file that names your columns and words for kinds.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Where the inventory goes.  [default: stdout]",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def assets(file: Path, map_file: Path | None, output: Path | None, force: bool) -> None:
    """Build an inventory from an asset register FILE (CSV or XLSX).

    What could not be placed is listed on stderr, row by row, with the reason.
    """
    from nethealth.cli.output import write_whole  # noqa: PLC0415
    from nethealth.inventory import assets as register  # noqa: PLC0415

    if output is not None and output.exists() and not force:
        usage(f"{output} is there already: --force writes over it, -o names another")
    data = _read(file)
    try:
        rows = (
            register.rows_from_xlsx(data)
            if file.suffix.lower() in {".xlsx", ".xlsm"}
            else register.rows_from_csv(data)
        )
        known = register.AssetMap({}, {})
        if map_file is not None:
            text = _read(map_file).decode("utf-8-sig", "replace")
            known = register.parse_map(text, name=str(map_file))
        imported = register.build(rows, mapping=known.columns, kinds=known.kinds)
    except register.AssetFileError as error:
        raise InputError(f"{file}: {error}") from None
    if output is None:
        click.echo(imported.text, nl=False)
    else:
        write_whole(output, imported.text.encode())
    tell = partial(click.echo, err=True)
    tell(f"nethealth: {imported.placed} assets placed, {len(imported.unplaced)} rows not")
    for field, header in imported.columns.items():
        tell(f"nethealth: {field} is taken from the column {header!r}")
    if imported.unmatched:
        tell(f"nethealth: columns not used: {', '.join(map(repr, imported.unmatched))}")
    for row in imported.unplaced:
        tell(f"nethealth: row {row.row_number} not placed: {row.reason}: {row.content!r}")
    for row in imported.unread:
        tell(f"nethealth: row {row.row_number}, a cell left out: {row.reason}: {row.content!r}")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from None
