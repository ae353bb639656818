"""A logo is a picture and nothing else: hostile ones are refused, by name."""

import io
import struct
import xml.etree.ElementTree as ET
import zlib

import pytest
from PIL import Image

from nethealth.inventory.pictures import BYTES_MOST, check_picture

_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
PLAIN = f'{_HEAD}width="120" height="40"><rect width="120" height="40" fill="#123456"/></svg>'


def svg(inside: str, size: str = 'width="120" height="40"') -> bytes:
    return f"{_HEAD}{size}>{inside}</svg>".encode()


def png(width: int = 12, height: int = 8, mode: str = "RGBA", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), 1).save(out, "PNG", **options)
    return out.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_any_kind_keeps_its_pixels(mode: str) -> None:
    """As Pillow reads it before and after."""
    given = png(mode=mode)
    found = check_picture(given)
    assert (found.kind, found.width, found.height) == ("png", 12, 8)
    before, after = Image.open(io.BytesIO(given)), Image.open(io.BytesIO(found.data))
    assert before.mode == after.mode
    assert before.tobytes() == after.tobytes()


def test_what_a_png_says_beside_its_pixels_is_left_out() -> None:
    given = png()
    secret = given[:33] + chunk(b"tEXt", b"Author\0A. Person") + given[33:]
    assert b"Person" in secret
    assert b"Person" not in check_picture(secret).data


def header(width: int, height: int, *rest: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, *rest))


def made(head: bytes, pixels: bytes) -> bytes:
    parts = (head, chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (png()[:-4], "cut short"),
        (png()[:40] + b"\0" + png()[41:], "wrong checksum"),
        (png() + b"GIF89a<script>", "cut short"),
        (png() + chunk(b"tEXt", b"x"), "without its first or its last part"),
        (made(header(4001, 1, 8, 0, 0, 0, 0), b"\0" * 4002), "4001 by 1"),
        (made(header(3000, 3000, 8, 0, 0, 0, 0), b""), "3000 by 3000"),
        # a bomb: a gigabyte of nothing behind one pixel
        (made(header(1, 1, 8, 0, 0, 0, 0), b"\0" * 10_000_000), "more or fewer pixels"),
        (made(header(2, 2, 8, 0, 0, 0, 0), b"\0" * 3), "more or fewer pixels"),
        (made(header(2, 2, 8, 3, 0, 0, 0), b"\0" * 6), "no known kind"),  # without a palette
        (made(header(2, 2, 7, 0, 0, 0, 0), b"\0" * 6), "no known kind"),
        (made(header(2, 2, 8, 0, 0, 0, 1), b"\0" * 6), "interlaced"),
        (b"\x89PNG\r\n\x1a\n", "without its first"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * (BYTES_MOST + 1), "bytes"),
        (b"GIF89a", "neither a PNG nor"),
        (b"\xff\xd8\xff\xe0", "neither a PNG nor text in UTF-8"),
        (b"", "neither a PNG nor"),
    ],
)
def test_a_png_that_is_none_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_picture(data)


def test_a_plain_svg_is_kept_and_has_a_size() -> None:
    found = check_picture(PLAIN.encode())
    assert (found.kind, found.width, found.height) == ("svg", 120, 40)
    root = ET.fromstring(found.data)
    assert root.get("viewBox") == "0 0 120 40"
    assert [child.tag.rpartition("}")[2] for child in root] == ["rect"]


@pytest.mark.parametrize(
    ("size", "width", "height"),
    [
        ('viewBox="0 0 300 100"', 300, 100), ('width="1in" height="72pt"', 96, 96),
        ('width="25.4mm" height="2.54cm"', 96, 96), ('width="100%" viewBox="0 0 8 4"', 8, 4),
    ],
)  # fmt: skip
def test_sizes(size: str, width: float, height: float) -> None:
    found = check_picture(svg("<g/>", size))
    assert [found.width, found.height] == pytest.approx([width, height])


def test_what_an_editor_left_for_itself_is_left_out() -> None:
    inside = (
        '<sodipodi:namedview xmlns:sodipodi="http://sodipodi.sourceforge.net/x" pagecolor="#fff"/>'
        "<metadata><x>A. Person</x></metadata>"
        '<g inkscape:label="secret" xmlns:inkscape="http://www.inkscape.org/x"><title>Arms</title>'
        '<path d="M0 0h1v1z" style="fill:url(#a)"/></g>'
    )
    data = check_picture(svg(inside)).data
    for word in (b"Person", b"secret", b"namedview", b"inkscape"):
        assert word not in data
    assert b"url(#a)" in data


def test_a_gradient_may_take_its_stops_from_another() -> None:
    inside = '<defs><linearGradient id="a"/><radialGradient id="b" xlink:href="#a"/></defs>'
    assert b':href="#a"' in check_picture(svg(inside)).data


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ('<g onload="alert(1)"/>', "a script"),
        ('<g onClick="alert(1)"/>', "a script"),
        ("<foreignObject><b>x</b></foreignObject>", "<foreignObject>"),
        ('<image href="https://evil.example/x.png"/>', "<image>"),
        ('<use xlink:href="#a"/>', "<use>"),
        ('<g xlink:href="https://evil.example"/>', "a link"),
        ('<linearGradient xlink:href="https://evil.example#a"/>', "a link"),
        ('<a href="javascript:alert(1)"><rect/></a>', "<a>"),
        ('<rect fill="url(https://evil.example/x)"/>', "fetches something"),
        ("<rect style=\"fill:url('//evil.example/x')\"/>", "fetches something"),
        ('<rect style="fill:u\\72l(//evil.example)"/>', "fetches something"),
        ("<style>@import 'https://evil.example/x.css';</style>", "<style> fetches"),
        ("<style>.a{background:url(x)}</style>", "<style> fetches"),
        ("<style>.a{}<title/>@import 'https://evil.example/x.css';</style>", "<style> fetches"),
        ('<animate attributeName="href" to="x"/>', "<animate>"),
        ('<set attributeName="onload" to="x"/>', "<set>"),
        ("<filter/>", "<filter>"),
        ("<g>" * 70 + "</g>" * 70, "levels"),
        ("<g/>" * 5001, "parts"),
        ("<g>", "can be read"),
    ],
)
def test_a_hostile_svg_is_refused_by_name(inside: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_picture(svg(inside))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + svg("<text>&b;</text>"),
         "a declaration"),
        (b'<?xml version="1.0" encoding="utf-7"?>' + svg("<g/>"), "can be read"),
        (svg("<g/>").decode().encode("utf-16"), "UTF-8"),
        (b"<html><body/></html>", "neither a PNG nor an SVG"),
        (svg("<g/>", ""), "without a size"),
        (svg("<g/>", 'width="0" height="4"'), "0 by 4"),
        (svg("<g/>", 'width="4000" height="4"'), "4000 by 4"),
        (svg("<g/>", f'width="{"9" * 400}" height="4"'), "inf by 4"),
    ],
)  # fmt: skip
def test_an_svg_that_grows_or_has_no_size_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_picture(data)
