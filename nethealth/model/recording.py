"""The paper that goes with recorded packets: by whose authority, what for, and until when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter, ValidationError

SCHEMA: Literal["nethealth.recording/1"] = "nethealth.recording/1"
SUFFIX = ".recording.json"


@dataclass(frozen=True, slots=True)
class Source:
    """One filter of the recording, and the kernel's and the recorder's own counts for it."""

    filter: str
    octets: int  # kept of each packet
    received_count: int | None = None
    dropped_count: int | None = None


@dataclass(frozen=True, slots=True)
class File:
    name: str
    octets: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Part:
    """What one process recorded; `fault` in words if it ended by itself before its time."""

    name: Literal["signalling", "headers"]
    sources: tuple[Source, ...]
    files: tuple[File, ...]
    overwritten_count: int  # older files of the ring that had to go
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """All of it. Times are UTC; `delete_after` is when the packets have to be gone."""

    authority: str
    purpose: str
    operator: str
    interface: str
    host: str
    started: datetime
    finished: datetime
    delete_after: datetime
    parts: tuple[Part, ...]
    schema: Literal["nethealth.recording/1"] = SCHEMA


_ADAPTER = TypeAdapter(Recording)


def dump(recording: Recording) -> bytes:
    return _ADAPTER.dump_json(recording, indent=2) + b"\n"


def load(text: bytes, *, name: str) -> Recording:
    """Read such a paper; ValueError with the first fault."""
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ValueError(f"{name}: {where}: {first['msg']}") from None
