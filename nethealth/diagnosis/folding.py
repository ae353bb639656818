"""One cause, one finding: what a cause explains is named among its symptoms.

What a host that is silent, or whose path loses packets, cannot help showing is taken out of the
findings. What people notice stays a finding of its own, and is named under its cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from nethealth.diagnosis.reachability import Silence
from nethealth.model.finding import Finding, FindingCode, Refutation, Verdict

_SURE = frozenset({Verdict.DEMONSTRATED, Verdict.SUPPORTED})
_OF_SILENCE = frozenset({"service-down", "sip-down", "call-failed", "dns-failure", "sensor-silent"})
_OUTAGES = frozenset({"site-outage", "host-down", "sensor-silent"})
_PATH: frozenset[FindingCode] = frozenset(
    {"packet-loss", "high-delay", "queueing-delay", "no-wan-qos"}
)
# Where they rest on a question that was sent again or lost, and so are information only.
_RESENT = frozenset({"sip-overload", "sip-down", "dns-failure"})


# What a mechanism that is supported explains at its site while it lasts. Of these the first is what
# it was seen by, and no finding of its own; the others stay, since each may have more causes.
_SEEN_BY: Mapping[FindingCode, frozenset[FindingCode]] = {
    "registration-avalanche": frozenset({"sip-overload"}),
}
_SUFFERED: frozenset[FindingCode] = frozenset({"packet-loss", "high-delay", "poor-voice-quality"})
_IN_STORMS: frozenset[FindingCode] = frozenset({*_SUFFERED, "broadcast-sensitive-phones"})
_BROUGHT_ABOUT: Mapping[FindingCode, frozenset[FindingCode]] = {
    "call-load": frozenset({*_PATH, "poor-voice-quality"}),
    "keepalive-reset": frozenset({"registration-avalanche"}),
    # Faults of a whole LAN; one port's duplex, or one address, is no matter of its site.
    "phone-loop": frozenset({*_IN_STORMS, "broadcast-storm"}),
    "phone-power-loop": frozenset({*_IN_STORMS, "broadcast-storm"}),
    "broadcast-storm": _IN_STORMS,
    "spanning-tree-change": _SUFFERED,
    "multicast-flood": _SUFFERED,
    "unknown-unicast-flood": _SUFFERED,
    "firmware-wave": frozenset({*_PATH, "poor-voice-quality"}),
    "dscp-misuse": frozenset({"poor-voice-quality"}),
}
_AGAINST_MOST = 3
_TOLERANCE = timedelta(seconds=60)  # between the clocks of two sources


def folded(found: Sequence[Finding], silent: Sequence[Silence]) -> list[Finding]:
    """All findings of a record, each under what explains it."""
    return after_heat(_after_mechanisms(_fold_path(_fold_silence(found, silent))))


def _after_mechanisms(found: Sequence[Finding]) -> list[Finding]:
    """Name under a supported mechanism what it explains at its site and in its time.

    The same trouble at another time, which it cannot have made, stands among what speaks against.
    """
    causes = [
        finding
        for finding in found
        if finding.verdict in _SURE and (finding.code in _SEEN_BY or finding.code in _BROUGHT_ABOUT)
    ]
    under: dict[str, set[str]] = {finding.id: set() for finding in causes}
    gone = set()
    for finding in found:
        for cause in causes:
            seen_by = finding.code in _SEEN_BY.get(cause.code, ())
            if _meets(cause, finding) and (
                seen_by or finding.code in _BROUGHT_ABOUT.get(cause.code, ())
            ):
                under[cause.id].add(finding.id)
                gone |= {finding.id} if seen_by else set()
    return [
        replace(
            finding,
            symptoms=tuple(sorted({*finding.symptoms, *under[finding.id]})),
            refutations=(*finding.refutations, *_against(finding, found)),
        )
        if finding.id in under
        else finding
        for finding in found
        if finding.id not in gone
    ]


def _against(cause: Finding, found: Sequence[Finding]) -> tuple[Refutation, ...]:
    """The trouble that a cause explains, at its site while it was not there."""
    apart = [
        other
        for other in found
        if other.code in _SUFFERED & _BROUGHT_ABOUT.get(cause.code, frozenset())
        and other.verdict in _SURE
        and cause.site is not None
        and other.site == cause.site
        and not _meets(cause, other)
    ]
    return tuple(
        Refutation(
            "Is there the same trouble at other times?",
            f"yes: {other.id}, {other.from_:%Y-%m-%d %H:%M} to {other.to:%Y-%m-%d %H:%M} UTC",
        )
        for other in apart[:_AGAINST_MOST]
    )


def _meets(cause: Finding, finding: Finding) -> bool:
    """Whether a finding is of the site of a cause, and of its time as far as clocks can tell."""
    return (
        cause.site is not None
        and cause.site == finding.site
        and cause.id != finding.id
        and finding.from_ <= cause.to + _TOLERANCE
        and cause.from_ - _TOLERANCE <= finding.to
    )


def after_heat(found: Sequence[Finding]) -> list[Finding]:
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
    resent = finding.code in _RESENT and finding.verdict is Verdict.INSUFFICIENT_DATA
    whole = same_site and cause.asset is None
    return resent and cause.code == "packet-loss" and (whole or _key(cause) == _key(finding))


def _key(finding: Finding) -> str:
    return finding.id.partition(":")[2]
