"""Record one interface by two dumpcaps: signalling whole, everything else at header length.

dumpcap is the small program that Debian lets members of its group `wireshark` capture with, so
that nothing else here needs the privilege.
"""

import hashlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from nethealth.model.recording import File, Part, Source
from nethealth.passive.slices import Link, Slice, Slices

KERNEL_BUFFER_MB = 4  # for each filter
_READY_S = 15.0
_STOP_S = 15.0
_POLL_S = 0.1
_CHUNK = 1 << 20
_LINKS: dict[str, Link] = {"EN10MB": "ethernet", "RAW": "raw"}
_COUNTS = re.compile(r"Packets received/dropped on interface .*: (\d+)/(\d+) \(")
_NUMBER = re.compile(r"_(\d{5,})_\d{14}\.pcapng$")


class RecordError(RuntimeError):
    """Recording cannot begin; the message says what was found and what to do."""


@dataclass(frozen=True, slots=True)
class Ring:
    """At most `files` files of `megabytes` each for signalling, and as many for headers."""

    files: int
    megabytes: int


def dumpcap_path() -> Path:
    """The absolute path of dumpcap, or RecordError with the cure."""
    found = shutil.which("dumpcap")
    if found is None:
        raise RecordError(
            "dumpcap is not installed: apt-get install wireshark-common (tshark brings it)"
        )
    return Path(found).resolve()


def link_of(interface: str) -> Link:
    """What frames of the interface begin with; RecordError if it is not there or not understood."""
    done = subprocess.run(  # noqa: S603 - no shell, an absolute path
        (str(dumpcap_path()), "-M", "-L", "-i", interface),
        capture_output=True, text=True, errors="replace", check=False, timeout=30,
    )  # fmt: skip
    if done.returncode != 0:
        raise RecordError(_why(done.stderr, interface))
    names = [line.split("\t")[1] for line in done.stdout.splitlines() if line.count("\t") >= 2]
    for name in names:
        if name in _LINKS:
            return _LINKS[name]
    raise RecordError(
        f"{interface}: its frames are {', '.join(names) or 'of no known kind'}; allowed: an "
        "Ethernet interface or a tunnel, by its own name"
    )


@dataclass
class _Process:
    name: Literal["signalling", "headers"]
    slices: Sequence[Slice]
    stem: Path
    popen: "subprocess.Popen[bytes]"
    log: IO[bytes]

    def words(self) -> str:
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")


@dataclass
class Recorder:
    """One recording: `start`, `wait`, `stop`; the files lie in `folder`, named from `stem`."""

    interface: str
    folder: Path
    stem: str
    slices: Slices
    ring: Ring
    most_s: float
    _running: list[_Process] = field(default_factory=list)

    def start(self) -> None:
        """Return when both processes capture; RecordError, with nothing left running, if not."""
        try:
            self._launch("signalling", self.slices.signalling)
            self._launch("headers", self.slices.headers)
            for process in self._running:
                self._await(process)
        except BaseException:
            for process in self._running:
                process.popen.kill()
                process.popen.wait()
                process.log.close()
            raise

    def wait(self, stopping: Callable[[], bool], for_s: float) -> None:
        """Return when the time is over, `stopping()` says so, or a process has ended."""
        end_s = time.monotonic() + for_s
        while time.monotonic() < end_s and not stopping():
            if any(process.popen.poll() is not None for process in self._running):
                return
            time.sleep(_POLL_S)

    def stop(self) -> tuple[Part, ...]:
        """End both, and say what each recorded."""
        early = [process for process in self._running if process.popen.poll() is not None]
        for process in self._running:
            if process not in early:
                process.popen.send_signal(signal.SIGINT)
        return tuple(self._ended(process, process in early) for process in self._running)

    def _launch(self, name: Literal["signalling", "headers"], chosen: Sequence[Slice]) -> None:
        stem = self.folder / f"{self.stem}-{name}"
        command = [str(dumpcap_path()), "-q", "-w", f"{stem}.pcapng"]
        for one in chosen:
            command += ["-i", self.interface, "-f", one.filter, "-s", str(one.octets)]
            command += ["-B", str(KERNEL_BUFFER_MB)]
        command += [
            "-b",
            f"filesize:{self.ring.megabytes * 1000}",
            "-b",
            f"files:{self.ring.files}",
        ]
        # dumpcap's own end, should this process not live to stop it
        command += ["-a", f"duration:{int(self.most_s) + 60}"]
        log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process has ended
        popen = subprocess.Popen(  # noqa: S603 - no shell, an absolute path
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        self._running.append(_Process(name, chosen, stem, popen, log))

    def _await(self, process: _Process) -> None:
        end_s = time.monotonic() + _READY_S
        while "File: " not in process.words():
            if process.popen.poll() is not None or time.monotonic() > end_s:
                raise RecordError(_why(process.words(), self.interface))
            time.sleep(_POLL_S)

    def _ended(self, process: _Process, early: bool) -> Part:
        try:
            process.popen.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.popen.kill()
            process.popen.wait()
        words = process.words()
        process.log.close()
        counts = [(int(received), int(dropped)) for received, dropped in _COUNTS.findall(words)]
        known: list[tuple[int | None, int | None]] = [*counts]
        known += [(None, None)] * (len(process.slices) - len(counts))
        files = sorted(self.folder.glob(f"{process.stem.name}_*.pcapng"))
        first = _NUMBER.search(files[0].name) if files else None
        return Part(
            name=process.name,
            sources=tuple(
                Source(one.filter, one.octets, received, dropped)
                for one, (received, dropped) in zip(process.slices, known, strict=False)
            ),
            files=tuple(File(file.name, file.stat().st_size, _sha256(file)) for file in files),
            overwritten_count=int(first[1]) - 1 if first else 0,
            fault=_why(words, self.interface) if early else None,
        )


def _why(words: str, interface: str) -> str:
    """dumpcap's complaint in a line, with the cure for the one that everybody meets."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("Capturing on", "File:", "Packets"))]
    said = " ".join(told)[:300] or "dumpcap ended without a word"
    if "permission" in said.lower() or "not permitted" in said.lower():
        return (
            f"{interface}: this user may not capture. Run `dpkg-reconfigure wireshark-common`, "
            "answer yes, add the user to the group wireshark and log in again; or record as root"
        )
    return f"{interface}: dumpcap says: {said}"


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
