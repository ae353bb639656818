"""Results to stdout or to files, each written whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
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
) -> None:
    """Render the record as asked: to stdout, or to files whose names go to stdout.

    With --quiet stdout gets only what changed since `previous`: nothing, mostly.
    """
    to_stdout = output.path is None
    if to_stdout and output.formats == ("json",):
        # The record itself: nothing of the reports is loaded for it.
        from nethealth.model import codec  # noqa: PLC0415

        _write(codec.dump(record))
        return
    import reports  # noqa: PLC0415

    if output.quiet and not (to_stdout and output.formats != ("text",)):
        changes = reports.compare(previous or (), record.findings)
        click.echo(reports.render_changes(changes, record), nl=False)
        if to_stdout:
            return
    contents = reports.render(record, output.formats, previous=previous)
    if output.path is None:
        _write(contents[0])
        return
    named = dict(zip(output.formats, contents, strict=True))
    for place in write_files(record, named, output.path, what):
        if not output.quiet:
            click.echo(place)


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def write_files(
    record: "Record", contents: Mapping[str, bytes], path: Path, what: str
) -> list[Path]:
    """One file a format: in the folder `path`, or `path` itself if it names a single file."""
    import reports  # noqa: PLC0415

    one_file = len(contents) == 1 and path.suffix and not path.is_dir()
    places = []
    for name, data in contents.items():
        extension = reports.RENDERERS[name].extension
        file = reports.filename(what, record.run.started, extension)
        places.append(path if one_file else path / file)
        write_whole(places[-1], data)
    return places


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
