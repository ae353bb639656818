"""name-addr and addr-spec with their parameters: From, To, Contact (RFC 3261 section 20.10)."""

import re
from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.sip_grammar import (
    WSP,
    Parameter,
    excerpt,
    parameter,
    parameters,
    split,
    unquote,
)

_NAME_ADDR = re.compile(
    r'(?P<name>"(?:[^"\\]|\\.)*"[ \t]*|[^"<]*)<(?P<uri>[^<>]*)>[ \t]*(?P<rest>.*)', re.DOTALL
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


@dataclass(frozen=True, slots=True)
class Address:
    """One address; `uri` is text of any scheme (`parse_uri` reads it), or "*" in a Contact."""

    uri: str
    display_name: str | None = None
    parameters: tuple[Parameter, ...] = ()

    @property
    def tag(self) -> str | None:
        """The tag that names one side of a dialog (section 19.3)."""
        return parameter(self.parameters, "tag")


def parse_address(value: str) -> Address:
    """Read one address and its header parameters.

    A display name that ought to be quoted is taken as it stands (RFC 4475 section 3.1.2.15). A
    bare URI with "?" or "," is a WireError, since nobody can say where it ends (section 20.10).
    """
    value = value.strip(WSP)
    if value == "*":
        return Address("*")
    if "<" in value or value.startswith('"'):
        match = _NAME_ADDR.fullmatch(value)
        if match is None:
            raise WireError(f"not an address: {excerpt(value)}")
        uri, rest = match["uri"], match["rest"]
        if rest and not rest.startswith(";"):
            raise WireError(f"address: {excerpt(rest)} follows the URI")
        name = unquote(match["name"].strip(WSP)) or None
    else:
        uri, semicolon, tail = value.partition(";")
        uri, rest, name = uri.rstrip(WSP), semicolon + tail, None
        if "?" in uri or "," in uri:
            raise WireError(f"address: {excerpt(uri)} must stand in angle brackets")
    if _SCHEME.match(uri) is None:
        raise WireError(f"address: {excerpt(uri)} is not a URI")
    found = parameters(split(rest, ";")[1:], "address") if rest else ()
    return Address(uri, name, found)
