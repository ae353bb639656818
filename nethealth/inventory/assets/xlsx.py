"""The first sheet of an XLSX file that holds anything, read as stored: no formula is evaluated."""

import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime

import openpyxl

from nethealth.inventory.assets.errors import AssetFileError
from nethealth.inventory.assets.sheet import (
    ASSETS,
    COLUMNS_MAX,
    ROWS_MAX,
    Register,
    Row,
    check_size,
    to_rows,
)

UNPACKED_MAX = 128 * 2**20  # bytes of all parts together
_PARTS_MAX = 2000


def rows_from_xlsx(data: bytes, register: Register = ASSETS) -> tuple[Row, ...]:
    """Read the first visible sheet that has a filled cell; raises AssetFileError."""
    check_size(data)
    try:
        _refuse_bombs(data)
        with warnings.catch_warnings():
            # openpyxl remarks on styles and validations that it drops; only cells matter here.
            warnings.simplefilter("ignore")
            return _read(data, register)
    except AssetFileError:
        raise
    except Exception as error:  # noqa: BLE001
        # openpyxl has no exception of its own: broken parts raise KeyError, ValueError,
        # TypeError, AttributeError, ParseError, BadZipFile and zlib.error among others.
        raise AssetFileError(f"not readable as XLSX: {type(error).__name__}: {error}") from None


def _refuse_bombs(data: bytes) -> None:
    """Refuse what would unpack to too much; zipfile reads no part beyond its stated size."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if len(parts) > _PARTS_MAX:
            raise AssetFileError(f"{len(parts)} parts; at most {_PARTS_MAX} are read")
        if sum(part.file_size for part in parts) > UNPACKED_MAX:
            raise AssetFileError(f"unpacks to more than {UNPACKED_MAX} bytes")
        for part in parts:
            # Office Open XML has no document type declaration (ECMA-376 part 2); entities that
            # multiply each other need one. NULs are dropped so that UTF-16 hides none.
            if b"<!doctype" in archive.read(part).replace(b"\0", b"").lower():
                raise AssetFileError("a document type declaration in the file")


def _read(data: bytes, register: Register) -> tuple[Row, ...]:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                continue
            rows = sheet.iter_rows(values_only=True, max_row=ROWS_MAX + 100, max_col=COLUMNS_MAX)
            cells = list(_cells(rows, times=register.times))
            if any(map(any, cells)):
                return to_rows(cells, register)
    finally:
        book.close()
    raise AssetFileError("the file holds no rows")


def _cells(rows: Iterator[Sequence[object]], *, times: bool) -> Iterator[list[str]]:
    for row in rows:
        yield [_cell(value, times=times) for value in row]


def _cell(value: object, *, times: bool) -> str:
    match value:
        case None:
            return ""
        case datetime() if times:
            return value.isoformat(sep=" ")
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
