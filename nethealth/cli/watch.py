"""`nethealth check TARGET --watch`: rounds without an end, shown as they come, until a key."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace

from nethealth.cli.exits import usage
from nethealth.cli.session import Once, Order, measure
from nethealth.cli.terminal import Terminal
from nethealth.cli.watch_view import render
from nethealth.model.inventory import Inventory
from nethealth.model.ports import Clock
from nethealth.model.privacy import Privacy
from nethealth.model.pseudonym import Names
from nethealth.model.record import Instrument, Record
from nethealth.plan import TargetError, WatchPlan, plan_watch
from nethealth.store import Store
from nethealth.sweep import SweepSummary
from nethealth.sweep.watching import WatchLoop
from nethealth.watch import Watch
from nethealth.watch.record import observations, results
from probes.icmp_socket import why_unavailable

REDRAW_S = 0.25  # the least time between two drawings; the clock of the view goes by seconds
INTERVAL_S = 1.0
INTERVAL_LIMITS_S = (0.2, 60.0)
NEEDS_TERMINAL = (
    "--watch shows a live view, and needs a terminal for its keys and its screen, which {what} is "
    "not. Without one `nethealth check {target}` measures once, and `nethealth sweep --every 60s "
    "--for 8h` goes on by itself"
)


def check_terminal(target: str) -> None:
    """End with a usage error where no view can be shown."""
    for what, stream in (("standard input", sys.stdin), ("standard output", sys.stdout)):
        if not stream.isatty():
            usage(NEEDS_TERMINAL.format(what=what, target=target))
    if os.environ.get("TERM", "dumb") == "dumb":
        usage(NEEDS_TERMINAL.format(what='TERM "dumb"', target=target))


def watch(
    target: str,
    inventory: Inventory | None,
    store: Store | None,
    *,
    interval_s: float,
    options: Mapping[str, str],
    names: Names,
    privacy: Privacy | None,
) -> Record:
    """Watch until q, Ctrl-C or a signal; the judged record of what was shown last."""
    low, high = INTERVAL_LIMITS_S
    if not low <= interval_s <= high:
        usage(f"--interval: found {interval_s:g} s; allowed: {low:g} to {high:g} seconds")
    try:
        plan = plan_watch(
            target,
            inventory,
            interval_s=interval_s,
            options=options,
            echo=why_unavailable(4) is None,
        )
    except TargetError as error:
        usage(str(error))
    bold = not os.environ.get("NO_COLOR")
    terminal = Terminal(sys.stdin.fileno(), sys.stdout.fileno(), bold=bold)
    show = _Show(Watch(target, plan.checks, interval_s), plan, terminal)
    order = Order(
        kind="check",
        inventory=inventory or Inventory(),
        checks=plan.checks,
        progress=False,
        names=names,
        privacy=privacy,
        drive=show.drive,
        drive_interval_s=interval_s,
        stopping=show.close,
    )
    with terminal:
        return measure(order, store)


class _Show:
    """Keys in, frames out, and the rounds between them."""

    def __init__(self, watch: Watch, plan: WatchPlan, terminal: Terminal) -> None:
        self._watch = watch
        self._plan = plan
        self._terminal = terminal
        self._now: Callable[[], float] = lambda: 0.0
        self._stop = asyncio.Event()
        self._due = asyncio.Event()
        self._closed_s: float | None = None
        self._fault: Exception | None = None

    async def drive(
        self, once: Once, clock: Clock, stop: asyncio.Event, start_s: float
    ) -> SweepSummary:
        """Run the rounds; the summary whose results are what the watch has counted."""
        self._now = lambda: clock.monotonic_s() - start_s
        self._stop = stop
        rounds = WatchLoop(
            checks=self._plan.checks,
            every_s=self._plan.every_s,
            keeper=self._watch,
            clock=clock,
            stop=stop,
            changed=self._due.set,
        )
        loop = asyncio.get_running_loop()
        loop.add_reader(self._terminal.keys, self._key)
        loop.add_signal_handler(signal.SIGWINCH, self._due.set)
        loop.add_signal_handler(signal.SIGTSTP, self._suspend)
        loop.add_signal_handler(signal.SIGHUP, self._finish)
        drawing = asyncio.create_task(self._draw())
        drawing.add_done_callback(lambda _: self._finish())
        try:
            last = await rounds.run(once)
        finally:
            loop.remove_reader(self._terminal.keys)
            for number in (signal.SIGWINCH, signal.SIGTSTP, signal.SIGHUP):
                loop.remove_signal_handler(number)
            drawing.cancel()
            await asyncio.wait({drawing})
        if self._fault is not None:
            raise self._fault
        return self._summary(rounds, last)

    def close(self) -> None:
        """Count no more, show that once, and give the screen back at once: a second signal may
        end the process on the spot.
        """
        if self._closed_s is None:
            self._closed_s = self._now()
            self._watch.close()
            try:
                self._frame(self._closed_s)
            except Exception as error:  # noqa: BLE001 - raised again once the screen is given back
                self._fault = error
        self._terminal.leave()

    def _finish(self) -> None:
        self.close()
        self._stop.set()

    def _key(self) -> None:
        typed = self._terminal.read_keys()
        for key in "q" if typed is None else typed.lower():  # gone: what was measured is kept
            match key:
                case "q":
                    self._finish()
                case "p":
                    self._watch.paused = not self._watch.paused
                case "r":
                    self._watch.reset(self._now())
        self._due.set()

    def _suspend(self) -> None:
        """Ctrl-Z: give the screen back, stand still, and go on where the shell says so."""
        self._terminal.leave()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._terminal.enter()
        self._watch.forget_unfinished()
        self._due.set()

    async def _draw(self) -> None:
        """Draw when something has changed, or another second has begun."""
        while not self._stop.is_set():
            self._due.clear()
            now = self._now()
            try:
                self._frame(now)
            except Exception as error:  # noqa: BLE001 - as above
                self._fault = error
                return
            await asyncio.sleep(REDRAW_S)
            try:
                async with asyncio.timeout(max(0.0, 1.0 - now % 1.0 - REDRAW_S)):
                    await self._due.wait()
            except TimeoutError:
                continue

    def _frame(self, now: float) -> None:
        size = self._terminal.size
        try:
            self._terminal.draw(render(self._watch.view(now), size.columns, size.lines))
        except OSError:  # it hung up; what was measured is kept
            self._stop.set()

    def _summary(self, rounds: WatchLoop, last: SweepSummary | None) -> SweepSummary:
        now = self._now() if self._closed_s is None else self._closed_s
        if self._watch.resets_s:
            listed = ", ".join(f"{at_s:.0f} s" for at_s in self._watch.resets_s[-10:])
            rounds.meters.note(f"the counts were begun anew at {listed} of the watch")
        instrument = last.instrument if last else Instrument()
        notes = dict.fromkeys((*instrument.notes, *rounds.meters.notes))
        return SweepSummary(
            results=results(self._watch),
            observations=observations(self._watch, now),
            instrument=replace(instrument, notes=tuple(notes)),
            interrupted=False,  # a watch has no end of its own that it could have missed
            observed_s=round(now, 6),
            rounds=max(1, rounds.rounds),
        )
