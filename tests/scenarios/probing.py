"""What the active probes read over a line: echo requests, and two streams beside a load.

Packets are sent one by one through both directions of the line and through the site's LAN; the
statistics over them are those that the probes hand over. The account of `coexistence` is made by
the probe's own code, from packets of this world.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import cast

import numpy as np

from nethealth.model.check import Check, CoexistenceParameters
from nethealth.model.observation import Scalar
from nethealth.model.ports import Clock, Network, Pacer
from nethealth.model.probe import Env, Observer
from nethealth.protocol.stamp import Answer
from nethealth.quality.delay import median_interval, pdv_s, percentile, summary
from nethealth.quality.emodel import JITTER_BUFFER_S, estimate
from nethealth.quality.loss import loss_statistics
from nethealth.wire.stamp import ErrorEstimate
from probes.coexistence import COEXISTENCE
from probes.coexistence_account import Ended, account
from probes.coexistence_guard import Pinged
from probes.coexistence_load import LoadRun, Phase
from probes.coexistence_streams import Fate, Stream, Window
from tests.scenarios.book import Book
from tests.scenarios.line import DATA, STEP_S, VOICE, WAYS, Flow, Line, Way, struck

_JITTER_S = 0.0003  # mean of what switches and hosts add
_PHASES: tuple[tuple[Phase, float, float], ...] = (("download", 6.0, 11.0), ("upload", 13.0, 18.0))
_CUT_LATE_S, _CUT_SHARE, _CUT_OVER_S = 0.15, 0.2, 0.5  # the guard of the load


@dataclass(frozen=True)
class Local:
    """What the LAN and the host itself add to the line: loss of a round trip, and a delay."""

    loss: float = 0.0
    delay_s: float = 0.0
    echoes: bool = True


def crossing(
    random: np.random.Generator, flow: Flow, times: Sequence[float], mark: int
) -> list[float | None]:
    """Of each packet sent at these times: how long it takes one way, None where it is lost."""
    line = flow.line
    waits, dropped = flow.waits()[mark]
    medium = struck(random, len(times), line.loss.get(flow.way, 0.0), line.run)
    chances = random.random(len(times))
    jitter = random.exponential(_JITTER_S, len(times))
    found: list[float | None] = []
    for at, time in enumerate(times):
        step = min(len(waits) - 1, max(0, int((time - flow.times[0]) / STEP_S)))
        lost = medium[at] or chances[at] < dropped[step]
        found.append(None if lost else line.one_way_s + float(waits[step]) + float(jitter[at]))
    return found


def ping(
    book: Book, random: np.random.Generator, line: Line, at_s: float, local: Local = Local(), *,
    asset: str | None = None, gateway_of: str | None = None, count: int = 20,
) -> None:  # fmt: skip
    """One check `ping`, and what it says."""
    check = book.check("ping", at_s, asset=asset, gateway_of=gateway_of)
    times = [at_s + 0.2 * place for place in range(count)]
    there = crossing(random, line.flow(random, "forward", at_s, 5.0), times, DATA)
    back = crossing(random, line.flow(random, "return", at_s, 5.0), times, DATA)
    behind = random.random(count)
    delays = [
        None
        if one is None or other is None or not local.echoes or behind[place] < local.loss
        else one + other + local.delay_s * float(random.gamma(4.0, 0.25))
        for place, (one, other) in enumerate(zip(there, back, strict=True))
    ]
    _pinged(book, check, delays)


def _pinged(book: Book, check: str, delays: Sequence[float | None]) -> None:
    answered = [delay for delay in delays if delay is not None]
    loss = loss_statistics([delay is not None for delay in delays])
    book.see(check, "packets_sent_count", len(delays))
    book.see(check, "packets_received_count", len(answered))
    book.see(check, "packet_loss_ratio", loss.ratio, samples=loss.sent, interval=loss.interval)
    book.see(check, "packet_loss_burst_ratio", loss.burst_ratio)
    book.see(check, "packet_loss_run_max_packets", loss.run_max)
    if not answered:
        return
    told = summary(answered)
    for name, value, between in (
        ("round_trip_delay_min_s", told.min_s, None),
        ("round_trip_delay_median_s", told.median_s, median_interval(answered)),
        ("round_trip_delay_p95_s", told.p95_s, None),
        ("round_trip_delay_max_s", told.max_s, None),
    ):
        book.see(check, name, value, samples=told.samples, interval=between)
    book.see(check, "pdv_p99_s", percentile(pdv_s(delays), 0.99), samples=len(answered))
    latest_s = min(answered) + 2 * JITTER_BUFFER_S
    heard = loss_statistics([delay is not None and delay <= latest_s for delay in delays])
    quality = estimate(
        one_way_delay_s=told.median_s / 2, loss_ratio=heard.ratio, burst_ratio=heard.burst_ratio
    )
    book.see(check, "r_factor", quality.r_factor, samples=len(delays), passport=quality.passport)
    book.see(check, "mos_cqe", quality.mos_cqe, samples=len(delays), passport=quality.passport)


class _Sent(Stream):
    """A stream whose packets went through this world."""

    def __init__(self, dscp: int, times: Sequence[float], fates: list[Fate]) -> None:
        self.dscp = dscp
        self.timer_errors_s = [0.0002] * len(times)
        self._sent_s = list(times)
        self._told = fates

    def fates(self) -> list[Fate]:
        return self._told


class _Echoed(Pinged):
    """A host that was pinged ten times a second in this world."""

    def __init__(self, name: str, host: str, times: Sequence[float],
                 delays: Sequence[float | None]) -> None:  # fmt: skip
        super().__init__(name, host)
        self.address = host
        self._times = times
        self._round_trips = delays

    def delays_s(self, window: Window) -> list[float | None]:
        return [
            delay
            for time, delay in zip(self._times, self._round_trips, strict=True)
            if window.start_s <= time < window.end_s
        ]


@dataclass
class _Clock:
    """A clock that stands where it is put."""

    now_s: float = 0.0

    def monotonic_s(self) -> float:
        return self.now_s


def coexistence(
    book: Book, random: np.random.Generator, line: Line, at_s: float, asset: str,
    local: Local = Local(),
) -> None:  # fmt: skip
    """One check `coexistence` to a reflector at a site: idle, a download, an upload, idle again."""
    check = book.check("coexistence", at_s, asset=asset, lasts_s=26.0)
    site = book.assets[asset].site
    known = book.sites[site]
    parameters = CoexistenceParameters(
        host=book.assets[asset].address or asset,
        declared_down_bps=line.declared_down_bps,
        declared_up_bps=line.declared_up_bps,
        download_bps=line.declared_down_bps / 2,
        upload_bps=line.declared_up_bps / 2,
    )
    flows: dict[Way, Flow] = {way: line.flow(random, way, at_s, 24.0) for way in WAYS}
    loads: dict[str, LoadRun | str] = {}
    windows = [Window("before", at_s, at_s + 5.0)]
    for phase, begins, ends in _PHASES:
        way: Way = "forward" if phase == "download" else "return"
        rate = line.declared_down_bps / 2 if phase == "download" else line.declared_up_bps / 2
        flow = flows[way]
        end_s = _loaded(flow, at_s + begins, at_s + ends, rate)
        cut = end_s < at_s + ends
        octets = int(rate / 8 * 0.93 * (end_s - at_s - begins))
        loads[phase] = LoadRun(
            phase, rate, at_s + begins, end_s, octets, "guard" if cut else "time",
            "its guard: packets came too late" if cut else "its time was over", six=False,
        )  # fmt: skip
        windows.append(Window(phase, at_s + begins, end_s))
    windows.append(Window("after", at_s + 20.0, at_s + 23.0))
    times = [at_s + STEP_S * place for place in range(int(23.0 / STEP_S))]
    streams = [_stream(random, flows, line, times, mark, local) for mark in (VOICE, DATA)]
    pings = [at_s + 0.1 * place for place in range(230)]
    gateway = _both(random, flows, pings)
    near = [0.0008 + float(random.exponential(0.0002)) for _ in pings]
    pinged = [_Echoed("near", "198.18.0.1", pings, near),
              _Echoed("gateway", known.gateway or site, pings, gateway)]  # fmt: skip
    clock = _Clock(at_s + 24.0)
    # The account asks the clock alone.
    env = Env(cast(Clock, clock), cast(Network, None), Random(0), cast(Pacer, None), 0.0)
    planned = Check(check, "coexistence", None, site, asset, asset, parameters)
    observe = Observer(planned, env, COEXISTENCE.units)
    passport: dict[str, Scalar] = {"address": parameters.host, "ip_version": 4, "port": 862}
    book.take(list(account(observe, passport, parameters, Ended(streams, windows, loads, pinged))))


def _loaded(flow: Flow, start_s: float, end_s: float, rate_bps: float) -> float:
    """Add a load to the line until its guard would have cut it; when it ended."""
    during = (flow.times >= start_s) & (flow.times < end_s)
    trial = Flow(flow.line, flow.way, flow.times, flow.data_bps, flow.voice_bps)
    trial.add(np.where(during, rate_bps, 0.0))
    late = np.zeros(len(flow.times), bool)
    for waits, dropped in trial.waits().values():
        late |= (waits > _CUT_LATE_S) | (dropped > 0.5)
    recent = int(_CUT_OVER_S / STEP_S)
    for at in np.flatnonzero(during):
        if late[max(0, at - recent) : at].mean() > _CUT_SHARE if at else False:
            end_s = float(flow.times[at])
            break
    flow.add(np.where(during & (flow.times < end_s), rate_bps, 0.0))
    return end_s


def _stream(
    random: np.random.Generator, flows: dict[Way, Flow], line: Line, times: Sequence[float],
    mark: int, local: Local,
) -> _Sent:  # fmt: skip
    there = crossing(random, flows["forward"], times, mark)
    back = crossing(random, flows["return"], times, mark)
    offset_s = float(random.uniform(-0.5, 0.5))  # of the reflector's clock
    error = ErrorEstimate.of(1.0, synchronised=False)
    came = mark if mark == DATA else line.marks.get("forward", mark)
    returned = mark if mark == DATA else line.marks.get("return", mark)
    fates = []
    for time, one, other in zip(times, there, back, strict=True):
        inside = None if random.random() < local.loss else local.delay_s
        forward = one is not None and inside is not None
        if one is None or inside is None or other is None:
            fates.append(Fate(None, forward, False if forward else None))
            continue
        answer = Answer(
            counter=1, received_s=time + one + inside + other, raw_s=one + inside + other + 5e-5,
            residence_s=5e-5, forward_s=one + inside + offset_s, return_s=other - offset_s,
            plausible=True, error_estimate=error, dscp_forward=came, dscp_return=returned,
            dscp_refused=False,
        )  # fmt: skip
        fates.append(Fate(answer, True, True))
    return _Sent(mark, times, fates)


def _both(
    random: np.random.Generator, flows: dict[Way, Flow], times: Sequence[float]
) -> list[float | None]:
    there = crossing(random, flows["forward"], times, DATA)
    back = crossing(random, flows["return"], times, DATA)
    return [
        None if one is None or other is None else one + other
        for one, other in zip(there, back, strict=True)
    ]
