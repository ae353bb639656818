"""Large tables of a device, at most once an hour: they cost an old switch more than they tell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from nethealth.model.check import Check, SnmpParameters
from nethealth.model.observation import Observation
from nethealth.plan.rounds import base_id

TABLES_EVERY_S = 3600.0
_SIGNS = frozenset({"forwarding_entry_count", "arp_entry_count"})  # that a table was read


class HourlyTables:
    """Which checks may ask for them; times are monotonic, those of earlier runs negative."""

    def __init__(self, last_s: Mapping[str, float] | None = None) -> None:
        """`last_s`: by check without its round, when its tables were last read."""
        self._last_s = dict(last_s or {})

    def due(self, checks: Sequence[Check], now_s: float) -> tuple[Check, ...]:
        """The checks, those of SNMP without the large tables where they are not due."""
        return tuple(self._due(check, now_s) for check in checks)

    def saw(self, observations: Iterable[Observation], now_s: float) -> None:
        """Told what a round saw."""
        for seen in observations:
            if seen.name in _SIGNS:
                self._last_s[base_id(seen.check)] = now_s

    def _due(self, check: Check, now_s: float) -> Check:
        last_s = self._last_s.get(base_id(check.id))
        if not isinstance(check.parameters, SnmpParameters) or last_s is None:
            return check
        due = now_s - last_s >= TABLES_EVERY_S
        return replace(check, parameters=replace(check.parameters, tables_due=due))
