"""Lengths of time as people write them."""

import re

import click

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Duration(click.ParamType):
    """Seconds, or a number with s, m, h or d."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)([smhd]?)", str(value).strip())
        if match is None or float(match[1]) <= 0:
            self.fail(f"found {value!r}; allowed: seconds, or 90s, 15m, 8h, 2d", param, context)
        return float(match[1]) * _UNITS[match[2]]
