"""Telephones that all register at once, after a restart or an outage, and the server under them.

A surge of registrations is seen in a capture: many accounts, far above what their expiry gives,
quiet before and again after. It is an avalanche where the server fails under it and neither before
nor long after. A server that is slow with no surge, or was before it, is slow of itself, and its
telephones ask again because of that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from nethealth.diagnosis.capture import Capture, bin_width_s, captures, numbers, whole, words
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.ends import Ends
from nethealth.diagnosis.evidence import Evidence, Place, number
from nethealth.diagnosis.lan import Lan, lans_by_site, overlap, place_of_lone, surest, taken_at
from nethealth.diagnosis.link_load import line_of
from nethealth.diagnosis.server_strain import Servers, Strain
from nethealth.diagnosis.text import counted, milliseconds, percent
from nethealth.model.finding import Direction, Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Event, Observation

ACCOUNTS_LEAST = 10  # fewer that ask again and again are a few telephones, and no avalanche
STEEP = 5.0  # times the rate that the accounts' expiry gives
WINDOW_S = 10.0
STEEP_START = 0.2  # of the highest bin, from the first bin on
PAUSE_MOST_S = 60.0  # between two waves of one surge: refused telephones come back after some 30 s
LASTS_MOST_S = 900.0  # what goes on for longer is no surge
TRIGGER_BEFORE_S = 900.0
TRIGGER_AFTER_S = 30.0
REFUSED_SHARE = 0.1
AGAIN_SHARE = 0.3  # of the REGISTERs, sent again for want of an answer
SLOW_S = 1.0  # 95 % of registrations; two copies of T1 have then gone
FINE = 3.0  # times the surge: in a reading over a longer time it is lost
_EXPIRY_S = 3600.0  # where none was told (RFC 3261 section 10.2)
_REQUESTS = 2  # of one registration: the challenge and the answer to it
_MESSAGE_OCTETS = 700  # of a REGISTER or an answer, assumed
_CAME_BACK = ("restart", "pbx-restart", "link-up")


@dataclass(frozen=True)
class Surge:
    """A time in which far more registrations came than usual, and how the server bore it."""

    capture: Capture
    from_: datetime
    to: datetime
    requests: int
    refused: int
    refused_before: int
    asked_before: int
    per_s: float
    usual_per_s: float
    accounts: int
    shown: int  # of them, since the reader lists no more than a hundred
    registered: int  # of those shown, in the end
    quiet_before: bool
    quiet_after: bool
    seen: tuple[Observation, ...]

    @property
    def span(self) -> tuple[datetime, datetime]:
        return self.from_, self.to


def registration_avalanches(evidence: Evidence) -> Iterator[Finding]:
    """`registration-avalanche` of each site whose telephones came all at once, or did not."""
    yield from surest(_all(evidence))


def _all(evidence: Evidence) -> Iterator[Finding]:
    ends = Ends(evidence)
    by_site = lans_by_site(evidence)
    watched: dict[str | None, list[tuple[datetime, datetime]]] = {}
    for capture in captures(evidence):
        site = _site(evidence, ends, capture)
        lan = by_site.get(site)
        span = capture.span
        if len(span) == 2 and capture.first("registration_requests_per_s_max") is not None:
            watched.setdefault(site, []).append((span[0], span[1]))
        surge = surge_of(capture)
        if surge is not None:
            place = lan.place if lan is not None else place_of_lone(capture)
            yield _surged(evidence, place, lan, surge)
    for site, lan in by_site.items():
        yield from _unseen(evidence, lan, watched.get(site, []))


def _site(evidence: Evidence, ends: Ends, capture: Capture) -> str | None:
    """The site of the server that telephones register at, else that of the capture."""
    rate = capture.first("registration_requests_per_s_max")
    registrars = words(rate, "registrars") if rate is not None else ()
    for registrar in registrars:
        end = ends.of(registrar)
        if end is not None and end.site is not None:
            return end.site
    return taken_at(evidence, capture)


def surge_of(capture: Capture) -> Surge | None:
    """The steepest surge of registrations that a capture holds; None where there is none."""
    rate = capture.first("registration_requests_per_s_max")
    began = None if rate is None else capture.moment(rate)
    width_s = None if rate is None else bin_width_s(rate)
    if rate is None or began is None or width_s is None or width_s > LASTS_MOST_S:
        return None
    told = capture.all("account_registration_count")
    accounts = len(told) + int(capture.count("registration_left_out_count") or 0)
    expiries = [
        float(value)
        for one in told
        for value in (one.method.get("expiry_granted_s") or one.method.get("expiry_asked_s"),)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    ]
    usual_per_s = _REQUESTS * accounts / (median(expiries) if expiries else _EXPIRY_S)
    step = max(1, round(WINDOW_S / width_s))
    asked = _summed(numbers(rate, "requests"), step)
    refused = _summed(numbers(rate, "refusals"), step)
    step_s = step * width_s
    least = max(STEEP * usual_per_s * step_s, STEEP)
    found = _around_the_peak(asked, least, max(1, int(PAUSE_MOST_S / step_s)))
    if found is None or accounts < ACCOUNTS_LEAST:
        return None
    first, last = found
    if (last - first) * step_s > LASTS_MOST_S or sum(asked[first:last]) < ACCOUNTS_LEAST:
        return None
    from_ = began + timedelta(seconds=first * step_s)
    to = began + timedelta(seconds=last * step_s)
    span = capture.span
    room = timedelta(seconds=step_s)
    return Surge(
        capture, from_, to,
        requests=int(sum(asked[first:last])),
        refused=int(sum(refused[first:last])),
        refused_before=int(sum(refused[:first])),
        asked_before=int(sum(asked[:first])),
        per_s=max(asked) / step_s,
        usual_per_s=usual_per_s,
        accounts=accounts,
        shown=len(told),
        registered=sum((whole(one, "successes") or 0) > 0 for one in told),
        quiet_before=bool(span) and from_ - span[0] >= room,
        quiet_after=len(span) == 2 and span[1] - to >= 3 * room,
        seen=(rate, *told[:20]),
    )  # fmt: skip


def _summed(counts: Sequence[float], step: int) -> list[float]:
    return [sum(counts[at : at + step]) for at in range(0, len(counts), step)]


def _around_the_peak(counts: Sequence[float], least: float, pause: int) -> tuple[int, int] | None:
    """From the first to behind the last of the bins that belong to the highest one."""
    if not counts or max(counts) < least:
        return None
    peak = list(counts).index(max(counts))
    high = [at for at, count in enumerate(counts) if count >= least]
    first = last = peak
    # It begins at once: what climbs slowly towards it was there before, and is judged as such.
    for at in reversed([at for at in high if at < peak]):
        if first - at > pause or counts[at] < STEEP_START * counts[peak]:
            break
        first = at
    for at in (at for at in high if at > peak):
        if at - last > pause:
            break
        last = at
    return first, last + 1


def _surged(evidence: Evidence, place: Place, lan: Lan | None, surge: Surge) -> Finding:
    strain = None if lan is None else Servers(lan).strain(surge.span)
    trigger = _trigger(lan, surge.from_)
    in_capture, how = _failed_under_it(surge)
    by_probe = strain is not None and bool(strain.within)
    before = _before(surge, strain)
    ended = surge.quiet_after or (strain is not None and strain.well_after)
    known_start = surge.quiet_before or trigger is not None
    if not (in_capture or by_probe):
        verdict = Verdict.NO_EVIDENCE
    elif before is not None:
        verdict = Verdict.CONTRADICTED
    elif ended and known_start and 2 * surge.registered >= surge.shown:
        verdict = Verdict.SUPPORTED
    else:
        verdict = Verdict.SUGGESTIVE
    direction, link = _direction(lan, surge, verdict)
    said = f", {how}" if in_capture else ""
    if by_probe and strain is not None:
        said += f", and our own questions to it {strain.words}"
    if verdict is Verdict.NO_EVIDENCE:
        said = ", and the server kept up"
    return draft(
        evidence,
        "registration-avalanche",
        place,
        f"{surge.accounts} accounts registered at {place.name} all at once: "
        f"{counted(surge.requests, 'REGISTER')} in {(surge.to - surge.from_).total_seconds():.0f} "
        f"s, {surge.per_s:.1f} a second at the most, where their expiry gives "
        f"{surge.usual_per_s:.2f}{_after_what(trigger)}{said}.",
        times=[*surge.span, *([trigger.time] if trigger is not None else [])],
        seen=[*surge.seen, *_accounts_of(surge), trigger, *(strain.seen if strain else ())],
        verdict=verdict,
        direction=direction,
        refutations=(
            Refutation("Was the server in trouble before they came?", before or "no"),
            Refutation(
                "Did the registrations fall back to what their expiry gives?",
                "yes" if surge.quiet_after else "not seen: the capture ends too soon",
            ),
            Refutation(
                "Are these telephones that belong there?",
                f"{surge.registered} of the {counted(surge.shown, 'account')} that are listed "
                "were let in",
            ),
            Refutation("Did they fill a line that others share?", link),
        ),
        missing=(
            *(() if trigger is not None else ("what happened before: a restart, an outage",)),
            *(() if ended else ("a capture that goes on until it is quiet",)),
            "a restart with the telephones staggered, after which it must be absent",
        ),
        alternatives=(
            "a server that lacks room for other reasons, and telephones that ask again for it",
            "a scan from outside, whose accounts do not exist",
        ),
        effect=Effect(estimate=surge.per_s),
    )


def _failed_under_it(surge: Surge) -> tuple[bool, str]:
    """Whether the capture itself shows a server that failed under the surge, and how."""
    capture = surge.capture
    failures = [
        (one.method.get("status_code"), number(one) or 0)
        for one in capture.all("registration_failure_count")
    ]
    of_server = sum(count for code, count in failures if _of_server(code))
    all_ = sum(count for _, count in failures)
    if surge.refused >= REFUSED_SHARE * surge.requests and 2 * of_server >= all_ > 0:
        return True, f"of which the server refused {surge.refused} for want of room"
    again = capture.count("sip_retransmission_count", message="REGISTER") or 0.0
    slow_s = capture.count("registration_request_delay_p95_s") or 0.0
    unanswered = capture.count("registration_attempt_count", outcome="unanswered") or 0.0
    if again >= AGAIN_SHARE * surge.requests and (
        slow_s >= SLOW_S or unanswered >= REFUSED_SHARE * surge.accounts
    ):
        return True, (
            f"of which {again:.0f} were sent again, {unanswered:.0f} without any answer; one in "
            f"twenty took {milliseconds(slow_s)} and more"
        )
    return False, ""


def _of_server(code: object) -> bool:
    return code is None or (isinstance(code, int) and (code == 408 or 500 <= code < 600))


def _before(surge: Surge, strain: Strain | None) -> str | None:
    """What shows that the server was in trouble before the surge; None where nothing does."""
    if surge.refused_before >= 3 and surge.refused_before >= REFUSED_SHARE * surge.asked_before:
        return (
            f"yes: it refused {surge.refused_before} of "
            f"{counted(surge.asked_before, 'REGISTER')} before"
        )
    if strain is not None and strain.before:
        return f"yes: in {counted(len(strain.before), 'round')} before it was late or refused"
    return None


def _accounts_of(surge: Surge) -> list[Observation]:
    names = (
        "registration_attempt_count", "registration_failure_count", "sip_retransmission_count",
        "registration_request_delay_p95_s",
    )  # fmt: skip
    return [seen for name in names for seen in surge.capture.all(name)]


def _trigger(lan: Lan | None, from_: datetime) -> Event | None:
    """The last thing before the surge that takes telephones off the register."""
    if lan is None:
        return None
    first = from_ - timedelta(seconds=TRIGGER_BEFORE_S)
    last = from_ + timedelta(seconds=TRIGGER_AFTER_S)
    found = [event for event in lan.happened(*_CAME_BACK) if first <= event.time <= last]
    return found[-1] if found else None


def _after_what(trigger: Event | None) -> str:
    if trigger is None:
        return ""
    who = f" of {trigger.asset}" if trigger.asset else ""
    return f", after {trigger.kind}{who} at {trigger.time:%H:%M:%S} UTC"


def _direction(lan: Lan | None, surge: Surge, verdict: Verdict) -> tuple[Direction | None, str]:
    """From the telephony to the network only where a line was full then and then alone, of this."""
    line = None if lan is None else line_of(lan)
    if line is None:
        return Direction.UNDETERMINED, "not measured: no router of the site was read"
    fine_s = FINE * max(WINDOW_S, (surge.to - surge.from_).total_seconds())
    within = [
        one
        for one in line.carried
        if overlap((one.from_, one.to), surge.span)
        and (one.to - one.from_).total_seconds() <= fine_s
    ]
    full = [one for one in within if line.filled(one) is not None]
    otherwise = [one for one in line.carried if one not in within and line.filled(one) is not None]
    if not within:
        return Direction.UNDETERMINED, "not measured then, or over too long a time to show it"
    if not full:
        return None, "no: the line was not full then"
    lasted_s = max(1.0, (surge.to - surge.from_).total_seconds())
    own_bps = surge.requests * _MESSAGE_OCTETS * 8 / lasted_s
    share = own_bps / max(line.filled(one) or 1.0 for one in full)
    said = f"the line was full; REGISTERs of {_MESSAGE_OCTETS} octets are {percent(share)} of it"
    if otherwise or share < 0.5 or verdict is not Verdict.SUPPORTED:
        return Direction.UNDETERMINED, f"not shown: {said}"
    return Direction.TELEPHONY_TO_NETWORK, f"yes: {said}, and it was full at no other time"


def _unseen(
    evidence: Evidence, lan: Lan, watched: Sequence[tuple[datetime, datetime]]
) -> Iterator[Finding]:
    """A server that was late after something came back, with no surge seen: clear, or not known."""
    triggers = lan.happened(*_CAME_BACK)
    servers = Servers(lan) if triggers else None
    for trigger in triggers:
        after = trigger.time, trigger.time + timedelta(seconds=TRIGGER_BEFORE_S)
        strain = None if servers is None else servers.strain(after)
        if strain is None or not strain.within:
            continue
        covered = any(overlap(span, after) for span in watched)
        if covered or strain.before:
            verdict, told = Verdict.CONTRADICTED, "the telephones did not come all at once"
            if strain.before:
                told = "it was so before"
        elif strain.well_after and strain.well_before:
            verdict, told = Verdict.SUGGESTIVE, "it passed within a quarter of an hour"
        else:
            continue
        yield draft(
            evidence,
            "registration-avalanche",
            lan.place,
            f"After {trigger.kind} at {trigger.time:%H:%M:%S} UTC our questions to the SIP server "
            f"of {lan.place.name} {strain.words}; {told}.",
            times=after,
            seen=[trigger, *strain.seen],
            verdict=verdict,
            direction=Direction.UNDETERMINED,
            refutations=(
                Refutation(
                    "Did many telephones register then?",
                    "no: a capture of that time holds no surge" if covered else "not measured",
                ),
                Refutation("Was the server in trouble before?", "yes" if strain.before else "no"),
            ),
            missing=() if covered else ("a capture at the server, of registrations over time",),
            alternatives=("a server that is slow while it starts, or slow of itself",),
        )
