"""The record sorted for judging: hosts, their series of measurements, and the rounds of each.

A host is an asset, a site's gateway, or a target that stands in no inventory. A check of a
repeated run comes back as `id#2`, `id#3` …: together these rounds are one series.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite

from nethealth.model.check import CheckResult, ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import Asset, Site
from nethealth.model.observation import Observation
from nethealth.model.record import Record

_ROUND = re.compile(r"#(\d{1,9})\Z")
# A step that ends in one of these was answered by the host: it is up, whatever its service does.
_ANSWERING = frozenset(
    {
        Failure.REFUSED,
        Failure.RESET,
        Failure.TLS,
        Failure.PROTOCOL,
        Failure.AUTH,
        Failure.WRONG_SOURCE,
    }
)
_ANSWERS = (
    "tcp_connect_time_s",
    "sip_status_code",
    "dns_response_code",
    "http_status_code",
    "route_length_hops",
    "path_mtu_bytes",
    "snmp_response_delay_median_s",
    "witness_opening_time_s",
)


@dataclass(frozen=True, slots=True)
class Place:
    """What a finding is about; `key` ends the finding's id, `name` is for a person to read."""

    key: str
    name: str
    council: str | None = None
    site: str | None = None
    asset: str | None = None


@dataclass(frozen=True, eq=False)
class Round:
    """One check as it ran, with what it saw."""

    check: CheckResult
    observations: tuple[Observation, ...]

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[Observation, ...]]:
        found: dict[str, list[Observation]] = defaultdict(list)
        for seen in self.observations:
            found[seen.name].append(seen)
        return {name: tuple(each) for name, each in found.items()}

    def all(self, name: str) -> tuple[Observation, ...]:
        return self._by_name.get(name, ())

    def first(self, name: str) -> Observation | None:
        return next(iter(self.all(name)), None)

    def number(self, name: str) -> float | None:
        """The first value of this name, if it is a finite number."""
        seen = self.first(name)
        return None if seen is None else number(seen)

    def word(self, name: str) -> str | None:
        """The first value of this name, if it is a text."""
        seen = self.first(name)
        return seen.value if seen is not None and isinstance(seen.value, str) else None

    def flag(self, name: str) -> bool | None:
        """The first value of this name, if it is true or false."""
        seen = self.first(name)
        return seen.value if seen is not None and isinstance(seen.value, bool) else None

    @cached_property
    def sent(self) -> int:
        """Echo requests that were sent."""
        return max(0, int(self.number("packets_sent_count") or 0))

    @cached_property
    def received(self) -> int:
        """Echo requests that were answered in time; never more than were sent."""
        return min(self.sent, max(0, int(self.number("packets_received_count") or 0)))

    @property
    def answered(self) -> bool:
        """Whether anything came back from the host."""
        if self.check.probe in {"ping", "stamp", "coexistence"} and self.sent:
            return self.received > 0 or self.check.failure in _ANSWERING
        return self.check.failure in _ANSWERING or any(
            seen.name in _ANSWERS and seen.value is not None for seen in self.observations
        )

    @property
    def tried(self) -> bool:
        """Whether something was sent whose answer can be missed."""
        if self.check.failure in {Failure.RESOLVE, Failure.INTERRUPTED}:
            return False
        if self.check.probe == "ping":
            return self.sent > 0 or self.check.failure is Failure.UNREACHABLE
        if self.check.probe == "snmp" and self.check.failure is Failure.TIMEOUT:
            return self.answered  # a wrong community is met with silence, by a device that is up
        return self.answered or self.check.outcome is Outcome.FAILED


@dataclass(frozen=True, eq=False)
class Series:
    """The rounds of one planned check, in order; those not run or interrupted are left out."""

    id: str
    probe: ProbeKind
    rounds: tuple[Round, ...]


@dataclass(frozen=True, eq=False)
class Host:
    """One thing that was measured."""

    place: Place
    gateway: bool
    series: tuple[Series, ...]

    @cached_property
    def rounds(self) -> tuple[Round, ...]:
        return tuple(one for series in self.series for one in series.rounds)

    @cached_property
    def pings(self) -> tuple[Round, ...]:
        """Rounds of echo requests in which at least one was sent."""
        return tuple(one for one in self.rounds if one.check.probe == "ping" and one.sent)

    @cached_property
    def packets_sent(self) -> int:
        return sum(one.sent for one in self.pings)

    @cached_property
    def attempts(self) -> int:
        """How often an answer could have come: each echo request, each other check."""
        return sum(max(1, one.sent) for one in self.rounds if one.tried)

    @cached_property
    def answered(self) -> bool:
        return any(one.answered for one in self.rounds)

    @cached_property
    def echoes(self) -> bool:
        """Whether it answers echo requests; one that filters them all has no loss to speak of."""
        return any(one.received for one in self.pings)

    @cached_property
    def silent(self) -> bool:
        """Something was sent, and nothing whatever came back."""
        return not self.answered and any(one.tried for one in self.rounds)

    def of(self, *kinds: ProbeKind) -> tuple[Series, ...]:
        return tuple(series for series in self.series if series.probe in kinds)


@dataclass(frozen=True)
class Evidence:
    """All hosts of a record, in the order of their keys."""

    record: Record
    hosts: tuple[Host, ...]
    unmeasured: tuple[CheckResult, ...]  # planned and not run, or ended by a fault of the program

    @cached_property
    def sites(self) -> Mapping[str, tuple[Host, ...]]:
        """Hosts by site; targets that stand in no inventory are in none."""
        by_site: dict[str, list[Host]] = defaultdict(list)
        for host in self.hosts:
            if host.place.site is not None:
                by_site[host.place.site].append(host)
        return {site: tuple(by_site[site]) for site in sorted(by_site)}

    @cached_property
    def groups(self) -> tuple[tuple[Place, tuple[Host, ...]], ...]:
        """What is judged together: the hosts of each site, and each lone target by itself."""
        lone = tuple((host.place, (host,)) for host in self.hosts if host.place.site is None)
        return tuple((self.site_place(site), hosts) for site, hosts in self.sites.items()) + lone

    @cached_property
    def site_facts(self) -> Mapping[str, Site]:
        return {site.id: site for site in self.record.inventory.site}

    @cached_property
    def assets(self) -> Mapping[str, Asset]:
        return {asset.id: asset for asset in self.record.inventory.asset}

    def site_place(self, site: str) -> Place:
        facts = self.site_facts.get(site)
        council = facts.council if facts else self.sites[site][0].place.council
        return Place(site, facts.name if facts else site, council, site)

    @property
    def vantage_place(self) -> Place:
        run = self.record.run
        return Place(run.vantage, f"the measuring machine {run.vantage}")

    def only(self, hosts: Iterable[Host]) -> "Evidence":
        """The same record with these hosts alone."""
        return replace(self, hosts=tuple(hosts))


def number(seen: Observation) -> float | None:
    """The value, if it is a finite number; a bool is none."""
    value = seen.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -1e300 < value < 1e300 and isfinite(value) else None


def decisive_first(rounds: Sequence[Round], names: Sequence[str]) -> list[Observation]:
    """What the rounds saw under these names: of all rounds the first name, then the next.

    A report shows only the beginning of long evidence, so the name that decides comes first.
    """
    return [seen for name in names for one in rounds for seen in one.all(name)]


def gather(record: Record) -> Evidence:
    """Sort a record, whatever the order of its parts and whatever is missing from them."""
    observations: dict[str, list[Observation]] = defaultdict(list)
    for seen in record.observations:
        observations[seen.check].append(seen)
    planned: dict[str, dict[str, list[CheckResult]]] = defaultdict(lambda: defaultdict(list))
    for check in sorted(record.checks, key=_order):
        planned[_host_key(check)][_ROUND.sub("", check.id)].append(check)
    sites = {site.id: site for site in record.inventory.site}
    assets = {asset.id: asset for asset in record.inventory.asset}
    hosts = []
    for key in sorted(planned):
        checks = planned[key]
        place, gateway = _place(sites, assets, key, next(iter(checks.values()))[0])
        series = (_series(base, checks[base], observations) for base in checks)
        hosts.append(Host(place, gateway, tuple(series)))
    return Evidence(
        record=record,
        hosts=tuple(hosts),
        unmeasured=tuple(check for check in sorted(record.checks, key=_order) if _spoilt(check)),
    )


def _series(
    base: str, checks: Sequence[CheckResult], observations: Mapping[str, list[Observation]]
) -> Series:
    return Series(
        id=base,
        probe=checks[0].probe,
        rounds=tuple(
            Round(check, _in_order(observations.get(check.id, ())))
            for check in checks
            if check.outcome is not Outcome.NOT_RUN
            and check.failure is not Failure.INTERRUPTED
            and not _spoilt(check)
        ),
    )


def _place(
    sites: Mapping[str, Site], assets: Mapping[str, Asset], key: str, check: CheckResult
) -> tuple[Place, bool]:
    site = sites.get(check.site or "")
    council = check.council or (site.council if site else None)
    if check.asset is not None:
        asset = assets.get(check.asset)
        gateway = bool(asset and site and site.gateway and asset.address == site.gateway)
        name = (asset.name if asset else None) or check.asset
        return Place(key, name, council, check.site, check.asset), gateway
    if check.site is not None:
        name = f"the gateway of {site.name if site else check.site}"
        return Place(key, name, council, check.site), True
    return Place(key, check.target, council), False


def _host_key(check: CheckResult) -> str:
    base = _ROUND.sub("", check.id)
    return check.asset or base.removesuffix(f":{check.probe}")


def _spoilt(check: CheckResult) -> bool:
    """Not run, or broken off without a failure of the network: it says nothing of the host."""
    if check.failure is not None:
        return False
    return check.outcome is not Outcome.COMPLETED


def _order(check: CheckResult) -> tuple[str, int, str]:
    base = _ROUND.sub("", check.id)
    match = _ROUND.search(check.id)
    return base, int(match[1]) if match else 1, repr(check)


def _in_order(observations: Sequence[Observation]) -> tuple[Observation, ...]:
    ids = {seen.id for seen in observations}
    if len(ids) == len(observations):
        return tuple(sorted(observations, key=lambda seen: (len(seen.id), seen.id)))
    # A damaged record: what has one id is told apart by its content, so that order never matters.
    return tuple(sorted(observations, key=lambda seen: (len(seen.id), seen.id, repr(seen))))
