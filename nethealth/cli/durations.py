"""Lengths of time as people write them."""

import re

import click

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """An option's text in seconds: plain, or a number with s, m, h or d."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)([smhd]?)", value.strip())
    if match is None or float(match[1]) <= 0:
        raise click.BadParameter(
            f"found {value!r}; allowed: seconds, or 90s, 15m, 8h, 2d", context, parameter
        )
    return float(match[1]) * _UNITS[match[2]]
