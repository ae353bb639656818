"""The click front end: a command is loaded when it is called, and its own imports later still."""

import errno
from collections.abc import Mapping
from importlib import import_module

import click

from nethealth import __version__
from nethealth.cli.exits import InternalError

# The module of nethealth.cli that holds each command, under the module's own name.
_MODULES: Mapping[str, str] = {
    name: {"import": "imports"}.get(name, name)  # a word of the language names no module
    for name in (
        "capture", "check", "demo", "diagnose", "doctor", "experiment", "history", "import",
        "init", "reflect", "report", "sweep",
    )
}  # fmt: skip


class _Commands(click.Group):
    """A group in which an error of the program itself is one line, not a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _MODULES.get(cmd_name)
        if module is None:
            return None
        command: click.Command = getattr(import_module(f"nethealth.cli.{module}"), module)
        return command

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of our output has gone: click ends quietly
                raise
            raise InternalError(error) from error
        except Exception as error:
            raise InternalError(error) from error


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="nethealth")
def main() -> None:
    """Measure the network and the telephony across sites, judge them, and write dated reports.

    \b
    Exit status: 0 healthy; 1 findings at or above --fail-on; 2 usage or inventory error;
    3 nothing could be measured, a named check could not run, or a sweep is already running.
    """
