"""Cells to rows: finds the line of headers, and reads CSV as offices write it."""

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO

from nethealth.inventory.assets.columns import match_count
from nethealth.inventory.assets.errors import AssetFileError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

BYTES_MAX = 32 * 2**20
ROWS_MAX = 20_000
COLUMNS_MAX = 200
CELL_MAX = 2000  # characters; the rest of a cell is cut off
_HEADER_WITHIN = 20  # rows: titles and dates stand above the headers of many registers
_LINE_MAX = 1 << 20  # characters of a line of a long file
_TOP = 1 << 16  # octets by which a long file's writing is known
_DELIMITERS = (",", ";", "\t", "|")


class Row(dict[str, str]):
    """The cells of one row by header; `number` is the row's number in the file, from 1."""

    def __init__(self, number: int, cells: Iterable[tuple[str, str]]) -> None:
        super().__init__(cells)
        self.number = number


@dataclass(frozen=True, slots=True)
class Register:
    """What a kind of register looks like: how many of its fields a row would name as headers.

    `times`: a workbook's moments keep their time of day; a register of assets has dates.
    """

    named: Callable[[Iterable[str]], int]
    cell_max: int = CELL_MAX
    times: bool = False


ASSETS = Register(match_count)


def to_rows(cells: Iterable[Sequence[str]], register: Register = ASSETS) -> tuple[Row, ...]:
    """The rows under the headers; rows with nothing in them are passed over.

    The headers are those of the first 20 rows that name most fields, the earliest of equals.
    Raises AssetFileError for more than `ROWS_MAX` rows, and where there is no row at all.
    """
    numbered = [
        (number, [cell[: register.cell_max].strip() for cell in row[:COLUMNS_MAX]])
        for number, row in enumerate(islice(cells, ROWS_MAX + _HEADER_WITHIN + 1), start=1)
    ]
    filled = [(number, row) for number, row in numbered if any(row)]
    if not filled:
        raise AssetFileError("the file holds no rows")
    top = filled[:_HEADER_WITHIN]
    at = max(range(len(top)), key=lambda index: (register.named(top[index][1]), -index))
    headers = _distinct(filled[at][1])
    rows = filled[at + 1 :]
    if len(rows) > ROWS_MAX:
        raise AssetFileError(f"more than {ROWS_MAX} rows: split the register")
    return tuple(
        Row(number, ((header, cell) for header, cell in zip(headers, row, strict=False) if header))
        for number, row in rows
    )


def _distinct(headers: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    distinct = []
    for header in headers:
        seen[header] = seen.get(header, 0) + 1
        distinct.append(header if seen[header] == 1 else header and f"{header} ({seen[header]})")
    return distinct


def rows_from_csv(data: bytes, register: Register = ASSETS) -> tuple[Row, ...]:
    """Read CSV in UTF-8, UTF-16 or Windows-1252, parted by comma, semicolon, tab or bar."""
    check_size(data)
    text = _text(data)
    if text[:4].lower() == "sep=" and text[4:5]:  # Excel's own note on the delimiter
        delimiter, text = text[4], "\n" + text.partition("\n")[2]
    else:
        delimiter = max(_DELIMITERS, key=lambda one: _likeness(text, one, register))
    try:
        return to_rows(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), register)
    except (csv.Error, TypeError) as error:  # TypeError: a delimiter that csv refuses
        raise AssetFileError(f"not readable as CSV: {error}") from None


def stream_csv(
    file: BinaryIO,
    register: Register,
    headerless: Callable[[list[str]], Sequence[str] | None] = lambda _first: None,
) -> Iterator[Row]:
    """The rows of a CSV file of any length, one at a time; numbers are those of rows.

    `headerless` gives the headers for a first row that is none. Raises AssetFileError.
    """
    top = file.read(_TOP)
    lines = top.decode(encoding := _encoding(top), "replace").splitlines(keepends=True)
    whole = "".join(lines[:-1] or lines)  # the last one may be cut
    if not whole.strip("\ufeff\r\n "):
        raise AssetFileError("the file holds no rows")
    delimiter = max(_DELIMITERS, key=lambda one: _likeness(whole, one, register))
    joined = io.BufferedReader(_Joined(top, file), _TOP)
    text = io.TextIOWrapper(joined, encoding, errors="replace", newline="")
    try:
        yield from _numbered(csv.reader(_lines(text), delimiter=delimiter), register, headerless)
    except csv.Error as error:
        raise AssetFileError(f"not readable as CSV: {error}") from None


def _lines(text: io.TextIOBase) -> Iterator[str]:
    while line := text.readline(_LINE_MAX):
        if len(line) == _LINE_MAX and not line.endswith(("\n", "\r")):
            raise AssetFileError(f"a line of more than {_LINE_MAX} characters")
        yield line


def _numbered(
    cells: Iterator[list[str]],
    register: Register,
    headerless: Callable[[list[str]], Sequence[str] | None],
) -> Iterator[Row]:
    top = list(islice(cells, _HEADER_WITHIN))
    if not any(map(any, top)):
        raise AssetFileError("the file holds no rows")
    given = headerless(next(row for row in top if any(row)))
    at = max(range(len(top)), key=lambda index: (register.named(top[index]), -index))
    headers = _distinct([cell.strip() for cell in (given or top[at])[:COLUMNS_MAX]])
    first = 0 if given else at + 1
    for number, row in enumerate(chain(top[first:], cells), start=first + 1):
        if any(row):
            pairs = zip(headers, row, strict=False)
            yield Row(
                number, ((name, cell[: register.cell_max].strip()) for name, cell in pairs if name)
            )


class _Joined(io.RawIOBase):
    """What was read of a file already, and then its rest."""

    def __init__(self, top: bytes, file: BinaryIO) -> None:
        self._top = top
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        view = memoryview(buffer)
        part = self._top[: len(view)] or self._file.read(len(view))
        self._top = self._top[len(part) :]
        view[: len(part)] = part
        return len(part)


def _encoding(top: bytes) -> str:
    if top.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(top)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def check_size(data: bytes) -> None:
    """Raise AssetFileError for a file above the limit."""
    if len(data) > BYTES_MAX:
        raise AssetFileError(f"{len(data)} bytes; at most {BYTES_MAX} are read")


def _text(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Excel writes in the west when it is asked for plain CSV.
        return data.decode("cp1252", errors="replace")


def _likeness(text: str, delimiter: str, register: Register) -> tuple[int, int]:
    """How much the top of the text looks like a register with this delimiter."""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        top = list(islice(reader, _HEADER_WITHIN))
    except csv.Error:
        return (0, 0)
    return max((register.named(row) for row in top), default=0), max(map(len, top), default=0)
