"""The random delay before a sweep under cron, so that no two vantages knock at one moment."""

import asyncio
from random import Random

from nethealth.model.ports import Clock


def draw_offset(random: Random, most_s: float) -> float:
    """Seconds to wait, evenly drawn from 0 to `most_s`, to the millisecond."""
    return round(random.uniform(0, most_s), 3)


async def wait_until(clock: Clock, monotonic_s: float, stop: asyncio.Event) -> bool:
    """Wait for that moment or for `stop`, whichever is first; true if `stop` is not set."""
    sleeping = asyncio.create_task(clock.sleep_until(monotonic_s))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeping.cancel()
        stopping.cancel()
    return not stop.is_set()
