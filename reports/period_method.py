"""How a period was measured and worked out, what limits it, and what is missing from it."""

from reports.document import Block, Column, KeyValues, Paragraph, Table
from reports.escape import clip
from reports.period_view import PeriodView, local_moment
from reports.summary import duration
from reports.words import PROBE_WORDS, count, listed, number, percent, seconds, short_date

_ROWS_MOST, _TOLD = 60, 10
PERIOD_WORDS: tuple[Block, ...] = (
    KeyValues((
        ("Answered", "The share of checks that got an answer of any kind. A busy signal is an "
         "answer; silence and a refused connection are none."),
        ("Hours seen", "The share of the period's hours in which at least one check of the site "
         "was made."),
        ("Percentile over the period", "Of all checks of the period: the 95th percentile of delay "
         "is the one that 95 in 100 checks kept below, the 5th of R the one that 95 in 100 "
         "reached."),
        ("Point", "The difference between two percentages: from 2 % to 5 % is 3 points."),
    )),
)  # fmt: skip


def period_method_blocks(of: PeriodView) -> tuple[Block, ...]:
    """Each thing that a reader may ask of the figures."""
    period, settings = of.period, of.record.settings
    zone = period.asked.timezone
    odd = [
        f"{short_date(day)} has {hours} hours"
        for day, hours in zip(period.days[1:-1], period.hours[1:-1], strict=True)
        if hours != 24
    ]
    changed = f" The clock was changed: {listed(odd, 4)}." if odd else ""
    kinds = sorted({check.probe for check in of.record.checks})
    bases = sorted({one.r_basis for one in period.places if one.r_basis is not None})
    limits = settings.thresholds
    pairs = (
        ("Days", f"Whole days from midnight to midnight by the clock of {zone}.{changed} Other "
         "times are in UTC, or say their offset."),
        ("Where from", f"{', '.join(period.vantages) or 'nowhere'}. A vantage sees only its own "
         "path to each site."),
        ("Hours seen", f"Hours in which anything was measured, of {of.hours():,} in the period. "
         "Between two checks nobody looked: a short fault may have gone unseen."),
        ("Answered", "Of the checks by ping, tcp, dns, http, sip, call and stamp that were made, "
         "those that ended with an answer. A check that was not run, was interrupted, or had no "
         "address to ask, counts for neither."),
        ("Loss", "The mean over those checks by ping and stamp that got any answer. One that got "
         "none counts as not answered, and not as loss besides."),
        ("Delay", "Each check gives the median of its round trips; the figures are percentiles "
         "over checks."),
        ("R-factor", "By ITU-T G.107 as each check has it, from " + (listed(list(bases), 3)
         if bases else "none") + ("; from ping it takes one way as half the round trip and is a "
         "hint, not a measurement of calls." if "ping" in bases else ".")),
        ("Intervals", "95 %. Checks of one day are not independent: the spread between days gives "
         "an effective number of checks (Kish; Korn and Graubard), and that Wilson's interval. "
         "Where all days are alike each check counts by itself."),
        ("Findings", "As judged at the time of each run, by that version of the rules."),
        ("Probes with evidence here", "; ".join(f"{k}: {PROBE_WORDS[k]}" for k in kinds)),
        ("Limits above which something is reported",
         f"Loss {percent(limits.loss)}; one-way delay {seconds(limits.delay_one_way_s)}; R-factor "
         f"below {number(limits.r_factor)}; those of the latest run."),
        ("Versions", f"nethealth {', '.join(period.versions)}." if period.versions else ""),
        ("The data", f"SHA-256 {period.sha256} is that of the period's figures with the digests of "
         "the columns that they were worked out from. `nethealth report verify` works all of it "
         "out again from the raw observations."),
    )  # fmt: skip
    return (KeyValues(tuple((title, text) for title, text in pairs if text)),)


def not_measured_blocks(of: PeriodView) -> tuple[Block, ...]:
    """Checks that were not run, stretches without any, sites never looked at."""
    period, view = of.period, of.view
    blocks: list[Block] = []
    if period.not_run:
        blocks.append(_not_run(of))
    if period.holes:
        blocks.append(_holes(of))
    dark = [view.site_name(site.id) for site in of.never_measured()]
    if dark:
        blocks.append(Paragraph(f"Never measured in this period: {listed(dark, 40)}."))
    asked = period.asked
    if of.record.inventory.blackout:
        sites = {site.id: site.council for site in of.record.inventory.site}
        windows = [
            f"{view.site_name(one.site)} {one.days} {one.from_} to {one.to}"
            for one in of.record.inventory.blackout
            if asked.site in (None, one.site) and asked.council in (None, sites.get(one.site))
        ]
        if windows:
            blocks.append(Paragraph(f"Nothing is sent in blackouts: {listed(windows, 20)}."))
    return tuple(blocks) or (Paragraph("Everything that was planned was measured."),)


def _not_run(of: PeriodView) -> Table:
    every = of.period.not_run
    rows = tuple(
        (
            clip(one.reason or "no reason recorded", 200),
            of.view.site_name(one.site) if one.site is not None else "–",
            one.probe,
            f"{one.checks:,}",
        )
        for one in every[:_ROWS_MOST]
    )
    columns = (Column("Why"), Column("Site"), Column("Probe"), Column("Checks", numeric=True))
    caption = f"{count(sum(one.checks for one in every), 'check')} not run, by reason"
    if len(every) > len(rows):
        caption += f": the {len(rows)} commonest of {len(every):,}"
    return Table(caption, columns, rows, telling=_TOLD)


def _holes(of: PeriodView) -> Table:
    every = sorted(of.period.holes, key=lambda one: (one.start - one.end, one.site or ""))
    rows = tuple(
        (
            of.view.site_name(one.site) if one.site is not None else "No site",
            local_moment(of.view, one.start),
            local_moment(of.view, one.end),
            duration((one.end - one.start).total_seconds()),
            f"{count(one.runs, 'run')} did not measure this site" if one.runs else "no run began",
        )
        for one in every[:_ROWS_MOST]
    )
    columns = (
        Column("Site"),
        Column("From"),
        Column("To"),
        Column("Lasted", numeric=True),
        Column("Why"),
    )
    caption = f"{count(len(every), 'gap')}: more than three usual steps without a check"
    if len(every) > len(rows):
        caption += f"; the {len(rows)} longest"
    return Table(caption, columns, rows, telling=_TOLD)


def in_brief(of: PeriodView) -> tuple[str, ...]:
    hours = max((one.hours for one in of.sites), default=0)
    return (
        f"method: {of.period.runs:,} runs from {', '.join(of.period.vantages) or 'nowhere'}; "
        f"measured in up to {hours:,} of {of.hours():,} hours",
        "limits: it speaks for the hours measured and this vantage only",
    )
