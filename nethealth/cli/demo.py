"""`nethealth demo`: a real sweep of a simulated council network, and its report."""

from pathlib import Path

import click


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("nethealth-demo"),
    show_default=True,
    help="The folder for the report.",
)
@click.option("--seed", type=int, default=20261122, show_default=True, help="Of the link's dice.")
@click.option("-q", "--quiet", is_flag=True, help="Only the path of the report.")
def demo(output: Path, seed: int, quiet: bool) -> None:
    """Sweep a simulated council network and write its report.

    No root, no configuration: three councils and nine sites are raised on loopback behind a
    simulated link. One site's old telephony misbehaves; another site has a provider's fault, of
    which telephony is innocent.
    """
    import tempfile  # noqa: PLC0415
    from contextlib import AbstractAsyncContextManager, closing  # noqa: PLC0415
    from random import Random  # noqa: PLC0415

    import reports  # noqa: PLC0415
    from nethealth.cli.output import write_files  # noqa: PLC0415
    from nethealth.cli.session import Order, measure  # noqa: PLC0415
    from nethealth.demo import estate, world  # noqa: PLC0415
    from nethealth.model.ports import Clock, Network  # noqa: PLC0415
    from nethealth.plan import plan_inventory  # noqa: PLC0415
    from nethealth.store import open_store  # noqa: PLC0415
    from probes.net import SystemNetwork  # noqa: PLC0415

    inventory = estate.inventory()
    order = Order(
        kind="demo",
        inventory=inventory,
        checks=plan_inventory(inventory),
        title=world.TITLE,
        progress=not quiet,
        seed=seed,
    )
    with tempfile.TemporaryDirectory(prefix="nethealth-demo-") as folder:

        def networks(clock: Clock, random: Random) -> AbstractAsyncContextManager[Network]:
            return world.world(
                inventory,
                clock,
                random,
                Path(folder),
                lambda authority: SystemNetwork(clock, str(authority)),
            )

        with closing(open_store(f"sqlite:///{folder}/history.db")) as store:
            record = measure(order, store, networks)
    formats = ("text", "html", "json", "csv")
    contents = dict(zip(formats, reports.render(record, formats), strict=True))
    text = contents.pop("text")
    if not quiet:
        click.echo(text)
    report, *_ = write_files(record, contents, output, "demo")
    click.echo(report.resolve() if quiet else f"The report: {report.resolve()}")
