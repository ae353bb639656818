"""How one host fared: when it was silent, what was lost, how long it took, how it sounded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from nethealth.diagnosis.attribution.days import Floats, Integers
from nethealth.diagnosis.evidence import Place
from nethealth.diagnosis.history.frame import Bools, Frame
from nethealth.diagnosis.history.spans import Span
from nethealth.model.check import ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.period import NOT_RUN_LEAST, CheckPeriod, Column, ended

# As in a single run: these ends say that the host is there, and those say nothing of it.
_ANSWERING = frozenset({
    Failure.REFUSED, Failure.RESET, Failure.TLS, Failure.PROTOCOL, Failure.AUTH,
    Failure.WRONG_SOURCE,
})  # fmt: skip
_SAYS_NOTHING = frozenset({Failure.RESOLVE, Failure.INTERRUPTED})
_ECHOES: tuple[ProbeKind, ...] = ("ping", "stamp")  # what loss and delay are told from, in order
_SPEECH: tuple[ProbeKind, ...] = ("call", "stamp", "ping")
_MISSED_LEAST = 2  # consecutive ones: a single lost question among many is no outage
_STEPS_MOST = 3  # an outage does not go on through a time without checks


@dataclass(frozen=True, eq=False)
class Course:
    """One host over a history; of bins and days as its frame has them.

    `silent`: its outages. `lost` and `sent` by day, outages left out. `loss_ratio`, `delay_s`
    (round trip) and `speech` (R) are means by bin, NaN where nothing was measured. `scored` and
    `poor` are how many estimates of R there were by day, and how many below the limit.
    """

    place: Place
    gateway: bool
    checks: tuple[str, ...]
    first_s: int
    last_s: int
    step_s: float
    ran: int
    answered: int
    not_run: int
    silent: tuple[Span, ...]
    still_silent: bool
    lost: Floats
    sent: Floats
    loss_ratio: Floats
    delay_s: Floats
    speech: Floats
    scored: Floats
    poor: Floats
    speech_of: ProbeKind | None
    gaps: tuple[Span, ...]


@dataclass(frozen=True, eq=False)
class _Read:
    """One check in numpy's terms."""

    check: CheckPeriod
    times_s: Integers = field(repr=False)
    bins: Integers
    in_bin: Bools  # whether the time counts in its bin
    measured: Bools
    answered: Bools

    def column(self, name: str) -> Floats | None:
        """The column of the round trip, or of no direction; NaN where there was no value."""
        found = self.check.column(name) or self.check.column(name, direction="round-trip")
        return None if found is None else _floats(found)


def course(
    place: Place, checks: Sequence[CheckPeriod], frame: Frame, limit: float, *, gateway: bool
) -> Course | None:
    """The course of a host from all of its checks; None if none of them says anything of it.

    `limit`: below this R a call sounds poor.
    """
    read = [_read(check, frame) for check in checks]
    read = [one for one in read if one.measured.any()]
    if not read:
        return None
    times_s = np.concatenate([one.times_s[one.measured] for one in read])
    answered = np.concatenate([one.answered[one.measured] for one in read])
    order = np.argsort(times_s, kind="stable")
    times_s, answered = times_s[order], answered[order]
    steps = np.diff(max((one.times_s[one.measured] for one in read), key=len))
    step_s = float(np.median(steps)) if steps.size else 0.0
    silent, still = _silences(times_s, answered, step_s)
    echo = _first(read, _ECHOES, "packet_loss_ratio")
    voice = _first(read, _SPEECH, "r_factor")
    sent, lost, loss_ratio = _losses(echo, silent, frame)
    scored, poor = _scores(voice, frame, limit)
    return Course(
        place, gateway, tuple(one.check.check for one in read), int(times_s[0]), int(times_s[-1]),
        step_s, len(times_s), int(answered.sum()),
        sum(int((~one.measured).sum()) for one in read), tuple(silent), still, lost, sent,
        loss_ratio, _binned(echo, "round_trip_delay_median_s", frame),
        _binned(voice, "r_factor", frame), scored, poor,
        voice.check.probe if voice is not None else None, _gaps(times_s, step_s),
    )  # fmt: skip


def about_medians(
    known: Sequence[Floats], together: Callable[..., Floats] = np.nanmedian
) -> Floats:
    """Hosts as one series, each about its own median, so that one that came later is no change."""
    about = np.vstack([values - np.nanmedian(values) for values in known])
    flat = np.full(about.shape[1], np.nan)
    some = np.isfinite(about).any(axis=0)
    flat[some] = together(about[:, some], axis=0)
    return flat


def _read(check: CheckPeriod, frame: Frame) -> _Read:
    states = np.frombuffer(check.states, dtype=np.uint8)
    times_s = np.frombuffer(check.times_s, dtype=np.uint32).astype(np.int64)
    measured, answered = _MEASURED[states], _ANSWERED[states]
    if check.probe == "snmp":
        measured = measured & answered  # a wrong community is met with silence by what is up
    loss = check.column("packet_loss_ratio") or check.column(
        "packet_loss_ratio", direction="round-trip"
    )
    if loss is not None:
        answered = answered & ~(np.frombuffer(loss.values, dtype=np.float32) >= 1)
    return _Read(check, times_s, *frame.bin_of(times_s), measured, answered)


def _table(wanted: Callable[[Outcome, Failure | None], bool]) -> Bools:
    """For each octet that says how a check ended, whether it is one of these."""
    found = np.zeros(256, dtype=np.bool_)
    for state in range(len(Outcome) * 16):
        if state % 16 <= len(Failure):
            found[state] = state < NOT_RUN_LEAST and wanted(*ended(state))
    return found


_MEASURED = _table(lambda _, failure: failure not in _SAYS_NOTHING)
_ANSWERED = _table(
    lambda outcome, failure: (
        failure in _ANSWERING or (failure is None and outcome is Outcome.COMPLETED)
    )
)


def _silences(times_s: Integers, answered: Bools, step_s: float) -> tuple[list[Span], bool]:
    """Stretches in which nothing came back, and whether the last one is not over yet.

    From the first that was missed to the next that was answered, or to the last that was missed
    where no check followed soon. Two in a row at the least, and not both of one sweep.
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([True], answered, [True])).astype(np.int8)))
    found: list[Span] = []
    still = False
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        start, last = int(times_s[first]), int(times_s[after - 1])
        if after - first < _MISSED_LEAST or last - start < step_s / 2:
            continue
        ends = last
        if after < len(times_s) and times_s[after] - last <= _STEPS_MOST * step_s:
            ends = int(times_s[after])
        still = after == len(times_s)
        found.append((start, max(ends, start + 1)))
    return found, still


def _first(read: Sequence[_Read], kinds: Sequence[ProbeKind], name: str) -> _Read | None:
    for kind in kinds:
        for one in read:
            if one.check.probe == kind and one.column(name) is not None:
                return one
    return None


def _losses(
    echo: _Read | None, silent: Sequence[Span], frame: Frame
) -> tuple[Floats, Floats, Floats]:
    """Packets sent and lost by day and the share lost by bin, while the host was not silent."""
    nothing = np.zeros(frame.days), np.zeros(frame.days), np.full(frame.bins, np.nan)
    if echo is None:
        return nothing
    ratio, sent = echo.column("packet_loss_ratio"), echo.column("packets_sent_count")
    if ratio is None or sent is None:
        return nothing
    used = echo.measured & np.isfinite(ratio) & (sent > 0)
    for start, end in silent:
        # At the end stands the one that was answered again, or the last that was not.
        inside = (echo.times_s < end) | ((echo.times_s == end) & (ratio >= 1))
        used &= ~((echo.times_s >= start) & inside)
    if not (ratio[used] < 1).any():
        return nothing  # it filters echo requests: there is no loss to speak of
    lost = np.round(np.clip(ratio[used], 0, 1) * sent[used])
    bins, counts = echo.bins[used], echo.in_bin[used]
    day = frame.day_of(bins)
    per_bin = np.bincount(bins[counts], sent[used][counts], frame.bins)
    lost_per_bin = np.bincount(bins[counts], lost[counts], frame.bins)
    share = np.divide(lost_per_bin, per_bin, out=np.full(frame.bins, np.nan), where=per_bin > 0)
    return (
        _sum(day, sent[used], frame.days), _sum(day, lost, frame.days), share,
    )  # fmt: skip


def _scores(voice: _Read | None, frame: Frame, limit: float) -> tuple[Floats, Floats]:
    values = None if voice is None else voice.column("r_factor")
    if voice is None or values is None:
        return np.zeros(frame.days), np.zeros(frame.days)
    known = np.isfinite(values)
    day = frame.day_of(voice.bins[known])
    scored = np.bincount(day, minlength=frame.days).astype(np.float64)
    return scored, _sum(day, (values[known] < limit).astype(np.float64), frame.days)


def _binned(one: _Read | None, name: str, frame: Frame) -> Floats:
    """The mean of each bin."""
    values = None if one is None else one.column(name)
    if one is None or values is None:
        return np.full(frame.bins, np.nan)
    known = np.isfinite(values) & one.in_bin
    bins = one.bins[known]
    held = np.bincount(bins, minlength=frame.bins)
    sums = np.bincount(bins, values[known], frame.bins)
    found: Floats = np.divide(sums, held, out=np.full(frame.bins, np.nan), where=held > 0)
    return found


def _sum(places: Integers, values: Floats, length: int) -> Floats:
    found: Floats = np.bincount(places, values, length).astype(np.float64)
    return found


def _gaps(times_s: Integers, step_s: float) -> tuple[Span, ...]:
    """Between two measurements, where that took more than three usual steps."""
    apart = np.diff(times_s)
    wide = np.flatnonzero(apart > max(_STEPS_MOST * step_s, 1))
    return tuple((int(times_s[at]), int(times_s[at + 1])) for at in wide)


def _floats(column: Column) -> Floats:
    return np.frombuffer(column.values, dtype=np.float32).astype(np.float64)
