"""A council's logo, checked before it stands in a report: a picture and nothing else.

A PNG is taken apart and put together again from what its pixels need. An SVG is read as XML without
any declaration, and written anew from the drawing that it holds: what could run, fetch, link or
grow has no place in one, and is refused by name. ValueError, in words for a person.
"""

import re
import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator

from nethealth.model.look import Picture

BYTES_MOST = 512 * 1024
WORDS = f"a PNG or SVG of at most {BYTES_MOST // 1024} KiB that holds nothing but a picture"
_PNG = b"\x89PNG\r\n\x1a\n"
_SIDE_MOST = 4000
_PIXELS_MOST = 4_000_000
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"sRGB", b"gAMA", b"IDAT", b"IEND")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # PNG specification, table 11.1: by colour type
_BY_PALETTE = 3
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}

_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS_MOST = 5000
_DRAWN = frozenset({
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan",
    "title", "desc", "defs", "linearGradient", "radialGradient", "stop", "clipPath", "style",
})  # fmt: skip
_GRADIENTS = ("linearGradient", "radialGradient")  # one may take its stops from another
_INSIDE = re.compile(r"#[\w.-]+")
_DROPPED = frozenset({"metadata"})
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_URL = re.compile(r"url\(\s*(['\"]?)#[\w.-]+\1\s*\)")
_ACTIVE = re.compile(r"url|@|\\|expression|javascript|data:|//", re.IGNORECASE)
_LENGTH = re.compile(r"\s*([0-9]*\.?[0-9]+)(px|pt|mm|cm|in)?\s*")
_PIXELS = {None: 1.0, "px": 1.0, "pt": 4 / 3, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_SVG_SIDE_MOST = 1e5
_RATIO_MOST = 20
_DEPTH_MOST = 60


def check_picture(data: bytes) -> Picture:
    """The picture, cleaned; ValueError says what it holds that no logo needs."""
    if len(data) > BYTES_MOST:
        raise ValueError(f"{len(data)} bytes")
    return _png(data) if data.startswith(_PNG) else _svg(data)


def _png(data: bytes) -> Picture:
    chunks = list(_chunks(data))
    names = [name for name, _ in chunks]
    if names[:1] != [b"IHDR"] or names[-1:] != [b"IEND"] or len(chunks[0][1]) != 13:
        raise ValueError("a PNG without its first or its last part")
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    if not (
        0 < width <= _SIDE_MOST and 0 < height <= _SIDE_MOST and width * height <= _PIXELS_MOST
    ):
        raise ValueError(f"a PNG of {width} by {height} pixels; at most {_SIDE_MOST} a side")
    palette = b"PLTE" in names or colour != _BY_PALETTE
    if depth not in _DEPTHS.get(colour, ()) or rest[:2] != [0, 0] or not palette:
        raise ValueError("a PNG of no known kind of pixels")
    if rest[2] or b"acTL" in names:
        raise ValueError("an interlaced or moving PNG: save it as a plain one")
    row = 1 + (width * _CHANNELS[colour] * depth + 7) // 8
    unpacker = zlib.decompressobj()
    packed = b"".join(body for name, body in chunks if name == b"IDAT")
    try:
        pixels = unpacker.decompress(packed, row * height + 1)
    except zlib.error:
        raise ValueError("a PNG whose pixels cannot be unpacked") from None
    if len(pixels) != row * height or not unpacker.eof:
        raise ValueError("a PNG with more or fewer pixels than it says")
    made = _PNG + b"".join(_chunk(name, body) for name, body in chunks if name in _KEPT)
    return Picture("png", made, width, height)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at < len(data):
        if at + 12 > len(data):
            raise ValueError("a PNG that is cut short")
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ValueError("a PNG that is cut short")
        name, body = data[at + 4 : at + 8], data[at + 8 : end - 4]
        if _chunk(name, body) != data[at:end]:
            raise ValueError("a PNG with a wrong checksum")
        yield name, body
        at = end


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _svg(data: bytes) -> Picture:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("neither a PNG nor text in UTF-8") from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("an SVG with a declaration (<!DOCTYPE>): save it without one")
    try:
        root = ET.fromstring(text.encode())  # noqa: S314 - no declaration, so nothing that grows
    except (ET.ParseError, ValueError, LookupError) as error:
        raise ValueError(f"neither a PNG nor an SVG that can be read ({error})") from None
    if root.tag != f"{{{_SVG}}}svg":
        raise ValueError("neither a PNG nor an SVG")
    if sum(1 for _ in root.iter()) > _ELEMENTS_MOST:
        raise ValueError(f"an SVG of more than {_ELEMENTS_MOST} parts")
    width, height = _size(root)
    clean = _cleaned(root)
    clean.set("width", f"{width:g}")
    clean.set("height", f"{height:g}")
    ET.register_namespace("", _SVG)
    return Picture("svg", ET.tostring(clean), width, height)


def _size(root: ET.Element) -> tuple[float, float]:
    """Width and height in pixels, by its own words or by its viewBox."""
    sides = [_LENGTH.fullmatch(root.get(name, "")) for name in ("width", "height")]
    box = [float(part) for part in re.findall(r"-?[0-9]*\.?[0-9]+", root.get("viewBox", ""))]
    if all(sides):
        width, height = (float(side[1]) * _PIXELS[side[2]] for side in sides if side)
    elif len(box) == 4:
        width, height = box[2:]
    else:
        raise ValueError("an SVG without a size: give it a width and a height, or a viewBox")
    if len(box) != 4:
        root.set("viewBox", f"0 0 {width:g} {height:g}")
    if not (
        0 < width < _SVG_SIDE_MOST
        and 0 < height < _SVG_SIDE_MOST
        and 1 / _RATIO_MOST < width / height < _RATIO_MOST
    ):
        raise ValueError(f"an SVG of {width:g} by {height:g}")
    return width, height


def _cleaned(element: ET.Element, depth: int = 0) -> ET.Element:
    """The element with what it draws; what an editor left for itself is left out."""
    if depth > _DEPTH_MOST:
        raise ValueError(f"an SVG of more than {_DEPTH_MOST} levels")
    made = ET.Element(element.tag)
    made.text, made.tail = element.text, element.tail
    name = element.tag.rpartition("}")[2]
    if name == "style" and _ACTIVE.search("".join(element.itertext())):
        raise ValueError("an SVG whose <style> fetches something")
    for key, value in element.attrib.items():
        if key.endswith("}href") or key in ("href", "src"):
            if name in _GRADIENTS and _INSIDE.fullmatch(value):
                made.set("{http://www.w3.org/1999/xlink}href", value)
                continue
            raise ValueError(f"an SVG with a link ({key.rpartition('}')[2]} in <{name}>)")
        if key.startswith("{"):
            continue
        if key.lower().startswith("on") or not _ATTRIBUTE.fullmatch(key):
            raise ValueError(f"an SVG with a script ({key} in <{name}>)")
        if _ACTIVE.search(_URL.sub("", value)):
            raise ValueError(f"an SVG that fetches something ({key} in <{name}>)")
        made.set(key, value)
    for child in element:
        if not isinstance(child.tag, str):
            continue
        space, _, inside = child.tag.rpartition("}")
        if space not in ("", f"{{{_SVG}") or inside in _DROPPED:
            continue  # an editor's own
        if inside not in _DRAWN:
            raise ValueError(f"an SVG with <{inside}>: save it as a plain drawing, or as a PNG")
        made.append(_cleaned(child, depth + 1))
    return made
