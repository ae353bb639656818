"""What to do next in few words: for each kind of fault, where, and on how many things."""

from collections.abc import Mapping, Sequence

from nethealth.model.finding import Finding, FindingCode
from reports.short import fits, short_sites, short_thing
from reports.view import View
from reports.words import CODE_TITLES

_ACTION_MAX_WORDS = 24
_ACTION_MAX_CHARACTERS = 200

# The action of each code from a sweep, for one thing and for several.
_STEPS: Mapping[FindingCode, tuple[str, str]] = {
    "site-outage": (
        "ask whether there is power, then test the line with its provider",
        "ask whether there is power, then test the lines with their providers",
    ),
    "host-down": (
        "check the power and the network port of {it}",
        "check the power and the network ports of {many} devices",
    ),
    "packet-loss": ("read the error and discard counters of each interface on the path",) * 2,
    "high-delay": ("measure again at a quiet hour and compare",) * 2,
    "poor-voice-quality": ("make a test call and measure its packets both ways",) * 2,
    "dns-failure": ("ask the same question at another name server",) * 2,
    "service-down": (
        "look at the service and its log on {it}",
        "look at the services and their logs on {many} devices",
    ),
    "certificate-expiry": (
        "renew the certificate of {it}",
        "renew the certificates of {many} devices",
    ),
    "sip-down": (
        "look at the SIP service and its log on {it}",
        "look at the SIP services and their logs on {many} servers",
    ),
    "sip-overload": (
        "read the load and the log of {it}",
        "read the loads and the logs of {many} SIP servers",
    ),
    "sip-malformed": (
        "capture what {it} sends and compare it with what arrives",
        "capture what {many} SIP servers send and compare it with what arrives",
    ),
}


def next_steps(view: View, faults: Sequence[Finding]) -> list[str]:
    """One sentence of at most 40 words for each kind of fault, in the order of the faults."""
    kinds: dict[tuple[str, bool], list[Finding]] = {}
    for finding in faults:
        kinds.setdefault((finding.code, finding.site is None), []).append(finding)
    return [_step(view, group) for group in kinds.values()]


def _step(view: View, group: Sequence[Finding]) -> str:
    first = group[0]
    sites = list(dict.fromkeys(finding.site for finding in group if finding.site is not None))
    if first.code not in _STEPS:
        place = f"{short_sites(view, sites)}: " if sites else ""
        action = " ".join(first.action.split())
        if fits(action, _ACTION_MAX_WORDS, _ACTION_MAX_CHARACTERS):
            return f"{place}{action}"
        return f"{place}see “{CODE_TITLES[first.code]}” below."
    one, several = _STEPS[first.code]
    step = (
        one.replace("{it}", short_thing(first))
        if len(group) == 1
        else several.replace("{many}", f"{len(group):,}")
    ) + "."
    if sites:
        return f"{short_sites(view, sites)}: {step}"
    if "{" in one:  # it names its device, which is all the place there is
        return step[0].upper() + step[1:]
    return f"{short_thing(first)}: {step}" if len(group) == 1 else step[0].upper() + step[1:]
