"""Words for octets that came off the wire: addresses, and text that is bounded and escaped.

Whatever a stranger put into a name may hold control characters, terminal escapes or half a
character of UTF-8; nothing of that kind goes further than these functions.
"""

from ipaddress import IPv6Address

from nethealth.wire.errors import WireError

TEXT_MAX = 256  # characters of one field that are kept


def mac_address(octets: bytes) -> str:
    """Six octets as `00:11:22:33:44:55`."""
    return octets.hex(":")


def ipv4_address(octets: bytes) -> str:
    """Four octets in dotted decimals."""
    return f"{octets[0]}.{octets[1]}.{octets[2]}.{octets[3]}"


def ip_address(octets: bytes) -> str | None:
    """An address of four or sixteen octets; None for any other length."""
    if len(octets) == 4:
        return ipv4_address(octets)
    return str(IPv6Address(octets)) if len(octets) == 16 else None


def printable(octets: bytes, most: int = TEXT_MAX) -> str:
    """UTF-8 text without its padding of NULs; what cannot be printed becomes `\\x1b` and the like.

    At most `most` characters, the last of them an ellipsis where some were left out.
    """
    text = octets[: most * 4].rstrip(b"\0").decode("utf-8", "backslashreplace")
    shown = "".join(
        character if character.isprintable() else _escaped(character)
        for character in text[: most + 1]
    )
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def need(octets: bytes, least: int, what: str) -> None:
    """WireError where fewer than `least` octets are there for `what`."""
    if len(octets) < least:
        raise WireError(f"{what} of {len(octets)} octets; it has at least {least}")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
