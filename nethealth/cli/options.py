"""The options that commands share, and what they are worth together."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from nethealth.cli.exits import FAIL_ON, usage

FORMATS = (
    "text", "json", "csv", "html", "pdf", "docx", "xlsx", "nagios", "prometheus",
)  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


def inventory_option(command: F) -> F:
    return click.option(
        "-i",
        "--inventory",
        type=click.Path(path_type=Path, dir_okay=False),
        default=None,
        help="The sites and assets.  [default: ./sites.toml]",
    )(command)


def store_option(command: F) -> F:
    return click.option(
        "--store",
        metavar="URL",
        default=None,
        help="Where history is kept: sqlite:///PATH.  [default: in the XDG data home]",
    )(command)


def record_options(command: F) -> F:
    """--record and --run: which run to work on."""
    command = click.option(
        "--run", metavar="ID", default=None, help="A stored run.  [default: the last]"
    )(command)
    return click.option(
        "--record",
        "records",
        type=click.Path(path_type=Path),
        multiple=True,
        help="A record, or a folder of them, in place of the store; the newest is taken.",
    )(command)


def force_option(command: F) -> F:
    """--force, of commands that write what people keep."""
    return click.option("--force", is_flag=True, help="Replace files that are there already.")(
        command
    )


def output_options(command: F) -> F:
    """--format, -o, --fail-on, --quiet and --verbose, handed over as one `output`."""
    for option in (
        click.option("-v", "--verbose", is_flag=True, help="Say more on stderr."),
        click.option("-q", "--quiet", is_flag=True, help="Only new, worse or cleared findings."),
        click.option(
            "--fail-on",
            type=click.Choice(FAIL_ON),
            default="warning",
            show_default=True,
            help="The least severity that makes the exit status 1.",
        ),
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            default=None,
            help="A folder for dated files, or one file.",
        ),
        click.option(
            "--format",
            "formats",
            metavar="NAME[,NAME…]",
            default=None,
            help=f"Any of {', '.join(FORMATS)}.  [default: text]",
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Output:
    """How a command's result leaves it."""

    formats: tuple[str, ...]
    path: Path | None
    fail_on: str
    quiet: bool
    verbose: bool

    @classmethod
    def of(
        cls,
        formats: str | None,
        output: Path | None,
        fail_on: str,
        quiet: bool,
        verbose: bool,
    ) -> "Output":
        """Check the options against each other; a wrong one ends the command with 2."""
        default = "text" if output is None else "text,html,json"
        names = tuple(dict.fromkeys(name.strip() for name in (formats or default).split(",")))
        if unknown := [name for name in names if name not in FORMATS]:
            usage(f"--format: found {', '.join(unknown)!r}; allowed: {', '.join(FORMATS)}")
        if output is None and len(names) > 1:
            usage(f"--format: {len(names)} formats need a folder: add -o FOLDER")
        if output is not None:
            _writable(output)
        return cls(names, output, fail_on, quiet, verbose)


def _writable(path: Path) -> None:
    """Refuse a place that cannot be written before anything is measured."""
    nearest = path
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir() and nearest != path:
        usage(f"--output: {nearest} is a file, so {path} cannot be made")
    if not os.access(nearest, os.W_OK):
        usage(f"--output: {nearest} may not be written by this user")
