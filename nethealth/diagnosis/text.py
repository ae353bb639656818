"""Numbers and lists as they stand in a statement."""

from collections.abc import Sequence

from nethealth.model.observation import Interval

_REASON_LENGTH_MOST = 200


def percent(ratio: float) -> str:
    """`0.0123` as `1.2 %`; two decimals below one percent."""
    value = ratio * 100
    return f"{value:.0f} %" if value in {0, 100} else f"{value:.{2 if value < 1 else 1}f} %"


def percent_range(interval: Interval) -> str:
    return f"{percent(interval[0])} to {percent(interval[1])}"


def milliseconds(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:.{0 if value >= 100 else 1}f} ms"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 packet`, `20 packets`."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def listing(items: Sequence[str], most: int = 5) -> str:
    """`a, b and c`; beyond `most` items `a, b, c, d, e and 7 more`."""
    shown = list(items[:most])
    rest = len(items) - len(shown)
    if rest:
        shown.append(f"{rest} more")
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def reason_of(reason: str | None) -> str:
    """A reason as recorded, bounded; it may hold a stranger's words."""
    return (reason or "no reason recorded")[:_REASON_LENGTH_MOST]


def capital(sentence: str) -> str:
    """A capital for the article that may begin a sentence; an identifier keeps its letters."""
    return f"T{sentence[1:]}" if sentence.startswith("the ") else sentence
