"""A period's figures with its places looked up, and its numbers in words."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cached_property

from nethealth.model.finding import Finding, Severity
from nethealth.model.inventory import Site
from nethealth.model.period_codec import typed
from nethealth.model.period_report import Figure, PeriodReport, Place, Seen
from nethealth.model.record import Record
from reports.document import Mark
from reports.view import View, is_folded, long_date, offset, severity_mark, utc
from reports.words import percent, short_date

_STATES = ("critical", "warning", "none", "info", "ok")


class PeriodView:
    """Read-only look-ups over the period of one record; `view` has those of the record."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.view = View(record)
        self.period: PeriodReport = typed(record.period or {})
        self.seen: dict[str, Seen] = {one.id: one for one in self.period.seen}

    @cached_property
    def sites(self) -> list[Place]:
        """The sites that were measured, worst first."""
        whole = [one for one in self.period.places if one.asset is None and one.site is not None]
        return sorted(whole, key=self._badness)

    @cached_property
    def assets(self) -> list[Place]:
        """Every asset that was measured, worst first."""
        found = [one for one in self.period.places if one.asset is not None]
        return sorted(found, key=lambda one: (_worth(one), one.site or "", one.asset or ""))

    def never_measured(self) -> list[Site]:
        """Sites that were asked about and in which nothing was measured."""
        asked, measured = self.period.asked, {one.site for one in self.sites if one.measured}
        return [
            site for site in self.record.inventory.site
            if site.id not in measured
            and asked.site in (None, site.id) and asked.council in (None, site.council)
        ]  # fmt: skip

    def hours(self) -> int:
        return sum(self.period.hours)

    def findings(self, site: str | None = None) -> list[Finding]:
        """Those to act on, of the whole period or of one site, in the record's order of gravity."""
        return [
            one for one in self.view.findings
            if not is_folded(one) and (site is None or one.site == site)
        ]  # fmt: skip

    def share(self, finding: Finding) -> float:
        """In what share of the runs that looked the finding was made."""
        seen = self.seen.get(finding.id)
        return seen.runs / seen.looked if seen is not None and seen.looked else 0.0

    def lasted(self, finding: Finding) -> bool:
        """Whether it was made in more than a few of the runs that looked."""
        seen = self.seen.get(finding.id)
        return seen is not None and not seen.passing

    def worst(self, site: str | None) -> Finding | None:
        """The gravest finding at a site, of equal ones that which was made oftenest."""
        found = self.findings(site)
        return max(
            found, key=lambda one: (one.severity.rank, self.share(one)), default=None
        )  # fmt: skip

    def mark(self, site: Place | None = None) -> Mark:
        """The gravest finding over the period, of everything or at one site."""
        worst = self.worst(None if site is None else site.site)
        if worst is not None and worst.severity is not Severity.INFO:
            mark = severity_mark(worst.severity)
            return mark if self.lasted(worst) else Mark(mark.kind, f"{mark.word}, passing")
        measured = site.measured if site else sum(one.measured for one in self.sites)
        if not measured:
            return Mark("none", "Not measured")
        return severity_mark(worst.severity) if worst is not None else Mark("ok", "No fault found")

    def where(self, place: Place) -> str:
        if place.asset is not None:
            return self.view.asset_name(place.asset)
        return self.view.site_name(place.site) if place.site is not None else "No site"

    def _badness(self, place: Place) -> tuple[object, ...]:
        worst = self.worst(place.site)
        return (
            _STATES.index(self.mark(place).kind),
            -(self.share(worst) if worst is not None else 0.0),
            *_worth(place),
            self.where(place),
        )


def _worth(place: Place) -> tuple[float, float]:
    """The least available first, then the lossiest; what was not measured before all."""
    answered = place.availability.value
    return (-1.0 if answered is None else answered, -(place.loss.value or 0.0))


def share(figure: Figure) -> str:
    """`99.21 % (98.90 to 99.50)`: a share in per cent with its interval."""
    if figure.value is None:
        return "no data"
    text = fine_percent(figure.value)
    if figure.interval is None:
        return text
    low, high = (f"{100 * bound:.2f}" for bound in figure.interval)
    return f"{text} ({low} to {high})"


def fine_percent(ratio: float) -> str:
    """Two decimals, since most of the figures of a period lie near 0 or 100."""
    return percent(ratio) if ratio in (0, 1) else f"{100 * ratio:.2f} %"


def span_of(days: Sequence[date]) -> str:
    """`24 August 2026 to 21 November 2026`."""
    first, last = days[0], days[-1]
    if first == last:
        return long_date(first)
    return f"{long_date(first)} to {long_date(last)}"


def local_moment(view: View, moment: datetime) -> str:
    """`24 Aug 2026, 00:00 UTC+01:00`, in the vantage's time zone; in UTC where there is none."""
    local = view.local(moment)
    there = utc(moment) if local is None else local[0]
    zone = "UTC" if local is None else offset(there)
    return f"{short_date(there.date())} {there.year}, {there:%H:%M} {zone}"
