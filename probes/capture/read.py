"""Capture files through all analyses: observations of the one check that reading them is."""

import gc
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nethealth.model.completion import Completion
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Scalar
from nethealth.passive.analysis import Analyser, Fact, Units
from nethealth.passive.announced import MediaBook
from nethealth.passive.engine import Engine
from nethealth.passive.fragments import Fragments
from nethealth.passive.known_headers import KnownHeaders
from nethealth.passive.packets import Packets
from nethealth.passive.series import BIN_S
from probes.capture.ahead import ReadAhead
from probes.capture.analyses import ANALYSES, FILE_UNITS, LAN, MEDIA, PORTS_READ, Shared
from probes.capture.beside import Beside
from probes.capture.loops import EngineError, compiled_engine
from probes.capture.reader import Reader
from probes.capture.result import CaptureRead, FileRead, Row
from probes.capture.sources import SourceError

if TYPE_CHECKING:
    from nethealth.model.pseudonym import Names

EngineName = Literal["auto", "numpy", "numba"]
COMPILED_OCTETS_MIN = 400_000_000  # below it numpy is done before numba is there
_SHARED_MIN = 16_384  # packets of a run; with fewer two threads only wait for each other
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_captures(
    check_id: str,
    files: Sequence[str],
    people: "Names",
    engine: EngineName = "auto",
    bin_s: float = BIN_S,
) -> CaptureRead:
    """Read the files through every analysis; `people` is how the run names them.

    `bin_s`: how wide the bins of series are.

    Raises SourceError where the files cannot be told apart; a file that cannot be read is said in
    the result.
    """
    reader = Reader(files, engine=_engine(engine, files))
    known = KnownHeaders(PORTS_READ)
    runs = ReadAhead(reader, known)
    gc.set_threshold(100_000, 20, 100)  # what is found in thousands of rows has no cycles
    gc.enable()
    shared = Shared(MediaBook(), people, bin_s, known)
    media, lan = ([each.begun(shared) for each in part] for part in (MEDIA, LAN))
    started_ns: int | None = None
    fragments = Fragments()
    for run in runs:
        packets = fragments.joined(run)
        if started_ns is None and len(packets):
            started_ns = int(packets.time_ns[0])
        if len(packets) < _SHARED_MIN:
            _share(deque([*media, *lan]), packets)
            continue
        waiting = deque(lan)
        # numpy holds no interpreter lock while it works: this takes a second processor.
        others = Beside(partial(_share, waiting, packets))
        _share(deque(media), packets)
        _share(waiting, packets)
        others.wait()
    units = dict(FILE_UNITS)
    found: list[list[Fact]] = []
    for analysis, analyser in reversed(list(zip(ANALYSES, (*media, *lan), strict=True))):
        found.append(list(analyser.finish()))
        units |= analysis.units(analyser)
    facts = [*_of_files(reader.files), *(fact for each in reversed(found) for fact in each)]
    return CaptureRead(
        reader.files,
        list(_rows(check_id, facts, units, started_ns)),
        _completion(reader.files),
    )


def _engine(name: EngineName, files: Sequence[str]) -> Engine | None:
    """The compiled loops, where they are asked for or save more than loading them takes."""
    if name == "numpy" or (name == "auto" and _octets(files) < COMPILED_OCTETS_MIN):
        return None
    try:
        engine = compiled_engine()
    except EngineError as error:
        if name == "auto":
            return None
        raise SourceError(f"--engine numba: {error}") from None
    if engine is None and name == "numba":
        raise SourceError("--engine numba: numba is not installed; install nethealth[fast]")
    return engine


def _octets(files: Sequence[str]) -> int:
    """How large the files are together; of what has no size, none."""
    return sum(path.stat().st_size for path in map(Path, files) if path.is_file())


def _share(waiting: deque[Analyser], packets: Packets) -> None:
    """Feed those that nobody has taken yet."""
    while waiting:
        try:
            analyser = waiting.popleft()
        except IndexError:  # the other thread was quicker
            return
        analyser.feed(packets)


def _of_files(files: Sequence[FileRead]) -> Iterator[Fact]:
    for file in files:
        method: dict[str, Scalar | Sequence[Scalar]] = {
            "file": file.name,
            "octets": file.octets,
            "time_digits": file.time_digits,
            "link_types": sorted({each.link_type for each in file.interfaces}),
        }
        if file.reason is not None:
            method["reason"] = file.reason
        yield Fact("capture_file_packet_count", file.packets, method=method)
        for interface in file.interfaces:
            if interface.dropped is not None:
                yield Fact(
                    "capture_dropped_packet_count",
                    interface.dropped,
                    method={"file": file.name, "interface": interface.name},
                )


def _rows(
    check_id: str, facts: Sequence[Fact], units: Units, started_ns: int | None
) -> Iterator[Row]:
    common: dict[str, Scalar | Sequence[Scalar]] = {}
    if started_ns is not None:
        common["capture_started"] = _text(started_ns)
    for number, fact in enumerate(facts, 1):
        since_s = None
        if fact.time_ns is not None and started_ns is not None:
            since_s = (fact.time_ns - started_ns) / 1e9
        yield (
            f"{check_id}/{number}", check_id, fact.name, fact.value, units[fact.name], since_s,
            fact.samples, fact.interval, fact.failure, {**common, **fact.method},
        )  # fmt: skip


def _completion(files: Sequence[FileRead]) -> Completion:
    reasons = "; ".join(f"{file.name}: {_where(file)}" for file in files if file.reason)
    if not any(file.packets for file in files):
        return Completion(Outcome.NOT_RUN, reason=reasons or "there is no packet in it")
    if reasons:
        return Completion(Outcome.FAILED, Failure.PROTOCOL, reasons)
    return Completion(Outcome.COMPLETED)


def _where(file: FileRead) -> str:
    if not file.packets:
        return file.reason or ""
    return f"read up to octet {file.octets}, packet {file.packets}: {file.reason}"


def _text(time_ns: int) -> str:
    """RFC 3339 in UTC, to the nanosecond."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"
