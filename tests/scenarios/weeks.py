"""Eight weeks of two sites: what pings read every quarter of an hour, and what telephony did.

The cause is simulated and the readings follow. A site's slowest port (Wi-Fi, 10 Mb/s) carries the
site's own traffic, with the cycle of an office and noise of first order, and what is flooded to it;
what does not fit is lost. Of each quarter of an hour three rounds of twenty echo requests are kept,
so that a loss of a percent is one packet or none: the chance of the sample is in the reading.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from nethealth.diagnosis.attribution.verdicts import History, Series
from nethealth.model.hypothesis import Outcome
from nethealth.model.inventory import Council, Inventory, Site
from nethealth.model.observation import Event
from tests.scenarios.rhythm import Floats, office, wandering

REGISTERED = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday; in winter UTC is local time
DAYS, SLOTS, STEP = 56, 96, timedelta(minutes=15)
LAST_DAY = (REGISTERED + timedelta(days=DAYS - 1)).date()
AFTER = REGISTERED + timedelta(days=DAYS + 1)
PORT_BPS = 10e6
PACKETS = 60  # of a quarter of an hour
INVENTORY = Inventory(
    council=(Council(id="c", name="Council"),),
    site=(Site(id="hall", council="c", name="Hall"), Site(id="barn", council="c", name="Barn")),
)
Added = Callable[[int], float]  # bits a second more at the port, by quarter of an hour


def nothing(_: int) -> float:
    return 0.0


@dataclass
class Weeks:
    """The measured loss and delay of each site, and the events of each kind."""

    seed: int
    added: Mapping[str, Added] = field(default_factory=dict)
    faults: Mapping[str, Added] = field(default_factory=dict)  # loss of the provider's line itself
    happened: Mapping[str, Sequence[int]] = field(default_factory=dict)  # at hall
    usual_share: float = 0.5

    def history(self) -> History:
        read = {site: self._read(site, number) for number, site in enumerate(("hall", "barn"))}

        def outcome(site: str, name: Outcome) -> Series:
            losses, delays = read[site]
            values = losses if name == "packet_loss_ratio" else delays
            return [(REGISTERED + STEP * at, float(value)) for at, value in enumerate(values)]

        def events(kind: str, site: str) -> Sequence[Event]:
            return [
                Event(f"{kind}:{at}", REGISTERED + STEP * at + timedelta(minutes=2), kind, "hall",
                      clock_error_s=1.0)
                for at in self.happened.get(kind, ())
            ]  # fmt: skip

        return History(outcome, events, INVENTORY, "Europe/London")

    def load_bps(self, site: str, number: int) -> Floats:
        """What is offered to the site's slowest port in each quarter of an hour."""
        random = np.random.default_rng((self.seed, number))
        moments = [REGISTERED + STEP * at for at in range(DAYS * SLOTS)]
        busy = np.array([office(moment) for moment in moments])
        noise = np.exp(0.25 * wandering(random, len(busy)))
        more = self.added.get(site, nothing)
        return np.asarray(
            self.usual_share * PORT_BPS * busy * noise
            + np.array([more(at) for at in range(len(busy))]),
            np.float64,
        )

    def _read(self, site: str, number: int) -> tuple[Floats, Floats]:
        random = np.random.default_rng((self.seed, number, 1))
        load = self.load_bps(site, number)
        # Traffic comes in bursts: a port that is busy on average is full for some of the time.
        full = np.clip((load / PORT_BPS - 0.6) / 0.8, 0, 1)
        fault = self.faults.get(site, nothing)
        lost = np.clip(0.25 * full**2 + np.array([fault(at) for at in range(len(load))]), 0, 1)
        losses = random.binomial(PACKETS, lost) / PACKETS
        waits = 0.004 * np.clip(load / PORT_BPS, 0, 0.95) / (1 - np.clip(load / PORT_BPS, 0, 0.95))
        delays = 0.02 + waits + random.gamma(4.0, 0.0002, len(load))
        return losses, np.asarray(delays, np.float64)


def at_times(
    seed: int, *, share_of_days: float = 0.7, per_day: int = 2, first: int = 36, last: int = 64,
    working_days_only: bool = True,
) -> list[int]:  # fmt: skip
    """Moments at random in office hours, on some days none."""
    random = np.random.default_rng((seed, 7))
    found: list[int] = []
    for day in range(DAYS):
        if (working_days_only and day % 7 >= 5) or random.random() >= share_of_days:
            continue
        slots = random.choice(np.arange(first, last), per_day, replace=False)
        found += [day * SLOTS + int(slot) for slot in slots]
    return sorted(found)


def flooding(places: Sequence[int], bps: float, slots: int = 4) -> Added:
    """So many bits a second out of every port for an hour after each of these moments."""
    during = {at + more for at in places for more in range(slots)}
    return lambda at: bps if at in during else 0.0
