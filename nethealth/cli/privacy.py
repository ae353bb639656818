"""--key-file and --reveal: what stands in a record for people's names and numbers."""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nethealth.cli.exits import usage

if TYPE_CHECKING:
    from nethealth.model.privacy import Privacy
    from nethealth.model.pseudonym import Names

KEY_OCTETS = 32
_READ_MOST = 4096

F = TypeVar("F", bound=Callable[..., Any])


def privacy_options(command: F) -> F:
    """--key-file and --reveal, for every command by which names or numbers may come in."""
    command = click.option(
        "--reveal",
        metavar="REASON",
        default=None,
        help="Keep names and numbers as they are; the record keeps your reason.",
    )(command)
    return click.option(
        "--key-file",
        type=click.Path(path_type=Path, dir_okay=False),
        default=None,
        help="The engagement's key, by which a person has the same token in every run; made if "
        "it is not there. Destroying it ends the engagement.  [default: a key for this run only]",
    )(command)


def names_for(
    key_file: Path | None, reveal: str | None, *, apart_from: Path | None = None
) -> "tuple[Names, Privacy]":
    """How this run names people, and what the record says of that.

    The key file may not lie in the folder `apart_from`, where the reports go: whoever is handed
    them must not be handed the key.
    """
    from nethealth.model.privacy import Privacy  # noqa: PLC0415
    from nethealth.model.pseudonym import Pseudonyms, Revealed  # noqa: PLC0415

    if reveal is not None:
        if key_file is not None:
            usage("--reveal and --key-file exclude each other: with names shown no key is needed")
        if len(reveal.strip()) < 3:
            usage("--reveal: found no reason; allowed: why names and numbers must be shown")
        return Revealed(), Privacy("revealed", reason=reveal.strip()[:500])
    if key_file is None:
        passing = Pseudonyms(secrets.token_bytes(KEY_OCTETS))
        return passing, Privacy(key_id=passing.key_id)
    if apart_from is not None and key_file.resolve().is_relative_to(apart_from.resolve()):
        usage(f"--key-file: {key_file} lies where the reports go; keep the key apart from them")
    kept = Pseudonyms(_key(key_file))
    return kept, Privacy(key_id=kept.key_id, key_kept=True)


def _key(path: Path) -> bytes:
    """The key of a file that only its owner may read; a new one where there is none."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        usage(f"--key-file: cannot make {path}: {error.strerror}")
    made = secrets.token_bytes(KEY_OCTETS)
    with os.fdopen(handle, "wb") as file:
        file.write(made.hex().encode() + b"\n")
    click.echo(f"nethealth: made the key {path}; keep it apart from the reports", err=True)
    return made


def _read(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as file:
            state = os.fstat(file.fileno())
            text = file.read(_READ_MOST)
    except OSError as error:
        usage(f"--key-file: cannot read {path}: {error.strerror}")
    if not stat.S_ISREG(state.st_mode) or state.st_mode & 0o077:
        mode = stat.S_IMODE(state.st_mode)
        usage(f"--key-file: {path} has mode {mode:04o}; allowed: 0600, so chmod 600 it")
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_OCTETS:
        usage(
            f"--key-file: {path} holds no key of {KEY_OCTETS} octets in hexadecimal; "
            "name a file that is not there, and one is made"
        )
    return key
