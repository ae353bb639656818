"""Who must not suffer from a load: both streams, and hosts that are pinged meanwhile."""

from bisect import bisect_left
from collections.abc import Sequence

from nethealth.model.check import CoexistenceParameters
from nethealth.model.ports import EchoEvent, EchoFlow, NetworkFailure
from nethealth.model.probe import Env
from nethealth.quality.delay import percentile
from probes.coexistence_streams import Stream, Window

PING_INTERVAL_S = 0.1
RECENT_S = 0.5  # of packets that the guard looks at
RECENT_SHARE_MAX = 0.2  # of them that may come late
RECENT_PINGS = 4
_PAYLOAD_BYTES = 56
_PACKETS_LEAST = 10
_LOSS_PACKETS_LEAST = 50


class Pinged:
    """One host that is pinged while the streams run."""

    def __init__(self, name: str, host: str) -> None:
        self.name = name
        self.host = host
        self.address: str | None = None
        self.why_not: str | None = None  # it was not pinged
        self._sent_s: list[float] = []
        self._delays_s: dict[int, float] = {}

    async def run(self, env: Env) -> None:
        """Ping until cancelled; a host that cannot be pinged is no guard."""
        flow: EchoFlow | None = None
        try:
            self.address = (await env.network.resolve(self.host))[0]
            flow = env.network.open_echo(
                self.address, self._deliver, dscp=0, payload_bytes=_PAYLOAD_BYTES
            )
            while True:
                due_s = env.clock.monotonic_s() + PING_INTERVAL_S
                self._sent_s.append(env.clock.monotonic_s())
                self._sent_s[-1] = flow.send(len(self._sent_s) - 1)
                await env.clock.sleep_until(due_s)
        except NetworkFailure as failure:
            self.why_not = failure.reason
        finally:
            if flow is not None:
                flow.close()

    def delays_s(self, window: Window) -> list[float | None]:
        """The round trip of each of the window's packets, None where no answer came."""
        first = bisect_left(self._sent_s, window.start_s)
        last = bisect_left(self._sent_s, window.end_s)
        return [self._delays_s.get(place) for place in range(first, last)]

    def _deliver(self, event: EchoEvent) -> None:
        ours = event.kind == "reply" and event.source == self.address
        if ours and event.sequence < len(self._sent_s):
            delay_s = event.received_s - self._sent_s[event.sequence]
            self._delays_s.setdefault(event.sequence, delay_s)


class Guard:
    """Says when a load must end: by what is usual on the idle line, plus the guard's delay.

    What is not back within that counts as missed, lost or late alike. The load ends when more
    than RECENT_SHARE_MAX of a stream's packets of the last RECENT_S are missed, or more than
    `guard_loss_ratio` of those since it began, or half or more of a host's last RECENT_PINGS.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        pinged: Sequence[Pinged],
        idle: Window,
        parameters: CoexistenceParameters,
    ) -> None:
        self._loss_most = parameters.guard_loss_ratio
        self._streams = [
            (stream, percentile(delays_s, 0.5) + parameters.guard_delay_s)
            for stream in streams
            if (delays_s := stream.delays_s(idle))
        ]
        self._pinged = [
            (one, percentile(known, 0.5) + parameters.guard_delay_s)
            for one in pinged
            if (known := [delay for delay in one.delays_s(idle) if delay is not None])
        ]
        self._idle = idle

    def trouble_when_idle(self) -> str | None:
        """Why there must be no load at all: the line is disturbed already."""
        for stream, bound_s in self._streams:
            missed, sent = stream.missed(self._idle, bound_s)
            if sent and missed > self._loss_most * sent:
                return f"already on the idle line {_words(stream, missed, sent, bound_s)}"
        return None

    def trouble(self, began_s: float, now_s: float) -> str | None:
        """Why the load that began at `began_s` must end now; None while all is well."""
        for stream, bound_s in self._streams:
            known_s = now_s - bound_s  # of what was sent later nobody can say yet that it is late
            recent = Window("", max(began_s, known_s - RECENT_S), known_s)
            missed, sent = stream.missed(recent, bound_s)
            if sent >= _PACKETS_LEAST and missed > RECENT_SHARE_MAX * sent:
                return _words(stream, missed, sent, bound_s)
            missed, sent = stream.missed(Window("", began_s, known_s), bound_s)
            if sent >= _LOSS_PACKETS_LEAST and missed > self._loss_most * sent:
                return _words(stream, missed, sent, bound_s)
        for one, bound_s in self._pinged:
            delays_s = one.delays_s(Window("", began_s, now_s - bound_s))[-RECENT_PINGS:]
            late = sum(delay is None or delay > bound_s for delay in delays_s)
            if len(delays_s) == RECENT_PINGS and 2 * late >= RECENT_PINGS:
                return (
                    f"{late} of the last {RECENT_PINGS} echo requests to {one.name} were not back "
                    f"within {bound_s * 1000:.0f} ms"
                )
        return None


def _words(stream: Stream, missed: int, sent: int, bound_s: float) -> str:
    return (
        f"{missed} of {sent} packets of DSCP {stream.dscp} were not back within "
        f"{bound_s * 1000:.0f} ms"
    )
