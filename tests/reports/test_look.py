"""Whose report it is: name, logo, marking and words in every format, and templates of one's own."""

import base64
import hashlib
import io
import re
import subprocess
import zipfile
from pathlib import Path

import docx
import openpyxl
import pikepdf
import pytest
from docx.oxml.ns import qn
from pdfua import validate

import reports
from nethealth.inventory.pictures import check_picture
from nethealth.model.look import Branding, Look
from reports import TemplateError, compose, render
from reports.html import page_marking
from tests.inventory.test_pictures import png, svg
from tests.reports import examples
from tests.reports.pages import Page

ARMS = svg('<rect width="120" height="40" fill="#1d4f91"/>')
NASTY = 'OFFICIAL</style><script>alert(1)</script>"; } &C'
BRANDING = Branding(
    name="South Cambridgeshire District Council",
    marking="OFFICIAL – SENSITIVE",
    contact="Service desk, 01223 496 0000",
    title="Health of the telephones",
    foreword="Prepared for the shared services board.",
)
LOOKS = {
    "svg": Look(BRANDING, check_picture(ARMS)),
    "png": Look(BRANDING, check_picture(png(120, 40))),
}
RECORD = examples.all_clear()


def made(kind: str, look: Look) -> bytes:
    return render(RECORD, [kind], look=look)[0]


def test_a_report_without_a_look_is_as_it_was() -> None:
    page = Page(render(RECORD, ["html"])[0])
    assert "marking" not in page.values("class")
    assert "img" not in page.tags
    assert render(RECORD, ["html", "pdf", "text"]) == render(
        RECORD, ["html", "pdf", "text"], look=Look()
    )


@pytest.mark.parametrize("kind", LOOKS)
def test_the_page_has_name_logo_marking_and_words(kind: str) -> None:
    html = made("html", LOOKS[kind])
    text = html.decode()
    assert text.count('<p class="marking"><strong>OFFICIAL – SENSITIVE</strong></p>') == 2
    assert "<h1>Health of the telephones</h1>" in text
    assert "Prepared for the shared services board." in text
    assert "Service desk, 01223 496 0000" in text
    [found] = re.findall(r'<img class="logo" src="data:([^;]+);base64,([^"]+)" alt="([^"]+)"', text)
    assert found[0] == {"svg": "image/svg+xml", "png": "image/png"}[kind]
    logo = LOOKS[kind].logo
    assert logo is not None
    assert base64.b64decode(found[1]) == logo.data
    assert found[2] == BRANDING.name
    assert "://" not in text.partition("<main")[0]


def test_the_pages_policy_admits_its_styles_and_a_picture_inside_it_alone() -> None:
    text = made("html", LOOKS["svg"]).decode()
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(styles) == 2
    for style in styles:
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"sha256-{digest}" in policy
    assert "img-src data:;" in policy
    assert "default-src 'none'" in policy.replace("&#39;", "'")
    assert "img-src" not in render(RECORD, ["html"])[0].decode()


def test_no_marking_can_leave_its_place() -> None:
    rule = page_marking(NASTY)
    [one, two] = re.findall(r'content: "([^"]*)"', rule)
    assert one == two
    # CSS escapes: a backslash and six hexadecimal digits for each character
    assert re.fullmatch(r"(?:\\[0-9a-f]{6})+", one)
    digits = re.findall(r"\\([0-9a-f]{6})", one)
    assert "".join(chr(int(each, 16)) for each in digits) == NASTY
    html = made("html", Look(Branding(marking=NASTY, name=NASTY, foreword=NASTY)))
    assert b"<script>" not in html
    Page(html)
    for kind in ("pdf", "docx", "xlsx", "text"):
        assert made(kind, Look(Branding(marking=NASTY[:60], name=NASTY)))


@pytest.mark.parametrize("kind", LOOKS)
def test_the_pdf_is_marked_on_every_page_and_still_passes(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(made("pdf", LOOKS[kind]))
    report = validate(str(file))
    assert report.exit_code == 0, [each.message for each in report.findings]
    with pikepdf.open(file) as opened:
        pages = len(opened.pages)
    assert pages > 2
    for number in range(1, pages + 1):
        shown = subprocess.run(
            ["pdftotext", "-f", str(number), "-l", str(number), str(file), "-"],
            capture_output=True, check=True,
        ).stdout.decode()  # fmt: skip
        assert shown.count("OFFICIAL – SENSITIVE") >= 2, number
    images = subprocess.run(["pdfimages", "-list", str(file)], capture_output=True, check=True)
    assert (len(images.stdout.splitlines()) > 2) == (kind == "png")


@pytest.mark.parametrize("kind", LOOKS)
def test_the_docx_is_marked_and_has_the_logo(kind: str) -> None:
    data = made("docx", LOOKS[kind])
    opened = docx.Document(io.BytesIO(data))
    page = opened.sections[0]
    for part in (page.header, page.footer):
        assert "OFFICIAL – SENSITIVE" in [each.text for each in part.paragraphs]
    first = next(opened.element.body.iter(qn("wp:docPr")))
    assert first.get("descr") == BRANDING.name
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        pictures = [name for name in parts.namelist() if name.startswith("word/media/")]
        assert pictures
        assert all(parts.read(name).startswith(b"\x89PNG") for name in pictures)
    extent = next(opened.element.body.iter(qn("wp:extent")))
    assert int(extent.get("cx")) / int(extent.get("cy")) == pytest.approx(3, rel=0.1)


def test_every_sheet_of_the_workbook_is_marked() -> None:
    look = Look(Branding(marking="OFFICIAL & SENSITIVE", name=BRANDING.name))
    book = openpyxl.load_workbook(io.BytesIO(made("xlsx", look)))
    for sheet in book.worksheets:
        for part in (sheet.oddHeader, sheet.oddFooter):
            assert part is not None
            assert part.center is not None
            assert str(part.center.text).endswith("OFFICIAL && SENSITIVE")
    assert [book["Summary"].cell(row, 1).value for row in (1, 2)] == [
        "OFFICIAL & SENSITIVE", BRANDING.name,
    ]  # fmt: skip


def test_text_begins_and_ends_with_the_marking_and_data_have_none() -> None:
    lines = made("text", LOOKS["svg"]).decode().splitlines()
    assert lines[0] == lines[-1] == "OFFICIAL – SENSITIVE"
    for kind in ("json", "csv", "nagios", "prometheus"):
        assert made(kind, LOOKS["svg"]) == render(RECORD, [kind])[0]


def test_a_template_of_ones_own_takes_the_place_of_ours() -> None:
    own = {"report.html.j2": '<p>{{ document.summary.answer }}</p>{% include "part.j2" %}',
           "part.j2": "<i>{{ document.sha256 }}</i>"}  # fmt: skip
    html = made("html", Look(templates=own)).decode()
    document = compose(RECORD)
    assert html == f"<p>{document.summary.answer}</p><i>{document.sha256}</i>"
    styled = made("html", Look(templates={"report.css": "body { color: #123456 }"})).decode()
    assert "<style>body { color: #123456 }</style>" in styled
    assert "<h1>" in styled


def test_our_own_templates_give_the_same_page_from_a_folder() -> None:
    """Where a council starts from: nothing of ours is out of the sandbox's reach."""
    folder = Path(reports.__file__).parent / "templates"
    own = {name: (folder / name).read_text() for name in ("report.html.j2", "report.css")}
    for name in ("equipped", "captured", "with a case"):
        record = examples.ALL[name]()
        assert render(record, ["html"]) == render(record, ["html"], look=Look(templates=own))


def test_a_template_still_escapes() -> None:
    own = {"report.html.j2": "<p>{{ document.title }}</p>"}
    look = Look(Branding(title="<script>alert(1)</script>"), templates=own)
    assert made("html", look) == b"<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"


@pytest.mark.parametrize(
    ("name", "source", "says"),
    [
        ("report.html.j2", "<p>\n{% if %}\n", "report.html.j2:2: "),
        ("report.html.j2", "a\nb\n{{ document.nothing }}", "report.html.j2:3: UndefinedError"),
        ("report.html.j2", '\n{% include "none.j2" %}', "report.html.j2:2: TemplateNotFound"),
        ("report.html.j2", "\n\n{{ 1 / 0 }}", "report.html.j2:3: ZeroDivisionError"),
        ("part.j2", "x\n{{ nothing }}", "part.j2:2: UndefinedError"),
        ("part.j2", "x\n\n{% endfor %}", "part.j2:3: "),
        ("report.css", "</style><script>", "report.css: found '</'"),
        # the sandbox: no way from a value to the interpreter
        ("report.html.j2", "{{ ''.__class__.__mro__ }}", "report.html.j2:1: SecurityError"),
        ("report.html.j2", "{{ document.__init__.__globals__ }}", ":1: SecurityError"),
        ("report.html.j2", "{{ cycler.__init__.__globals__.os }}", ":1: SecurityError"),
        ("report.html.j2", "{{ range(10**9) | list }}", "report.html.j2:1: OverflowError"),
    ],
)
def test_a_broken_or_hostile_template_is_named_with_its_line(
    name: str, source: str, says: str
) -> None:
    own = {"report.html.j2": '{% include "part.j2" %}', name: source}
    if name == "report.css":
        own = {name: source}
    with pytest.raises(TemplateError) as caught:
        made("html", Look(templates=own))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
