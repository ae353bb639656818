"""`nethealth report verify`: does a report say what its data say, and do the data hold together?"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nethealth.cli.exits import FOUND, InputError
from nethealth.cli.looks import load_look, look_options
from nethealth.cli.options import record_options, store_option

if TYPE_CHECKING:
    from nethealth.model.finding import Finding
    from nethealth.model.look import Look
    from nethealth.model.record import Record

_SHOWN_MOST = 20
_SUFFIXES = {
    ".html": "html", ".txt": "text", ".csv": "csv", ".json": "json", ".pdf": "pdf",
    ".docx": "docx", ".xlsx": "xlsx", ".prom": "prometheus",
}  # fmt: skip
_SHA256 = re.compile(rb"[0-9a-f]{64}")
_TAG = re.compile(r"<[^>]+>")


@click.command()
@click.argument(
    "files",
    metavar="FILE…",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)
@record_options
@store_option
@look_options
@click.pass_context
def verify(
    context: click.Context,
    files: tuple[Path, ...],
    records: tuple[Path, ...],
    run: str | None,
    store: str | None,
    branding: Path | None,
    templates: Path | None,
) -> None:
    """Recompute reports FILE from their record, and name every figure that differs.

    The record is --record, the one .json beside the first FILE, or a run of the store. Findings
    and the business case are worked out anew from its observations. A report over a period has its
    own record beside it, and is worked out anew from every raw observation of the store, or of the
    records that --record names. Exit status 1 if anything differs.
    """
    from nethealth.cli.chosen import chosen  # noqa: PLC0415
    from nethealth.cli.verify_period import of_period, period_of  # noqa: PLC0415

    look = load_look(branding, templates)
    differing = 0
    over_period = period_of(files[0])
    found: Iterator[str]
    if over_period is not None:
        record, previous = over_period, None
        found = chain(of_period(record, records, run, store), _of_case(record))
    else:
        record, previous = chosen(records or _beside(files[0], run, store), run, store)
        found = _of_record(record)
    for text in found:
        click.echo(text)
        differing += 1
    for file in files:
        wrong = list(_of_file(file, record, previous, look))
        differing += len(wrong)
        for text in wrong:
            click.echo(f"{file}: {text}")
        if not wrong:
            click.echo(f"{file}: agrees with run {record.run.id} in every figure")
    context.exit(FOUND if differing else 0)


def _beside(file: Path, run: str | None, store: str | None) -> tuple[Path, ...]:
    """The record that was written beside a report; none where another source was named."""
    if run is not None or store is not None:
        return ()
    same = file.with_suffix(".json")
    return (same,) if same.is_file() else ()


def _of_record(record: "Record") -> Iterator[str]:
    """What of a record does not follow from its own observations."""
    from nethealth import __version__  # noqa: PLC0415
    from nethealth.diagnosis import judge  # noqa: PLC0415

    if record.tool.version != __version__:
        click.echo(
            f"nethealth: judged by version {record.tool.version}, read by {__version__}", err=True
        )
    if record.checks:  # what was judged from history has its data in the store
        stored = {one.id: one for one in record.findings}
        found = {one.id: one for one in judge(record)}
        for id_ in sorted(stored.keys() | found.keys()):
            yield from _differences(f"finding {id_}", stored.get(id_), found.get(id_))
    yield from _of_case(record)


def _of_case(record: "Record") -> Iterator[str]:
    """What of a business case does not follow from its own figures and the record's findings."""
    from nethealth.case.result import work_out  # noqa: PLC0415
    from nethealth.model.case_codec import CaseError, typed  # noqa: PLC0415

    if record.case is not None:
        try:
            stored_case = typed(record.case)
        except CaseError as error:
            raise InputError(str(error)) from None
        again = work_out(stored_case.file, replace(record, case=None))
        yield from _differences("case", stored_case, again)


def _differences(path: str, stored: object, found: object) -> Iterator[str]:
    """Each value that differs, by its path."""
    if stored == found:
        return
    if is_dataclass(stored) and is_dataclass(found) and type(stored) is type(found):
        for each in fields(stored):
            name = each.name.rstrip("_")
            yield from _differences(
                f"{path}.{name}", getattr(stored, each.name), getattr(found, each.name)
            )
    elif isinstance(stored, tuple) and isinstance(found, tuple) and len(stored) == len(found):
        for index, (one, other) in enumerate(zip(stored, found, strict=True), 1):
            yield from _differences(f"{path}[{index}]", one, other)
    else:
        yield f"{path}: the record says {_short(stored)}, its data give {_short(found)}"


def _of_file(
    file: Path, record: "Record", previous: "Sequence[Finding] | None", look: "Look | None"
) -> Iterator[str]:
    """What a report says otherwise than one made now from the record."""
    import reports  # noqa: PLC0415

    name = _SUFFIXES.get(file.suffix.lower())
    if name is None:
        allowed = ", ".join(_SUFFIXES)
        raise InputError(f"{file}: found the ending {file.suffix!r}; allowed: {allowed}")
    there = file.read_bytes()
    # With what came before and without: a report may tell what has changed since, or not.
    try:
        made = [
            reports.render(record, (name,), previous=each, look=look)[0]
            for each in (previous, None)
        ]
    except reports.TemplateError as error:
        raise InputError(f"--templates: {error}") from None
    if there in made:
        return
    digest = reports.compose(record).sha256.encode()
    digests = set(_SHA256.findall(there))
    if name in ("html", "text") and digests and digest not in digests:
        yield f"its data has SHA-256 {digest.decode()}, the report names another"
    if name in ("pdf", "docx", "xlsx"):
        yield "its octets are not those that the record gives: made by another version, or changed"
        return
    lines = list(_lines(there, made))
    yield from lines[:_SHOWN_MOST]
    if len(lines) > _SHOWN_MOST:
        yield f"and {len(lines) - _SHOWN_MOST} more lines that differ"


def _lines(there: bytes, made: Sequence[bytes]) -> Iterator[str]:
    """The lines that differ from the likeliest of those made, as a reader would see them."""
    said = _readable(there)
    candidates = [
        [one for one in difflib.unified_diff(said, _readable(each), lineterm="", n=0)
         if one[:1] in "+-" and one[:3] not in ("+++", "---")]
        for each in made
    ]  # fmt: skip
    for line in min(candidates, key=len):
        text = _short(line[1:].strip())
        if text:
            yield f"the report says {text}" if line[0] == "-" else f"its data give {text}"


def _readable(data: bytes) -> list[str]:
    text = data.decode("utf-8", "replace")
    return [_TAG.sub("", line).strip() for line in text.splitlines()]


def _short(value: object) -> str:
    from reports.escape import clip, visible  # noqa: PLC0415

    return clip(visible(str(value)), 200)
