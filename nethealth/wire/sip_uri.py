"""SIP and SIPS URIs (RFC 3261 section 19.1)."""

import re
from dataclasses import dataclass
from typing import Literal

from nethealth.wire.errors import WireError
from nethealth.wire.sip_grammar import HOST, excerpt, uint

# SIP-URI = "sip:" [ userinfo ] hostport uri-parameters [ headers ]; userinfo ends at the last "@"
# before the host, since "/", ";" and "?" may stand in a user part but "@" may not.
_URI = re.compile(
    r"(?P<scheme>sips?):"
    r"(?:(?P<user>[^@\x00-\x20\x7f<>\"]+)@)?"
    rf"(?P<host>{HOST})"
    r"(?::(?P<port>[0-9]{1,10}))?"
    r"(?P<parameters>(?:;[^;?@\x00-\x20\x7f<>\"]+)*)"
    r"(?:\?(?P<headers>[^@\x00-\x20\x7f<>\"]+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SipUri:
    """A SIP URI; escapes stand as received, an IPv6 host without its brackets."""

    scheme: Literal["sip", "sips"]
    host: str
    user: str | None = None  # with the password, if any: userinfo before "@"
    port: int | None = None
    parameters: tuple[tuple[str, str | None], ...] = ()  # names in lower case
    headers: str | None = None  # what follows "?"

    def parameter(self, name: str) -> str | None:
        """The value of the URI parameter `name`; None if it is absent or has no value."""
        return next((value for key, value in self.parameters if key == name), None)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return "".join(
            (
                f"{self.scheme}:",
                f"{self.user}@" if self.user is not None else "",
                host,
                f":{self.port}" if self.port is not None else "",
                *(
                    f";{key}" + (f"={value}" if value is not None else "")
                    for key, value in self.parameters
                ),
                f"?{self.headers}" if self.headers is not None else "",
            )
        )


def parse_uri(text: str) -> SipUri:
    """Read one sip: or sips: URI; any other scheme or form is a WireError (section 19.1.1)."""
    match = _URI.fullmatch(text)
    if match is None:
        raise WireError(f"not a SIP URI: {excerpt(text)}")
    port = match["port"]
    found = []
    for part in match["parameters"].split(";")[1:]:
        name, equals, value = part.partition("=")
        found.append((name.lower(), value if equals else None))
    return SipUri(
        scheme="sips" if match["scheme"].lower() == "sips" else "sip",
        host=match["host"].strip("[]"),
        user=match["user"],
        port=None if port is None else uint(port, "port", 65535),
        parameters=tuple(found),
        headers=match["headers"],
    )


def escaped_user(username: str) -> str:
    """As a user part (section 25.1): what may not stand there becomes %HH."""
    plain = "-_.!~*'()&=+$,;?/"
    return "".join(
        character
        if character.isascii() and (character.isalnum() or character in plain)
        else "".join(f"%{octet:02X}" for octet in character.encode())
        for character in username
    )
