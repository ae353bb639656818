"""MGCP: the first line of a command or a response. RFC 3435 section 3 (and RFC 2705)."""

import re
from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.octets import printable

GATEWAY_PORT = 2427
AGENT_PORT = 2727
_LINE_MAX = 512
_COMMAND = re.compile(rb"([A-Za-z]{4})[ \t]+(\d{1,9})[ \t]+(\S{1,320})[ \t]+MGCP[ \t]+(\d+\.\d+)")
_RESPONSE = re.compile(rb"(\d{3})[ \t]+(\d{1,9})(?:[ \t].*)?$")
# RFC 3435 section 3.2.1.1, and MESG of RFC 3660.
VERBS = frozenset({"EPCF", "CRCX", "MDCX", "DLCX", "RQNT", "NTFY", "AUEP", "AUCX", "RSIP", "MESG"})


@dataclass(frozen=True, slots=True)
class MgcpCommand:
    """A command: its verb, the endpoint it is for, and the version, such as `1.0`."""

    verb: str
    transaction: int
    endpoint: str
    version: str


@dataclass(frozen=True, slots=True)
class MgcpResponse:
    """A response by its code (RFC 3435 section 2.4)."""

    code: int
    transaction: int


def parse(octets: bytes) -> MgcpCommand | MgcpResponse:
    """What a datagram begins with; several messages in one (section 3.5.4) give the first."""
    line = re.split(rb"[\r\n]", octets[: _LINE_MAX + 1].lstrip(b"\r\n"), maxsplit=1)[0]
    if command := _COMMAND.match(line):
        verb = command[1].decode("ascii").upper()
        # Verbs may be extended: those that begin with X are experimental (section 3.2.1.1).
        if verb in VERBS or verb.startswith("X"):
            version = command[4].decode("ascii")
            return MgcpCommand(verb, int(command[2]), printable(command[3]), version)
    if (response := _RESPONSE.match(line)) and line[:1] in b"012345689":
        return MgcpResponse(int(response[1]), int(response[2]))
    raise WireError(f"no MGCP begins {printable(line, 20)!r}")
