"""The grammar that SIP's header fields share (RFC 3261 section 25.1), in linear time."""

import re

from nethealth.wire.errors import WireError

Parameter = tuple[str, str | None]  # name in lower case, value without quotes; None: no "="

# token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / ...), by its ABNF
NAME = r"[A-Za-z0-9\-.!%*_+`'~]+"
IPV6_REFERENCE = r"\[[0-9A-Fa-f:.]{2,45}\]"
# hostname, wider than the standard's by the underscore, which real hosts carry
HOST_NAME = r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,253})"
HOST = rf"(?:{IPV6_REFERENCE}|{HOST_NAME})"

UINT32_MAX = 2**32 - 1

_TOKEN = re.compile(NAME)
_DIGITS_MAX = 20
_PIECE = re.compile(r'[^"<,;\\]+|"(?:[^"\\]|\\.)*"|<[^>]*>|[,;\\]', re.DOTALL)
_PARAMETER = re.compile(rf"({NAME})[ \t]*(?:=[ \t]*(.*))?", re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
WSP = " \t"


def excerpt(text: str) -> str:
    """The start of hostile text, printable, for a message to a person."""
    return ascii(text[:60])


def is_token(text: str) -> bool:
    """Whether `text` is one token (RFC 3261 section 25.1)."""
    return _TOKEN.fullmatch(text) is not None


def uint(text: str, what: str, maximum: int = UINT32_MAX) -> int:
    """1*DIGIT of at most `maximum`; leading zeros are allowed (RFC 4475 section 3.1.1.1)."""
    # isdecimal alone would take other scripts' digits; the length keeps int() from refusing
    if text.isdecimal() and text.isascii() and len(text) <= _DIGITS_MAX:
        value = int(text)
        if value <= maximum:
            return value
    raise WireError(f"{what}: {excerpt(text)} is not a number from 0 to {maximum}")


def split(value: str, separator: str) -> list[str]:
    """`value` cut at each `separator` ("," or ";") outside quotes and angle brackets.

    The parts come stripped, empty ones included. A quote or bracket without an end is a WireError.
    """
    if '"' not in value and "<" not in value:
        return [part.strip(WSP) for part in value.split(separator)]
    parts = [""]
    pieces: list[str] = []
    position = 0
    while position < len(value):
        match = _PIECE.match(value, position)
        if match is None:
            raise WireError(f"no closing quote or bracket: {excerpt(value[position:])}")
        piece = match.group()
        position = match.end()
        if piece == separator:
            parts[-1] = "".join(pieces).strip(WSP)
            parts.append("")
            pieces = []
        else:
            pieces.append(piece)
    parts[-1] = "".join(pieces).strip(WSP)
    return parts


def unquote(text: str) -> str:
    """The content of a quoted-string (section 25.1); anything else is returned as it is."""
    if text.startswith('"') and text.endswith('"') and len(text) >= 2:
        return _QUOTED_PAIR.sub(r"\1", text[1:-1])
    return text


def parameters(parts: list[str], what: str) -> tuple[Parameter, ...]:
    """generic-param = token [ EQUAL gen-value ], one from each part (section 25.1)."""
    found: list[Parameter] = []
    for part in parts:
        match = _PARAMETER.fullmatch(part)
        if match is None:
            raise WireError(f"{what}: {excerpt(part)} is not a parameter")
        name, value = match.groups()
        found.append((name.lower(), value if value is None else unquote(value)))
    return tuple(found)


def parameter(found: tuple[Parameter, ...], name: str) -> str | None:
    """The value of the first parameter `name`; None if it is absent or has no value."""
    for key, value in found:
        if key == name:
            return value
    return None
