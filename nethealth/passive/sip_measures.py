"""The measures of RFC 6076, taken at the capture point and not in the user agent itself.

A challenge and the request that follows it are one attempt, as the standard's flows have them.
Attempts whose beginning or end the capture does not show are left out, and counted.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from nethealth.model.observation import Interval
from nethealth.passive.sip_call import Call
from nethealth.passive.sip_registrations import Attempt
from nethealth.quality.delay import percentile
from nethealth.quality.loss import wilson

SAMPLES_MAX = 1_000_000  # delays kept of one measure
# Sections 4.2 and 4.3.2: the codes that are no failure, since they ask for something more
NOT_FAILURES = frozenset({401, 402, 407})
EFFECTIVE = frozenset({200, 480, 486, 600, 603})  # section 4.7
INEFFECTIVE = frozenset({408, 500, 503, 504})  # section 4.8


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure; `value` is None, "no data", where the standard leaves it undefined.

    `samples`: the delays that a statistic is of, or the denominator of a ratio.
    """

    name: str
    section: str
    definition: str
    value: float | None
    samples: int
    interval: Interval | None = None
    result: str | None = None  # "successful" or "failed", where the section tells them apart


class Measures:
    """Takes calls and registrations as they end."""

    def __init__(self) -> None:
        self.call_left_out_count = 0  # their beginning or their outcome is not in the capture
        self.registration_left_out_count = 0
        self._registration_delays_s = array("d")
        self._registrations = 0  # REGISTERs, as the standard's denominator has them
        self._registrations_ineffective = 0
        self._request_delays_s = array("d")
        self._request_failed_delays_s = array("d")
        self._disconnect_delays_s = array("d")
        self._disconnect_failed_count = 0
        self._durations_s = array("d")
        self._requests = 0
        self._redirected = 0
        self._established = 0
        self._effective = 0
        self._ineffective = 0
        self._completed = 0

    def call(self, call: Call) -> None:
        """Take one call that has ended, or that the capture's end has cut off."""
        if call.invite_ns is None or call.began_before or call.outcome == "in progress":
            self.call_left_out_count += 1
            return
        # RFC 3261 section 17.1.1.2: no answer in time is to the caller what a 408 is.
        code = 408 if call.outcome == "unanswered" else call.status_code or 0
        self._requests += 1
        self._redirected += call.outcome == "redirected"
        self._established += call.outcome == "answered"
        self._effective += code in EFFECTIVE or call.outcome == "answered"
        self._ineffective += code in INEFFECTIVE
        self._completed += call.outcome == "answered" and call.bye_answered_ns is not None
        self._delays(call)

    def _delays(self, call: Call) -> None:
        indicated_s = call.post_dial_delay_s
        if indicated_s is None:
            indicated_s = call.answer_delay_s
        if indicated_s is not None:
            _keep(self._request_delays_s, indicated_s)
        elif call.refused_ns is not None and call.invite_ns is not None:
            code = call.status_code or 0
            if code >= 400 and code not in NOT_FAILURES:
                _keep(self._request_failed_delays_s, (call.refused_ns - call.invite_ns) / 1e9)
        if call.talk_time_s is not None:
            _keep(self._durations_s, call.talk_time_s)
        if call.bye_ns is not None:
            if call.bye_answered_ns is not None:
                _keep(self._disconnect_delays_s, (call.bye_answered_ns - call.bye_ns) / 1e9)
            elif not call.still_going:
                self._disconnect_failed_count += 1

    def registration(self, attempt: Attempt) -> None:
        """Take one registration that has ended; removals and queries are no registrations."""
        if attempt.purpose != "register":
            return
        if attempt.outcome in ("in progress", "challenged"):
            self.registration_left_out_count += 1
            return
        self._registrations += 1
        code = attempt.status_code or 0
        failed = code >= 400 and code not in NOT_FAILURES
        self._registrations_ineffective += attempt.outcome == "unanswered" or failed
        if attempt.outcome == "succeeded" and attempt.delay_s is not None:
            _keep(self._registration_delays_s, attempt.delay_s)

    def results(self) -> Iterator[Measure]:
        """All measures, in the order of the standard."""
        yield from _statistics(
            "registration_request_delay", "4.1",
            "from the first REGISTER to its 200, a challenge in between included",
            self._registration_delays_s, None,
        )  # fmt: skip
        yield _ratio(
            "ineffective_registration_attempts_ratio", "4.2",
            "registrations refused by 4xx other than 401, 402 and 407, by 5xx or 6xx, or not "
            "answered, of all",
            self._registrations_ineffective, self._registrations,
        )  # fmt: skip
        yield from _statistics(
            "session_request_delay", "4.3.1",
            "from the INVITE to the first 180 to 199, or to the 2xx where none came",
            self._request_delays_s, "successful",
        )  # fmt: skip
        yield from _statistics(
            "session_request_delay", "4.3.2",
            "from the INVITE to a 4xx other than 401, 402 and 407, a 5xx or a 6xx, where nothing "
            "but 100 came before; requests without any answer have no delay",
            self._request_failed_delays_s, "failed",
        )  # fmt: skip
        yield from _statistics(
            "session_disconnect_delay", "4.4.1", "from the BYE to its final answer",
            self._disconnect_delays_s, "successful",
        )  # fmt: skip
        yield Measure(
            "session_disconnect_failed_count", "4.4.2", "BYE without a final answer",
            self._disconnect_failed_count,
            self._disconnect_failed_count + len(self._disconnect_delays_s), None, "failed",
        )  # fmt: skip
        yield from _statistics(
            "session_duration_time", "4.5.1", "from the 2xx to the BYE",
            self._durations_s, "successful",
        )  # fmt: skip
        asked = self._requests - self._redirected
        yield _ratio(
            "session_establishment_ratio", "4.6",
            "INVITEs answered by 2xx, of all but those answered by 3xx",
            self._established, asked,
        )  # fmt: skip
        yield _ratio(
            "session_establishment_effectiveness_ratio", "4.7",
            "INVITEs answered by 2xx, 480, 486, 600 or 603, of all but those answered by 3xx",
            self._effective, asked,
        )  # fmt: skip
        yield _ratio(
            "ineffective_session_attempts_ratio", "4.8",
            "INVITEs answered by 408, 500, 503 or 504, or not at all, of all",
            self._ineffective, self._requests,
        )  # fmt: skip
        yield _ratio(
            "session_completion_ratio", "4.9",
            "sessions that were answered and ended by an answered BYE, of all INVITEs",
            self._completed, self._requests,
        )  # fmt: skip


def _keep(delays_s: "array[float]", delay_s: float) -> None:
    if len(delays_s) < SAMPLES_MAX:
        delays_s.append(delay_s)


def _statistics(
    name: str, section: str, definition: str, delays_s: "array[float]", result: str | None
) -> Iterator[Measure]:
    """Median, 95th percentile and maximum; the standard leaves the statistic open."""
    ordered = sorted(delays_s)
    for word, q in (("median", 0.5), ("p95", 0.95), ("max", 1.0)):
        value = percentile(ordered, q) if ordered else None
        yield Measure(f"{name}_{word}_s", section, definition, value, len(ordered), None, result)


def _ratio(name: str, section: str, definition: str, part: int, whole: int) -> Measure:
    if whole == 0:
        return Measure(name, section, definition, None, 0)
    return Measure(name, section, definition, part / whole, whole, wilson(part, whole))
