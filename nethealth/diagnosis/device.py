"""What a device said of itself by SNMP, round after round, beside what it said in earlier runs.

A counter is followed from the last value of an earlier run over every round: what it gained is
believed only between two readings that no restart and no wrap divides.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Literal

from nethealth.diagnosis.evidence import Evidence, Host, Place, Round, number
from nethealth.diagnosis.moments import YEARS, aware, dated
from nethealth.model.observation import Observation, Passport, PastValue
from nethealth.quality.counters import Rate, Reading, rate

_INTERVAL_MOST_S = 86_400.0
# IANAifType: ethernetCsmacd, and the older words for faster kinds; null where nothing says.
_ETHERNET = frozenset({6, 62, 69, 117, None})


@dataclass(frozen=True)
class Growth:
    """What one counter gained over the readings that can be compared."""

    increase: int
    watched_s: float
    per_s: float  # the highest rate between two of them
    seen: tuple[Observation, ...]


@dataclass(frozen=True)
class Rated:
    """What one counter gained between two readings of it."""

    from_: datetime
    to: datetime
    per_s: float
    increase: float
    seen: tuple[Observation, ...]


@dataclass(frozen=True, eq=False)
class Device:
    """One host that is read by SNMP, its rounds that were answered, and its past."""

    host: Host
    rounds: tuple[Round, ...]
    past: tuple[PastValue, ...]
    started: datetime

    @property
    def place(self) -> Place:
        return self.host.place

    @property
    def last(self) -> Round:
        return self.rounds[-1]

    @cached_property
    def interfaces(self) -> tuple[str, ...]:
        """Every interface that the last round names, in its order."""
        return tuple(
            dict.fromkeys(
                name
                for seen in self.last.observations
                if isinstance(name := seen.method.get("interface"), str)
            )
        )

    @cached_property
    def ports(self) -> tuple[str, ...]:
        """Those that are sockets of Ethernet: a bundle or a VLAN counts the same frames again."""
        kinds = {
            seen.method.get("interface"): seen.method.get("type")
            for seen in self.last.all("interface_status")
        }
        return tuple(name for name in self.interfaces if kinds.get(name) in _ETHERNET)

    def port(self, interface: str) -> Place:
        """A finding's place at one interface."""
        where = self.place
        return Place(
            f"{where.key}:{interface}", f"port {interface} of {where.name}",
            where.council, where.site, where.asset,
        )  # fmt: skip

    def now(self, name: str, **method: object) -> Observation | None:
        """The last value of this name in the last round that has it."""
        for one in reversed(self.rounds):
            for seen in reversed(one.all(name)):
                if _of(seen.method, method):
                    return seen
        return None

    def all_now(self, name: str) -> tuple[Observation, ...]:
        """Every value of this name in the last round that has any: large tables are read hourly."""
        return next((found for one in reversed(self.rounds) if (found := one.all(name))), ())

    def before(self, name: str, **method: object) -> PastValue | None:
        """The last value of this name in an earlier run."""
        found = (one for one in reversed(self.past) if one.name == name)
        return next((one for one in found if _of(one.method, method)), None)

    def growth(self, stem: str, most_per_s: float | None = None, **method: object) -> Growth | None:
        """What a counter gained; null where no two readings of it can be compared."""
        increase, watched_s, per_s = 0, 0.0, 0.0
        seen: list[Observation] = []
        for one in self.rounds:
            for observation in one.all(f"{stem}_per_s"):
                value = number(observation)
                if value is not None and _of(observation.method, method):
                    per_s = max(per_s, value)
                    increase = max(increase, observation.samples or 0)
                    seen.append(observation)
        between = [
            found
            for earlier, later in pairwise(self._readings(f"{stem}_count", method))
            if isinstance(found := rate(earlier, later, most_per_s=most_per_s), Rate)
        ]
        if not seen and not between:
            return None
        increase = max(increase, sum(found.increase for found in between))
        watched_s = sum(found.interval_s for found in between)
        per_s = max([per_s, *(found.per_s for found in between)])
        counts = (each for one in self.rounds for each in one.all(f"{stem}_count"))
        seen += [each for each in counts if _of(each.method, method)]
        return Growth(increase, watched_s, per_s, tuple(seen))

    def rates(self, stem: str, most_per_s: float | None, **method: object) -> tuple[Rated, ...]:
        """A counter's rate in each interval: between rounds, and between a round's two readings."""
        found = []
        counts = (each for one in self.rounds for each in one.all(f"{stem}_count"))
        seen = {each.t_s: each for each in counts if _of(each.method, method)}
        for earlier, later in pairwise(self._readings(f"{stem}_count", method)):
            if isinstance(one := rate(earlier, later, most_per_s=most_per_s), Rate):
                at = [seen[t_s] for t_s in (earlier.taken_s, later.taken_s) if t_s in seen]
                found.append(
                    Rated(self._at(earlier.taken_s), self._at(later.taken_s), one.per_s,
                          one.increase, tuple(at))
                )  # fmt: skip
        for each in (each for one in self.rounds for each in one.all(f"{stem}_per_s")):
            per_s, gained = number(each), each.samples
            if per_s is None or per_s <= 0 or not gained or not dated(each):
                continue
            if _of(each.method, method) and 0 < gained / per_s < _INTERVAL_MOST_S:
                to_s = each.t_s or 0.0
                found.append(
                    Rated(self._at(to_s - gained / per_s), self._at(to_s), per_s, gained, (each,))
                )
        return tuple(sorted(found, key=lambda one: (one.from_, one.to)))

    def _at(self, since_s: float) -> datetime:
        return self.started + timedelta(seconds=since_s)

    def neighbours(self, interface: str) -> tuple[Observation, ...]:
        return tuple(
            seen
            for seen in self.all_now("neighbour_name")
            if seen.method.get("interface") == interface
        )

    def telephone_at(self, interface: str) -> bool | None:
        """Whether a telephone says to be at that port; null where nobody says anything."""
        found = self.neighbours(interface)
        if not found:
            return None
        return any(is_telephone(seen) for seen in found)

    def routed(self, interface: str) -> bool:
        """Whether a router, and no telephone, says to be at that port."""
        found = self.neighbours(interface)
        return any(_has(seen, "router") for seen in found) and not any(map(is_telephone, found))

    def _readings(self, name: str, method: Mapping[str, object]) -> Iterator[Reading]:
        earlier = self.before(name, **method)
        if earlier is not None and (value := _whole(earlier.value)) is not None:
            since = self.before("uptime_s")
            taken_s = (earlier.time - self.started).total_seconds()
            uptime_s = None
            if since is not None and isinstance(since.value, int | float):
                uptime_s = since.value + (earlier.time - since.time).total_seconds()
            yield Reading(value, taken_s, uptime_s, bits=_bits(earlier.method))
        for one in self.rounds:
            uptime = one.first("uptime_s")
            up_s = None if uptime is None else number(uptime)
            for seen in one.all(name):
                value = _whole(seen.value)
                if value is None or not _of(seen.method, method) or not dated(seen):
                    continue
                taken_s = seen.t_s or 0.0
                uptime_s = None
                if uptime is not None and up_s is not None and dated(uptime):
                    uptime_s = up_s + taken_s - (uptime.t_s or 0.0)
                yield Reading(value, taken_s, uptime_s, bits=_bits(seen.method))


def devices(evidence: Evidence) -> Iterator[Device]:
    """Every host that answered by SNMP in this run."""
    for host in evidence.hosts:
        rounds = tuple(one for series in host.of("snmp") for one in series.rounds if one.answered)
        if rounds:
            started = aware(evidence.record.run.started)
            yield Device(host, rounds, past_of(evidence, host), started)


def past_of(evidence: Evidence, host: Host) -> tuple[PastValue, ...]:
    """What earlier runs saw of a host, oldest first; a damaged record's strange times left out."""
    asset = host.place.asset
    found = [
        replace(one, time=aware(one.time))
        for one in evidence.record.past
        if asset is not None and one.asset == asset and YEARS[0] <= one.time.year < YEARS[1]
    ]
    return tuple(sorted(found, key=lambda one: (one.time, repr(one))))


def is_telephone(neighbour: Observation | PastValue) -> bool:
    """Whether a neighbour says that it is a telephone, by LLDP's capability."""
    return _has(neighbour, "telephone")


def _has(neighbour: Observation | PastValue, capability: str) -> bool:
    capabilities = neighbour.method.get("capabilities")
    return isinstance(capabilities, list | tuple) and capability in capabilities


def _of(method: Passport, wanted: Mapping[str, object]) -> bool:
    return all(method.get(key) == value for key, value in wanted.items())


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _bits(method: Passport) -> Literal[32, 64]:
    return 64 if method.get("bits") == 64 else 32
