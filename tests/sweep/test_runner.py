"""A sweep accounts for every check, whatever its probe, its sink or the user does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest

from nethealth.model.check import Check, CheckResult, CoexistenceParameters
from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import SweepSettings
from nethealth.model.observation import Observation
from nethealth.model.ports import NetworkFailure
from nethealth.model.probe import Completion, Env, Probe
from nethealth.sweep import SweepSummary
from tests.sweep.virtual import (
    Book,
    NoNetwork,
    catalogue,
    seen,
    sip,
    sweep,
    taking,
    tcp,
    virtually,
)

Steps = AsyncIterator[Observation | Completion]


def test_starts_keep_the_rate_of_the_site() -> None:
    book = Book()
    checks = [tcp(f"c{n}") for n in range(100)]
    virtually(sweep(checks, taking(3), book, settings=SweepSettings(site_starts_per_s=20)))
    times = sorted(book.starts_s.values())
    assert len(times) == 100
    assert all(b - a == pytest.approx(0.05) for a, b in pairwise(times))


def test_loads_begin_when_all_else_is_over_and_one_at_a_time() -> None:
    def load(name: str, site: str) -> Check:
        parameters = CoexistenceParameters("198.18.2.30", 20e6, 8e6, download_bps=10e6)
        return Check(name, "coexistence", "scdc", site, name, name, parameters)

    probe = Probe("coexistence", taking(20), {})
    book = Book()
    checks = [load("l1", "hall"), tcp("slow"), load("l2", "depot"), tcp("late", "depot")]
    summary = virtually(
        sweep(checks, taking(9), book, probes={**catalogue(taking(9)), "coexistence": probe})
    )
    assert [result.id for result in summary.results] == ["l1", "slow", "l2", "late"]
    assert book.starts_s["l1"] >= max(book.ends_s["slow"], book.ends_s["late"])
    assert book.starts_s["l2"] >= book.ends_s["l1"]


def test_a_load_that_was_not_begun_when_the_run_was_stopped_is_not_begun() -> None:
    async def main() -> SweepSummary:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(5, stop.set)
        parameters = CoexistenceParameters("198.18.2.30", 20e6, 8e6, upload_bps=4e6)
        check = Check("l", "coexistence", "scdc", "hall", "l", "l", parameters)
        probe = Probe("coexistence", taking(20), {})
        scripts = {**catalogue(taking(9)), "coexistence": probe}
        return await sweep([check, tcp("slow")], taking(9), stop=stop, probes=scripts)

    first, second = virtually(main()).results
    assert (first.outcome, first.failure) == (Outcome.NOT_RUN, Failure.INTERRUPTED)
    assert second.failure is Failure.INTERRUPTED


def test_results_stand_in_the_order_of_the_plan_with_their_times() -> None:
    async def probe(check: Check, env: Env) -> Steps:
        await env.clock.sleep_until(env.clock.monotonic_s() + float(check.target))
        yield seen(check)

    summary = virtually(sweep([tcp("slow", host="2"), tcp("fast", host="1")], probe))
    assert [(r.id, r.outcome, r.reason) for r in summary.results] == [
        ("slow", Outcome.COMPLETED, None),
        ("fast", Outcome.COMPLETED, None),
    ]
    assert summary.results[0].started_s == pytest.approx(0)
    assert summary.results[0].finished_s == pytest.approx(2)
    assert summary.results[1].started_s == pytest.approx(0.02)  # 50 starts a second
    assert [o.check for o in summary.observations] == ["slow", "fast"]
    assert summary.observed_s == pytest.approx(2)
    assert not summary.interrupted


def test_a_probe_is_stopped_at_its_deadline_and_keeps_what_it_saw() -> None:
    closed: list[float] = []

    async def probe(check: Check, env: Env) -> Steps:
        try:
            yield seen(check)
            await asyncio.Event().wait()
        finally:
            closed.append(env.clock.monotonic_s() - env.start_s)

    summary = virtually(sweep([tcp("hung", deadline_s=35)], probe))
    (result,) = summary.results
    assert (result.outcome, result.failure) == (Outcome.FAILED, Failure.TIMEOUT)
    assert result.reason == "stopped at its deadline of 35 s"
    assert summary.observations == (seen(tcp("hung")),)
    assert closed == [pytest.approx(35)]


def test_the_deadline_counts_from_the_checks_own_start() -> None:
    checks = [tcp(f"c{n}", deadline_s=5) for n in range(11)]
    book = Book()
    virtually(sweep(checks, taking(4.9), book, settings=SweepSettings(site_starts_per_s=1)))
    assert {result.outcome for result, _ in book.kept} == {Outcome.COMPLETED}


def test_a_probe_that_will_not_stop_is_left_behind_and_named() -> None:
    async def probe(check: Check, env: Env) -> Steps:
        try:
            await asyncio.Event().wait()
            yield seen(check)
        finally:
            await env.clock.sleep_until(env.clock.monotonic_s() + 600)

    summary = virtually(sweep([tcp("deaf", deadline_s=5)], probe))
    assert summary.results[0].finished_s == pytest.approx(6)  # the second that closing may take
    assert summary.instrument.notes == ("deaf: did not stop within 1 s of being told to",)


@pytest.mark.parametrize(
    ("error", "failure", "reason"),
    [
        (TypeError("bad\nstuff"), None, "internal error: TypeError: bad"),
        (ValueError(), None, "internal error: ValueError: "),
        (KeyError("x" * 999), None, "internal error: KeyError: '" + "x" * 173),
        (NetworkFailure(Failure.RESET, "torn down"), Failure.RESET, "torn down"),
        (asyncio.CancelledError(), None, "internal error: the probe cancelled itself"),
    ],
)
def test_the_run_survives_whatever_a_probe_raises(
    error: BaseException, failure: Failure | None, reason: str
) -> None:
    async def probe(check: Check, env: Env) -> Steps:
        yield seen(check)
        if check.id == "bad":
            raise error

    summary = virtually(sweep([tcp("bad"), tcp("good")], probe))
    bad, good = summary.results
    assert (bad.outcome, bad.failure, bad.reason) == (Outcome.FAILED, failure, reason)
    assert good.outcome is Outcome.COMPLETED
    assert [o.check for o in summary.observations] == ["bad", "good"]


@pytest.mark.parametrize("completion", [
    Completion(Outcome.FAILED, Failure.REFUSED, "port closed"),
    Completion(Outcome.FAILED, Failure.REFUSED),
])  # fmt: skip
def test_a_failed_probe_has_its_failure_and_always_a_reason(completion: Completion) -> None:
    async def probe(check: Check, env: Env) -> Steps:
        yield completion

    (result,) = virtually(sweep([tcp("c")], probe)).results
    assert (result.outcome, result.failure) == (Outcome.FAILED, Failure.REFUSED)
    assert result.reason == (completion.reason or "refused")


def test_what_cannot_run_is_said_at_once_and_nothing_is_sent() -> None:
    book = Book()
    summary = virtually(
        sweep([tcp("c")], taking(1), book, needs=("icmp_socket",),
              unavailable={"icmp_socket": "no ICMP socket: ask for net.ipv4.ping_group_range"})
    )  # fmt: skip
    (result,) = summary.results
    assert result.outcome is Outcome.NOT_RUN
    assert result.reason == "no ICMP socket: ask for net.ipv4.ping_group_range"
    assert (result.failure, result.started_s, result.finished_s) == (None, None, None)
    assert book.starts_s == {}
    assert [kept for kept, _ in book.kept] == [result]


def test_a_kind_that_is_not_in_the_catalogue_is_not_run() -> None:
    (result,) = virtually(sweep([tcp("c")], taking(1), probes={})).results
    assert (result.outcome, result.reason) == (
        Outcome.NOT_RUN,
        "this version has no probe of kind tcp",
    )


def test_blackout_is_asked_again_at_the_checks_own_start() -> None:
    async def main() -> SweepSummary:
        loop = asyncio.get_running_loop()
        began_s = loop.time()

        def forbidden(check: Check) -> str | None:
            return "blackout until 10:30" if loop.time() - began_s > 0.5 else None

        checks = [tcp(f"c{n}") for n in range(3)]
        settings = SweepSettings(site_starts_per_s=2.5)  # at 0, 0.4 and 0.8 s
        return await sweep(checks, taking(0), forbidden=forbidden, settings=settings)

    results = virtually(main()).results
    assert [r.reason for r in results] == [None, None, "blackout until 10:30"]
    assert results[2].outcome is Outcome.NOT_RUN


def test_sites_in_blackout_take_no_time_from_the_others() -> None:
    checks = [tcp(f"c{n}") for n in range(100)]
    summary = virtually(sweep(checks, taking(1), forbidden=lambda check: "blackout"))
    assert summary.observed_s == 0
    assert {r.reason for r in summary.results} == {"blackout"}


def test_a_stop_keeps_what_was_seen_and_names_what_was_not() -> None:
    async def probe(check: Check, env: Env) -> Steps:
        yield seen(check)
        await env.clock.sleep_until(env.clock.monotonic_s() + 1)

    async def main() -> SweepSummary:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(1.5, stop.set)
        checks = [tcp(f"c{n}") for n in range(4)]
        return await sweep(checks, probe, stop=stop, settings=SweepSettings(site_starts_per_s=1))

    summary = virtually(main())
    assert summary.interrupted
    assert [(r.outcome, r.failure, r.reason) for r in summary.results] == [
        (Outcome.COMPLETED, None, None),
        (Outcome.FAILED, Failure.INTERRUPTED, "interrupted after 0.5 s"),
        (Outcome.NOT_RUN, Failure.INTERRUPTED, "interrupted before it started"),
        (Outcome.NOT_RUN, Failure.INTERRUPTED, "interrupted before it started"),
    ]
    assert [o.check for o in summary.observations] == ["c0", "c1"]
    assert summary.observed_s == pytest.approx(1.5)


def test_a_stop_before_the_start_leaves_everything_not_run() -> None:
    async def main() -> SweepSummary:
        stop = asyncio.Event()
        stop.set()
        return await sweep([tcp("a"), sip("b", "pbx")], taking(1), stop=stop)

    assert {r.outcome for r in virtually(main()).results} == {Outcome.NOT_RUN}


def test_one_host_never_has_two_sip_probes_at_once() -> None:
    book = Book()
    checks = [sip("a", "pbx"), sip("b", "PBX"), sip("c", "other")]
    virtually(sweep(checks, taking(10), book))
    assert book.starts_s["b"] >= book.ends_s["a"]
    assert book.starts_s["c"] < book.ends_s["a"]


def test_a_stop_while_waiting_for_a_turn_is_not_run() -> None:
    async def main() -> SweepSummary:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(5, stop.set)
        return await sweep([sip("a", "pbx"), sip("b", "pbx")], taking(10), stop=stop)

    assert [r.outcome for r in virtually(main()).results] == [Outcome.FAILED, Outcome.NOT_RUN]


def test_the_cap_on_running_checks_holds_and_is_noted() -> None:
    running, most = 0, 0

    async def probe(check: Check, env: Env) -> Steps:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await env.clock.sleep_until(env.clock.monotonic_s() + 10)
        running -= 1
        yield seen(check)

    book = Book()
    summary = virtually(sweep([tcp(f"c{n}") for n in range(12)], probe, book, running_most=3))
    assert most == 3
    assert len(summary.observations) == 12
    assert summary.instrument.notes == ("starts waited: 3 checks ran at once",)


def test_starts_held_up_are_put_off_and_not_made_up_for_in_a_burst() -> None:
    def probe_that_blocks_the_loop_once() -> None:
        loop = asyncio.get_running_loop()
        loop.now_s += 2  # type: ignore[attr-defined]  # the virtual loop of these tests

    async def probe(check: Check, env: Env) -> Steps:
        if check.id == "c3":
            probe_that_blocks_the_loop_once()
        yield seen(check)

    book = Book()
    checks = [tcp(f"c{n}") for n in range(50)]
    summary = virtually(sweep(checks, probe, book))
    times = sorted(book.starts_s.values())
    assert all(b - a >= 0.02 - 1e-9 for a, b in pairwise(times[4:]))
    assert summary.instrument.loop_lag_max_s == pytest.approx(2, abs=0.1)


def test_packets_are_paced_per_site_in_order_and_without_bursts() -> None:
    sent: dict[str, list[tuple[float, str]]] = {"hall": [], "depot": []}

    async def probe(check: Check, env: Env) -> Steps:
        assert check.site
        for _ in range(50):
            await env.pacer.wait()
            sent[check.site].append((env.clock.monotonic_s(), check.id))
        yield seen(check)

    checks = [tcp(f"{site}{n}", site) for site in sent for n in range(4)]
    virtually(sweep(checks, probe, settings=SweepSettings(site_packets_per_s=100)))
    for packets in sent.values():
        times = [at_s for at_s, _ in packets]
        assert len(times) == 200
        assert all(b - a >= 0.01 - 1e-9 for a, b in pairwise(times))
        assert times[-1] - times[0] == pytest.approx(1.99)


def test_a_sink_that_fails_costs_the_history_and_not_the_run() -> None:
    class Full(Book):
        def append(self, result: CheckResult, observations: Sequence[Observation]) -> None:
            super().append(result, observations)
            raise OSError(28, "No space left on device")

    book = Full()
    summary = virtually(sweep([tcp("a"), tcp("b")], taking(1), book))
    assert [r.outcome for r in summary.results] == [Outcome.COMPLETED, Outcome.COMPLETED]
    assert len(book.kept) == 1
    (note,) = summary.instrument.notes
    assert note.startswith("from a on, checks were not stored as they ended")
    assert "No space left" in note


def test_what_the_sockets_lost_is_in_the_instrument() -> None:
    network = NoNetwork()
    network.statistics.socket_overflow_count = 7
    network.statistics.notes.append("receive buffer is 208 kB")
    instrument = virtually(sweep([tcp("a")], taking(1), network=network)).instrument
    assert instrument.socket_overflow_count == 7
    assert instrument.notes == ("receive buffer is 208 kB",)
    assert (instrument.loop_lag_p99_s, instrument.loop_lag_max_s) == (0, 0)
    assert instrument.send_timer_error_p99_s == 0


def test_no_checks_is_an_empty_sweep() -> None:
    summary = virtually(sweep([], taking(1)))
    assert (summary.results, summary.observations) == ((), ())
    assert summary.instrument.loop_lag_p99_s is None


def test_two_checks_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="same id"):
        virtually(sweep([tcp("a"), tcp("a")], taking(1)))


def test_a_sweep_that_is_itself_cancelled_leaves_no_probe_running() -> None:
    closed: list[str] = []

    async def probe(check: Check, env: Env) -> Steps:
        try:
            await asyncio.Event().wait()
            yield seen(check)
        finally:
            closed.append(check.id)

    async def main() -> int:
        task = asyncio.create_task(sweep([tcp("a"), tcp("b")], probe))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.1)
        return len(asyncio.all_tasks())

    assert virtually(main()) == 1
    assert sorted(closed) == ["a", "b"]


def test_what_a_probe_hands_over_when_told_to_stop_is_kept() -> None:
    async def probe(check: Check, env: Env) -> Steps:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            yield seen(check)
            raise

    summary = virtually(sweep([tcp("c", deadline_s=5)], probe))
    assert summary.results[0].failure is Failure.TIMEOUT
    assert summary.observations == (seen(tcp("c")),)
