"""The measurer measured: how late the event loop and the send timer were, and what went wrong."""

from nethealth.model.ports import Clock, NetworkStatistics
from nethealth.model.record import Instrument
from nethealth.quality.sample import Sample

LAG_INTERVAL_S = 0.02


class Meters:
    """Gathers `run.instrument` over one sweep, or over all rounds of a stream."""

    def __init__(self) -> None:
        self.loop_lag_s = Sample()
        self.send_timer_error_s = Sample()
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """Everything noted so far, in order."""
        return tuple(self._notes)

    def note(self, text: str) -> None:
        """Add a note; the same text stands once."""
        self._notes[text] = None

    async def watch_loop(self, clock: Clock) -> None:
        """Until cancelled, take how late the loop wakes a sleeper of LAG_INTERVAL_S."""
        while True:
            due_s = clock.monotonic_s() + LAG_INTERVAL_S
            await clock.sleep_until(due_s)
            self.loop_lag_s.add(clock.monotonic_s() - due_s)

    def instrument(self, statistics: NetworkStatistics) -> Instrument:
        """What the record says of the instrument, the sockets' own losses included."""
        return Instrument(
            loop_lag_p99_s=_rounded(self.loop_lag_s.quantile(0.99)),
            loop_lag_max_s=_rounded(self.loop_lag_s.greatest),
            send_timer_error_p99_s=_rounded(self.send_timer_error_s.quantile(0.99)),
            socket_overflow_count=statistics.socket_overflow_count,
            notes=tuple(dict.fromkeys((*self.notes, *statistics.notes))),
        )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
