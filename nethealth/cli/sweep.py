"""`nethealth sweep`: everything in the inventory, once or as a steady stream."""

from pathlib import Path

import click

from nethealth.cli.durations import duration
from nethealth.cli.exits import NotMeasured, usage
from nethealth.cli.given import (
    DEFAULT_INVENTORY,
    load_inventory,
    store_if_any,
    store_url,
)
from nethealth.cli.options import Output, inventory_option, output_options, store_option
from nethealth.cli.privacy import names_for, privacy_options


@click.command()
@inventory_option
@store_option
@click.option("--site", "sites", metavar="ID", multiple=True, help="Only this site; repeatable.")
@click.option("--every", "every_s", metavar="S", callback=duration, help="A round this often, …")
@click.option("--for", "for_s", metavar="D", callback=duration, help="… for this long.")
@click.option(
    "--random-offset",
    "offset_most_s",
    metavar="S",
    callback=duration,
    help="Start at a random moment within S (under cron); it is recorded.",
)
@privacy_options
@output_options
@click.pass_context
def sweep(
    context: click.Context,
    inventory: Path | None,
    store: str | None,
    sites: tuple[str, ...],
    every_s: float | None,
    for_s: float | None,
    offset_most_s: float | None,
    key_file: Path | None,
    reveal: str | None,
    formats: str | None,
    output: Path | None,
    fail_on: str,
    quiet: bool,
    verbose: bool,
) -> None:
    """Measure every site of the inventory and judge it.

    With --every and --for, the same checks run round after round at a steady low rate.
    """
    asked = Output.of(formats, output, fail_on, quiet, verbose)
    if (every_s is None) != (for_s is None):
        usage("--every and --for go together: how often, and for how long")
    import random  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from nethealth.cli.run import finish, previous_findings  # noqa: PLC0415
    from nethealth.cli.session import Order, Rounds, measure  # noqa: PLC0415
    from nethealth.plan import plan_inventory, unplanned  # noqa: PLC0415
    from nethealth.sweep import AlreadyRunning, LockError, draw_offset, held  # noqa: PLC0415

    known = load_inventory(inventory or DEFAULT_INVENTORY)
    if strange := sorted(set(sites) - {site.id for site in known.site}):
        allowed = ", ".join(site.id for site in known.site)
        usage(f"--site: found {', '.join(strange)}; allowed: {allowed}")
    checks = plan_inventory(known, sites=sites or None)
    if not checks:
        raise NotMeasured("the inventory asks for no check: give it assets, or gateways of sites")
    if verbose:
        for sentence in unplanned(known):
            click.echo(f"nethealth: {sentence}", err=True)
    names, privacy = names_for(key_file, reveal, apart_from=asked.path)
    order = Order(
        kind="sweep",
        inventory=known,
        checks=checks,
        rounds=None if every_s is None or for_s is None else Rounds(every_s, for_s),
        start_offset_s=(
            None if offset_most_s is None else draw_offset(random.Random(), offset_most_s)
        ),
        progress=not quiet,
        names=names,
        privacy=privacy,
    )
    try:
        with (
            held(_lock_path(store), now=datetime.now(UTC)),
            store_if_any(store) as history,
        ):
            record = measure(order, history)
            previous = previous_findings(history, record)
            code = finish(record, asked, what="sweep", named=False, previous=previous)
    except (AlreadyRunning, LockError) as error:
        raise NotMeasured(str(error)) from None
    context.exit(code)


def _lock_path(store: str | None) -> Path:
    """Beside the store, so that sweeps into different stores do not hold each other up."""
    return Path(store_url(store).removeprefix("sqlite:///") + ".lock")
