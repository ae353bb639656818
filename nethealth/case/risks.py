"""Lines of a risk register, scored on the council's own scale, and merged into its register."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nethealth.model.case import Level, Matrix, Risk

COLUMNS = (
    "id", "cause", "event", "consequence", "inherent likelihood", "inherent impact",
    "inherent score", "inherent band", "controls", "residual likelihood", "residual impact",
    "residual score", "residual band", "target likelihood", "target impact", "target score",
    "target band", "owner", "action", "due", "review", "evidence",
)  # fmt: skip
# Worked out from other columns: a merge may write them, since no person did.
_WORKED_OUT = frozenset(
    f"{level} {what}" for level in ("inherent", "residual", "target") for what in ("score", "band")
)

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Merged:
    """The register after a merge: its rows, and what was added, filled in, or left as it was.

    `kept`: (id, column, theirs, ours) where a person had written something else.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    added: tuple[str, ...]
    filled: tuple[tuple[str, str], ...]
    kept: tuple[tuple[str, str, str, str], ...]


def score(level: Level) -> int:
    """Likelihood times impact."""
    return level.likelihood * level.impact


def band(matrix: Matrix, level: Level) -> str:
    """The name of the band that the score falls in."""
    found = score(level)
    for highest, name in zip(matrix.bands, matrix.names, strict=True):
        if found <= highest:
            return name
    return matrix.names[-1]


def rows(risks: Sequence[Risk], matrix: Matrix) -> tuple[Row, ...]:
    """Each risk as a row of text; what is not given is empty."""
    return tuple(_row(risk, matrix) for risk in risks)


def ownerless(risks: Sequence[Risk]) -> tuple[str, ...]:
    return tuple(risk.id for risk in risks if not risk.owner)


def merge(columns: Sequence[str], theirs: Sequence[Row], ours: Sequence[Row]) -> Merged:
    """Put our rows into their register by id: rows added, empty cells filled, none overwritten.

    A row that a person deleted comes back: that it was deleted is not to be seen. Rows and columns
    of theirs that we do not know stay as they are.
    """
    every = (*columns, *(column for column in COLUMNS if column not in columns))
    mine = {row["id"]: row for row in ours}
    merged: list[Row] = []
    filled, kept = [], []
    for row in theirs:
        new = dict.fromkeys(every, "") | dict(row)
        for column, value in mine.pop(row.get("id", ""), {}).items():
            here = new.get(column, "").strip()
            if not value or here == value:
                continue
            if not here or column in _WORKED_OUT:
                new[column] = value
                filled.append((row["id"], column))
            else:
                kept.append((row["id"], column, here, value))
        merged.append(new)
    added = tuple(mine)
    merged += [dict.fromkeys(every, "") | dict(row) for row in mine.values()]
    return Merged(every, tuple(merged), added, tuple(filled), tuple(kept))


def _row(risk: Risk, matrix: Matrix) -> Row:
    row = {
        "id": risk.id, "cause": risk.cause, "event": risk.event, "consequence": risk.consequence,
        "controls": risk.controls or "", "owner": risk.owner or "", "action": risk.action or "",
        "due": risk.due.isoformat() if risk.due else "",
        "review": risk.review.isoformat() if risk.review else "",
        "evidence": "; ".join(risk.evidence),
    }  # fmt: skip
    levels = (("inherent", risk.inherent), ("residual", risk.residual), ("target", risk.target))
    for name, level in levels:
        row[f"{name} likelihood"] = str(level.likelihood) if level else ""
        row[f"{name} impact"] = str(level.impact) if level else ""
        row[f"{name} score"] = str(score(level)) if level else ""
        row[f"{name} band"] = band(matrix, level) if level else ""
    return {column: row[column] for column in COLUMNS}
