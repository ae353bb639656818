"""Slots for packets: each has its own absolute moment, and an idle site saves up no burst."""

from nethealth.model.ports import Clock
from nethealth.quality.sample import Sample


class SitePacer:
    """Hands out slots of 1/`packets_per_s` seconds in the order in which they are asked for.

    `lateness` takes, in seconds, how long after its slot each sleeper woke.
    """

    def __init__(self, clock: Clock, packets_per_s: float, lateness: Sample) -> None:
        self._clock = clock
        self._slot_s = 1 / packets_per_s
        self._next_s = clock.monotonic_s()
        self._lateness = lateness

    async def wait(self, packets: int = 1) -> None:
        """Return when `packets` packets may be sent; the slots after them are then taken."""
        now_s = self._clock.monotonic_s()
        slot_s = max(now_s, self._next_s)
        self._next_s = slot_s + packets * self._slot_s
        if slot_s > now_s:
            await self._clock.sleep_until(slot_s)
            self._lateness.add(self._clock.monotonic_s() - slot_s)
