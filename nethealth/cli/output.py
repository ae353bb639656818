"""Results to stdout or to files, each written whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nethealth.cli.exits import InputError
from nethealth.cli.options import Output

if TYPE_CHECKING:
    from nethealth.model.finding import Finding
    from nethealth.model.record import Record


def deliver(
    record: "Record",
    output: Output,
    *,
    what: str,
    previous: "Sequence[Finding] | None" = None,
) -> list[Path]:
    """Render the record as asked; the files written, in the order of the formats.

    With --quiet the text on stdout is only what changed since `previous`: nothing, mostly.
    """
    import reports  # noqa: PLC0415

    document = reports.compose(record, previous=previous)
    if output.path is None:
        name = output.formats[0]
        if output.quiet and name == "text":
            changes = reports.render_changes(reports.compare(previous or (), record.findings))
            click.echo(changes, nl=False)
            return []
        data = reports.RENDERERS[name].render(document)
        sys.stdout.flush()
        click.get_binary_stream("stdout").write(data)
        return []
    one_file = len(output.formats) == 1 and output.path.suffix and not output.path.is_dir()
    written: list[Path] = []
    for name in output.formats:
        renderer = reports.RENDERERS[name]
        place = (
            output.path
            if one_file
            else output.path / reports.filename(what, record.run.started, renderer.extension)
        )
        write_whole(place, renderer.render(document))
        written.append(place)
    return written


def write_whole(place: Path, data: bytes) -> None:
    """Write beside the place and move there: a reader sees the old file or the new one."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                os.fchmod(file.fileno(), 0o644)
            Path(name).replace(place)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"cannot write {place}: {error.strerror or error}") from None
