"""TFTP: what is asked for, and how blocks go. RFC 1350, options of RFC 2347 to 2349."""

from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.octets import need, printable

SERVER_PORT = 69
BLOCK_SIZE = 512  # octets, unless an option says otherwise (RFC 2348)
_READ, _WRITE, _DATA, _ACK, _ERROR, _OACK = range(1, 7)
_MODES = ("netascii", "octet", "mail")
_NAME_MAX = 512


@dataclass(frozen=True, slots=True)
class TftpRequest:
    """A file that is asked for (`write` False) or offered. `filename` is escaped and bounded."""

    write: bool
    filename: str
    mode: str
    block_size: int = BLOCK_SIZE


@dataclass(frozen=True, slots=True)
class TftpBlock:
    """Octets of a file (`data_size` of them), or with None the acknowledgement of a block."""

    block: int
    data_size: int | None


@dataclass(frozen=True, slots=True)
class TftpError:
    """An error ends a transfer; an acknowledgement of options is none."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class TftpOptions:
    """The server's acknowledgement of options (RFC 2347)."""

    block_size: int


TftpPacket = TftpRequest | TftpBlock | TftpError | TftpOptions


def parse(octets: bytes) -> TftpPacket:
    """One datagram of a transfer."""
    need(octets, 4, "TFTP packet")
    operation = int.from_bytes(octets[:2], "big")
    if operation in (_READ, _WRITE):
        return _request(octets[2:], write=operation == _WRITE)
    number = int.from_bytes(octets[2:4], "big")
    if operation == _DATA:
        return TftpBlock(number, len(octets) - 4)
    if operation == _ACK:
        return TftpBlock(number, None)
    if operation == _ERROR:
        return TftpError(number, printable(octets[4:].split(b"\0", 1)[0]))
    if operation == _OACK:
        return TftpOptions(_block_size(octets[2:].split(b"\0")))
    raise WireError(f"TFTP operation {operation}")


def _request(octets: bytes, *, write: bool) -> TftpRequest:
    parts = octets[: _NAME_MAX + 128].split(b"\0")
    if len(parts) < 3 or not parts[0]:
        raise WireError("TFTP request without a name and a mode, each ended by a NUL")
    mode = parts[1].decode("ascii", "replace").lower()
    if mode not in _MODES:
        raise WireError(f"TFTP mode {printable(parts[1], 20)!r}")
    return TftpRequest(write, printable(parts[0]), mode, _block_size(parts[2:]))


def _block_size(options: list[bytes]) -> int:
    for name, value in zip(options[::2], options[1::2], strict=False):
        if name.lower() == b"blksize" and value.isdigit() and len(value) <= 5:
            return int(value)
    return BLOCK_SIZE
