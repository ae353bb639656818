"""Where a capture's octets come from: files, compressed or not, folders, standard input."""

import stat
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

STDIN = "-"
_PACKED_OCTETS = 1 << 14  # read at one go
_ENDINGS = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz", ".cap.gz")


class SourceError(OSError):
    """A file that cannot be read at all; the message says which, and why."""


class Stream(Protocol):
    def readinto(self, buffer: memoryview, /) -> int | None: ...
    def close(self) -> None: ...


def expand(names: Sequence[str]) -> tuple[str, ...]:
    """The files meant: a folder stands for the captures in it, in the order of their names.

    The same file twice is a SourceError, as it would count every packet twice.
    """
    files: list[str] = []
    for name in names:
        path = Path(name)
        if name != STDIN and path.is_dir():
            inside = sorted(str(each) for each in path.iterdir() if _is_capture(each))
            if not inside:
                raise SourceError(f"{name}: no capture in this folder ({', '.join(_ENDINGS)})")
            files += inside
        else:
            files.append(name)
    if STDIN in files and len(files) > 1:
        raise SourceError("standard input cannot be put in order with other files: read it alone")
    seen: dict[object, str] = {}
    for name in files:
        key = _identity(name)
        if key in seen:
            raise SourceError(f"{name}: the same file as {seen[key]}; it would count twice")
        seen[key] = name
    return tuple(files)


def open_source(name: str) -> Stream:
    """The octets of a file, unpacked; SourceError if it cannot be opened."""
    if name == STDIN:
        return _unpacked(sys.stdin.buffer)
    try:
        return _unpacked(Path(name).open("rb", buffering=0))
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror or error}") from None


def _unpacked(file: IO[bytes]) -> Stream:
    beginning = _peek(file)
    joined = _Joined(beginning, file)
    if beginning[:2] == b"\x1f\x8b":
        return _Gzip(joined)
    return joined


def _peek(file: IO[bytes]) -> bytes:
    found = b""
    while len(found) < 2:
        more = file.read(2 - len(found))
        if not more:
            break
        found += more
    return found


class _Joined:
    """What was read already, then the rest: standard input cannot be rewound."""

    def __init__(self, beginning: bytes, file: IO[bytes]) -> None:
        self._beginning = beginning
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        if self._beginning:
            first, self._beginning = self._beginning, b""
            return first
        return self._file.read(size)

    def readinto(self, buffer: memoryview, /) -> int | None:
        if self._beginning:
            first, self._beginning = self._beginning, b""
            buffer[: len(first)] = first
            return len(first)
        count: int | None = self._file.readinto(buffer)  # type: ignore[attr-defined]
        return count

    def close(self) -> None:
        self._file.close()


class _Gzip:
    """Unpacked on the way (RFC 1952, members one behind the other).

    gzip.GzipFile drops what it had unpacked when it meets damage; here all that is whole comes
    first, then the EOFError or OSError.
    """

    def __init__(self, packed: _Joined) -> None:
        self._packed = packed
        self._member = zlib.decompressobj(wbits=31)
        self._input = b""
        self._fault: EOFError | OSError | None = None

    def readinto(self, buffer: memoryview, /) -> int | None:
        count = 0
        while count < len(buffer) and self._fault is None:
            if self._member.eof:
                self._input = self._member.unused_data
                if not self._more():
                    return count  # the last member was whole
                self._member = zlib.decompressobj(wbits=31)
            elif not self._more():
                self._fault = EOFError("the compressed data are cut short")
                break
            try:
                data = self._member.decompress(self._input, len(buffer) - count)
            except zlib.error as error:
                self._fault = OSError(f"the compressed data are damaged ({error})")
                break
            self._input = self._member.unconsumed_tail
            buffer[count : count + len(data)] = data
            count += len(data)
        if not count and self._fault is not None:
            raise self._fault
        return count

    def _more(self) -> bool:
        """Whether there is input to go on with."""
        if not self._input:
            self._input = self._packed.read(_PACKED_OCTETS)
        return bool(self._input)

    def close(self) -> None:
        self._packed.close()


def _is_capture(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith(_ENDINGS)


def _identity(name: str) -> object:
    if name == STDIN:
        return STDIN
    try:
        found = Path(name).stat()
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror or error}") from None
    if stat.S_ISREG(found.st_mode):
        return found.st_dev, found.st_ino
    return name
