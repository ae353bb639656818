"""Whether telephony and network disturb each other, in the few words that a summary has.

What was looked for and not found is said as plainly as what was found, and with what it was. A
mechanism for whose judgement too little was seen is neither: it goes to what was not measured.
"""

from collections.abc import Iterable, Sequence
from typing import get_args

from nethealth.model.finding import Direction, Finding, FindingCode, Severity, Verdict
from nethealth.model.measured import vantage_cut_off
from reports.short import short_sites, words_in
from reports.view import View
from reports.words import CODE_TITLES, DIRECTION_WORDS, listed

_SURE = {Verdict.DEMONSTRATED, Verdict.SUPPORTED}
_ACQUITTED = {Verdict.NO_EVIDENCE, Verdict.CONTRADICTED}
_CODES: Sequence[str] = get_args(FindingCode)
# The ways in which telephony and network disturb each other are the first ones of the contract.
_MECHANISMS = frozenset(_CODES[: _CODES.index("slow-port-start") + 1])
_WORDS_MOST = 27


def judged(view: View) -> list[str]:
    """At most 27 words: the direction that is sure, else that none was found, or looked for."""
    if vantage_cut_off(view.record.findings):
        return []
    directed = [finding for finding in view.findings if finding.direction is not None]
    said = _directions(view, directed)
    suggested = [one for one in directed if one.verdict is Verdict.SUGGESTIVE]
    if not said:
        if suggested:
            said = [f"Suggested, not established: {_titles(suggested, 2)}."]
        elif _looked_for(view):
            said = ["No sign was found that telephony and network disturb each other."]
        elif directed:
            said = ["Too little was seen to tell whether telephony and network disturb each other."]
        elif view.record.inventory.site:
            said = ["Whether telephony and network disturb each other was not tested."]
    looked = _looked_for(view)
    for most in (3, 2, 1):
        more = [*said, f"Looked for and not found: {_titles(looked, most)}."]
        if looked and words_in(more) <= _WORDS_MOST:
            return more
    return said


def was_judged(view: View) -> bool:
    """Whether anything at all was said of who disturbs whom."""
    return any(finding.direction is not None for finding in view.findings)


def too_little(view: View) -> list[str]:
    """Which mechanisms were looked at with too little to judge them by."""
    lacking = [
        finding
        for finding in view.findings
        if finding.code in _MECHANISMS and finding.verdict is Verdict.INSUFFICIENT_DATA
    ]
    return [f"Too little to judge: {_titles(lacking, 1)}."] if lacking else []


def _directions(view: View, directed: Sequence[Finding]) -> list[str]:
    """Each direction that is sure, and where, unless it is that of every fault."""
    sure = [
        one
        for one in directed
        if one.verdict in _SURE and one.direction is not Direction.UNDETERMINED
    ]
    directions = list(dict.fromkeys(one.direction for one in sure if one.direction))
    faults = [one for one in view.findings if one.severity is not Severity.INFO]
    all_alike = len({one.direction for one in faults} | set(directions)) == 1
    said = []
    for direction in directions:
        words = DIRECTION_WORDS[direction]
        found = (one.site for one in sure if one.direction is direction)
        sites = list(dict.fromkeys(site for site in found if site is not None))
        if sites and not all_alike:
            words = f"{words.removesuffix('.')} at {short_sites(view, sites)}."
        said.append(words)
    return said


def _looked_for(view: View) -> list[Finding]:
    """Mechanisms that were judged and found nowhere: neither sure nor suggested at any place."""
    found = {one.code for one in view.findings if one.verdict not in _ACQUITTED}
    return [
        one
        for one in view.findings
        if one.code in _MECHANISMS and one.verdict in _ACQUITTED and one.code not in found
    ]


def _titles(findings: Iterable[Finding], most: int) -> str:
    titles = dict.fromkeys(CODE_TITLES[one.code] for one in findings)
    return listed([title[0].lower() + title[1:] for title in titles], most)
