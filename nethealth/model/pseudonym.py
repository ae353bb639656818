"""Who called whom stays unknown: names and numbers become tokens before anything keeps them.

A token is the same for the same person as long as the key is the same, so that calls can still be
counted by caller. Without the key nobody finds the person by trying every number, as with a plain
hash; with the key destroyed nobody does. Pseudonymised data stays personal data.
"""

import hmac
import re
from base64 import b32encode
from dataclasses import dataclass, field
from typing import Literal, Protocol

KEY_MIN_OCTETS = 16
COUNTRY = "44"  # of a number that begins with a single 0
_TOKEN_CHARACTERS = 12  # 60 bits: two of 100,000 people share one with a chance of 4 in a billion
_SEPARATORS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015]")  # RFC 3966 section 3, and a writer's own
_NUMBER = re.compile(r"\+?[0-9*#]{2,24}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,15}")  # RFC 3986 section 3.1
_HOST_END = re.compile(r"[;?>\s]")
_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
# Within a message: users of URIs; what stands before <…>; the lines of SDP that name somebody.
_URI = re.compile(
    rb"(?i:\b(?P<scheme>sips?|tel|im|pres|h323):)(?P<user>[^@\s<>\";]{1,256})(?P<at>@?)"
)
_DISPLAY_NAME = re.compile(
    rb"(?m)(?P<before>^[A-Za-z\-]{1,64}[ \t]*:[ \t]*|,[ \t]*)"
    rb"(?P<name>\"[^\"\r\n]{1,256}\"|[^\s<>,:;\"][^\r\n<>,:;\"]{0,255}?)(?P<after>[ \t]*<)"
)
_SDP_NAMES = re.compile(rb"(?m)^(?P<before>o=|[seiup]=)(?P<name>[^\r\n]*)")

Kind = Literal["number", "name"]


class Names(Protocol):
    """What stands in a record for a person's name, number or address."""

    def user(self, text: str) -> str:
        """For the user part of a URI, a login, or a telephone number in any notation."""
        ...

    def uri(self, text: str) -> str:
        """For a URI or an address: scheme, host and port stay, the user and all the rest do not."""
        ...

    def octets(self, data: bytes) -> bytes:
        """For a SIP message kept as evidence: no user, no name, and no body but SDP stays."""
        ...


@dataclass(frozen=True, slots=True)
class Revealed:
    """Everything as it came; only where somebody gave a reason for it."""

    def user(self, text: str) -> str:
        return text

    def uri(self, text: str) -> str:
        return text

    def octets(self, data: bytes) -> bytes:
        return data


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Tokens by HMAC-SHA-256 (RFC 2104) under one engagement's key.

    A key of fewer than 16 octets is a ValueError.
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < KEY_MIN_OCTETS:
            raise ValueError(f"the key has {len(self.key)} octets; allowed: {KEY_MIN_OCTETS} up")

    @property
    def key_id(self) -> str:
        """Tells two keys apart, and nothing of either."""
        return hmac.digest(self.key, b"key", "sha256").hex()[:12]

    def user(self, text: str) -> str:
        number = e164(text)
        if number is not None:
            return self._token("number", number)
        name = text.strip().casefold()
        return self._token("name", name) if name else text

    def uri(self, text: str) -> str:
        scheme, colon, rest = text.strip().partition(":")
        if not colon or not _SCHEME.fullmatch(scheme):
            scheme, colon, rest = "", "", text.strip()
        prefix = f"{scheme.lower()}{colon}"
        if scheme.lower() == "tel":
            return prefix + self.user(rest)
        user, at, host = rest.rpartition("@")
        if not at and not prefix:
            return self.user(rest)
        who = f"{self.user(_login(user))}@" if at else ""
        return prefix + who + _HOST_END.split(host, maxsplit=1)[0]

    def octets(self, data: bytes) -> bytes:
        end = _EMPTY_LINE.search(data)
        head, body = (data[: end.end()], data[end.end() :]) if end else (data, b"")
        head = _DISPLAY_NAME.sub(self._display_name, head)
        head = _URI.sub(self._uri_user, head)
        sdp = body.startswith(b"v=0")
        return head + (_SDP_NAMES.sub(self._sdp_name, body) if sdp else b"")

    def _display_name(self, match: "re.Match[bytes]") -> bytes:
        return match["before"] + self._quoted(match["name"].strip(b'"')) + match["after"]

    def _uri_user(self, match: "re.Match[bytes]") -> bytes:
        if not match["at"] and match["scheme"].lower() != b"tel":
            return match[0]  # the URI of a host
        user = _login(match["user"].decode("utf-8", "backslashreplace"))
        return match["scheme"] + b":" + self.user(user).encode() + match["at"]

    def _sdp_name(self, match: "re.Match[bytes]") -> bytes:
        if match["before"] != b"o=":
            return match["before"] + b"-"
        user, space, rest = match["name"].partition(b" ")
        return b"o=" + (user if user == b"-" else self._octets(user)) + space + rest

    def _quoted(self, name: bytes) -> bytes:
        return b'"' + self._octets(name) + b'"'

    def _octets(self, text: bytes) -> bytes:
        return self.user(text.decode("utf-8", "backslashreplace")).encode()

    def _token(self, kind: Kind, text: str) -> str:
        digest = hmac.digest(self.key, f"{kind}:{text}".encode(), "sha256")
        return f"{kind}-{b32encode(digest).decode().lower()[:_TOKEN_CHARACTERS]}"


def e164(text: str) -> str | None:
    """A telephone number in one notation, whatever it was written in; None if it is none.

    `+44 1223 000000`, `0044…` and `01223 000000` are one number (ITU-T E.123, E.164); an extension
    stays as it is.
    """
    bare = _SEPARATORS.sub("", text.partition(";")[0])
    if not _NUMBER.fullmatch(bare):
        return None
    if bare.startswith("00"):
        return "+" + bare[2:]
    if bare.startswith("0") and len(bare) >= 10:
        return f"+{COUNTRY}{bare[1:]}"
    return bare


def _login(user: str) -> str:
    """The user part without its password and its parameters (RFC 3261 section 19.1.1)."""
    return user.partition(":")[0].partition(";")[0]
