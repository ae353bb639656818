"""A terminal as one full screen with keys, and as it was before however that ends."""

import contextlib
import os
import re
import select
import termios
import tty
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from nethealth.cli.watch_view import Line, Style

# The alternate screen, no cursor, no wrapping at the right edge (xterm's control sequences).
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
_LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"  # one update, shown at once where that is known
_STYLES: dict[Style, str] = {"plain": "", "head": "\x1b[1m", "dim": "\x1b[2m"}
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|.)?", re.DOTALL)  # arrows and the like
_SMALLEST = os.terminal_size((20, 5))


class Terminal:
    """`keys` is read without echo and line by line no more; only changed lines are written."""

    def __init__(self, keys: int, screen: int, *, bold: bool = True) -> None:
        self.keys = keys
        self._screen = screen
        self._bold = bold
        self._before: list[Any] | None = None
        self._blocking = True
        self._shown: list[Line] = []
        self._size = _SMALLEST

    def __enter__(self) -> Self:
        self.enter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines as they are now."""
        try:
            size = os.get_terminal_size(self._screen)
        except OSError:
            return self._size
        return os.terminal_size((max(size[0], _SMALLEST[0]), max(size[1], _SMALLEST[1])))

    def enter(self) -> None:
        """Take the screen; a second time it does nothing."""
        if self._before is not None:
            return
        self._before = termios.tcgetattr(self.keys)
        # An event loop may set the keys not to block (uvloop does), and with them the screen, and
        # with both the shell's own, which all stand for one open file.
        self._blocking = os.get_blocking(self.keys)
        try:
            tty.setcbreak(self.keys)
            mode = termios.tcgetattr(self.keys)
            mode[0] &= ~termios.IXON  # Ctrl-S would stop our writing, and with it the measuring
            termios.tcsetattr(self.keys, termios.TCSADRAIN, mode)
            self._shown = []
            self._write(_ENTER)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Give the screen back, with its keys as they were; a second time it does nothing."""
        before, self._before = self._before, None
        if before is None:
            return
        with contextlib.suppress(OSError):  # it hung up: there is nothing to give back
            self._write(_LEAVE)
        with contextlib.suppress(termios.error, OSError):
            os.set_blocking(self.keys, self._blocking)
            if not self._in_background():
                termios.tcsetattr(self.keys, termios.TCSADRAIN, before)

    def read_keys(self) -> str | None:
        """The letters that were typed, without keys that send a sequence; None at the end of it."""
        try:
            typed = os.read(self.keys, 64)
        except (BlockingIOError, InterruptedError):
            return ""
        except OSError:
            return None
        return _SEQUENCE.sub(b"", typed).decode("ascii", errors="replace") if typed else None

    def draw(self, lines: Sequence[Line]) -> None:
        """Show these lines, one for each of the screen; those that stand there are left alone."""
        if self._before is None:
            return
        parts = []
        if self.size != self._size:
            self._size, self._shown = self.size, []
            parts.append("\x1b[2J")
        for row, line in enumerate(lines):
            if row >= len(self._shown) or self._shown[row] != line:
                style = _STYLES[line.style] if self._bold else ""
                parts.append(f"\x1b[{row + 1};1H{style}{line.text}\x1b[0m")
        if parts:
            self._write(_BEGIN + "".join(parts) + _END)
            self._shown = list(lines)

    def _in_background(self) -> bool:
        """Whether a shell has the terminal: its modes are the shell's, and touching them stops us.

        A terminal that does not control this process has no background.
        """
        try:
            return os.tcgetpgrp(self.keys) != os.getpgrp()
        except OSError:
            return False

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", errors="replace")
        while data:
            try:
                data = data[os.write(self._screen, data) :]
            except BlockingIOError:
                select.select([], [self._screen], [])
