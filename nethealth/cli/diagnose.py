"""`nethealth diagnose`: a run, several, or a stretch of history, judged by this version's rules."""

from datetime import datetime
from pathlib import Path

import click

from nethealth.cli.exits import usage
from nethealth.cli.moments import moment
from nethealth.cli.options import Output, force_option, output_options, record_options, store_option


@click.command()
@record_options
@store_option
@click.option(
    "--since", metavar="WHEN", callback=moment, default=None,
    help="Judge the history from then on: 30d, 2026-03-01, 2026-03-01T09:00Z.",
)  # fmt: skip
@click.option(
    "--until", metavar="WHEN", callback=moment, default=None, help="… and up to then.  [now]"
)
@click.option("--council", metavar="ID", default=None, help="Only what was seen at this council.")
@click.option("--site", metavar="ID", default=None, help="Only what was seen at this site.")
@click.option("--explain", metavar="CODE", default=None, help="Print the page of a finding.")
@click.option(
    "--plan", is_flag=True, help="List the cheapest measurements that would settle what is open."
)
@force_option
@output_options
@click.pass_context
def diagnose(
    context: click.Context,
    records: tuple[Path, ...],
    run: str | None,
    store: str | None,
    since: datetime | None,
    until: datetime | None,
    council: str | None,
    site: str | None,
    explain: str | None,
    plan: bool,
    formats: str | None,
    output: Path | None,
    fail_on: str,
    quiet: bool,
    verbose: bool,
    force: bool,
) -> None:
    """Judge a run, several, or a stretch of history by this version's rules.

    Works from the stored observations and measures nothing. Several records, or all runs of a
    period, are judged together: sweeps, captures, devices and what was imported.
    """
    if explain is not None:
        from nethealth.cli.explaining import explained  # noqa: PLC0415

        click.echo(explained(explain), nl=False)
        return
    asked = Output.of(formats, output, fail_on, quiet, verbose)
    from dataclasses import replace  # noqa: PLC0415

    from nethealth.cli.chosen import chosen  # noqa: PLC0415
    from nethealth.cli.given import opened_store  # noqa: PLC0415
    from nethealth.cli.output import keep_what_is_there  # noqa: PLC0415
    from nethealth.cli.run import finish  # noqa: PLC0415
    from nethealth.diagnosis import judge  # noqa: PLC0415
    from nethealth.model.merge import Stretch  # noqa: PLC0415

    stretch = Stretch(since, until, council, site)
    if since is not None and until is not None and since >= until:
        usage(f"--since {since:%Y-%m-%dT%H:%MZ} is not before --until {until:%Y-%m-%dT%H:%MZ}")
    several = len(records) > 1 or any(path.is_dir() for path in records)
    previous = None
    if stretch == Stretch() and not several:
        record, previous = chosen(records, run, store)
        if record.period is not None:
            usage(f"{record.run.id} is a report over a period; `diagnose --since` judges history")
        if record.run.kind == "period":
            from nethealth.cli.stretch import of_merged  # noqa: PLC0415

            judged = of_merged(record)
        else:
            judged = replace(record, findings=judge(record))
    elif run is not None:
        usage("--run names one stored run: leave out --since, --until, --council, --site, --record")
    else:
        from nethealth.cli.stretch import of_records, of_store  # noqa: PLC0415

        if records:
            judged = of_records(records, stretch)
        else:
            with opened_store(store) as opened:
                judged = of_store(opened, stretch)
    if plan:
        from nethealth.cli.planning import planned  # noqa: PLC0415

        click.echo(planned(judged))
        return
    keep_what_is_there(asked, judged.run.started, "diagnose", force=force)
    context.exit(finish(judged, asked, what="diagnose", previous=previous))
