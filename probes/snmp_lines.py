"""E1 and T1 lines of a gateway or an old exchange (DS1-MIB, RFC 4805)."""

from collections.abc import Iterator

from nethealth.model.observation import Observation, Passport
from nethealth.model.probe import Observer
from nethealth.protocol import mib
from probes.snmp_reader import Read, Want, number

E1 = Want(tables={"e1-lines": mib.E1_LINES, "e1-seconds": mib.E1_SECONDS, "e1-day": mib.E1_DAY})
_SECONDS = tuple(mib.E1_SECONDS)

UNITS: dict[str, str | None] = {
    "e1_line_status": None,
    "e1_clock_source": None,
    **{f"e1_{name}_seconds_count": "s" for name in _SECONDS},
}


def e1(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    """Alarms and clock of each line, and its bad seconds: those of the quarter hour that runs, and
    of the 24 hours before it (`method.period`)."""
    for index, row in read.rows("e1-lines").items():
        place = {**passport, "line": read.name(index[0] if index else 0)}
        status, clock = number(row.get("status")), number(row.get("clock"))
        if status is not None:
            yield observe("e1_line_status", mib.line_status(status), method=place)
        if clock is not None:
            yield observe("e1_clock_source", mib.E1_CLOCK.get(clock, "unknown"), method=place)
        elapsed = number(row.get("elapsed"))
        for table, method in (
            ("e1-seconds", {**place, "period": "quarter-hour", "elapsed_s": elapsed}),
            ("e1-day", {**place, "period": "day"}),
        ):
            seconds = read.rows(table).get(index, {})
            for name in _SECONDS:
                value = number(seconds.get(name))
                if value is not None:
                    yield observe(f"e1_{name}_seconds_count", value, method=method)
