"""Files that are read from their beginning to their end, or to where they are damaged."""

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from probes.capture.sources import Stream

STDIN = "-"


class Whole(io.RawIOBase):
    """What is whole of a file, unpacked; `fault` says why there is no more, or is None."""

    def __init__(self, stream: "Stream") -> None:
        self._stream = stream
        self.fault: str | None = None
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        if self._ended:
            return 0
        count = 0
        try:
            count = self._stream.readinto(memoryview(buffer)) or 0
        except (OSError, EOFError) as error:
            self.fault = getattr(error, "strerror", None) or str(error)
        self._ended = not count
        return count


@contextmanager
def opened(name: str) -> Iterator[tuple[BinaryIO, Whole]]:
    """A file, gzipped or not; raises OSError if it cannot be opened."""
    from probes.capture.sources import open_source  # noqa: PLC0415

    with closing(open_source(name)) as stream:
        whole = Whole(stream)
        yield cast(BinaryIO, io.BufferedReader(whole, 1 << 16)), whole


@contextmanager
def to_read_twice(name: str) -> Iterator[str]:
    """The name itself, or for standard input that of a file that holds it for the while."""
    if name != STDIN:
        yield name
        return
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "stdin"
        with held.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield str(held)
