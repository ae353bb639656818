"""Obsolete security: versions of TLS that RFC 8996 withdrew, and SNMP in clear text.

A risk, never the cause of a disturbance: it has no direction.
"""

from collections.abc import Iterator
from dataclasses import replace

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place
from nethealth.diagnosis.text import listing
from nethealth.model.finding import Finding, Refutation, Severity
from nethealth.model.observation import Observation

_OLD = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")
_CURRENT = ("TLSv1.2", "TLSv1.3")
_NAMES = ("tls_versions_accepted", "tls_version")


def obsolete_security(evidence: Evidence) -> Iterator[Finding]:
    """One finding for each host that shook hands in an old version, whatever its port."""
    for host in evidence.hosts:
        seen = _handshakes(host)
        accepted = {version for each in seen for version in _versions(each)}
        old = [version for version in _OLD if version in accepted]
        if not old:
            continue
        current = [version for version in _CURRENT if version in accepted]
        better = f"yes: {listing(current)}" if current else "no: it was offered, and not taken"
        yield draft(
            evidence,
            "obsolete-security",
            host.place,
            f"{host.place.name} {'still accepts' if current else 'speaks nothing better than'} "
            f"{listing(old)}.",
            rounds=[series.rounds[-1] for series in host.of("sip", "http") if series.rounds],
            seen=[each for each in seen if set(_versions(each)) & set(_OLD)],
            refutations=(
                Refutation("Does it refuse the old versions?", f"no: {listing(old)} was agreed"),
                Refutation("Does it also speak a current one?", better),
            ),
            alternatives=("a middlebox that shakes hands in its place",),
        )


def clear_text_snmp(evidence: Evidence) -> Iterator[Finding]:
    """One finding, for information, for each device that was asked by SNMPv2c."""
    for host in evidence.hosts:
        seen = [
            each
            for series in host.of("snmp")
            for one in series.rounds[-1:]
            for each in one.all("snmp_security")
            if each.value == "v2c"
        ]
        if not seen:
            continue
        where = host.place
        found = draft(
            evidence,
            "obsolete-security",
            Place(f"{where.key}:snmp", where.name, where.council, where.site, where.asset),
            f"{where.name} is read by SNMPv2c, whose community travels in clear text.",
            rounds=[series.rounds[-1] for series in host.of("snmp") if series.rounds],
            seen=seen,
            action="Give it a user of SNMPv3 that signs and encrypts, where it can.",
            refutations=(Refutation("Was it asked by SNMPv3?", "no: by v2c, as configured"),),
            alternatives=("a network of its own for management, which nobody else can hear",),
        )
        # It is our own question that goes in clear: a note, unless the inventory weighs it.
        weighed = "obsolete-security" in evidence.record.inventory.severity
        yield found if weighed else replace(found, severity=Severity.INFO)


def _handshakes(host: Host) -> list[Observation]:
    """What the last round of each check saw of TLS."""
    return [
        each
        for series in host.of("sip", "http")
        for one in series.rounds[-1:]
        for each in one.observations
        if each.name in _NAMES
    ]


def _versions(seen: Observation) -> list[str]:
    return [part.strip() for part in seen.value.split(",")] if isinstance(seen.value, str) else []
