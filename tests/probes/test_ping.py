"""The ping probe: its sums on a scripted network in virtual time, its sockets on a TUN link."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from nethealth.model.check import Check, PingParameters
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation
from nethealth.model.ports import EchoEvent, EchoFlow, NetworkFailure
from nethealth.model.probe import Completion, Env
from probes.ping import PING, UNITS
from tests.peers import tun_link as link_of
from tests.peers.tun_link import TunLink, tun_link
from tests.sweep.virtual import LoopClock, NoNetwork, virtually

HOST = "192.0.2.9"
Answers = Callable[[int], list[tuple[float, EchoEvent]]]  # of a sequence: (seconds later, event)


class ScriptedFlow:
    identifier = 1

    def __init__(self, network: "ScriptedNetwork", deliver: Callable[[EchoEvent], None]) -> None:
        self.address = HOST
        self._network = network
        self._deliver = deliver

    def send(self, sequence: int) -> float:
        self._network.refuse(sequence)
        loop = asyncio.get_running_loop()
        for after_s, event in self._network.answers(sequence):
            at_s = loop.time() + after_s
            loop.call_at(at_s, self._arrive, event, at_s)
        self._network.sent_s.append(loop.time())
        return loop.time()

    def close(self) -> None:
        self._network.closed += 1

    def _arrive(self, event: EchoEvent, at_s: float) -> None:
        self._deliver(
            EchoEvent(
                event.sequence, at_s, event.source, event.kind, event.icmp_type, event.icmp_code,
                event.ttl, event.dscp,
            )
        )  # fmt: skip


class ScriptedNetwork(NoNetwork):
    """Answers each request as `answers` says; the time of an event is that of its arrival."""

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self.answers = answers
        self.sent_s: list[float] = []
        self.closed = 0
        self.unsendable: tuple[int, ...] = ()

    def refuse(self, sequence: int) -> None:
        if sequence in self.unsendable:
            raise NetworkFailure(Failure.UNREACHABLE, "network is unreachable")

    async def resolve(self, host: str, family: object = None) -> tuple[str, ...]:
        if host == HOST:
            return (HOST,)
        await asyncio.sleep(0.25)
        if host == "nowhere.example":
            raise NetworkFailure(Failure.RESOLVE, "no such name")
        return (HOST, "192.0.2.10")

    def open_echo(
        self, address: str, deliver: Callable[[EchoEvent], None], *, dscp: int, payload_bytes: int
    ) -> EchoFlow:
        assert address == HOST
        return ScriptedFlow(self, deliver)


class NoPacing:
    async def wait(self, packets: int = 1) -> None:
        return None


def reply(sequence: int, source: str = HOST, dscp: int = 0) -> EchoEvent:
    return EchoEvent(sequence, 0.0, source, "reply", 0, 0, ttl=60, dscp=dscp)


def steps_of(
    network: ScriptedNetwork, host: str = HOST, deadline_s: float = 35.0, **parameters: Any
) -> AsyncIterator[Observation | Completion]:
    check = Check(
        "x:ping", "ping", None, None, None, host, PingParameters(host, **parameters), deadline_s
    )
    clock = LoopClock()
    return PING.run(check, Env(clock, network, Random(1), NoPacing(), clock.monotonic_s()))


class Seen:
    """What a probe yielded, by name."""

    def __init__(self) -> None:
        self.steps: list[Observation | Completion] = []

    @property
    def completion(self) -> Completion | None:
        last = self.steps[-1]
        return last if isinstance(last, Completion) else None

    @property
    def names(self) -> list[str]:
        return [step.name for step in self.steps if isinstance(step, Observation)]

    def __getitem__(self, name: str) -> Observation:
        (found,) = self.all(name)
        return found

    def all(self, name: str) -> list[Observation]:
        return [step for step in self.steps if isinstance(step, Observation) and step.name == name]


def ping(answers: Answers, *, unsendable: tuple[int, ...] = (), **more: Any) -> Seen:
    """Run the probe to its end in virtual time."""
    seen, network = Seen(), ScriptedNetwork(answers)
    network.unsendable = unsendable

    async def main() -> None:
        async for step in steps_of(network, **more):
            seen.steps.append(step)

    virtually(main())
    assert network.closed <= 1
    return seen


def test_a_quiet_path_by_hand() -> None:
    # Round trips 10, 20, 30, 40 ms, the third packet lost.
    delays = {0: 0.010, 1: 0.020, 3: 0.030, 4: 0.040}
    seen = ping(lambda n: [(delays[n], reply(n))] if n in delays else [], count=5)
    assert seen.completion is None
    assert seen["packets_sent_count"].value == 5
    assert seen["packets_received_count"].value == 4
    loss = seen["packet_loss_ratio"]
    assert (loss.value, loss.samples) == (0.2, 5)
    assert loss.interval == pytest.approx((0.0362, 0.6245), abs=5e-5)  # Wilson, 1 of 5
    assert seen["packet_loss_run_max_packets"].value == 1
    assert seen["round_trip_delay_min_s"].value == pytest.approx(0.010)
    assert seen["round_trip_delay_median_s"].value == pytest.approx(0.025)
    assert seen["round_trip_delay_p95_s"].value == pytest.approx(0.0385)
    assert seen["round_trip_delay_max_s"].value == pytest.approx(0.040)
    assert seen["round_trip_delay_max_s"].samples == 4
    # Neighbours that were both answered: 20 - 10 and 40 - 30 ms.
    assert seen["ipdv_abs_mean_s"].value == pytest.approx(0.010)
    assert seen["ipdv_abs_mean_s"].samples == 2
    # Above the least: 0, 10, 20, 30 ms.
    assert seen["pdv_p95_s"].value == pytest.approx(0.0285)
    assert seen["pdv_p99_s"].value == pytest.approx(0.0297)
    assert seen["reply_ttl"].value == 60
    assert {seen[name].method["address"] for name in seen.names} == {HOST}


def test_silence_is_a_completed_check_without_delays() -> None:
    seen = ping(lambda n: [], count=12)
    assert seen.completion is None
    assert seen["packet_loss_ratio"].value == 1
    for name in seen.names:
        if name.startswith(("round_trip", "ipdv", "pdv", "reply_ttl", "dscp")):
            assert (seen[name].value, seen[name].failure) == (None, Failure.TIMEOUT)
    assert seen["mos_cqe"].value is None
    assert seen["mos_cqe"].method["reason"] == "no packet was answered"
    assert seen["packet_loss_burst_ratio"].value is None


def test_late_replies_copies_and_strangers() -> None:
    def answers(n: int) -> list[tuple[float, EchoEvent]]:
        return {
            0: [(1.5, reply(0))],  # late, for a wait of 1 s
            1: [(0.1, reply(1)), (0.2, reply(1)), (0.3, reply(1))],
            2: [(0.1, reply(2, source="192.0.2.77"))],
        }.get(n, [(0.1, reply(n))])

    seen = ping(answers, count=10, interval_s=0.2, timeout_s=1.0)
    assert seen["late_reply_count"].value == 1
    assert seen["duplicate_count"].value == 2
    assert seen["packets_received_count"].value == 8
    assert seen["round_trip_delay_max_s"].value == pytest.approx(0.1)


def test_errors_are_observed_one_by_one() -> None:
    def answers(n: int) -> list[tuple[float, EchoEvent]]:
        code = 1 if n < 2 else 13
        return [(0.01, EchoEvent(n, 0.0, "192.0.2.254", "error", 3, code))]

    seen = ping(answers, count=3)
    errors = {step.method["icmp_code"]: step for step in seen.all("icmp_error_count")}
    assert {code: step.value for code, step in errors.items()} == {1: 2, 13: 1}
    assert errors[1].method["icmp_type"] == 3
    assert errors[1].method["source"] == "192.0.2.254"


def test_a_name_is_timed_apart_and_its_first_address_measured() -> None:
    seen = ping(lambda n: [(0.1, reply(n))], host="host.example", count=2)
    assert seen.names[0] == "resolution_time_s"
    assert seen["resolution_time_s"].value == pytest.approx(0.25)
    assert seen["resolution_time_s"].method["addresses"] == (HOST, "192.0.2.10")


def test_a_name_without_address_fails() -> None:
    seen = ping(lambda n: [], host="nowhere.example")
    assert seen.completion == Completion(Outcome.FAILED, Failure.RESOLVE, "no such name")
    assert seen["resolution_time_s"].failure is Failure.RESOLVE


def test_no_route_fails_and_a_route_lost_half_way_does_not() -> None:
    gone = ping(lambda n: [(0.1, reply(n))], unsendable=(0, 1, 2), count=3)
    assert gone.completion is not None
    assert gone.completion.failure is Failure.UNREACHABLE
    assert gone["packets_sent_count"].value == 0
    half = ping(lambda n: [(0.1, reply(n))], unsendable=(1, 2), count=4)
    assert half.completion is None
    assert half["packets_sent_count"].value == 2
    assert half["packets_sent_count"].method["unsendable"] == 2
    assert half["packet_loss_ratio"].value == 0


def test_requests_leave_on_time_whatever_comes_back() -> None:
    network = ScriptedNetwork(lambda n: [(0.9, reply(n))])

    async def main() -> None:
        async for _ in steps_of(network, count=10, interval_s=0.25):
            pass

    virtually(main())
    offsets = [sent_s - network.sent_s[0] for sent_s in network.sent_s]
    assert offsets == pytest.approx([0.25 * n for n in range(10)])


def test_it_ends_by_itself_before_its_deadline() -> None:
    network = ScriptedNetwork(lambda n: [])
    seen = Seen()

    async def main() -> float:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async for step in steps_of(network, count=1000, interval_s=0.1, deadline_s=10.0):
            seen.steps.append(step)
        return loop.time() - began_s

    assert virtually(main()) < 10.0
    sent = seen["packets_sent_count"]
    assert isinstance(sent.value, int)
    assert 70 <= sent.value <= 76  # ten seconds less margin and two seconds of waiting
    assert sent.method["asked"] == 1000
    assert seen.completion is None


def test_cut_short_it_hands_over_what_was_settled() -> None:
    network = ScriptedNetwork(lambda n: [] if n == 3 else [(0.1, reply(n))])
    seen = Seen()

    async def consume() -> None:
        async for step in steps_of(network, count=100, interval_s=0.5, timeout_s=2.0):
            seen.steps.append(step)

    async def main() -> None:
        task = asyncio.create_task(consume())
        await asyncio.sleep(5.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    virtually(main())
    assert len(network.sent_s) == 11  # at 0, 0.5 … 5.0
    assert seen["packets_sent_count"].value == 7  # those of 0 to 3.0: over by 5.1
    assert seen["packets_received_count"].value == 6
    assert network.closed == 1


def test_quality_is_the_e_model_of_half_the_round_trip() -> None:
    # G.107, default echo: 100 ms mouth to ear is R 90.664, MOS 4.355 (hand-checked table). Half of
    # 70 ms, with 20 ms of packetisation, 40 of jitter buffer and 5 of device, makes 100 ms.
    seen = ping(lambda n: [(0.070, reply(n))], count=20)
    assert seen["r_factor"].value == pytest.approx(90.664, abs=0.001)
    assert seen["mos_cqe"].value == pytest.approx(4.355, abs=0.001)
    method = seen["mos_cqe"].method
    assert method["codec"] == "G.711+PLC"
    assert (method["ie"], method["bpl"], method["burst_r"]) == (0, 25.1, 1)
    assert method["mouth_to_ear_s"] == pytest.approx(0.1)
    assert method["one_way_delay"] == "half the round trip"


def test_what_misses_the_jitter_buffer_is_lost_to_the_ear() -> None:
    # One in ten comes 100 ms later, 50 ms of it on one way: past a buffer of 40 ms.
    seen = ping(lambda n: [(0.070 + 0.1 * (n % 10 == 5), reply(n))], count=20)
    assert seen["packet_loss_ratio"].value == 0
    assert seen["r_factor"].method["loss_ratio"] == pytest.approx(0.1)
    # Ie,eff = 95 * 10 / (10 / BurstR + 25.1), BurstR 1 for lone losses: 27.066 below the above.
    assert seen["r_factor"].value == pytest.approx(90.664 - 27.066, abs=0.002)


def test_too_few_packets_give_no_quality() -> None:
    seen = ping(lambda n: [(0.070, reply(n))], count=9)
    assert seen["r_factor"].value is None
    assert seen["r_factor"].method["reason"] == "fewer than 10 packets were sent"


def test_the_spec_page_names_every_observation() -> None:
    page = (Path(__file__).parents[2] / "docs/probes/ping.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\S*) ?\|", page, re.MULTILINE)
    assert {name: unit or None for name, unit in rows} == UNITS


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TunLink]:
    with tun_link(tmp_path_factory.mktemp("link")) as built:
        yield built


WAYS = [
    pytest.param({}, id="raw"),
    pytest.param({"unprivileged": True}, id="datagram"),
    pytest.param({"unprivileged": True, "uvloop": True}, id="datagram-uvloop"),
]


@pytest.mark.lab
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("address", [link_of.ipv4, link_of.ipv6], ids=["ipv4", "ipv6"])
def test_every_kind_of_far_side(
    link: TunLink, way: dict[str, bool], address: Callable[[int], str]
) -> None:
    link.allow_datagram_sockets("unprivileged" in way)
    kinds = range(link_of.PROMPT, link_of.CUT + 1)
    result = link.ping(
        [address(kind) for kind in kinds],
        count=10, interval_s=0.05, timeout_s=0.5, dscp=46, pace_s=0.001, **way,
    )  # fmt: skip
    seen = {kind: result["hosts"][address(kind)] for kind in kinds}
    assert result["overflow"] == 0  # what comes damaged, too, found room
    assert {one["completion"] for one in seen.values()} == {"completed"}
    values = {kind: one["values"] for kind, one in seen.items()}
    answered = {kind: value["packets_received_count"] for kind, value in values.items()}
    alive = (link_of.PROMPT, link_of.TWICE, link_of.BLEACHED)
    assert answered == {kind: 10 * (kind in alive) for kind in kinds}
    for kind in kinds:
        assert (values[kind]["duplicate_count"] > 0) == (kind == link_of.TWICE)
        assert (values[kind]["late_reply_count"] > 0) == (kind == link_of.LATE)
        assert bool(seen[kind]["errors"]) == (kind == link_of.UNREACHABLE)
    assert values[link_of.PROMPT]["round_trip_delay_min_s"] >= 0.02
    assert (values[link_of.PROMPT]["reply_ttl"], values[link_of.PROMPT]["dscp_received"]) == (
        64,
        46,
    )
    assert (values[link_of.BLEACHED]["reply_ttl"], values[link_of.BLEACHED]["dscp_received"]) == (
        57,
        0,
    )
    (error,) = seen[link_of.UNREACHABLE]["errors"]
    six = ":" in address(1)
    assert (error["icmp_type"], error["icmp_code"]) == ((1, 3) if six else (3, 1))
    assert error["source"] == address(link_of.UNREACHABLE)[:-1] + ("fe" if six else "254")
    assert error["count"] == 10


@pytest.mark.lab
@pytest.mark.parametrize("way", WAYS)
def test_a_silent_host_after_a_late_neighbour_is_never_alive(
    link: TunLink, way: dict[str, bool]
) -> None:
    link.allow_datagram_sockets("unprivileged" in way)
    late = [link_of.ipv4(link_of.LATE, host) for host in range(1, 101)]
    silent = [link_of.ipv4(link_of.SILENT, host) for host in range(1, 101)]
    both = [host for pair in zip(late, silent, strict=True) for host in pair]
    # A wait of 0.5 s, answers after 0.7 s: they arrive among the later requests of all others.
    result = link.ping(both, count=8, interval_s=0.1, timeout_s=0.5, pace_s=0.0002, **way)
    received = {host: one["values"]["packets_received_count"]
                for host, one in result["hosts"].items()}  # fmt: skip
    assert received == dict.fromkeys(both, 0)
    assert all(result["hosts"][host]["values"]["late_reply_count"] for host in late)
    assert not any(result["hosts"][host]["values"]["late_reply_count"] for host in silent)


@pytest.mark.lab
def test_without_the_right_to_an_icmp_socket_it_says_how(link: TunLink) -> None:
    link.allow_datagram_sockets(False)
    result = link.ping([link_of.ipv4(link_of.PROMPT)], unprivileged=True, count=1)
    assert "net.ipv4.ping_group_range" in result["available"]
    assert result["hosts"][link_of.ipv4(link_of.PROMPT)]["completion"] == "failed unreachable"
