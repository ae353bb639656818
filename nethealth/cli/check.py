"""`nethealth check`: one or a few targets, now."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from nethealth.cli.durations import duration
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
@click.option("--watch", "watching", is_flag=True, help="A live view of one path, until q.")
@click.option(
    "--interval",
    metavar="S",
    callback=duration,
    default=None,
    help="With --watch: a round every S, from 0.2s to 1m.  [default: 1s]",
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
    watching: bool,
    interval: float | None,
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

    With --watch the path to one of them is shown live, hop by hop (keys: p pause, r reset,
    q quit), and judged at the end like any check.
    """
    asked = Output.of(formats, output, fail_on, quiet, verbose)
    pairs = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            usage(f"--option: found {option!r}; allowed: KEY=VALUE, such as count=5")
        pairs[key.strip()] = value
    if watching:
        _refuse_with_watch(targets, probes)
    elif interval is not None:
        usage("--interval: found without --watch, whose rounds it sets")
    from nethealth.cli.run import finish, previous_findings  # noqa: PLC0415
    from nethealth.cli.session import Order, measure  # noqa: PLC0415
    from nethealth.model.inventory import Inventory  # noqa: PLC0415
    from nethealth.plan import TargetError, plan_targets  # noqa: PLC0415

    known = inventory_if_any(inventory)
    names, privacy = names_for(key_file, reveal, apart_from=asked.path)
    if watching:
        from nethealth.cli.watch import INTERVAL_S, check_terminal, watch  # noqa: PLC0415

        check_terminal(targets[0])
        with store_if_any(store) as history:
            record = watch(
                targets[0],
                known,
                history,
                interval_s=interval or INTERVAL_S,
                options=pairs,
                names=names,
                privacy=privacy,
            )
            previous = previous_findings(history, record)
            code = finish(record, asked, what="watch", named=True, previous=previous)
        context.exit(code)
    try:
        checks = plan_targets(
            targets, known, probes=cast("tuple[ProbeKind, ...]", probes), options=pairs
        )
    except TargetError as error:
        usage(str(error))
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


def _refuse_with_watch(targets: tuple[str, ...], probes: tuple[str, ...]) -> None:
    if len(targets) != 1:
        usage(f"--watch: found {len(targets)} targets; it shows the path to one")
    if probes:
        usage("--probe: found with --watch, which shows the path and what suits the target")
