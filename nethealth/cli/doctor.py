"""`nethealth doctor`: what this machine can measure, what it can't, and the cure."""

import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path

import click

from nethealth.cli.exits import HEALTHY, NOT_MEASURED, InputError
from nethealth.cli.given import DEFAULT_INVENTORY, inventory_if_any, opened_store, store_url
from nethealth.cli.options import inventory_option, store_option

_MARKS = {"yes": "ok", "limited": "limited", "no": "missing"}


@click.command()
@inventory_option
@store_option
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_context
def doctor(context: click.Context, inventory: Path | None, store: str | None, form: str) -> None:
    """Say what this machine can measure, with cures.

    Exit status 3 if neither ping nor the history would work.
    """
    from probes import host  # noqa: PLC0415

    try:
        known = inventory_if_any(inventory)
    except InputError as error:
        known = None
        click.echo(f"nethealth: {error.message}", err=True)
    timezone = known.vantage.timezone if known else "UTC"

    def place_of_store() -> str:
        with opened_store(store):
            return store_url(store)

    found = []
    for ability in host.abilities(place_of_store, timezone):
        found.append(ability)
        if form == "text":
            click.echo(f"{_MARKS[ability.state]:8} {ability.name}: {ability.found}")
            if ability.cure:
                click.echo(f"{'':8}   cure: {ability.cure}")
    if form == "json":
        click.echo(json_module.dumps([asdict(ability) for ability in found], indent=2))
    elif known is None:
        click.echo(f"{'':8} no inventory ({DEFAULT_INVENTORY}): `nethealth init` writes an example")
    states = {ability.name: ability.state for ability in found}
    blind = states["ICMP echo, IPv4"] == "no" or states["Store"] == "no"
    sys.stdout.flush()
    context.exit(NOT_MEASURED if blind else HEALTHY)
