"""Names and findings in few words, none of them cut: what does not fit is said another way."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from nethealth.model.finding import Finding, FindingCode, Severity
from reports.view import NAME_MAX_CHARACTERS, View
from reports.words import CODE_TITLES, count, listed, percent, seconds

NAME_MAX_WORDS = 6
_SITES_MAX_WORDS = 12
_SIZE_MAX = 1e6  # beyond, the record is damaged


def _days(value: float) -> str:
    days = math.floor(abs(value))
    return f"ran out {count(days, 'day')} ago" if value < 0 else f"runs out in {count(days, 'day')}"


# What diagnosis gives as the size of an effect: a share, seconds, a rating, days.
_SIZES: Mapping[FindingCode, Callable[[float], str]] = {
    "packet-loss": percent,
    "high-delay": lambda value: f"{seconds(value)} one way",
    "poor-voice-quality": lambda value: f"R {value:.0f}",
    "certificate-expiry": _days,
}


def words_in(sentences: Iterable[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


def as_many(sentences: Iterable[str], words: int) -> list[str]:
    """As many of the sentences as fit, always the first."""
    kept: list[str] = []
    for sentence in sentences:
        if kept and words_in([*kept, sentence]) > words:
            break
        kept.append(sentence)
    return kept


def in_room(
    parts: Iterable[tuple[str, Iterable[str], int]],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each part with as many of its sentences as its words allow; none that says nothing."""
    kept = ((title, tuple(as_many(sentences, words))) for title, sentences, words in parts)
    return tuple((title, sentences) for title, sentences in kept if sentences)


def by_severity(findings: Iterable[Finding]) -> list[str]:
    """`1 critical`, `2 warnings`, `3 notes`, without those of which there is none."""
    severities = Counter(finding.severity for finding in findings)
    return [
        count(severities[severity], word, many)
        for severity, word, many in (
            (Severity.CRITICAL, "critical", "critical"),
            (Severity.WARNING, "warning", None),
            (Severity.INFO, "note", None),
        )
        if severities[severity]
    ]


def fits(text: str, words: int = NAME_MAX_WORDS, characters: int = NAME_MAX_CHARACTERS) -> bool:
    return 0 < len(text.split()) <= words and len(text) <= characters


def short_site(view: View, site: str) -> str:
    """The site's name, else its id."""
    names = {each.id: each.name for each in view.record.inventory.site}
    return next(filter(fits, (names.get(site, site), site)), "one site")


def short_sites(view: View, sites: Sequence[str]) -> str:
    """The first two names and how many more, in at most twelve words; else how many."""
    for most in (2, 1):
        text = listed([short_site(view, site) for site in sites], most)
        if words_in([text]) <= _SITES_MAX_WORDS:
            return text
    return count(len(sites), "site")


def short_thing(finding: Finding) -> str:
    """The asset's id, or the target that stands in no inventory."""
    about = finding.asset or finding.id.partition(":")[2]
    return about if fits(about) else "one device"


def short_finding(view: View, group: Sequence[Finding]) -> str:
    """Like findings in one sentence of at most 25 words: what, how many or how much, and where."""
    first = group[0]
    title = CODE_TITLES[first.code]
    if first.site is None:
        where = short_thing(first)
    else:
        where = short_site(view, first.site)
        if len(group) > 1:
            return f"{title}: {len(group):,} at {where}."
        if first.asset is not None:
            where = f"{short_thing(first)}, {where}"
    size = _size(first)
    return f"{title} at {where}: {size}." if size else f"{title}: {where}."


def _size(finding: Finding) -> str:
    if finding.effect is None or finding.code not in _SIZES:
        return ""
    value = finding.effect.estimate
    return _SIZES[finding.code](value) if abs(value) < _SIZE_MAX else ""
