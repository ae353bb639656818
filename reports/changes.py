"""What is new, worse or cleared since the run before: all that `--quiet` prints."""

from collections.abc import Sequence
from dataclasses import dataclass

from nethealth.model.finding import Finding
from reports.escape import visible
from reports.words import SEVERITY_WORDS


@dataclass(frozen=True, slots=True)
class Changes:
    """Worst first; `worse` holds each finding as it was and as it is."""

    new: tuple[Finding, ...] = ()
    worse: tuple[tuple[Finding, Finding], ...] = ()
    cleared: tuple[Finding, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.worse or self.cleared)


def compare(previous: Sequence[Finding], current: Sequence[Finding]) -> Changes:
    """Findings matched by id; one is worse when its severity has risen."""
    before = {finding.id: finding for finding in previous}
    now = {finding.id: finding for finding in current}
    return Changes(
        new=_worst_first([finding for key, finding in now.items() if key not in before]),
        worse=tuple(
            (before[finding.id], finding)
            for finding in _worst_first(list(now.values()))
            if finding.id in before and finding.severity.rank > before[finding.id].severity.rank
        ),
        cleared=_worst_first([finding for key, finding in before.items() if key not in now]),
    )


def change_lines(changes: Changes) -> tuple[str, ...]:
    """One line for each change, not yet escaped."""
    return (
        *(f"NEW {_line(finding)} {finding.action}" for finding in changes.new),
        *(
            f"WORSE (was {SEVERITY_WORDS[was.severity].lower()}) {_line(finding)} {finding.action}"
            for was, finding in changes.worse
        ),
        *(f"CLEARED {_line(finding)}" for finding in changes.cleared),
    )


def render_changes(changes: Changes) -> str:
    """One line for each change; the empty string where nothing changed, so that cron stays mute."""
    return "".join(f"{visible(line)}\n" for line in change_lines(changes))


def _line(finding: Finding) -> str:
    return f"{SEVERITY_WORDS[finding.severity].lower()} {finding.id}: {finding.statement}"


def _worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (-finding.severity.rank, finding.id)))
