"""`nethealth capture`: what the wire saw, recorded and read."""

import click

from nethealth.cli.capture_read import read
from nethealth.cli.capture_record import purge, record


@click.group()
def capture() -> None:
    """Record an interface's signalling and headers, and read captures."""


for command in (record, read, purge):
    capture.add_command(command)
