"""The figures of one check as an engineer reads them: a few labelled lines, or one in brief."""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TypeGuard

from nethealth.model.check import CheckResult
from nethealth.model.failure import Outcome
from nethealth.model.observation import Observation, Scalar
from reports import coexisting, devices, witnessed
from reports.capture import capture_lines
from reports.escape import clip
from reports.words import (
    FAILURE_WORDS,
    count,
    interval,
    number,
    observation_label,
    observed,
    quantity,
    seconds,
)

Seen = Mapping[str, Sequence[Observation]]
Lines = list[tuple[str, str]]
_OTHER_MAX = 12  # figures of a probe that has no words of its own here


def worst(seen: Seen, name: str) -> Observation | None:
    """The highest value of that name over the run's rounds; one without a value if all lack it."""
    observations = seen.get(name, ())
    numbers = valued(seen, name)
    if numbers:
        return max(numbers, key=number_of)
    return observations[-1] if observations else None


def value(seen: Seen, name: str) -> float | None:
    """The number of `worst`, or None."""
    found = worst(seen, name)
    return _float(found.value) if found is not None and is_number(found.value) else None


def number_of(found: Observation) -> float:
    """The value as a number; not a number where it is none."""
    return _float(found.value)


def valued(seen: Seen, name: str) -> list[Observation]:
    """The observations of that name that have a number to reckon with."""
    return [item for item in seen.get(name, ()) if is_number(item.value)]


def round_trip(seen: Seen, word: str) -> float | None:
    """One statistic of delay: over rounds the lowest `min`, the median `median`, else the highest.

    In seconds; None where no round has it.
    """
    found = [number_of(item) for item in valued(seen, f"round_trip_delay_{word}_s")]
    if not found:
        return None
    if word == "median":
        return median(found)
    return min(found) if word == "min" else max(found)


def figures(check: CheckResult, seen: Seen) -> Lines:
    """What the check gave, one labelled line for each thing worth knowing."""
    lines: Lines = []
    if check.outcome is not Outcome.COMPLETED:
        lines.append(("ended", ending(check)))
    lines += _resolution(seen)
    makers = {
        "ping": _ping,
        "tcp": _tcp,
        "dns": _dns,
        "http": _http,
        "sip": _sip,
        "route": _route,
        "path-mtu": _path_mtu,
        "coexistence": coexisting.coexistence,
        "capture": capture_lines,
        "sip-alg": witnessed.sip_alg,
        "nat": witnessed.nat,
        "snmp": devices.snmp,
    }
    maker = makers.get(check.probe, _other)
    return lines + maker(seen)


def brief(check: CheckResult, seen: Seen) -> str:
    """The one or two figures that matter, or how the check ended."""
    parts = []
    if check.outcome is not Outcome.COMPLETED:
        parts.append(ending(check))
    elif check.probe == "ping":
        middle, loss = worst(seen, "round_trip_delay_median_s"), worst(seen, "packet_loss_ratio")
        if middle is not None and middle.value is not None:
            parts.append(f"median {observed(middle)}{_of_rounds(seen, middle)}")
        if loss is not None:
            parts.append(f"loss {observed(loss)} of {number(loss.samples or 0)}")
    else:
        named = dict(figures(check, seen))
        parts += [
            named[label]
            for label in (
                "answer",
                "connected",
                "certificate",
                "route",
                "largest packet",
                "SIP",
                "binding",
                *coexisting.PHASES,
            )
            if label in named
        ]
    return "; ".join(parts) or "; ".join(f"{a}: {b}" for a, b in figures(check, seen)[:2]) or "–"


def ending(check: CheckResult) -> str:
    """How a check that did not complete ended, in words."""
    failure = FAILURE_WORDS[check.failure] if check.failure is not None else ""
    reason = clip(check.reason or "", 300)
    if failure and reason and failure.casefold() not in reason.casefold():
        return f"{failure}: {reason}"
    return reason or failure or "no reason given"


def _resolution(seen: Seen) -> Lines:
    found = worst(seen, "resolution_time_s")
    if found is None:
        return []
    addresses = _words(found, "addresses")
    return [("resolved", f"{addresses or 'no address'} in {observed(found)}")]


def _ping(seen: Seen) -> Lines:
    lines: Lines = []
    middle = worst(seen, "round_trip_delay_median_s")
    if middle is not None and middle.value is None:
        lines.append(("round-trip delay", observed(middle)))
    elif middle is not None:
        parts = [
            f"{word} {seconds(found)}"
            for word in ("min", "median", "p95", "max")
            if (found := round_trip(seen, word)) is not None
        ]
        replies = f" ({count(middle.samples, 'reply', 'replies')})" if middle.samples else ""
        over = f" over {len(seen[middle.name])} rounds" if len(seen[middle.name]) > 1 else replies
        lines.append(("round-trip delay", ", ".join(parts) + over))
    loss = worst(seen, "packet_loss_ratio")
    if loss is not None:
        text = f"{observed(loss)} of {count(loss.samples or 0, 'packet')}"
        bounds = f", 95 % interval {interval(loss)}" if loss.interval else ""
        lines.append(("packet loss", text + bounds + _of_rounds(seen, loss)))
    variation = [
        f"{word} {seconds(found)}"
        for word, name in (("p95", "pdv_p95_s"), ("p99", "pdv_p99_s"), ("mean", "ipdv_abs_mean_s"))
        if (found := value(seen, name)) is not None
    ]
    if variation:
        lines.append(("delay variation", ", ".join(variation) + " (p95 and p99 pdv, mean ipdv)"))
    return lines + _voice(seen) + _oddities(seen)


def _voice(seen: Seen) -> Lines:
    mos = _lowest(seen, "mos_cqe")
    if mos is None:
        return []
    if mos.value is None:
        return [("voice estimate", f"not computable: {_words(mos, 'reason') or observed(mos)}")]
    r_factor = _lowest(seen, "r_factor")
    r_text = f", R {_float(r_factor.value):.0f}" if r_factor and is_number(r_factor.value) else ""
    passport = [_words(mos, "codec")]
    one_way = _words(mos, "one_way_delay")
    if one_way:
        passport.append(f"one way taken as {one_way}")
    source = "; ".join(filter(None, passport))
    text = f"MOS-CQE {_float(mos.value):.1f}{r_text}" if is_number(mos.value) else observed(mos)
    return [("voice estimate", text + (f" ({source})" if source else ""))]


def _oddities(seen: Seen) -> Lines:
    lines: Lines = []
    for name, words in (
        ("duplicate_count", "duplicate replies"),
        ("late_reply_count", "replies after their wait was over"),
        ("packet_loss_run_max_packets", "longest run of lost packets"),
    ):
        found = value(seen, name)
        if found:
            lines.append((words, number(found)))
    for error in seen.get("icmp_error_count", ()):
        if is_number(error.value) and error.value:
            method = error.method
            what = f"type {method.get('icmp_type')} code {method.get('icmp_code')}"
            text = f"{observed(error)} ({what}) from {_words(error, 'source') or 'unknown'}"
            lines.append(("ICMP errors", text))
    return lines


def _tcp(seen: Seen) -> Lines:
    connect = worst(seen, "tcp_connect_time_s")
    return (
        [("connected", f"in {observed(connect)}")]
        if connect is not None and connect.value is not None
        else []
    )


def _dns(seen: Seen) -> Lines:
    code, taken = _last(seen, "dns_response_code"), worst(seen, "dns_response_time_s")
    if code is None or code.value is None:
        return []
    text = observed(code) + (
        f" in {observed(taken)}" if taken is not None and taken.value is not None else ""
    )
    answers = _last(seen, "dns_answer_count")
    given = _words(answers, "answers") if answers else ""
    text += f": {given}" if given else ""
    if _says(seen, "dns_answer_expected", expected=False):
        text += " (not what was expected)"
    if _says(seen, "dns_truncated", expected=True):
        text += " (truncated over UDP)"
    return [("answer", text)]


def _http(seen: Seen) -> Lines:
    lines: Lines = []
    status = _last(seen, "http_status_code")
    if status is not None and status.value is not None:
        total = worst(seen, "http_total_time_s")
        text = observed(status) + (
            f" in {observed(total)}" if total is not None and total.value is not None else ""
        )
        if _says(seen, "http_status_expected", expected=False):
            text += " (not what was expected)"
        lines.append(("answer", text))
    phases = [
        f"{word} {seconds(found)}"
        for word, name in (
            ("connection", "tcp_connect_time_s"),
            ("TLS", "tls_handshake_time_s"),
            ("first byte", "http_first_byte_time_s"),
        )
        if (found := value(seen, name)) is not None
    ]
    if phases:
        lines.append(("phases", ", ".join(phases)))
    if _says(seen, "http_body_matched", expected=False):
        lines.append(("body", "does not hold the expected text"))
    redirects = _last(seen, "http_redirect_count")
    if redirects is not None and redirects.value:
        where = _words(redirects, "locations")
        lines.append(("redirects", observed(redirects) + (f": {where}" if where else "")))
    return lines + _tls(seen)


def _tls(seen: Seen) -> Lines:
    lines: Lines = []
    version = _last(seen, "tls_version")
    if version is not None and version.value is not None:
        parts = [observed(version)]
        chain = _last(seen, "tls_chain_verified")
        if chain is not None and chain.value is not None:
            error = _words(chain, "error")
            verdict = "chain verified" if chain.value else "chain not verified"
            parts.append(verdict + (f" ({error})" if error else ""))
        name = _last(seen, "tls_name_matched")
        if name is not None and name.value is not None:
            parts.append("name matches" if name.value else "name does not match")
        lines.append(("TLS", ", ".join(parts)))
    days = _last(seen, "certificate_days_to_expiry")
    if days is not None and is_number(days.value):
        left = _float(days.value)
        whole = count(abs(int(left)), "day")
        text = f"expires in {whole}" if left >= 0 else f"expired {whole} ago"
        lines.append(("certificate", text))
    return lines


def _sip(seen: Seen) -> Lines:
    lines: Lines = []
    status = _last(seen, "sip_status_code")
    if status is not None and status.value is not None:
        phrase = _words(status, "reason_phrase")
        text = f"{observed(status)} {phrase}".strip()
        delay, copies = worst(seen, "sip_response_delay_s"), value(seen, "sip_transmission_count")
        if delay is not None and delay.value is not None:
            text += f" in {observed(delay)}{_of_rounds(seen, delay)}"
        if copies is not None and copies > 1:
            text += f" after {number(copies)} transmissions"
        lines.append(("answer", text))
    for outcome in seen.get("sip_target_outcome", ()):
        reason = _words(outcome, "reason")
        how = observed(outcome) + (f" ({reason})" if reason else "")
        lines.append((_words(outcome, "target"), how))
    for label, name in (
        ("login", "sip_authenticated"),
        ("registration", "sip_registration_status_code"),
        ("registered after", "registration_request_delay_s"),
        ("registered for", "sip_registration_expires_s"),
        ("registration removed", "sip_registration_removed"),
        ("proxies on the way", "sip_hop_count"),
        ("servers of the domain", "sip_target_count"),
        ("TLS versions accepted", "tls_versions_accepted"),
        ("server", "sip_server"),
        ("allows", "sip_allow"),
        ("retry after", "sip_retry_after_s"),
        ("saw us as", "sip_received_address"),
    ):
        found = _last(seen, name)
        if found is not None and found.value is not None:
            lines.append((label, observed(found)))
    for label, name in (
        ("malformed answers", "sip_malformed_reply_count"),
        ("answers to something else", "sip_foreign_reply_count"),
        ("answers from another address", "sip_wrong_source_count"),
    ):
        if value(seen, name):
            lines.append((label, number(value(seen, name) or 0)))
    return lines + _tls(seen)


def _route(seen: Seen) -> Lines:
    """What the whole route comes to; its hops stand in a table of their own."""
    reached, length = _last(seen, "route_reached"), _last(seen, "route_length_hops")
    lines: Lines = []
    if length is not None and length.value is not None:
        lines.append(("route", f"{observed(length)} to the target"))
    elif reached is not None and reached.value is not None:
        answered = [one for one in seen.get("hop_address", ()) if one.value is not None]
        last = f"; the last answer came from {observed(answered[-1])}" if answered else ""
        lines.append(("route", f"the target was not reached{last}"))
    loss = worst(seen, "packet_loss_ratio")
    if loss is not None and loss.value is not None:
        text = f"{observed(loss)} of {count(loss.samples or 0, 'packet')} to the target"
        bounds = f", 95 % interval {interval(loss)}" if loss.interval else ""
        lines.append(("packet loss", text + bounds + _of_rounds(seen, loss)))
    translated = _last(seen, "route_nat_seen")
    if translated is not None:
        reason = _words(translated, "reason")
        source = _words(translated, "quoted_source")
        text = observed(translated) + (f": {reason}" if reason else "")
        lines.append(("translation seen", text + (f", as {source}" if source else "")))
    return lines


def _path_mtu(seen: Seen) -> Lines:
    size, hole = _last(seen, "path_mtu_bytes"), _last(seen, "path_mtu_black_hole")
    if size is None or size.value is None:
        return []
    lines: Lines = [("largest packet", f"{observed(size)}, headers included")]
    reporter = _last(seen, "path_mtu_reporter")
    if reporter is not None and reporter.value is not None:
        named = _words(reporter, "mtu_bytes")
        text = f"by {observed(reporter)}" + (f": {named} bytes" if named else "")
        lines.append(("limit reported", text))
    if hole is not None and hole.value is True:
        lines.append(("larger packets", "vanish without a word"))
    last = _last(seen, "path_mtu_last_hop")
    if last is not None and last.value is not None:
        lines.append(("last hop they reach", f"{_words(last, 'hop')}, {observed(last)}"))
    return lines


def _other(seen: Seen) -> Lines:
    return [(observation_label(name), observed(items[-1])) for name, items in seen.items()][
        :_OTHER_MAX
    ]


def _of_rounds(seen: Seen, observation: Observation) -> str:
    rounds = len(seen.get(observation.name, ()))
    return f" (highest of {rounds} rounds)" if rounds > 1 else ""


def _last(seen: Seen, name: str) -> Observation | None:
    """The latest with a value, else the latest."""
    observations = seen.get(name, ())
    valued = [item for item in observations if item.value is not None]
    candidates = valued or list(observations)
    return candidates[-1] if candidates else None


def _lowest(seen: Seen, name: str) -> Observation | None:
    valued = [item for item in seen.get(name, ()) if is_number(item.value)]
    return min(valued, key=lambda item: _float(item.value)) if valued else _last(seen, name)


def _says(seen: Seen, name: str, *, expected: bool) -> bool:
    return any(item.value is expected for item in seen.get(name, ()))


def _words(observation: Observation, key: str) -> str:
    """A method value in words; the members of a list joined by commas."""
    found = observation.method.get(key)
    if found is None:
        return ""
    if isinstance(found, str | int | float | bool):
        return quantity(found, None)
    return clip(", ".join(quantity(item, None) for item in found), 300)


def is_number(found: Scalar) -> TypeGuard[int | float]:
    """Whether there is a finite number to reckon with."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    return math.isfinite(found)


def _float(found: Scalar) -> float:
    return float(found) if isinstance(found, int | float) else float("nan")
