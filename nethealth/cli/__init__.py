"""The click front end; each command's own imports are made when it is called."""

import errno

import click

from nethealth import __version__
from nethealth.cli.capture import capture
from nethealth.cli.check import check
from nethealth.cli.demo import demo
from nethealth.cli.diagnose import diagnose
from nethealth.cli.doctor import doctor
from nethealth.cli.exits import InternalError
from nethealth.cli.experiment import experiment
from nethealth.cli.history import history
from nethealth.cli.imports import imports
from nethealth.cli.init import init
from nethealth.cli.reflect import reflect
from nethealth.cli.report import report
from nethealth.cli.sweep import sweep


class _Commands(click.Group):
    """A group in which an error of the program itself is one line, not a traceback."""

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


for command in (
    demo,
    init,
    check,
    sweep,
    diagnose,
    report,
    history,
    imports,
    doctor,
    reflect,
    capture,
    experiment,
):
    main.add_command(command)
