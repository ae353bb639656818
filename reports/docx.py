"""The report as DOCX, to be worked into a paper: real headings, header rows, alternative texts."""

import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from nethealth.model.look import Look, Picture
from reports.citing import numbers
from reports.document import (
    Block,
    Bullets,
    Chart,
    Document,
    FindingBlock,
    Heading,
    IntervalChart,
    KeyValues,
    Ladder,
    Mark,
    Paragraph,
    SeriesChart,
    Table,
    Timeline,
    Tornado,
)
from reports.docx_table import cites_xml, table_xml
from reports.escape import clip, visible
from reports.pictures import logo_png, png

if TYPE_CHECKING:
    from docx.document import Document as Docx
    from docx.text.paragraph import Paragraph as DocxParagraph

_COLOURS = {
    "critical": "A3141C", "warning": "7D4A00", "info": "1D4F91", "ok": "17603A", "none": "444444",
}  # fmt: skip
_QUIET = "444444"
_PROPERTY_MOST = 255  # characters that a property of the file may have
_LANGUAGE = "en-GB"
_CHART_WIDTH_CM, _LOGO_HEIGHT_CM = 16.5, 1.6
_TABLE_TEXT = "Table Text"


def render_docx(document: Document) -> bytes:
    """One DOCX in A4; text that XML cannot hold has been spelled out."""
    import docx  # noqa: PLC0415 - lxml and a template that only a DOCX should load
    from docx.shared import Cm  # noqa: PLC0415

    made = docx.Document()
    page = made.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2)
    page.top_margin = page.bottom_margin = Cm(2)
    _styles(made)
    started = document.record.run.started.replace(tzinfo=None)
    properties = made.core_properties
    properties.title = clip(visible(document.title), _PROPERTY_MOST)
    properties.subject = clip(visible(document.subtitle), _PROPERTY_MOST)
    tool = document.record.tool
    properties.author = clip(visible(f"{tool.name} {tool.version}"), _PROPERTY_MOST)
    properties.comments = f"sha256 {document.sha256}"
    properties.language = _LANGUAGE
    properties.created = properties.modified = started
    writer = _Writer(made, numbers(document))
    writer.head(document)
    for section in document.sections:
        made.add_heading(visible(section.title), level=2)
        for block in section.blocks:
            writer.block(block)
    made.add_heading("This report", level=2)
    writer.block(KeyValues(document.facts))
    _page_number(made, (document.look or Look()).branding.marking)
    out = BytesIO()
    made.save(out)
    return _undated(out.getvalue())


def _undated(data: bytes) -> bytes:
    """The same file without the time of writing, so that one record gives one file."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as parts, zipfile.ZipFile(out, "w") as made:
        for part in parts.infolist():
            undated = zipfile.ZipInfo(part.filename)  # 1980, the first year that a ZIP can tell
            made.writestr(undated, parts.read(part), zipfile.ZIP_DEFLATED)
    return out.getvalue()


class _Writer:
    """Puts blocks at the end of one document."""

    def __init__(self, made: "Docx", known: Mapping[str, int]) -> None:
        self._made = made
        self._numbers = known

    def head(self, document: Document) -> None:
        """Banner, title and the summary, which stands on the first page."""
        look = document.look or Look()
        if look.logo is not None:
            self._logo(look.logo, look.branding.name or "Logo")
        elif look.branding.name is not None:
            self._text(look.branding.name, bold=True)
        if document.banner is not None:
            self._text(document.banner, bold=True)
        self._made.add_heading(visible(document.title), level=1)
        self._text(document.subtitle, quiet=True)
        if look.branding.foreword is not None:
            self._text(look.branding.foreword)
        self._made.add_heading("Summary", level=2)
        self._mark(self._made.add_paragraph(), document.summary.mark)
        self._text(document.summary.answer, bold=True)
        for title, sentences in document.summary.parts:
            self._labelled(f"{title}: ", " ".join(sentences))

    def _logo(self, picture: Picture, name: str) -> None:
        from docx.shared import Cm  # noqa: PLC0415

        run = self._made.add_paragraph().add_run()
        wide = picture.width / picture.height * _LOGO_HEIGHT_CM > _CHART_WIDTH_CM
        size = {"width": Cm(_CHART_WIDTH_CM)} if wide else {"height": Cm(_LOGO_HEIGHT_CM)}
        described = run.add_picture(BytesIO(logo_png(picture)), **size)._inline.docPr
        described.set("descr", visible(name))
        described.set("title", visible(name))

    def block(self, block: Block) -> None:
        match block:
            case Paragraph():
                self._text(block.text)
            case Heading():
                self._made.add_heading(visible(block.text), level=3)
            case Bullets():
                for item in block.items:
                    self._made.add_paragraph(visible(item), style="List Bullet")
            case KeyValues():
                for term, meaning in block.pairs:
                    self._labelled(f"{term}: ", meaning)
            case Table():
                self._table(block)
            case FindingBlock():
                self._finding(block)
            case IntervalChart() | SeriesChart() | Ladder() | Tornado() | Timeline():
                self._chart(block)

    def _text(self, text: str, *, bold: bool = False, quiet: bool = False) -> None:
        run = self._made.add_paragraph().add_run(visible(text))
        run.bold = bold
        if quiet:
            run.font.color.rgb = _rgb(_QUIET)

    def _labelled(self, label: str, text: str) -> None:
        paragraph = self._made.add_paragraph()
        paragraph.add_run(visible(label)).bold = True
        paragraph.add_run(visible(text))

    def _listed(self, label: str, items: tuple[str, ...]) -> None:
        if len(items) == 1:
            self._labelled(f"{label}: ", items[0])
            return
        self._made.add_paragraph().add_run(visible(f"{label}:")).bold = True
        for item in items:
            self._made.add_paragraph(visible(item), style="List Bullet")

    def _mark(self, paragraph: "DocxParagraph", mark: Mark) -> None:
        run = paragraph.add_run(visible(mark.word))
        run.bold = True
        run.font.color.rgb = _rgb(_COLOURS[mark.kind])

    def _cite(self, paragraph: "DocxParagraph", keys: Sequence[str]) -> None:
        from docx.oxml import parse_xml  # noqa: PLC0415
        from docx.oxml.ns import nsdecls  # noqa: PLC0415

        made = parse_xml(f"<w:p {nsdecls('w')}>{cites_xml(keys, self._numbers)}</w:p>")
        for part in list(made):
            paragraph._p.append(part)

    def _finding(self, block: FindingBlock) -> None:
        heading = self._made.add_heading(level=3)
        self._mark(heading, block.mark)
        heading.add_run(visible(f"  {block.title}: {block.place}"))
        for one in block.statements:
            text = f"{one.text} {one.evidence}" if len(block.statements) > 1 else one.text
            style = "List Bullet" if len(block.statements) > 1 else None
            paragraph = self._made.add_paragraph(visible(text.strip()), style=style)
            if len(block.statements) > 1:
                self._cite(paragraph, one.cites)
        if block.left:
            self._made.add_paragraph(f"and {block.left:,} more in the record", style="List Bullet")
        self._labelled("What to do: ", block.action)
        self._labelled("How sure: ", block.sure)
        self._text(block.when, quiet=True)
        for title, items in block.more:
            self._listed(title, items)
        if block.evidence is not None:
            self._table(block.evidence)

    def _chart(self, chart: Chart) -> None:
        from docx.shared import Cm  # noqa: PLC0415

        from reports.charts import key  # noqa: PLC0415 - markupsafe, which only drawing needs

        self._labelled(f"{chart.title}. ", chart.description)
        paragraph = self._made.add_paragraph()
        shape = paragraph.add_run().add_picture(BytesIO(png(chart)), width=Cm(_CHART_WIDTH_CM))
        described = shape._inline.docPr  # python-docx has no other way to it
        described.set("descr", visible(f"{chart.title}. {chart.description}"))
        described.set("title", visible(chart.title))
        self._text(key(chart), quiet=True)
        self._table(chart.table)

    def _table(self, table: Table) -> None:
        table = table.on_paper()
        caption = self._made.add_paragraph(visible(table.caption), style="Caption")
        caption.paragraph_format.keep_with_next = True
        made = table_xml(
            table, style=_TABLE_TEXT.replace(" ", ""), colours=_COLOURS, numbers=self._numbers
        )
        body: Any = self._made.element.body
        body._insert_tbl(made)  # where python-docx itself puts one: before the last section's end
        self._made.add_paragraph()


def _styles(made: "Docx") -> None:
    """One typeface in readable sizes, in the language of the report, without blue headings."""
    from docx.enum.style import WD_STYLE_TYPE  # noqa: PLC0415
    from docx.shared import Pt  # noqa: PLC0415

    sizes = {"Normal": 11, "Caption": 10, "Heading 1": 20, "Heading 2": 15, "Heading 3": 12}
    for name, size in sizes.items():
        style: Any = made.styles[name]
        style.font.name = "Arial"
        style.font.size = Pt(size)
        style.font.color.rgb = _rgb("000000")
        properties = style.element.get_or_add_rPr()
        fonts = properties.find(_tag("w:rFonts"))
        if fonts is not None:  # the theme's own typeface goes before the name above
            for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
                fonts.attrib.pop(_tag(f"w:{theme}"), None)
    table_text = made.styles.add_style(_TABLE_TEXT, WD_STYLE_TYPE.PARAGRAPH)
    table_text.base_style = made.styles["Normal"]
    table_text.font.size = Pt(9)
    table_text.paragraph_format.space_after = Pt(0)
    language = _element("w:lang")
    language.set(_tag("w:val"), _LANGUAGE)
    made.styles["Normal"].element.get_or_add_rPr().append(language)


def _page_number(made: "Docx", marking: str | None) -> None:
    """A field in the footer, which the word processor fills in; the marking at head and foot."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415

    page = made.sections[0]
    paragraph = page.footer.paragraphs[0]
    if marking is not None:
        for place in (page.header.paragraphs[0], page.footer.add_paragraph()):
            place.add_run(visible(marking)).bold = True
            place.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run("Page ")
    field = _element("w:fldSimple")
    field.set(_tag("w:instr"), "PAGE")
    paragraph._p.append(field)


def _element(name: str) -> Any:
    from docx.oxml import OxmlElement  # noqa: PLC0415

    return OxmlElement(name)


def _tag(name: str) -> str:
    from docx.oxml.ns import qn  # noqa: PLC0415

    return str(qn(name))


def _rgb(text: str) -> Any:
    from docx.shared import RGBColor  # noqa: PLC0415

    return RGBColor.from_string(text)
