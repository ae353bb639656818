"""Results to stdout or to files, each written whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nethealth.cli.exits import InputError
from nethealth.cli.options import Output

if TYPE_CHECKING:
    from nethealth.model.finding import Finding
    from nethealth.model.look import Look
    from nethealth.model.record import Record


def deliver(
    record: "Record",
    output: Output,
    *,
    what: str,
    previous: "Sequence[Finding] | None" = None,
    look: "Look | None" = None,
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
    try:
        contents = reports.render(record, output.formats, previous=previous, look=look)
    except reports.TemplateError as error:
        raise InputError(f"--templates: {error}") from None
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
    """One file a format: in the folder `path`, or `path` itself if it names a single file.

    All are written beside their places before the first is moved there: where the disk is full
    every earlier file is still as it was.
    """
    places = places_of(tuple(contents), path, what, record.run.started)
    _write_all(dict(zip(places, contents.values(), strict=True)))
    return places


def places_of(formats: Sequence[str], path: Path, what: str, moment: datetime) -> list[Path]:
    """Where each format goes, known before anything is worked out."""
    import reports  # noqa: PLC0415

    if len(formats) == 1 and path.suffix and not path.is_dir():
        return [path]
    extensions = [reports.RENDERERS[name].extension for name in formats]
    return [path / reports.filename(what, moment, extension) for extension in extensions]


def keep_what_is_there(output: Output, moment: datetime, what: str, *, force: bool) -> None:
    """End the command with 2, before it works anything out, if one of its files is there."""
    if output.path is None or force:
        return
    places = places_of(output.formats, output.path, what, moment)
    there = [str(place) for place in places if place.exists() or place.is_symlink()]
    if there:
        raise InputError(
            f"{there[0]} is there already{f', and {len(there) - 1} more' if there[1:] else ''}: "
            "nothing was written; --force replaces it, -o names another place"
        )


def write_whole(place: Path, data: bytes) -> None:
    """Write beside the place and move there: a reader sees the old file or the new one."""
    _write_all({place: data})


def _write_all(contents: Mapping[Path, bytes]) -> None:
    staged: dict[Path, Path] = {}
    place = next(iter(contents), Path())
    try:
        try:
            for place, data in contents.items():
                staged[place] = _beside(place, data)
            for place in tuple(staged):
                staged[place].replace(place)
                del staged[place]
        finally:
            for name in staged.values():
                name.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {place}: {error.strerror or error}") from None


def _beside(place: Path, data: bytes) -> Path:
    """The data in a file of their own in the place's folder, on the disk."""
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)
