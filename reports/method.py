"""How it was measured and what limits it, what was not measured, and the words explained."""

from collections import defaultdict

from nethealth.model.check import LOAD_S_MAX, LOAD_SHARE_MAX
from nethealth.model.measured import was_measured
from reports.document import Block, Column, KeyValues, Paragraph, Table
from reports.escape import clip
from reports.figures import ending
from reports.summary import duration, observed_s
from reports.view import View
from reports.words import PROBE_WORDS, count, listed, number, percent, seconds

_DAY_S = 86_400
_LISTED_MOST = 6
_GLOSSARY = (
    ("95 % interval", "The range in which the true value lies, 19 times in 20. Few packets make "
     "it wide."),
    ("Certificate", "What proves to a computer that a service is the one it claims to be. It "
     "expires on a fixed day."),
    ("Critical, warning, note", "Critical: something does not work. Warning: it works badly, or "
     "will stop. Note: worth knowing, nothing is broken."),
    ("Delay variation", "How much later than the quickest some packets come. Speech needs them "
     "evenly spaced. Two kinds are kept apart: ipdv, from one packet to the next, and pdv, "
     "against the quickest."),
    ("Gateway", "A site's own router, through which everything passes."),
    ("Median, 95th percentile", "Half of the packets were quicker than the median; 95 in 100 "
     "were quicker than the 95th percentile (p95)."),
    ("MOS-CQE, R-factor", "Estimates of how speech would sound, reckoned from delay and loss by "
     "ITU-T G.107. MOS runs from 1 (bad) to 4.5 (excellent), R from 0 to 100; "
     "below 70 many users are dissatisfied."),
    ("Packet", "The unit in which a network carries data. A telephone call is some 50 packets a "
     "second each way."),
    ("Packet loss", "The share of packets that never came back."),
    ("PBX", "A telephone exchange within a building."),
    ("Round-trip delay", "The time from sending a packet to its reply."),
    ("SIP", "The language in which telephone systems set up calls. 200 means well, 503 means "
     "overloaded or out of service."),
    ("Vantage", "The machine that measured, and where it stood. It sees only its own path to "
     "each site."),
)  # fmt: skip


def method_blocks(view: View) -> tuple[Block, ...]:
    """Caps, clock, instrument, vantage, sizes of samples, share of time and thresholds."""
    pairs = (
        ("How each thing was measured", _probes(view)),
        ("Where from", _vantage(view)),
        ("Sizes of samples", _samples(view)),
        ("Time observed", _time(view)),
        ("Caps in force", _caps(view)),
        ("Limits above which something is reported", _thresholds(view)),
        ("Clock", _clock(view)),
        ("The measuring machine itself", _instrument(view)),
        ("Voice quality", _voice(view)),
        ("Names and telephone numbers", _privacy(view)),
        ("Made from the records", _sources(view)),
    )
    return (KeyValues(tuple((title, text) for title, text in pairs if text)),)


def limits_in_brief(view: View) -> tuple[str, ...]:
    """Method and limits in two lines of text."""
    watched = observed_s(view)
    lasted = "a time not recorded" if watched is None else duration(watched)
    clock = _clock(view).partition(". ")[0]
    return (
        f"method: {_samples(view)}",
        f"limits: it speaks for {lasted} and this vantage only. Clock: {clock}.",
    )


def not_measured_blocks(view: View) -> tuple[Block, ...]:
    """Each reason with the checks that it stopped, and the sites that no check went to."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for check in view.record.checks:
        if not was_measured(check):
            reasons[ending(check)].append(f"{check.probe} {check.target}")
    planned = {check.site for check in view.record.checks}
    idle = [view.site_name(site) for site in view.sites() if site not in planned]
    if idle:
        reasons["no check was planned there in this run"] += idle
    if not reasons:
        return (Paragraph("Everything that was planned was measured."),)
    rows = tuple(
        (reason, f"{len(items):,}", clip(listed(items, _LISTED_MOST), 400))
        for reason, items in sorted(reasons.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    )
    columns = (Column("Why"), Column("How many", numeric=True), Column("What"))
    return (Table("Not measured, by reason", columns, rows),)


def glossary_blocks() -> tuple[Block, ...]:
    return (KeyValues(_GLOSSARY),)


def _probes(view: View) -> str:
    kinds = dict.fromkeys(check.probe for check in view.record.checks)
    return "; ".join(f"{kind}: {PROBE_WORDS[kind]}" for kind in kinds) + "." if kinds else ""


def _vantage(view: View) -> str:
    vantage = view.record.inventory.vantage
    site = f", at {view.site_name(vantage.site)}" if vantage.site else ""
    return f"{view.record.run.vantage}{site}. It sees only its own path to each site."


def _samples(view: View) -> str:
    sizes = [
        seen.samples
        for seen in view.record.observations
        if seen.name == "packet_loss_ratio"
        and seen.samples is not None
        and (check := view.checks.get(seen.check)) is not None
        and check.probe == "ping"
    ]
    counting = {"route", "path-mtu", "stamp", "call", "coexistence", "sip-alg", "nat"}
    several = counting & {one.probe for one in view.record.checks}
    if not sizes and several:
        return f"No hidden retry; {listed(sorted(several), 4)} state how many packets they sent."
    if not sizes:
        return "One attempt each, no hidden retry."
    span = f"{min(sizes):,}" if min(sizes) == max(sizes) else f"{min(sizes):,} to {max(sizes):,}"
    return f"{span} echo requests to each host; other probes ask once, with no hidden retry."


def _time(view: View) -> str:
    watched = observed_s(view)
    if watched is None:
        return "The run did not end by itself; how long it watched is not known."
    pacing = view.record.run.pacing
    share = percent(min(1.0, watched / _DAY_S))
    cut = " It was interrupted." if view.record.run.interrupted else ""
    offset = (
        f" Started {duration(pacing.start_offset_s)} late on purpose, at random."
        if pacing.start_offset_s
        else ""
    )
    return (
        f"{duration(watched).capitalize()} in {count(pacing.rounds, 'round')}: {share} of a day. "
        f"It speaks for that time only.{offset}{cut}"
    )


def _caps(view: View) -> str:
    sweep, pacing = view.record.settings.sweep, view.record.run.pacing
    packets = pacing.site_packets_per_s or sweep.site_packets_per_s
    starts = pacing.site_starts_per_s or sweep.site_starts_per_s
    return (
        f"At most {number(packets)} packets and {number(starts)} new checks a second to one site; "
        f"{number(sweep.deadline_s)} s for one check."
        f"{_load_caps(view)}"
    )


def _load_caps(view: View) -> str:
    """The bounds of the loads that were planned; what each was is among its figures."""
    if not any(check.probe == "coexistence" for check in view.record.checks):
        return ""
    asked = [one.method for one in view.record.observations if one.name == "load_rate_bps"]
    guards = sorted(
        {
            (float(delay_s), float(loss))
            for method in asked
            if isinstance(delay_s := method.get("guard_delay_s"), int | float)
            and isinstance(loss := method.get("guard_loss_ratio"), int | float)
        }
    )
    ends = "; ".join(
        f"it ends at once when voice or a watched host is {seconds(delay_s)} late or loses more "
        f"than {percent(loss)}"
        for delay_s, loss in guards
    )
    return (
        f" A load has at most {LOAD_SHARE_MAX:.0%} of the declared rate of the site's line, "
        f"for at most {LOAD_S_MAX} s in one direction, one load at a time"
        f"{': ' if ends else ''}{ends}."
    )


def _thresholds(view: View) -> str:
    limits = view.record.settings.thresholds
    return (
        f"Loss {percent(limits.loss)}; one-way delay {seconds(limits.delay_one_way_s)}; delay "
        f"variation (pdv p99) {seconds(limits.pdv_p99_s)}; R-factor below "
        f"{number(limits.r_factor)}; certificate within {limits.certificate_days} days."
    )


def _clock(view: View) -> str:
    clock = view.record.run.clock
    states = {True: "synchronised", False: "not synchronised", None: "synchronisation unknown"}
    parts = [f"{clock.source}, {states[clock.synchronised]}"]
    if clock.error_s is not None:
        parts.append(f"error at most {seconds(clock.error_s)}")
    if clock.step_s:
        parts.append(f"moved by {seconds(clock.step_s)} during the run")
    return ", ".join(parts) + ". Delays come from a monotonic clock."


def _instrument(view: View) -> str:
    instrument = view.record.run.instrument
    parts = [
        f"{words} {seconds(value)}"
        for words, value in (
            ("event loop late by (p99)", instrument.loop_lag_p99_s),
            ("at most", instrument.loop_lag_max_s),
            ("sent late by (p99)", instrument.send_timer_error_p99_s),
        )
        if value is not None
    ]
    if instrument.socket_overflow_count is not None:
        dropped = instrument.socket_overflow_count
        parts.append(f"{count(dropped, 'packet')} dropped at its own sockets")
    parts += instrument.notes
    return "; ".join(parts) + "." if parts else "Not measured."


def _voice(view: View) -> str:
    kinds = {
        check.probe
        for seen in view.record.observations
        if seen.name == "mos_cqe" and (check := view.checks.get(seen.check))
    }
    parts = []
    if kinds & {"stamp", "coexistence", "call"}:
        parts.append(
            "Estimated by ITU-T G.107 from packets like those of a call, each direction by itself; "
            "codec, buffer and delay stand with each figure."
        )
    if "ping" in kinds:
        parts.append(
            "Estimated from ping by ITU-T G.107, taking one way as half the round trip: a hint, "
            "not a measurement of calls."
        )
    return " ".join(parts)


def _privacy(view: View) -> str:
    privacy = view.record.run.privacy
    if privacy is None:
        return ""
    if privacy.mode == "revealed":
        return (
            f"Shown as they are. The reason that was given: {clip(privacy.reason or 'none', 500)}"
        )
    kept = (
        f"kept apart from this report (key {privacy.key_id}): whoever has it can tell the same "
        "person in two reports"
        if privacy.key_kept
        else "made for this run and gone with it"
    )
    return f"Tokens stand in their place (HMAC-SHA-256). The key was {kept}."


def _sources(view: View) -> str:
    return "; ".join(f"{source.run} (SHA-256 {source.sha256})" for source in view.record.sources)
