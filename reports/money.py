"""Pounds and shares in words; nothing is rounded but what is shown."""

from nethealth.model.case_result import Range

_PENCE_BELOW = 10.0


def pounds(value: float) -> str:
    """`£1,234`, `−£1,234`, and with pence below ten pounds."""
    sign = "−" if round(value, 2) < 0 else ""
    size = abs(value)
    return f"{sign}£{size:,.2f}" if 0 < size < _PENCE_BELOW else f"{sign}£{size:,.0f}"


def pence(value: int) -> str:
    """`£1,234.05`."""
    return f"£{value // 100:,}.{value % 100:02}"


def pounds_range(value: Range) -> str:
    """`£400 to £2,000, central £1,000`, or one figure where all three are alike."""
    if value.low == value.high:
        return pounds(value.central)
    return f"{pounds(value.low)} to {pounds(value.high)}, central {pounds(value.central)}"


def plain(value: float) -> str:
    """A figure as it was written: `0.25`, `1,924`, `59.2`."""
    return f"{value:,.10g}"


def figured(value: float) -> str:
    """A figure that was worked out, to four digits: `70,984`, `0.3156`."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
