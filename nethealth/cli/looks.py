"""--branding and --templates: whose report it is, and templates in place of the program's own."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nethealth.cli.exits import InputError

if TYPE_CHECKING:
    from nethealth.model.look import Look

F = TypeVar("F", bound=Callable[..., Any])
_TEMPLATE_BYTES_MOST = 2**20


def look_options(command: F) -> F:
    """--branding and --templates."""
    command = click.option(
        "--templates",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        help="A folder with templates in place of the program's own, for html.",
    )(command)
    return click.option(
        "--branding",
        type=click.Path(path_type=Path, dir_okay=False),
        default=None,
        help="Name, logo, marking and words; `nethealth init --branding` writes an example.",
    )(command)


def load_look(branding: Path | None, templates: Path | None) -> "Look | None":
    """What the options name, read and checked; every error ends the command with 2."""
    if branding is None and templates is None:
        return None
    from dataclasses import replace  # noqa: PLC0415

    from nethealth.model.look import Look  # noqa: PLC0415

    look = Look() if branding is None else _branding(branding)
    return look if templates is None else replace(look, templates=_templates(templates))


def _branding(path: Path) -> "Look":
    from nethealth.inventory import InventoryError, decode  # noqa: PLC0415
    from nethealth.inventory.branding import parse_branding  # noqa: PLC0415
    from nethealth.inventory.pictures import BYTES_MOST  # noqa: PLC0415

    def read(name: str) -> bytes:
        try:
            with (path.parent / name).open("rb") as file:
                return file.read(BYTES_MOST + 1)
        except (OSError, ValueError) as error:
            raise ValueError(getattr(error, "strerror", None) or str(error)) from None

    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read the branding {path}: {error.strerror}; "
            "`nethealth init --branding` writes an example"
        ) from None
    try:
        return parse_branding(decode(data, name=str(path)), read, name=str(path))
    except InventoryError as error:
        raise InputError(f"the branding has {len(error.faults)} errors\n{error}") from None


def _templates(folder: Path) -> dict[str, str]:
    """The templates of the folder by name; one that the program never asks for is an error."""
    from reports.html import STYLE, TEMPLATE  # noqa: PLC0415

    known = (TEMPLATE, STYLE)
    try:
        files = sorted(file for file in folder.iterdir() if file.is_file())
    except OSError as error:
        raise InputError(f"cannot read the templates {folder}: {error.strerror}") from None
    entry = [file for file in files if file.name in known]
    if not entry:
        names = " and ".join(known)
        raise InputError(f"{folder}: no template in it; allowed: {names}, with what they include")
    found = {}
    for file in files:
        if file.suffix not in (".j2", ".css"):
            continue
        try:
            data = file.read_bytes()
            if len(data) > _TEMPLATE_BYTES_MOST:
                raise InputError(
                    f"{file}: found {len(data)} bytes; allowed: {_TEMPLATE_BYTES_MOST}"
                )
            found[file.name] = data.decode()
        except OSError as error:
            raise InputError(f"cannot read {file}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise InputError(f"{file}: found text that is not UTF-8; allowed: UTF-8") from None
    return found
