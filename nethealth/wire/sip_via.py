"""Via, the trail by which a response finds its way back (RFC 3261 section 20.42, RFC 3581)."""

import re
from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.sip_grammar import (
    HOST,
    NAME,
    WSP,
    Parameter,
    excerpt,
    parameter,
    parameters,
    split,
    uint,
)

# via-parm = sent-protocol LWS sent-by *( SEMI via-params )
_SENT = re.compile(
    rf"({NAME})[ \t]*/[ \t]*({NAME})[ \t]*/[ \t]*({NAME})"
    rf"[ \t]+({HOST})(?:[ \t]*:[ \t]*([0-9]{{1,10}}))?"
)
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{2,45}")


@dataclass(frozen=True, slots=True)
class Via:
    """One hop; an IPv6 host stands without brackets."""

    transport: str  # upper case: "UDP", "TCP", "TLS"
    host: str
    port: int | None
    parameters: tuple[Parameter, ...] = ()

    @property
    def sent_by(self) -> str:
        """Host and port as the sender wrote them, in lower case (section 18.1.1)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port is None else f"{host}:{self.port}").lower()

    @property
    def branch(self) -> str | None:
        """The transaction's name; "z9hG4bK" at its start says RFC 3261 (section 8.1.1.7)."""
        return parameter(self.parameters, "branch")

    @property
    def received(self) -> str | None:
        """The source address that the next hop saw (section 18.2.1)."""
        value = parameter(self.parameters, "received")
        if value is None:
            return None
        address = value.removeprefix("[").removesuffix("]")
        if _ADDRESS.fullmatch(address) is None:
            raise WireError(f"Via: received is {excerpt(value)}")
        return address

    @property
    def rport(self) -> int | None:
        """The source port that the next hop saw; None if it was only asked for (RFC 3581)."""
        value = parameter(self.parameters, "rport")
        return None if not value else uint(value, "Via: rport", 65535)


def parse_via(value: str) -> Via:
    """Read one hop (section 20.42)."""
    sent, *rest = split(value, ";")
    match = _SENT.fullmatch(sent)
    if match is None:
        raise WireError(f"not a Via: {excerpt(value.strip(WSP))}")
    name, version, transport, host, port = match.groups()
    if name.upper() != "SIP" or version != "2.0":
        raise WireError(f"not a Via of SIP 2.0: {excerpt(value.strip(WSP))}")
    return Via(
        transport=transport.upper(),
        host=host.strip("[]"),
        port=None if port is None else uint(port, "Via: port", 65535),
        parameters=parameters(rest, "Via"),
    )
