"""From a record to its findings: one cause, one finding."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from nethealth.diagnosis.alg import sip_rewritten
from nethealth.diagnosis.avalanche import registration_avalanches
from nethealth.diagnosis.call import call_findings
from nethealth.diagnosis.delay import high_delays
from nethealth.diagnosis.estate import unowned_assets
from nethealth.diagnosis.evidence import Evidence, gather
from nethealth.diagnosis.folding import folded
from nethealth.diagnosis.fragments import fragments_dropped
from nethealth.diagnosis.heat import overheating
from nethealth.diagnosis.instrument import instrument_limits
from nethealth.diagnosis.isdn import isdn_retirements
from nethealth.diagnosis.keepalive import keepalive_resets
from nethealth.diagnosis.lines import clock_slips, poe_budgets
from nethealth.diagnosis.loss import packet_losses
from nethealth.diagnosis.marks import marks_changed
from nethealth.diagnosis.mtu import path_mtu_black_holes
from nethealth.diagnosis.names import name_failures
from nethealth.diagnosis.nat import short_bindings
from nethealth.diagnosis.networks import networks
from nethealth.diagnosis.provider import provider_losses
from nethealth.diagnosis.queueing import queues
from nethealth.diagnosis.reachability import silences, vantage_silence
from nethealth.diagnosis.recordings import recordings
from nethealth.diagnosis.security import clear_text_snmp, obsolete_security
from nethealth.diagnosis.service import expiring_certificates, services_down
from nethealth.diagnosis.sip import sip_findings
from nethealth.diagnosis.streams import stream_marks
from nethealth.diagnosis.switching import slow_port_starts
from nethealth.diagnosis.telemetry import silent_sensors
from nethealth.diagnosis.voice import poor_voice
from nethealth.model.finding import Finding
from nethealth.model.record import Record

_FAMILIES: Sequence[Callable[[Evidence], Iterator[Finding]]] = (
    packet_losses,
    high_delays,
    recordings,
    registration_avalanches,
    keepalive_resets,
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
    networks,
    clock_slips,
    poe_budgets,
    slow_port_starts,
)


def judge(record: Record) -> tuple[Finding, ...]:
    """All findings of a record, worst first, from its own contents alone.

    The same record gives the same findings whatever the order of its parts, and findings that it
    already holds are not read. It raises on no record that `nethealth.model.codec` reads.
    """
    evidence = gather(record)
    estate = [*unowned_assets(evidence), *isdn_retirements(evidence)]
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
    return folded(found, list(silences(evidence)))


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Worst first, then by id; of two with one id, which only a damaged record gives, the first."""
    once = {finding.id: finding for finding in reversed(list(findings))}
    return tuple(sorted(once.values(), key=lambda one: (-one.severity.rank, one.id)))
