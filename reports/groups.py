"""Like findings of one site told as one: forty dead telephones are one thing to act on."""

from collections.abc import Iterable

from nethealth.model.finding import Finding
from reports.escape import clip
from reports.view import NAME_MAX_CHARACTERS


def alike(findings: Iterable[Finding]) -> list[tuple[Finding, ...]]:
    """Findings of one site with the same code, severity, verdict, direction and action together.

    Groups and their members keep the order given. A finding of no site stands by itself.
    """
    groups: dict[tuple[str | None, ...], list[Finding]] = {}
    for each in findings:
        key: tuple[str | None, ...] = (each.id,)
        if each.site is not None:
            key = (each.code, each.site, each.severity, each.verdict, each.direction, each.action)
        groups.setdefault(key, []).append(each)
    return [tuple(group) for group in groups.values()]


def thing(finding: Finding) -> str:
    """What the finding is about: the asset, else what its id ends with."""
    return clip(finding.asset or finding.id.partition(":")[2] or finding.id, NAME_MAX_CHARACTERS)
