"""From a record to its findings: one cause, one finding."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from nethealth.diagnosis.alg import sip_rewritten
from nethealth.diagnosis.call import call_findings
from nethealth.diagnosis.delay import high_delays
from nethealth.diagnosis.estate import unowned_assets
from nethealth.diagnosis.evidence import Evidence, gather
from nethealth.diagnosis.fragments import fragments_dropped
from nethealth.diagnosis.heat import overheating
from nethealth.diagnosis.instrument import instrument_limits
from nethealth.diagnosis.lines import clock_slips, poe_budgets
from nethealth.diagnosis.loss import packet_losses
from nethealth.diagnosis.marks import marks_changed
from nethealth.diagnosis.mtu import path_mtu_black_holes
from nethealth.diagnosis.names import name_failures
from nethealth.diagnosis.nat import short_bindings
from nethealth.diagnosis.owners import address_conflicts
from nethealth.diagnosis.ports import duplex_mismatches
from nethealth.diagnosis.provider import provider_losses
from nethealth.diagnosis.queueing import queues
from nethealth.diagnosis.reachability import Silence, silences, vantage_silence
from nethealth.diagnosis.security import clear_text_snmp, obsolete_security
from nethealth.diagnosis.service import expiring_certificates, services_down
from nethealth.diagnosis.sip import sip_findings
from nethealth.diagnosis.streams import stream_marks
from nethealth.diagnosis.switching import (
    multicast_floods,
    slow_port_starts,
    spanning_tree_changes,
    storms,
)
from nethealth.diagnosis.telemetry import silent_sensors
from nethealth.diagnosis.voice import poor_voice
from nethealth.model.finding import Finding, Verdict
from nethealth.model.record import Record

_FAMILIES: Sequence[Callable[[Evidence], Iterator[Finding]]] = (
    packet_losses,
    high_delays,
    call_findings,  # before what ping suggests of the same host
    poor_voice,
    queues,
    name_failures,
    services_down,
    expiring_certificates,
    sip_findings,
    obsolete_security,
    path_mtu_black_holes,
    marks_changed,
    stream_marks,
    sip_rewritten,
    fragments_dropped,
    short_bindings,
    clear_text_snmp,
    overheating,
    silent_sensors,
    duplex_mismatches,
    clock_slips,
    poe_budgets,
    spanning_tree_changes,
    storms,
    multicast_floods,
    slow_port_starts,
    address_conflicts,
)
# What a host that is silent or whose path loses packets cannot help showing.
_SURE = frozenset({Verdict.DEMONSTRATED, Verdict.SUPPORTED})
_OF_SILENCE = frozenset({"service-down", "sip-down", "call-failed", "dns-failure", "sensor-silent"})
_OUTAGES = frozenset({"site-outage", "host-down", "sensor-silent"})
_PATH = frozenset({"packet-loss", "high-delay", "queueing-delay", "no-wan-qos"})


def judge(record: Record) -> tuple[Finding, ...]:
    """All findings of a record, worst first, from its own contents alone.

    The same record gives the same findings whatever the order of its parts, and findings that it
    already holds are not read. It raises on no record that `nethealth.model.codec` reads.
    """
    evidence = gather(record)
    estate = list(unowned_assets(evidence))
    cut_off = vantage_silence(evidence)
    if cut_off is not None:
        own = record.inventory.vantage.site
        near = [host for host in evidence.hosts if own is not None and host.place.site == own]
        answered = any(host.answered for host in near)
        found = _judge(evidence.only(near)) if answered else []
        return _sorted([cut_off, *found, *estate])
    return _sorted([*_judge(evidence), *instrument_limits(evidence), *estate])


def _judge(evidence: Evidence) -> list[Finding]:
    found = [finding for family in _FAMILIES for finding in family(evidence)]
    found += provider_losses(evidence, found)
    silent = list(silences(evidence))
    return _after_heat(_fold_path(_fold_silence(found, silent)))


def _after_heat(found: Sequence[Finding]) -> list[Finding]:
    """Name what fell silent at a site among the symptoms of its heat, which came first.

    The silence stays a finding: the heat was seen, and that it was the cause was not.
    """
    return [
        replace(
            finding,
            symptoms=tuple(
                sorted(
                    other.id
                    for other in found
                    if other.code in _OUTAGES and other.site == finding.site
                )
            ),
        )
        if finding.code == "overheating" and finding.site and finding.verdict in _SURE
        else finding
        for finding in found
    ]


def _fold_silence(found: Sequence[Finding], silent: Sequence[Silence]) -> list[Finding]:
    """Take what a silence explains out of the findings, and name it among its symptoms."""
    parents: Mapping[str, int] = {
        host.place.key: index for index, silence in enumerate(silent) for host in silence.hosts
    }
    symptoms: list[list[str]] = [[] for _ in silent]
    kept = []
    for finding in found:
        code, _, key = finding.id.partition(":")
        # A site may bear the same id as an asset: what is said of a site is no host's symptom.
        of_site = finding.site is not None and finding.asset is None and key == finding.site
        if code in _OF_SILENCE and key in parents and not of_site:
            symptoms[parents[key]].append(finding.id)
        else:
            kept.append(finding)
    for silence, explained in zip(silent, symptoms, strict=True):
        if silence.finding.code == "site-outage":
            explained += [f"host-down:{host.place.key}" for host in silence.hosts if host.pings]
        kept.append(replace(silence.finding, symptoms=tuple(sorted(explained))))
    return kept


def _fold_path(found: Sequence[Finding]) -> list[Finding]:
    """Name the poor voice of a lossy or slow path among its symptoms, and fold what was resent.

    The poor voice stays a finding, since it is what people on the telephone notice. A SIP
    question that had to be sent again is what a lossy path does, and says nothing of the server.
    """
    causes = [finding for finding in found if finding.code in _PATH and finding.verdict in _SURE]
    symptoms: dict[str, list[str]] = {finding.id: [] for finding in causes}
    kept = []
    for finding in found:
        by = [cause for cause in causes if _explains(cause, finding)]
        for cause in by:
            symptoms[cause.id].append(finding.id)
        if not by or finding.code == "poor-voice-quality":
            kept.append(finding)
    return [
        replace(finding, symptoms=tuple(sorted(symptoms[finding.id])))
        if symptoms.get(finding.id)
        else finding
        for finding in kept
    ]


def _explains(cause: Finding, finding: Finding) -> bool:
    same_site = cause.site is not None and cause.site == finding.site
    if finding.code == "poor-voice-quality":
        return same_site or _key(cause) == _key(finding)
    # Information only: a question was sent again or lost, over a path that loses packets.
    resent = (
        finding.code in {"sip-overload", "dns-failure"}
        and finding.verdict is Verdict.INSUFFICIENT_DATA
    )
    whole = same_site and cause.asset is None
    return resent and cause.code == "packet-loss" and (whole or _key(cause) == _key(finding))


def _key(finding: Finding) -> str:
    return finding.id.partition(":")[2]


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Worst first, then by id; of two with one id, which only a damaged record gives, the first."""
    once = {finding.id: finding for finding in reversed(list(findings))}
    return tuple(sorted(once.values(), key=lambda one: (-one.severity.rank, one.id)))
