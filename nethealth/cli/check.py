"""`nethealth check`: one or a few targets, now."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from nethealth.cli.exits import usage
from nethealth.cli.given import inventory_if_any, store_if_any
from nethealth.cli.options import Output, inventory_option, output_options, store_option
from nethealth.cli.privacy import names_for, privacy_options

if TYPE_CHECKING:
    from nethealth.model.check import ProbeKind


@click.command()
@click.argument("targets", metavar="TARGET…", nargs=-1, required=True)
@click.option("--probe", "probes", metavar="KIND", multiple=True, help="Only this kind of probe.")
@click.option(
    "--option",
    "options",
    metavar="KEY=VALUE",
    multiple=True,
    help="A key of the inventory's [asset.KIND].",
)
@inventory_option
@store_option
@privacy_options
@output_options
@click.pass_context
def check(
    context: click.Context,
    targets: tuple[str, ...],
    probes: tuple[str, ...],
    options: tuple[str, ...],
    inventory: Path | None,
    store: str | None,
    key_file: Path | None,
    reveal: str | None,
    formats: str | None,
    output: Path | None,
    fail_on: str,
    quiet: bool,
    verbose: bool,
) -> None:
    """Measure targets now and judge them.

    TARGET is a host, host:port, https://…, sip:…, sips:…, dns:name@server, stamp:host,
    or the id of an asset or a site of the inventory.
    """
    asked = Output.of(formats, output, fail_on, quiet, verbose)
    pairs = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            usage(f"--option: found {option!r}; allowed: KEY=VALUE, such as count=5")
        pairs[key.strip()] = value
    from nethealth.cli.run import finish, previous_findings  # noqa: PLC0415
    from nethealth.cli.session import Order, measure  # noqa: PLC0415
    from nethealth.model.inventory import Inventory  # noqa: PLC0415
    from nethealth.plan import TargetError, plan_targets  # noqa: PLC0415

    known = inventory_if_any(inventory)
    try:
        checks = plan_targets(
            targets, known, probes=cast("tuple[ProbeKind, ...]", probes), options=pairs
        )
    except TargetError as error:
        usage(str(error))
    names, privacy = names_for(key_file, reveal, apart_from=asked.path)
    order = Order(
        kind="check",
        inventory=known or Inventory(),
        checks=checks,
        progress=not quiet,
        names=names,
        privacy=privacy,
    )
    with store_if_any(store) as history:
        record = measure(order, history)
        previous = previous_findings(history, record)
        code = finish(record, asked, what="check", named=True, previous=previous)
    context.exit(code)
