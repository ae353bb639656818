"""What is silent: the vantage's own link, a whole site, or one host.

The largest silence explains the smaller ones: a silent site is one finding and not forty, and a
measuring machine without a link says nothing of any site.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, decisive_first
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Effect, Finding, Refutation, Verdict
from nethealth.quality.loss import wilson

ATTEMPTS_LEAST = 3  # fewer lost questions in a row are bad luck and no outage
INSIDE_HOSTS_LEAST = 3  # silent hosts behind a live gateway that are one fault and not several
_COUNTS = ("packet_loss_ratio", "packets_sent_count", "packets_received_count", "icmp_error_count")


@dataclass(frozen=True)
class Silence:
    """A finding with the hosts whose own silence it explains."""

    finding: Finding
    hosts: tuple[Host, ...]


def vantage_silence(evidence: Evidence) -> Finding | None:
    """The finding that the vantage itself is cut off, after which no other site is judged.

    So it is where its own gateway is silent and nothing else answered anywhere, or where two or
    more remote sites were measured and every one is silent.
    """
    own = evidence.record.inventory.vantage.site
    tried = [host for host in evidence.hosts if host.answered or host.silent]
    far_hosts = [host for host in tried if host.place.site not in {None, own}]
    remote = {host.place.site for host in far_hosts}
    gateway_silent = any(host.gateway and host.silent and host.place.site == own for host in tried)
    nothing_answered = not any(host.answered for host in tried)
    remote_silent = len(remote) >= 2 and all(host.silent for host in far_hosts)
    silent = [host for host in tried if host.silent]
    if not (own and gateway_silent and nothing_answered) and not remote_silent:
        return None
    if sum(host.attempts for host in silent) < ATTEMPTS_LEAST:
        return None
    machine = evidence.vantage_place
    near = f"its own gateway and {counted(len(silent) - 1, 'other host')}"
    far = f"every one of {counted(len(remote), 'remote site')}"
    rounds = [one for host in silent for one in host.rounds]
    return draft(
        evidence,
        "instrument-limited",
        Place(f"{machine.key}:link", machine.name),
        f"{machine.name} was itself cut off: {far if remote_silent else near} was silent at once. "
        "No other site is judged.",
        rounds=rounds,
        seen=[one.first("packet_loss_ratio") for one in rounds],
        action="Mend the link of the measuring machine.",
        refutations=(
            Refutation(
                "Did anything outside the machine's own site answer?",
                "no"
                if not any(host.answered and host.place.site != own for host in tried)
                else "only targets that stand in no inventory",
            ),
            Refutation("Did anything answer at all?", "no" if nothing_answered else "yes"),
        ),
        missing=("a measurement from a second vantage",),
        alternatives=("a fault at a provider that every measured site shares",),
    )


def silences(evidence: Evidence) -> Iterator[Silence]:
    """Site outages, and hosts that are down where their site is not."""
    for place, hosts in evidence.groups:
        tried = [host for host in hosts if host.answered or host.silent]
        silent = [host for host in tried if host.silent]
        behind = [host for host in silent if not host.gateway]
        whole = len(tried) >= 2 and len(silent) == len(tried)
        inside = len(behind) >= INSIDE_HOSTS_LEAST and all(
            host.gateway for host in tried if host.answered
        )
        attempts = sum(host.attempts for host in silent)
        if place.site and (whole or inside) and attempts >= ATTEMPTS_LEAST:
            yield Silence(_site_outage(evidence, place, tried, silent), tuple(silent))
            continue
        # A gateway that keeps silent while hosts behind it answer only ignores echo requests.
        for host in silent if len(tried) == 1 else behind:
            if host.pings:
                yield Silence(_host_down(evidence, host, tried), (host,))


def _site_outage(
    evidence: Evidence, place: Place, tried: Sequence[Host], silent: Sequence[Host]
) -> Finding:
    alive = [host for host in tried if not host.silent]
    packets = sum(host.packets_sent for host in silent)
    statement = (
        f"{place.name} is silent: none of {counted(len(silent), 'host')} answered "
        f"{counted(packets, 'echo request')} or any other question."
    )
    if alive:
        statement = (
            f"{place.name} is silent behind its gateway: none of {counted(len(silent), 'host')} "
            f"answered, and the gateway did. The line is up; the fault lies inside the site."
        )
    others = [
        evidence.site_place(site).name
        for site, hosts in evidence.sites.items()
        if site != place.site and any(host.answered for host in hosts)
    ]
    gateways = [host for host in tried if host.gateway]
    rounds = [one for host in silent for one in host.rounds]
    return draft(
        evidence,
        "site-outage",
        place,
        statement,
        rounds=rounds,
        seen=decisive_first(rounds, _COUNTS),
        refutations=(
            Refutation("Does the site's gateway answer?", _yes_or_no(gateways)),
            Refutation(
                "Do other sites answer, so that the measuring machine has a link?",
                f"yes: {listing(others)}" if others else "no other site was measured or answered",
            ),
        ),
        missing=() if others else ("another site, or a second vantage, to compare with",),
        alternatives=(
            "a loss of power at the site",
            "a firewall that has begun to drop everything from the measuring machine",
            *_shared_upstream(evidence, place),
        ),
    )


def _host_down(evidence: Evidence, host: Host, tried: Sequence[Host]) -> Finding:
    sent = host.packets_sent
    enough = sent >= ATTEMPTS_LEAST
    neighbours = [other for other in tried if other is not host]
    alive = [other for other in neighbours if other.answered]
    kinds = sorted({one.check.probe for one in host.rounds if one.tried} - {"ping"})
    statement = f"{host.place.name}{_at(evidence, host)} is down: none of {sent} packets returned"
    if not enough:
        statement = (
            f"{host.place.name}{_at(evidence, host)} did not answer {counted(sent, 'packet')}: "
            "too few to call it down"
        )
    return draft(
        evidence,
        "host-down",
        host.place,
        f"{statement}{_icmp(host)}.",
        rounds=host.rounds,
        seen=decisive_first(host.pings, _COUNTS),
        verdict=Verdict.DEMONSTRATED if enough else Verdict.INSUFFICIENT_DATA,
        refutations=(
            Refutation(
                "Does it answer any other probe?",
                f"no: {listing(kinds)} got no answer either" if kinds else "none was tried",
            ),
            Refutation(
                "Do other hosts of the site answer?",
                f"{len(alive)} of {len(neighbours)} do: the site's link is up"
                if alive
                else "no other host was measured or answered",
            ),
        ),
        missing=() if kinds else ("any probe of it other than ping",),
        alternatives=(
            "a host that is switched off on purpose",
            "an address that has changed since the inventory was written",
            "a filter that drops everything from the measuring machine",
        ),
        effect=Effect(estimate=1.0, interval=wilson(sent, sent)),
    )


def _at(evidence: Evidence, host: Host) -> str:
    site = host.place.site
    return f" at {evidence.site_place(site).name}" if site and not host.gateway else ""


def _icmp(host: Host) -> str:
    """What routers on the way had to say of it."""
    told = {
        f"ICMP type {seen.method.get('icmp_type')} code {seen.method.get('icmp_code')} "
        f"from {str(seen.method.get('source'))[:64]}"
        for one in host.pings
        for seen in one.all("icmp_error_count")
        if seen.value and "icmp_type" in seen.method
    }
    return f"; {listing(sorted(told), 3)} came back" if told else ""


def _yes_or_no(gateways: Sequence[Host]) -> str:
    if not gateways:
        return "not measured: the inventory names no gateway"
    return "yes" if any(host.answered for host in gateways) else "no"


def _shared_upstream(evidence: Evidence, place: Place) -> tuple[str, ...]:
    facts = evidence.site_facts.get(place.site or "")
    if facts is None or facts.upstream is None:
        return ()
    shared = [
        evidence.site_place(site).name
        for site, hosts in evidence.sites.items()
        if site != place.site
        and site in evidence.site_facts
        and evidence.site_facts[site].upstream == facts.upstream
        and all(host.silent for host in hosts)
    ]
    if not shared:
        return ()
    return (f"a fault at {facts.upstream}, which also serves {listing(shared)}, silent too",)
