"""Charts as pictures, for formats of print: the drawing with its style inside, or its pixels."""

from nethealth.model.look import Picture
from reports.document import Chart

# What the page's style sheet says of charts, in the colours of print.
_STYLE = (
    "<style>text{fill:#000;font-size:13px;font-family:'Libertinus Serif'}"
    ".axis{fill:#444;font-size:12px}.end{text-anchor:end}text.middle{text-anchor:middle}"
    ".grid{stroke:#bbb}.limit{stroke:#7d4a00;stroke-width:1.5;stroke-dasharray:5 4}"
    ".span{stroke:#1d4f91;stroke-width:3}.line{stroke:#1d4f91;stroke-width:1.5;fill:none}"
    ".bar{fill:#1d4f91}"
    ".life{stroke:#bbb}.arrow{stroke:#1d4f91;stroke-width:1.5;fill:none}"
    ".again{stroke-dasharray:5 4}.head{fill:#1d4f91}.place{font-weight:bold}"
    "circle{fill:#1d4f91;stroke:#fff;stroke-width:1.5}</style>"
)
_PIXELS_PER_INCH = 200.0
_PAGE = """#set page(width: auto, height: auto, margin: 4pt)
#image(bytes(sys.inputs.svg), format: "svg", width: 480pt)
"""


def standalone(chart: Chart) -> str:
    """The drawing as a file of its own."""
    from reports.charts import WIDE, svg  # noqa: PLC0415 - markupsafe, which only drawing needs

    head, end, rest = str(svg(chart, width=WIDE, name="chart")).partition(">")
    head = head.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return f"{head}{end}{_STYLE}{rest}"


def png(chart: Chart) -> bytes:
    """The drawing in pixels, for a format that takes no drawing."""
    return drawn(standalone(chart))


def logo_png(picture: Picture) -> bytes:
    """A logo in pixels."""
    return picture.data if picture.kind == "png" else drawn(picture.data.decode())


def drawn(svg: str) -> bytes:
    import typst  # noqa: PLC0415 - 85 MB that only print should load

    made = typst.compile(
        _PAGE.encode(),
        format="png",
        ppi=_PIXELS_PER_INCH,
        sys_inputs={"svg": svg},
        ignore_system_fonts=True,
    )
    if not isinstance(made, bytes):
        raise TypeError("one page gave several pictures")
    return made
