"""One supervised peer: its own process group, a recorded command line, a log, a way to stop it."""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Protocol = Literal["udp", "tcp"]
_TCP_LISTEN = "0A"


class PeerError(RuntimeError):
    """The peer did not start, or ended by itself; the message holds its command line and log."""


class Process:
    """A running peer, leader of its own process group.

    The first line of `log` is the command line as it could be typed; the peer's own output
    follows.  `prefix` goes before the command, for instance `("ip", "netns", "exec", name)`,
    which replaces itself by the command, so that the pid is the peer's own.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.argv = (*prefix, *argv)
        self.log = log
        with log.open("wb") as output:
            output.write(f"$ {shlex.join(self.argv)}\n".encode())
            output.flush()
            self._popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else {**os.environ, **env},
                cwd=cwd,
                start_new_session=True,
            )
        self.pid = self._popen.pid
        self._born = _start_time(self.pid)

    def output(self) -> str:
        """All that stands in the log so far."""
        return self.log.read_text(errors="replace")

    def running(self) -> bool:
        """Whether the leader is alive."""
        return self._popen.poll() is None

    def is_bound(self, protocol: Protocol, port: int) -> bool:
        """Whether any socket of the peer's network namespace is bound to (or listens on) `port`."""
        for family in ("", "6"):
            table = Path(f"/proc/{self.pid}/net/{protocol}{family}")
            try:
                lines = table.read_text().splitlines()[1:]
            except OSError:  # no IPv6, or the peer has just ended
                continue
            for line in lines:
                _, local, _, state, *_ = line.split()
                if int(local.rpartition(":")[2], 16) == port and (
                    protocol == "udp" or state == _TCP_LISTEN
                ):
                    return True
        return False

    def wait_until(self, ready: Callable[[], bool], *, timeout_s: float = 15.0) -> None:
        """Return as soon as `ready()`; raise PeerError if the peer ends first, or time is over."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.running():
                raise PeerError(f"ended with {self._popen.returncode} before it was ready:\n{self}")
            if time.monotonic() > deadline:
                raise PeerError(f"not ready within {timeout_s} s:\n{self}")
            time.sleep(0.02)

    def wait_bound(self, protocol: Protocol, port: int, *, timeout_s: float = 15.0) -> None:
        """Return as soon as `port` is bound in the peer's network namespace."""
        self.wait_until(lambda: self.is_bound(protocol, port), timeout_s=timeout_s)

    def wait(self, *, timeout_s: float) -> int:
        """The exit status, once the peer has ended by itself."""
        return self._popen.wait(timeout=timeout_s)

    def stop(self, *, grace_s: float = 3.0) -> None:
        """Stop the whole group: SIGTERM, after `grace_s` SIGKILL; harmless if it has ended.

        The group outlives a leader that has ended, so it is always signalled, but only while
        the leader is not yet reaped or its pid has not been given to somebody else.
        """
        if self._popen.returncode is None:
            self._signal(signal.SIGTERM)
            try:
                self._popen.wait(timeout=grace_s)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self._popen.wait(timeout=10)
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        born = _start_time(self.pid)
        if born is not None and born != self._born:
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def __str__(self) -> str:
        return f"{shlex.join(self.argv)}\n{self.output()[-4000:]}"


@contextmanager
def running(
    argv: Sequence[str],
    *,
    log: Path,
    prefix: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    bound: tuple[Protocol, int] | None = None,
) -> Iterator[Process]:
    """A peer for the length of a block; `bound` is the port that must be open before it begins."""
    process = Process(argv, log=log, prefix=prefix, env=env, cwd=cwd)
    try:
        if bound is not None:
            process.wait_bound(*bound)
        yield process
    finally:
        process.stop()


def _start_time(pid: int) -> str | None:
    """The kernel's start time of `pid` in clock ticks: with the pid it names one process for good.

    Field 22 of /proc/PID/stat (proc(5)); the second field may itself hold spaces and brackets.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()[19]
