"""A record with its cross-references looked up once: who stands where, and what was seen of it."""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nethealth.model.check import CheckResult
from nethealth.model.failure import Outcome
from nethealth.model.finding import Finding, FindingCode, Severity, Verdict
from nethealth.model.measured import vantage_cut_off, was_measured
from nethealth.model.observation import Observation
from nethealth.model.record import Record
from reports.document import Mark
from reports.escape import clip
from reports.words import MONTHS, SEVERITY_WORDS

if TYPE_CHECKING:
    from nethealth.model.case_result import CaseResult

NAME_MAX_CHARACTERS = 80
_CODES = get_args(FindingCode)  # within a severity: telephony before network before register
_ROUND = re.compile(r"#[0-9]+\Z")
_DIGITS = re.compile(r"([0-9]+)")
_NOT_FOUND = {Verdict.NO_EVIDENCE, Verdict.CONTRADICTED, Verdict.INSUFFICIENT_DATA}


class View:
    """Read-only look-ups over one record."""

    def __init__(self, record: Record) -> None:
        self.record = record
        inventory = record.inventory
        self._council_names = {council.id: council.name for council in inventory.council}
        self._site_names = {site.id: site.name for site in inventory.site}
        self._asset_names = {asset.id: asset.name for asset in inventory.asset if asset.name}
        self._site_councils = {site.id: site.council for site in inventory.site}
        self.checks = {check.id: check for check in record.checks}
        self.observations = {seen.id: seen for seen in record.observations}
        self.events = {event.id: event for event in record.events}
        self.series: dict[str, list[CheckResult]] = defaultdict(list)
        for check in record.checks:
            self.series[base_id(check.id)].append(check)
        self._seen: dict[str, dict[str, list[Observation]]] = {}
        for observation in record.observations:
            names = self._seen.setdefault(base_id(observation.check), {})
            names.setdefault(observation.name, []).append(observation)
        for check in record.checks:
            if check.site is not None and check.council is not None:
                self._site_councils.setdefault(check.site, check.council)
        self.explained = {symptom for finding in record.findings for symptom in finding.symptoms}
        self.findings = sorted(
            record.findings,
            key=lambda finding: (
                -finding.severity.rank,
                finding.id in self.explained,
                _CODES.index(finding.code),
                natural(finding.id),
            ),
        )

        self._check_ranks: dict[str, int] = {}
        acted_on = [finding for finding in self.findings if not is_folded(finding)]
        for finding in reversed(acted_on):
            for key in finding.evidence:
                if key in self.observations:
                    check_id = base_id(self.observations[key].check)
                    self._check_ranks[check_id] = finding.severity.rank

    @cached_property
    def case(self) -> "CaseResult | None":
        """The business case, in its own shapes."""
        if self.record.case is None:
            return None
        from nethealth.model.case_codec import typed  # noqa: PLC0415 - only where there is a case

        return typed(self.record.case)

    def seen(self, check: str) -> dict[str, list[Observation]]:
        """The observations of a check and of all its rounds, by name, in the record's order."""
        return self._seen.get(base_id(check), {})

    def council_name(self, council: str | None) -> str:
        return clip(self._council_names.get(council or "", council or "No council"), 80)

    def site_name(self, site: str) -> str:
        return clip(self._site_names.get(site, site), NAME_MAX_CHARACTERS)

    def site_council(self, site: str) -> str | None:
        return self._site_councils.get(site)

    def asset_name(self, asset: str) -> str:
        """The register's id, with its name where it has one."""
        name = self._asset_names.get(asset)
        return clip(f"{name} ({asset})" if name else asset, NAME_MAX_CHARACTERS)

    def sites(self) -> list[str]:
        """Every site of the inventory, then those that only a check or finding names."""
        named = [check.site for check in self.record.checks if check.site is not None]
        found = [finding.site for finding in self.record.findings if finding.site is not None]
        return list(dict.fromkeys([*self._site_names, *named, *found]))

    def place(self, finding: Finding) -> str:
        """Where a finding stands, from the asset up to the council."""
        parts = []
        if finding.asset is not None:
            parts.append(self.asset_name(finding.asset))
        if finding.site is not None:
            parts.append(self.site_name(finding.site))
        elif finding.council is not None:
            parts.append(self.council_name(finding.council))
        if parts:
            return ", ".join(parts)
        if finding.code == "instrument-limited":
            return f"the measuring machine {clip(self.record.run.vantage, NAME_MAX_CHARACTERS)}"
        return clip(finding.id.partition(":")[2] or finding.id, NAME_MAX_CHARACTERS)

    def site_checks(self, site: str) -> list[CheckResult]:
        """One check for each series at the site: the worst of its rounds."""
        return [worst_round(rounds) for rounds in self.series.values() if rounds[0].site == site]

    def asset_checks(self, asset: str) -> list[CheckResult]:
        """Every check of the asset, in all its rounds."""
        return self._checks_of.get(asset, [])

    @cached_property
    def _checks_of(self) -> dict[str, list[CheckResult]]:
        found: dict[str, list[CheckResult]] = defaultdict(list)
        for check in self.record.checks:
            if check.asset is not None:
                found[check.asset].append(check)
        return found

    def site_mark(self, site: str) -> Mark:
        """The worst finding at the site; without one, whether anything was measured there."""
        return self._mark(
            [finding for finding in self.findings if finding.site == site], self.site_checks(site)
        )

    def check_rank(self, check: str) -> int:
        """The rank of the worst finding that rests on the check or a round of it; -1 for none."""
        return self._check_ranks.get(base_id(check), -1)

    def mark(self) -> Mark:
        """The state of the whole run."""
        return self._mark(self.findings, self.record.checks)

    def _mark(self, findings: Sequence[Finding], checks: Sequence[CheckResult]) -> Mark:
        severity = max(
            (finding.severity for finding in findings), key=lambda s: s.rank, default=None
        )
        if severity in (Severity.CRITICAL, Severity.WARNING):
            return severity_mark(severity)
        if vantage_cut_off(self.record.findings) or not any(map(was_measured, checks)):
            return Mark("none", "Not measured")
        if severity is Severity.INFO and not all(map(is_folded, findings)):
            return Mark("info", SEVERITY_WORDS[Severity.INFO])
        return Mark("ok", "No fault found")

    def local(self, moment: datetime) -> tuple[datetime, str] | None:
        """The moment in the vantage's time zone and the zone's name; None for UTC or unknown."""
        name = self.record.inventory.vantage.timezone
        if name in ("UTC", "Etc/UTC"):
            return None
        try:
            return utc(moment).astimezone(ZoneInfo(name)), name
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None


def severity_mark(severity: Severity) -> Mark:
    return Mark(severity.value, SEVERITY_WORDS[severity])


def natural(text: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts `phone-9` before `phone-10`."""
    return tuple(
        (int(part), "") if part.isdecimal() and part.isascii() and len(part) < 20 else (-1, part)
        for part in _DIGITS.split(text)
    )


def base_id(check_id: str) -> str:
    """The id without its round: round n of a repeated run carries `#n`."""
    return _ROUND.sub("", check_id)


def worst_round(rounds: Sequence[CheckResult]) -> CheckResult:
    """The round to speak for a series: a failed one before a completed before one not run."""
    order = (Outcome.FAILED, Outcome.COMPLETED, Outcome.NOT_RUN)
    return min(rounds, key=lambda check: order.index(check.outcome))


def is_folded(finding: Finding) -> bool:
    """A mechanism that was judged and not found: one line of a table, not a finding to act on."""
    return (
        finding.severity is Severity.INFO
        and finding.verdict in _NOT_FOUND
        and finding.code != "instrument-limited"
    )


def utc(moment: datetime) -> datetime:
    """The moment in UTC; one without an offset is UTC already, as the contract says."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def long_date(day: date) -> str:
    """`22 November 2026`, whatever the machine's locale."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def long_moment(view: View, when: datetime) -> str:
    """`22 November 2026, 19:03:55 UTC (20:03:55 UTC+01:00, Europe/Paris)`."""
    text = f"{long_date(utc(when))}, {utc(when):%H:%M:%S} UTC"
    local = view.local(when)
    if local is None:
        return text
    there, zone = local
    day = "" if there.date() == utc(when).date() else f"{long_date(there)}, "
    return f"{text} ({day}{there:%H:%M:%S} {offset(there)}, {zone})"


def offset(moment: datetime) -> str:
    """`UTC+01:00`."""
    text = f"{moment:%z}"
    return f"UTC{text[:3]}:{text[3:5]}"
