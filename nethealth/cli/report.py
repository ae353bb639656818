"""`nethealth report`: a stored run or a record, shown again."""

from pathlib import Path

import click

from nethealth.cli.exits import usage
from nethealth.cli.looks import load_look, look_options
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
@click.option(
    "--since",
    metavar="D",
    default=None,
    help="A report over a period: from a date, or so far back as 24h, 90d, 12w.",
)
@click.option("--until", metavar="DATE", default=None, help="The period's last day.  [now]")
@click.option("--council", metavar="ID", default=None, help="Only this council's sites.")
@click.option("--site", metavar="ID", default=None, help="Only this site.")
@click.option(
    "--change",
    "changes",
    metavar="DATE|KIND",
    multiple=True,
    help="Before and after: a date at --site, or every event of a kind.",
)
@look_options
@force_option
@output_options
@click.pass_context
def report(
    context: click.Context,
    records: tuple[Path, ...],
    run: str | None,
    store: str | None,
    case_file: Path | None,
    since: str | None,
    until: str | None,
    council: str | None,
    site: str | None,
    changes: tuple[str, ...],
    branding: Path | None,
    templates: Path | None,
    formats: str | None,
    output: Path | None,
    fail_on: str,
    quiet: bool,
    verbose: bool,
    force: bool,
) -> None:
    """Render a run again, or with --since a whole period, in any format.

    Needs neither the network nor the inventory file.
    """
    if context.invoked_subcommand is not None:
        return
    asked = Output.of(formats, output, fail_on, quiet, verbose)
    look = load_look(branding, templates)
    if since is not None:
        from nethealth.cli.period import Wanted  # noqa: PLC0415
        from nethealth.cli.period_report import report_period  # noqa: PLC0415

        if run is not None:
            usage("--since and --run exclude each other: a period, or one run")
        wanted = Wanted(since, until, council, site, changes)
        context.exit(
            report_period(wanted, records, store, case_file, asked, force=force, look=look)
        )
    if until or council or site or changes:
        usage("--until, --council, --site and --change are of a period: add --since")
    from nethealth.cli.chosen import chosen  # noqa: PLC0415
    from nethealth.cli.output import keep_what_is_there  # noqa: PLC0415
    from nethealth.cli.run import finish  # noqa: PLC0415

    record, previous = chosen(records, run, store)
    if record.period is not None:
        from nethealth.cli.period_report import refuse_formats_of_runs  # noqa: PLC0415

        refuse_formats_of_runs(asked)
    keep_what_is_there(asked, record.run.started, "report", force=force)
    if case_file is not None:
        from nethealth.cli.given import with_case  # noqa: PLC0415

        record = with_case(record, case_file)
    context.exit(finish(record, asked, what="report", previous=previous, look=look))


report.add_command(verify)
report.add_command(register)
