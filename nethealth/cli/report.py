"""`nethealth report`: a stored run or a record, shown again."""

from pathlib import Path

import click

from nethealth.cli.options import Output, force_option, output_options, record_options, store_option
from nethealth.cli.register import register
from nethealth.cli.verify import verify


@click.group(invoke_without_command=True)
@record_options
@store_option
@click.option(
    "--case",
    "case_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="The figures of a business case; `nethealth init --case` writes an example.",
)
@force_option
@output_options
@click.pass_context
def report(
    context: click.Context,
    records: tuple[Path, ...],
    run: str | None,
    store: str | None,
    case_file: Path | None,
    formats: str | None,
    output: Path | None,
    fail_on: str,
    quiet: bool,
    verbose: bool,
    force: bool,
) -> None:
    """Render a run again, in any format.

    Needs neither the network nor the inventory file.
    """
    if context.invoked_subcommand is not None:
        return
    asked = Output.of(formats, output, fail_on, quiet, verbose)
    from nethealth.cli.chosen import chosen  # noqa: PLC0415
    from nethealth.cli.output import keep_what_is_there  # noqa: PLC0415
    from nethealth.cli.run import finish  # noqa: PLC0415

    record, previous = chosen(records, run, store)
    keep_what_is_there(asked, record.run.started, "report", force=force)
    if case_file is not None:
        from nethealth.cli.given import with_case  # noqa: PLC0415

        record = with_case(record, case_file)
    context.exit(finish(record, asked, what="report", previous=previous))


report.add_command(verify)
report.add_command(register)
