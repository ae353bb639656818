"""`diagnose --plan`: what to measure next, in words."""

from typing import TYPE_CHECKING

from nethealth.diagnosis.further import DISTURBANCES, further

if TYPE_CHECKING:
    from nethealth.model.record import Record

_SETTLED_MOST = 6


def planned(record: "Record") -> str:
    """The steps, those that disturb least and take least time first, and what is left to people."""
    found = further(record)
    if not found.steps and not found.by_hand:
        return "Nothing is open: no finding is only suggestive or short of data."
    of = {one.id: one for one in record.findings}
    lines = []
    for number, step in enumerate(found.steps, 1):
        takes = f"{step.takes_s:.0f} s" if step.takes_s < 120 else f"{step.takes_s / 60:.0f} min"
        lines.append(f"{number}. {step.command}")
        lines.append(f"   about {takes}; {DISTURBANCES[step.disturbance]}")
        if step.first is not None:
            lines.append(f"   needs {step.first}")
        lines += [f"   for {id_} ({of[id_].verdict})" for id_ in step.settles[:_SETTLED_MOST]]
        if len(step.settles) > _SETTLED_MOST:
            lines.append(f"   and {len(step.settles) - _SETTLED_MOST} more")
    if found.by_hand:
        lines.append("No command of nethealth settles these with this inventory:")
        for finding in found.by_hand:
            missing = "; ".join(finding.missing) or finding.action
            lines.append(f"   {finding.id} ({finding.verdict}): {missing}")
    return "\n".join(lines)
