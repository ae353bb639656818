"""`nethealth init`: an example inventory, and the lines that run sweeps by themselves."""

import shutil
import sys
from pathlib import Path

import click

from nethealth.cli.exits import usage

_ALLOW = "198.18.0.0/24"  # of the example inventory


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Where the example goes.  [default: sites.toml, case.toml or report.toml]",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--case", is_flag=True, help="The figures of a business case instead.")
@click.option("--branding", is_flag=True, help="Whose report it is, instead.")
@click.option("--cron", is_flag=True, help="Print the crontab line instead.")
@click.option("--systemd", is_flag=True, help="Print systemd units: a sweep's timer, a reflector.")
@click.option(
    "--every-minutes",
    type=click.IntRange(1, 1440),
    default=15,
    show_default=True,
    help="How often, for --cron and --systemd.",
)
def init(
    output: Path | None,
    force: bool,
    case: bool,
    branding: bool,
    cron: bool,
    systemd: bool,
    every_minutes: int,
) -> None:
    """Write an example inventory, an example case, or a schedule.

    Without an option: a commented sites.toml. With --case: a commented case.toml. With
    --branding: a commented report.toml.
    With --cron or --systemd: the lines to install.
    """
    from nethealth.inventory import example  # noqa: PLC0415
    from nethealth.inventory.schedule import cron_lines, reflect_unit, systemd_units  # noqa: PLC0415

    name = "report.toml" if branding else "case.toml" if case else "sites.toml"
    output = output or Path(name)
    if cron or systemd:
        command, place = _command(), output.resolve()
        try:
            for wanted, lines in ((cron, cron_lines), (systemd, systemd_units)):
                if wanted:
                    click.echo(lines(command, str(place), every_minutes=every_minutes), nl=False)
            if systemd:
                click.echo("\n" + reflect_unit(command, _ALLOW), nl=False)
        except ValueError as error:
            usage(f"--every-minutes: {error}")
        return
    if output.exists() and not force:
        usage(f"{output} is there already: --force writes over it, -o names another")
    from nethealth.cli.output import write_whole  # noqa: PLC0415

    if branding:
        from nethealth.inventory.branding import EXAMPLE  # noqa: PLC0415

        write_whole(output, EXAMPLE.encode())
        click.echo(f"{output}: edit it, then run `nethealth report --branding {output}`")
        return
    if case:
        from nethealth.case.example import example as example_case  # noqa: PLC0415

        write_whole(output, example_case().encode())
        click.echo(f"{output}: replace its figures, then run `nethealth report --case {output}`")
        return
    write_whole(output, example().encode())
    click.echo(f"{output}: edit it, then run `nethealth sweep -i {output}`")


def _command() -> str:
    """The absolute path of this program: cron and systemd know no PATH of ours."""
    beside = Path(sys.executable).with_name("nethealth")
    found = str(beside) if beside.is_file() else shutil.which("nethealth")
    if found is None:
        usage("nethealth is not installed as a command here: pipx install nethealth")
    return found
