"""Telephones without power that send back all that they are sent.

The relay by which some telephones join their two sockets when they have no power sends every frame
back to the switch. Broadcasts then come in at that one port as fast as they go out, and the switch
learns everybody at it. A cable loop behind a small switch looks alike, but begins with no failure
of the mains.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from nethealth.diagnosis.device import Device, is_telephone
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Round, number
from nethealth.diagnosis.lan import Lan
from nethealth.diagnosis.loops import rounds_of, strangers
from nethealth.diagnosis.moments import aware, moment_of
from nethealth.diagnosis.text import counted, listing
from nethealth.diagnosis.tree import CHANGES_LEAST, tree_changes
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Event, Observation

ECHO = 1.15  # the two rates of an echo are of the same frames, counted at the same time
ECHOED_LEAST_PER_S = 20.0  # a telephone and a computer broadcast less than one frame a second
MAINS = ("power-cut", "mains-failure", "mains-restored", "ups-on-battery")
SOON = timedelta(minutes=5)
RESTARTS_LEAST = 2  # of different devices at once: the mains, and no single fault


def power_loops(places: Sequence[Lan]) -> Iterator[Finding]:
    """One `phone-power-loop` for each port of a telephone that echoes all broadcasts by itself."""
    for lan in places:
        evidence = lan.evidence
        for device in lan.devices:
            echoes = [each for each in _echoes(device) if each.telephone]
            if len(echoes) == 1 and not _others(device, echoes[0]):
                yield _finding(evidence, lan, echoes[0])


@dataclass(frozen=True, eq=False)
class _Echo:
    """One port that takes in as many broadcasts as it sends out, in the last reading."""

    device: Device
    interface: str
    rounds: tuple[tuple[Round, float, float], ...]

    @property
    def per_s(self) -> float:
        return self.rounds[-1][1]

    @property
    def telephone(self) -> bool:
        """Whether one announced itself there, now or before it lost its power."""
        before = self.device.before("neighbour_name", interface=self.interface)
        return bool(self.neighbours) or (before is not None and is_telephone(before))

    @cached_property
    def neighbours(self) -> tuple[Observation, ...]:
        """Telephones that announced themselves there in any round."""
        return tuple(
            seen
            for one in self.device.rounds
            for seen in one.all("neighbour_name")
            if seen.method.get("interface") == self.interface and is_telephone(seen)
        )

    @property
    def begun(self) -> tuple[datetime, datetime] | None:
        """Between which two readings it began; None where it was so from the first on."""
        calm = [at for at, (_, into, out) in enumerate(self.rounds) if not _echo(into, out)]
        if not calm:
            return None
        started = aware(self.device.started)
        last, first = self.rounds[calm[-1]][0], self.rounds[min(calm[-1] + 1, len(self.rounds) - 1)]
        return _time(started, last.check.finished_s), _time(started, first[0].check.finished_s)


def _echo(into: float, out: float) -> bool:
    return min(into, out) >= ECHOED_LEAST_PER_S and min(into, out) * ECHO >= max(into, out)


def _echoes(device: Device) -> Iterator[_Echo]:
    for interface in device.ports:
        rounds = rounds_of(device, interface)
        if rounds and _echo(*rounds[-1][1:]):
            yield _Echo(device, interface, tuple(rounds))


def _others(device: Device, echo: _Echo) -> bool:
    """Whether another port echoes as much: two that are joined make a loop, and no relay.

    The port that most broadcasts come from is sent them back by a relay, and echoes as well: it
    took in as many before.
    """
    return any(
        other.interface != echo.interface
        and other.per_s * 2 >= echo.per_s
        and not _source(other, echo)
        for other in _echoes(device)
    )


def _source(other: _Echo, echo: _Echo) -> bool:
    """Whether a port took in as many when the one that echoes now was still calm."""
    calm = [one for one, into, out in echo.rounds if not _echo(into, out)]
    return bool(calm) and any(
        one is calm[-1] and into * 2 >= other.per_s for one, into, _ in other.rounds
    )


def _time(started: datetime, seconds: float | None) -> datetime:
    within = seconds is not None and -1e9 < seconds < 1e9
    return started + timedelta(seconds=seconds if within and seconds is not None else 0.0)


def _mains(
    evidence: Evidence, lan: Lan, begun: tuple[datetime, datetime] | None
) -> list[Observation | Event]:
    """What tells of the mains about when it began; at any time, where that is not known."""

    def soon(moment: datetime | None) -> bool:
        if begun is None or moment is None:
            return begun is None
        return begun[0] - SOON <= moment <= begun[1] + SOON

    found: list[Observation | Event] = [event for event in lan.happened(*MAINS) if soon(event.time)]
    restarts = [event for event in lan.happened("restart") if soon(event.time)]
    if len({event.asset for event in restarts}) >= RESTARTS_LEAST and begun is not None:
        found += restarts
    for device in lan.devices:
        for one in device.rounds:
            source, since = one.first("ups_output_source"), one.first("ups_on_battery_s")
            lasted_s = None if since is None else number(since)
            if source is None or source.value != "battery":
                continue
            read = moment_of(evidence, source)
            failed = None
            if read is not None and lasted_s is not None and 0 <= lasted_s < 1e9:
                failed = read - timedelta(seconds=lasted_s)
            if soon(failed or read):
                found += [source, *([since] if since is not None else [])]
    return found


def _finding(evidence: Evidence, lan: Lan, echo: _Echo) -> Finding:
    device, where = echo.device, echo.device.port(echo.interface)
    changes = tree_changes(device)
    flat = device.now("spanning_tree_changes_count") is not None and changes < CHANGES_LEAST
    learned = strangers(device, echo.interface)
    mains = _mains(evidence, lan, echo.begun)
    fed = [seen for seen in device.all_now("poe_port_status") if seen.value == "delivering"]
    sure = flat and bool(mains) and not fed and learned is not None and echo.begun is not None
    verdict = Verdict.SUPPORTED if sure else Verdict.SUGGESTIVE
    if changes >= CHANGES_LEAST:
        verdict = Verdict.CONTRADICTED
    return draft(
        evidence,
        "phone-power-loop",
        where,
        f"{where.name}, where a telephone is, takes in {echo.per_s:.0f} broadcasts a second, as "
        f"many as it sends out, and no other port does"
        f"{f'; the mains failed about then ({_told(mains)})' if mains else ''}.",
        rounds=[one for one, _, _ in echo.rounds[-1:]],
        seen=[
            *(
                seen
                for way in ("in", "out")
                for seen in [
                    device.now(f"interface_{way}_broadcast_per_s", interface=echo.interface)
                ]
            ),
            learned, *echo.neighbours[-1:], *mains, *fed[:3],
        ],
        verdict=verdict,
        direction=Direction.TELEPHONY_TO_NETWORK if sure else Direction.UNDETERMINED,
        refutations=(
            Refutation(
                "Is the spanning tree at work, which such a loop never wakes?",
                f"yes: it changed {counted(changes, 'time')}" if changes >= CHANGES_LEAST
                else "no" if flat else "unknown: it has no tree",
            ),
            Refutation(
                "Is it a machine that broadcasts, whose frames do not come back?",
                "no: devices of other ports were learned there" if learned is not None
                else "it may be: nothing shows who was learned there",
            ),
            Refutation("Was it so before the mains failed?", _before(echo, mains)),
            Refutation(
                "Does the switch feed its telephones itself, so that they outlast the mains?",
                f"it feeds {counted(len(fed), 'port')}" if fed else "no: it feeds none",
            ),
        ),
        missing=_missing(echo, mains),
        alternatives=("a loop of cables behind a small switch at that port",),
    )  # fmt: skip


def _told(mains: Sequence[Observation | Event]) -> str:
    kinds = (one.kind if isinstance(one, Event) else "a supply on battery" for one in mains)
    return listing(list(dict.fromkeys(kinds)))


def _before(echo: _Echo, mains: Sequence[object]) -> str:
    if echo.begun is None:
        return "unknown: it was so from the first reading on"
    if not mains:
        return "unknown: nothing tells of the mains"
    return "no: an earlier reading shows it calm"


def _missing(echo: _Echo, mains: Sequence[object]) -> tuple[str, ...]:
    return (
        *(() if mains else ("whether the mains failed there when it began",)),
        *(() if echo.begun is not None else ("a reading from before it began",)),
        "whether it ends when the patch of that telephone is pulled",
    )
