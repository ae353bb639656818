"""Text from the wire made safe to show: what is invisible becomes visible, in every format."""

import unicodedata

_CONTROL_PICTURES = 0x2400  # U+2400 shows U+0000, and so on up to U+001F
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    """The text with every control, bidirectional and zero-width character spelled out.

    C0 controls and DEL become control pictures (ESC is `␛`, a line break `␊`). C1 controls, format
    characters (U+202A to U+202E, U+2066 to U+2069, zero widths), line separators, lone surrogates
    and what is no character (U+FFFE) become `\\u202e` and the like. The result is one line that
    reads as it is stored.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def clip(text: str, length: int) -> str:
    """At most `length` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _visible_character(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(character) in _HIDDEN or _is_no_character(code):
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
    return character


def _is_no_character(code: int) -> bool:
    """The 66 code points that Unicode keeps from use; XML 1.0 refuses U+FFFE and U+FFFF."""
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
