"""What a command is given, opened: the inventory, the store, records; every fault is said."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nethealth.cli.exits import InputError

if TYPE_CHECKING:
    from nethealth.model.case import CaseFile
    from nethealth.model.inventory import Inventory
    from nethealth.model.record import Record
    from nethealth.store import Store

DEFAULT_INVENTORY = Path("sites.toml")


def store_url(given: str | None) -> str:
    """The store that was named, or the default one in the XDG data home."""
    from nethealth.store import default_url  # noqa: PLC0415

    return given or default_url(os.environ)


def load_inventory(path: Path) -> "Inventory":
    """The inventory of a file; all its errors at once end the command with 2."""
    from nethealth.inventory import InventoryError, decode, parse  # noqa: PLC0415

    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read the inventory {path}: {error.strerror}; "
            "`nethealth init` writes an example, -i names another file"
        ) from None
    try:
        return parse(decode(data, name=str(path)), name=str(path))
    except InventoryError as error:
        raise InputError(f"the inventory has {len(error.faults)} errors\n{error}") from None


def inventory_if_any(path: Path | None) -> "Inventory | None":
    """The inventory named, or the one in this folder, or none."""
    if path is not None:
        return load_inventory(path)
    return load_inventory(DEFAULT_INVENTORY) if DEFAULT_INVENTORY.is_file() else None


@contextmanager
def opened_store(url: str | None) -> "Iterator[Store]":
    """The store; one that cannot be opened ends the command with 2."""
    from nethealth.store import StoreError, open_store  # noqa: PLC0415

    try:
        store = open_store(store_url(url))
    except StoreError as error:
        raise InputError(str(error)) from None
    try:
        yield store
    finally:
        store.close()


@contextmanager
def store_if_any(url: str | None) -> "Iterator[Store | None]":
    """The store; without the default one a run goes on, and stderr says so."""
    with ExitStack() as stack:
        try:
            store = stack.enter_context(opened_store(url))
        except InputError as error:
            if url is not None:
                raise
            click.echo(f"nethealth: going on without history: {error.message}", err=True)
            yield None
        else:
            yield store


def load_records(paths: tuple[Path, ...]) -> "list[Record]":
    """The records of files and of folders (`*.json` in them), oldest first."""
    from nethealth.model.codec import RecordError, load  # noqa: PLC0415

    files: list[Path] = []
    for path in paths:
        found = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not found:
            raise InputError(f"{path}: no record (*.json) in this folder")
        files += found
    records = []
    for file in files:
        try:
            records.append(load(file.read_bytes(), name=str(file)))
        except OSError as error:
            raise InputError(f"cannot read the record {file}: {error.strerror}") from None
        except RecordError as error:
            raise InputError(str(error)) from None
    return sorted(records, key=lambda record: record.run.started)


def with_case(record: "Record", path: Path) -> "Record":
    """The record with the business case of a file worked out; its errors end the command with 2."""
    from dataclasses import replace  # noqa: PLC0415

    from nethealth.case.result import work_out  # noqa: PLC0415
    from nethealth.model.case_codec import plain  # noqa: PLC0415

    case = load_case(path, record.inventory)
    try:
        return replace(record, case=plain(work_out(case, record)))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None


def load_case(path: Path, inventory: "Inventory") -> "CaseFile":
    """The figures of a business case for this inventory; all its errors at once."""
    from nethealth.case.parsing import parse_case  # noqa: PLC0415
    from nethealth.inventory import InventoryError, decode  # noqa: PLC0415

    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read the case {path}: {error.strerror}; "
            "`nethealth init --case` writes an example"
        ) from None
    try:
        return parse_case(decode(data, name=str(path)), inventory, name=str(path))
    except InventoryError as error:
        raise InputError(f"the case has {len(error.faults)} errors\n{error}") from None
