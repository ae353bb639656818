"""Loss that is the provider's: shared by the sites of one upstream, or there with no load at all.

A telephone system stands at one site. What is lost at once at several sites of one provider, and
at no other, or on an idle line before the site's own gateway, it has no part in.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, Round, decisive_first
from nethealth.diagnosis.loads import BEFORE, BEST_EFFORT, Loaded, loads_of
from nethealth.diagnosis.loss import loss_of
from nethealth.diagnosis.streams import WAYS, streamed, way_losses
from nethealth.diagnosis.text import counted, listing, milliseconds, percent, percent_range
from nethealth.model.finding import Direction, Effect, Finding, Refutation, Verdict
from nethealth.quality.loss import LossStatistics, pool

_LOSS = ("packet_loss_ratio", "packets_lost_count", "packets_sent_count")
SHARING_LEAST = 2


@dataclass(frozen=True, eq=False)
class _Site:
    """One site: its worst loss, of a direction where a stream tells, and what that rests on."""

    place: Place
    hosts: tuple[Host, ...]
    upstream: str | None
    loss: LossStatistics
    rounds: tuple[Round, ...]


def provider_losses(evidence: Evidence, found: Sequence[Finding]) -> Iterator[Finding]:
    """`provider-loss` of each upstream that its sites' losses point at, else of single sites.

    The `packet-loss` of these sites among what was found are its symptoms.
    """
    sites = list(_sites(evidence))
    shared: set[str] = set()
    for upstream, group in _by_upstream(sites).items():
        others = [site for site in sites if site.upstream != upstream]
        if _all_lossy(evidence, group) and _clean(others, group):
            shared.update(site.place.key for site in group)
            yield _symptoms(_of_upstream(evidence, upstream, group, others), group, found)
    for site in sites:
        if site.place.key in shared:
            continue
        others = [other for other in sites if other is not site]
        for one in loads_or_idle(site.hosts):
            if _clean(others, [site]) and _idle_line(evidence, site, one):
                yield _symptoms(_of_site(evidence, site, one, others), [site], found)
                break


def _sites(evidence: Evidence) -> Iterator[_Site]:
    overflow = evidence.record.run.instrument.socket_overflow_count or 0
    for site, hosts in evidence.sites.items():
        facts = evidence.site_facts.get(site)
        upstream = facts.upstream if facts else None
        ways = way_losses(hosts, overflow)
        if ways:
            loss = max(ways.values(), key=lambda one: (one.interval[0], one.ratio))
            yield _Site(evidence.site_place(site), hosts, upstream, loss, streamed(hosts))
        elif echoed := loss_of(hosts, overflow):
            pings = tuple(one for host in hosts if host.echoes for one in host.pings)
            yield _Site(evidence.site_place(site), hosts, upstream, echoed, pings)


def _by_upstream(sites: Sequence[_Site]) -> Mapping[str, list[_Site]]:
    groups: dict[str, list[_Site]] = defaultdict(list)
    for site in sites:
        if site.upstream is not None:
            groups[site.upstream].append(site)
    return {name: group for name, group in groups.items() if len(group) >= SHARING_LEAST}


def _all_lossy(evidence: Evidence, sites: Sequence[_Site]) -> bool:
    """Whether every site is above the limit for sure, and not by its own inside alone."""
    limit = evidence.record.settings.thresholds.loss
    return all(
        site.loss.interval[0] > limit and not _behind_the_gateway(site, limit) for site in sites
    )


def _behind_the_gateway(site: _Site, limit: float) -> bool:
    """Whether the gateway lost clearly less than what lies behind it: the fault is inside."""
    gateway = loss_of([host for host in site.hosts if host.gateway])
    return (
        gateway is not None
        and gateway.interval[1] < site.loss.ratio
        and gateway.interval[0] <= limit
    )


def _clean(others: Sequence[_Site], lossy: Sequence[_Site]) -> bool:
    """Whether the other sites, as one sample, are clearly better: the vantage is not to blame."""
    if not others:
        return False
    return pool(one.loss for one in others).interval[1] < min(one.loss.interval[0] for one in lossy)


def loads_or_idle(hosts: Sequence[Host]) -> Iterator[Loaded]:
    """Each check `coexistence` by one of its loads, or, where none was made, by its idle phase."""
    made = list(loads_of(hosts))
    yield from made
    seen = {id(one.one) for one in made}
    for host in hosts:
        for series in host.of("coexistence"):
            for one in series.rounds[-1:]:
                if id(one) not in seen:
                    yield from (Loaded(host, one, BEFORE, way) for way in WAYS)


def _idle_line(evidence: Evidence, site: _Site, one: Loaded) -> bool:
    """Whether both classes were lossy on the idle line alike, at the gateway too, and on time.

    Packets that are lost while the others come as quickly as ever were not lost in a full queue.
    """
    thresholds = evidence.record.settings.thresholds
    marked = one.loss(one.voice or 0, BEFORE) if one.voice is not None else None
    others = one.loss(BEST_EFFORT, BEFORE)
    variation_s = one.variation_s(BEST_EFFORT, BEFORE)
    if marked is None or others is None or variation_s is None:
        return False
    alike = marked.interval[0] <= others.interval[1] and others.interval[0] <= marked.interval[1]
    lossy = min(marked.interval[0], others.interval[0]) > thresholds.loss
    gateway = _gateway_loss(site)
    before_it = gateway is not None and gateway.interval[0] > thresholds.loss
    return alike and lossy and before_it and variation_s < thresholds.pdv_p99_s


def _gateway_loss(site: _Site) -> LossStatistics | None:
    return loss_of([host for host in site.hosts if host.gateway])


def _of_upstream(
    evidence: Evidence, upstream: str, group: Sequence[_Site], others: Sequence[_Site]
) -> Finding:
    councils = {site.place.council for site in group}
    council = councils.pop() if len(councils) == 1 else None
    said = listing([f"{site.place.name} {_counted(site.loss)}" for site in group])
    pooled = pool(site.loss for site in group)
    idle = [one for site in group for one in loads_or_idle(site.hosts)]
    return draft(
        evidence,
        "provider-loss",
        Place(upstream, upstream, council),
        f"Packets are lost at all {len(group)} sites of {upstream} at once, and at no other: "
        f"{said}. What they share is their provider, and no telephone system.",
        rounds=[one for site in group for one in site.rounds],
        seen=decisive_first([one for site in group for one in site.rounds], _LOSS),
        verdict=Verdict.SUPPORTED,
        direction=Direction.NOT_TELEPHONY,
        refutations=(
            Refutation("Do sites of other providers lose packets at the same time?", _best(others)),
            Refutation("Is it the inside of one site?", _gateways(group)),
            Refutation("Is it there on the idle line, and in both classes?", _idle_words(idle)),
        ),
        missing=(
            "the octet and error counters of the lines' interfaces",
            "a trace `route` to each site, for the hop from which on packets are lost",
        ),
        alternatives=(
            "a router of your own through which only these sites are reached",
            "the same fault at each of these sites by chance",
        ),
        effect=Effect(estimate=pooled.ratio, interval=pooled.interval),
    )


def _of_site(evidence: Evidence, site: _Site, one: Loaded, others: Sequence[_Site]) -> Finding:
    variation_s = one.variation_s(BEST_EFFORT, BEFORE) or 0.0
    gateway = _gateway_loss(site)
    return draft(
        evidence,
        "provider-loss",
        site.place,
        f"The line of {site.place.name} loses packets while nothing of ours loads it: "
        f"{_counted(site.loss)}. Those with the mark of voice fare no worse than the others, "
        "and those that arrive are on time, so that no full queue drops them.",
        rounds=[one.one],
        seen=[
            seen
            for seen in one.one.observations
            if seen.name in (*_LOSS, "pdv_p99_s") and seen.method.get("phase") == BEFORE
        ],
        verdict=Verdict.SUPPORTED,
        direction=Direction.NOT_TELEPHONY,
        refutations=(
            Refutation("Do other sites lose packets at the same time?", _best(others)),
            Refutation("Is it there on the idle line, and in both classes?", _idle_words([one])),
            Refutation(
                "Is it the inside of the site?",
                "not measured" if gateway is None else f"no: its gateway {_counted(gateway)}",
            ),
            Refutation(
                "Does a full queue drop them?",
                f"no: 99 of 100 that came were within {milliseconds(variation_s)} of the quickest",
            ),
        ),
        missing=(
            "the octet counters of the line's interfaces, for what others sent meanwhile",
            "a trace `route` to the site, for the hop from which on packets are lost",
        ),
        alternatives=(
            "the wide-area port of the site's own gateway, or its cable",
            "a policer that drops what is above the contract's rate without a queue",
        ),
        effect=Effect(estimate=site.loss.ratio, interval=site.loss.interval),
    )


def _symptoms(finding: Finding, sites: Sequence[_Site], found: Sequence[Finding]) -> Finding:
    keys = {site.place.site for site in sites}
    losses = [one.id for one in found if one.code == "packet-loss" and one.site in keys]
    return replace(finding, symptoms=tuple(sorted(losses)))


def _counted(loss: LossStatistics) -> str:
    return (
        f"lost {loss.lost} of {counted(loss.sent, 'packet')}, {percent(loss.ratio)} "
        f"(95 % interval {percent_range(loss.interval)})"
    )


def _best(others: Sequence[_Site]) -> str:
    shown = sorted(others, key=lambda one: -one.loss.ratio)
    return "no: " + listing(
        [f"{one.place.name} {one.loss.lost} of {one.loss.sent}" for one in shown]
    )


def _gateways(group: Sequence[_Site]) -> str:
    said = [
        f"the gateway of {site.place.name} lost {loss.lost} of {loss.sent}"
        for site in group
        if (loss := _gateway_loss(site)) is not None
    ]
    return f"no: {listing(said)}" if said else "not measured: no gateway was pinged"


def _idle_words(loads: Sequence[Loaded]) -> str:
    for one in loads:
        marked = one.loss(one.voice, BEFORE) if one.voice is not None else None
        others = one.loss(BEST_EFFORT, BEFORE)
        if marked and others:
            return (
                f"with no load of ours {marked.lost} of {marked.sent} marked packets and "
                f"{others.lost} of {others.sent} others were lost at {one.host.place.name}"
            )
    return "not measured: no check `coexistence` was made"
