"""`nethealth capture record` and `capture purge`: packets kept for a purpose, and for a time."""

import os
import signal
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from nethealth.cli.durations import duration
from nethealth.cli.exits import InputError, NotMeasured, usage

if TYPE_CHECKING:
    from nethealth.model.recording import Recording

_WORDS_MOST = 500
_STOPPING = (signal.SIGINT, signal.SIGTERM)


@click.command()
@click.option("-I", "--interface", required=True, help="The interface that sees the packets.")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder for the files.",
)
@click.option("--authority", default=None, help="Who allowed this recording, and under what law.")
@click.option("--purpose", default=None, help="What it is for.")
@click.option("--operator", default=None, help="Who records.")
@click.option(
    "--for", "for_s", metavar="D", callback=duration, default="1h", show_default=True,
    help="How long.",
)  # fmt: skip
@click.option(
    "--keep", "keep_s", metavar="D", callback=duration, default="24h", show_default=True,
    help="When the packets are to be gone again: `capture purge` removes them then.",
)  # fmt: skip
@click.option("--files", type=click.IntRange(2, 1000), default=20, show_default=True,
              help="Files of the ring, for signalling and for headers each.")  # fmt: skip
@click.option("--megabytes", type=click.IntRange(1, 10_000), default=100, show_default=True,
              help="Size of one file.")  # fmt: skip
@click.option("--port", "ports", type=click.IntRange(1, 65535), multiple=True,
              help="A further port of signalling here; may be repeated.")  # fmt: skip
@click.pass_context
def record(
    context: click.Context,
    interface: str,
    folder: Path,
    authority: str | None,
    purpose: str | None,
    operator: str | None,
    for_s: float,
    keep_s: float,
    files: int,
    megabytes: int,
    ports: tuple[int, ...],
) -> None:
    """Record the signalling whole and of everything else the headers, never what was said.

    Recording other people's communication needs an authority, a purpose and a name: they are asked
    for, and kept beside the packets with the counts of what was lost. Ask your council's lawyer.
    """
    told = _told(authority=authority, purpose=purpose, operator=operator)
    from nethealth.model.recording import SUFFIX, Recording, dump  # noqa: PLC0415
    from nethealth.passive.slices import slices  # noqa: PLC0415
    from probes.capture.record import Recorder, RecordError, Ring, link_of  # noqa: PLC0415

    started = datetime.now(UTC)
    stem = f"nethealth-capture-{started:%Y%m%dT%H%M%SZ}"
    _make(folder)
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    for number in _STOPPING:
        signal.signal(number, stop)
    try:
        recorder = Recorder(
            interface, folder, stem, slices(link_of(interface), ports), Ring(files, megabytes),
            for_s,
        )  # fmt: skip
        recorder.start()
    except RecordError as error:
        raise NotMeasured(str(error)) from None
    click.echo(f"nethealth: recording {interface} into {folder}; Ctrl-C ends it", err=True)
    recorder.wait(lambda: stopped, for_s)
    parts = recorder.stop()
    finished = datetime.now(UTC)
    made = Recording(
        authority=told["authority"],
        purpose=told["purpose"],
        operator=told["operator"],
        interface=interface,
        host=socket.gethostname(),
        started=started,
        finished=finished,
        delete_after=finished + timedelta(seconds=keep_s),
        parts=parts,
    )
    _write(folder / f"{stem}{SUFFIX}", dump(made))
    _say(made, folder / f"{stem}{SUFFIX}")
    if any(part.fault for part in parts):
        context.exit(NotMeasured.exit_code)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--now", is_flag=True, help="Also what may still be kept.")
def purge(folder: Path, now: bool) -> None:
    """Delete the recorded packets of a folder whose time is over; what was recorded stays written.

    Files that no recording names are left alone.
    """
    from nethealth.model.recording import SUFFIX, load  # noqa: PLC0415

    moment = datetime.now(UTC)
    for paper in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            recording = load(paper.read_bytes(), name=str(paper))
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read the recording: {error}") from None
        due = recording.delete_after
        packets = [folder / file.name for part in recording.parts for file in part.files]
        left = [file for file in packets if file.parent == folder and file.is_file()]
        if now or due <= moment:
            for file in left:
                file.unlink()
            click.echo(f"{paper.name}: {len(left)} files of packets deleted")
        else:
            click.echo(f"{paper.name}: {len(left)} files, to be gone at {due:%Y-%m-%d %H:%M}Z")


def _told(**given: str | None) -> dict[str, str]:
    """Authority, purpose and operator, asked for at a terminal where they were not given."""
    told = {}
    for key, value in given.items():
        answer = value
        if answer is None and sys.stdin.isatty():
            answer = click.prompt(f"{key.capitalize()} of this recording", err=True)
        if answer is None or len(answer.strip()) < 2:
            usage(f"--{key}: found none; allowed: a few words that the recording is to carry")
        told[key] = " ".join(answer.split())[:_WORDS_MOST]
    return told


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        usage(f"--output: cannot make {folder}: {error.strerror}")
    if not os.access(folder, os.W_OK):
        usage(f"--output: {folder} may not be written by this user")


def _write(place: Path, data: bytes) -> None:
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _say(recording: "Recording", paper: Path) -> None:
    for part in recording.parts:
        received = sum(source.received_count or 0 for source in part.sources)
        dropped = sum(source.dropped_count or 0 for source in part.sources)
        unknown = any(source.received_count is None for source in part.sources)
        count = "an unknown number of" if unknown else f"{received}"
        line = f"{part.name}: {count} packets, {dropped} dropped, {len(part.files)} files"
        if part.overwritten_count:
            line += f"; {part.overwritten_count} older files had to go"
        click.echo(line)
        if part.fault:
            click.echo(f"nethealth: {part.name} ended by itself: {part.fault}", err=True)
    due = recording.delete_after
    click.echo(f"{paper}")
    click.echo(
        f"nethealth: `capture purge` deletes the packets after {due:%Y-%m-%d %H:%M}Z", err=True
    )
