"""What is new, worse or cleared since the run before: all that `--quiet` prints."""

from collections.abc import Sequence
from dataclasses import dataclass

from nethealth.model.finding import Finding, Severity
from nethealth.model.record import Record
from reports.escape import visible
from reports.groups import alike, thing
from reports.view import View, natural
from reports.words import SEVERITY_WORDS

NAMES_MAX = 20  # in one line


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


def change_lines(changes: Changes, view: View) -> tuple[str, ...]:
    """One line for each change, or for all that are alike at one site; not yet escaped.

    `view`: of the run that is compared, for the names of its sites.
    """
    lines = [f"NEW {_line(group, view)} {group[0].action}" for group in alike(changes.new)]
    for severity in (Severity.WARNING, Severity.INFO):  # what was a warning is critical now
        risen = [now for was, now in changes.worse if was.severity is severity]
        was = SEVERITY_WORDS[severity].lower()
        lines += [
            f"WORSE (was {was}) {_line(group, view)} {group[0].action}" for group in alike(risen)
        ]
    lines += [f"CLEARED {_line(group, view)}" for group in alike(changes.cleared)]
    return tuple(lines)


def render_changes(changes: Changes, record: Record) -> str:
    """The lines of the changes; the empty string where nothing changed, so that cron stays mute."""
    if not changes:
        return ""
    return "".join(f"{visible(line)}\n" for line in change_lines(changes, View(record)))


def _line(group: Sequence[Finding], view: View) -> str:
    first = group[0]
    severity = SEVERITY_WORDS[first.severity].lower()
    if len(group) == 1 or first.site is None:
        return f"{severity} {first.id}: {first.statement}"
    names = ", ".join(map(thing, group[:NAMES_MAX]))
    left = f" and {len(group) - NAMES_MAX:,} more" if len(group) > NAMES_MAX else ""
    site = view.site_name(first.site)
    return f"{severity} {first.code} at {site}: {len(group):,}: {names}{left}."


def _worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(
        sorted(findings, key=lambda finding: (-finding.severity.rank, natural(finding.id)))
    )
