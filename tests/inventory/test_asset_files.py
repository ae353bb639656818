"""CSV and XLSX as offices and their programs write them, and files that are neither."""

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.inventory.assets import AssetFileError, rows_from_csv, rows_from_xlsx
from nethealth.inventory.assets.sheet import ROWS_MAX

TEXT = 'Hostname,IP Address,Site\npbx,198.18.2.10,"Hall, main"\n'


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace(",", ";").replace("Hall;", "Hall,").encode(),
        TEXT.replace(",", "\t").replace("Hall\t", "Hall,").encode(),
        TEXT.replace(",", "|").replace("Hall|", "Hall,").encode(),
        b"sep=;\r\n" + TEXT.replace(",", ";").replace("Hall;", "Hall,").encode(),
    ],
)
def test_csv_in_many_dialects(data: bytes) -> None:
    assert [dict(row) for row in rows_from_csv(data)] == [
        {"Hostname": "pbx", "IP Address": "198.18.2.10", "Site": "Hall, main"}
    ]


def test_csv_in_windows_1252() -> None:
    (row,) = rows_from_csv("Hostname;Site\nx;Caf\u00e9 \u2013 \u201cA\u201d\n".encode("cp1252"))
    assert row["Site"] == "Caf\u00e9 \u2013 \u201cA\u201d"


def test_headers_below_titles_are_found_and_rows_keep_their_numbers() -> None:
    data = b'"Register, exported 1/2/2026"\n\n,,\nHostname,IP,Site\na,::1,x\n,,\nb,::2,y\n'
    rows = rows_from_csv(data)
    assert [(row.number, row["Hostname"]) for row in rows] == [(5, "a"), (7, "b")]


def test_equal_headers_are_told_apart_and_nameless_columns_dropped() -> None:
    (row,) = rows_from_csv(b"IP,IP,,Site\n1,2,3,4,5\n")
    assert dict(row) == {"IP": "1", "IP (2)": "2", "Site": "4"}


@pytest.mark.parametrize("data", [b"", b"\n\n", b" , ,\n", b"\xff\xfe"])
def test_files_without_rows(data: bytes) -> None:
    with pytest.raises(AssetFileError, match="no rows"):
        rows_from_csv(data)


def test_sizes_are_bounded() -> None:
    assert len(rows_from_csv(b"IP\n" + b"a\n" * ROWS_MAX)) == ROWS_MAX
    with pytest.raises(AssetFileError, match="more than 20000 rows"):
        rows_from_csv(b"IP\n" + b"a\n" * (ROWS_MAX + 1))
    with pytest.raises(AssetFileError, match="at most 33554432 are read"):
        rows_from_csv(b"x" * (32 * 2**20 + 1))
    (row,) = rows_from_csv(b"IP,Site\n" + b"x" * 9999 + b",y\n")
    assert len(row["IP"]) == 2000
    assert (
        len(rows_from_csv(b",".join(b"c%d" % n for n in range(300)) + b"\n" + b"1," * 300)[0])
        == 200
    )


def test_a_cell_that_never_closes_is_refused() -> None:
    with pytest.raises(AssetFileError, match="not readable as CSV"):
        rows_from_csv(b'IP,Site\n"' + b"x" * 200_000)


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_the_declared_error(data: bytes) -> None:
    for read in (rows_from_csv, rows_from_xlsx):
        try:
            read(data)
        except AssetFileError:
            continue


def book(*sheets: Sequence[Sequence[object]], hidden: int = 0) -> bytes:
    workbook = openpyxl.Workbook()
    for index, rows in enumerate(sheets):
        sheet = workbook.worksheets[0] if index == 0 else workbook.create_sheet()
        for row in rows:
            sheet.append(list(row))
        if index < hidden:
            sheet.sheet_state = "hidden"
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


HEAD = ("Hostname", "IP", "Site", "Installed", "Staff", "Legacy")


def test_xlsx_cells_become_text() -> None:
    data = book([HEAD, ("pbx", "198.18.2.10", "Hall", datetime(2004, 4, 3), 3.0, True)])  # noqa: DTZ001 - a cell has no zone
    (row,) = rows_from_xlsx(data)
    assert dict(row) == {
        "Hostname": "pbx", "IP": "198.18.2.10", "Site": "Hall",
        "Installed": "2004-04-03", "Staff": "3", "Legacy": "True",
    }  # fmt: skip
    assert row.number == 2


def test_xlsx_formulas_are_not_evaluated() -> None:
    (row,) = rows_from_xlsx(book([HEAD, ("pbx", '=HYPERLINK("http://x","198.18.2.1")', "Hall")]))
    assert row["IP"] == ""  # no value was stored with the formula


def test_xlsx_takes_the_first_visible_sheet_with_cells() -> None:
    wanted = [HEAD, ("pbx", "::1", "Hall")]
    assert rows_from_xlsx(book([("secret",), ("x",)], [], wanted, hidden=1))[0]["Hostname"] == "pbx"
    with pytest.raises(AssetFileError, match="no rows"):
        rows_from_xlsx(book([]))


def test_xlsx_rows_are_bounded() -> None:
    rows = [["IP"], *[["a"] for _ in range(ROWS_MAX + 1)]]
    with pytest.raises(AssetFileError, match="more than 20000 rows"):
        rows_from_xlsx(book(rows))


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return stream.getvalue()


def test_xlsx_that_unpacks_to_too_much_is_refused_unread() -> None:
    bomb = with_part(book([HEAD]), "xl/worksheets/sheet1.xml", b"\0" * (129 * 2**20))
    assert len(bomb) < 2**20
    with pytest.raises(AssetFileError, match="unpacks to more than"):
        rows_from_xlsx(bomb)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xlsx_with_entities_is_refused(encoding: str) -> None:
    laughs = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><sst>&b;</sst>"
    with pytest.raises(AssetFileError, match="document type"):
        rows_from_xlsx(with_part(book([HEAD]), "xl/sharedStrings.xml", laughs.encode(encoding)))


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"]
)
@pytest.mark.parametrize("content", [b"", b"<x/>", b"<<<", b"\xff\xfe\x00"])
def test_xlsx_with_broken_parts_raises_the_declared_error(part: str, content: bytes) -> None:
    with pytest.raises(AssetFileError, match=r"XLSX|no rows"):
        rows_from_xlsx(with_part(book([HEAD, ("a", "b", "c")]), part, content))


def test_an_old_xls_is_no_xlsx() -> None:
    with pytest.raises(AssetFileError, match="not readable as XLSX"):
        rows_from_xlsx(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512)
