"""A watch takes rounds in by their numbers, forgets when told, and records what it shows."""

from dataclasses import fields

import pytest

from nethealth.model.failure import Failure, Outcome
from nethealth.quality.emodel import estimate
from nethealth.quality.loss import loss_statistics, pool
from nethealth.watch import Watch
from nethealth.watch.record import UNITS, observations, results
from nethealth.watch.state import WAITING_MAX
from probes import CATALOG
from tests.watch.rounds import (
    PING,
    ROUTE,
    SIP,
    STAMP,
    TARGET,
    echo,
    feed,
    options,
    path,
    result,
    stream,
)


def watch(*more: object) -> Watch:
    return Watch(TARGET, (ROUTE, *more), 1.0)  # type: ignore[arg-type]


def test_rounds_that_end_out_of_order_are_counted_in_order() -> None:
    """Two neighbours are lost: one run of two, though their waits end last."""
    state = watch(PING)
    numbers = [state.begin(PING.id) for _ in range(6)]
    delays = [0.01, None, None, 0.01, 0.01, 0.02]
    for index in (0, 3, 4, 5):
        state.take(PING.id, numbers[index], result(PING), echo(delays[index]))
    (way,) = state.view(1.0).ways
    assert way.loss is not None
    assert way.loss.sent == 1, "what follows the second waits for it"
    for index in (2, 1):
        state.take(PING.id, numbers[index], result(PING), echo(delays[index]))
    (way,) = state.view(1.0).ways
    assert way.loss == loss_statistics([True, False, False, True, True, True])


def test_a_round_that_never_ends_holds_up_no_others_for_good() -> None:
    state = watch(PING)
    state.begin(PING.id)  # and nothing is ever heard of it
    feed(state, PING, *[echo(0.01)] * 1000)
    (way,) = state.view(1.0).ways
    assert way.loss is not None
    assert 1000 - WAITING_MAX <= way.loss.sent <= 1000
    assert all(len(one.waiting) <= WAITING_MAX for one in state.watched)


def test_a_round_that_was_cut_short_is_none() -> None:
    state = watch(PING)
    feed(state, PING, echo(0.01))
    cut = result(PING, Outcome.FAILED, Failure.INTERRUPTED, "interrupted after 0.2 s")
    state.take(PING.id, state.begin(PING.id), cut, echo(None))
    feed(state, PING, echo(0.01))
    (way,) = state.view(1.0).ways
    assert way.loss is not None
    assert (way.loss.sent, way.loss.lost) == (2, 0)
    assert state.view(1.0).faults == ()


def test_reset_forgets_also_what_is_under_way() -> None:
    state = watch(PING)
    feed(state, PING, echo(None), echo(None))
    under_way = state.begin(PING.id)
    state.reset(5.0)
    state.take(PING.id, under_way, result(PING), echo(None))
    assert state.view(6.0).ways[0].loss is None
    feed(state, PING, echo(0.01))
    (way,) = state.view(7.0).ways
    assert way.loss is not None
    assert (way.loss.sent, way.loss.lost) == (1, 0)
    assert state.view(7.0).since_reset_s == 2.0


def test_what_stood_still_with_the_process_is_not_counted() -> None:
    state = watch(PING)
    first, second = state.begin(PING.id), state.begin(PING.id)
    state.take(PING.id, second, result(PING), echo(0.01))
    state.forget_unfinished()
    state.take(PING.id, first, result(PING), echo(None))
    (way,) = state.view(1.0).ways
    assert way.loss is not None
    assert (way.loss.sent, way.loss.lost) == (1, 0)


def test_once_closed_nothing_changes() -> None:
    state = watch(PING)
    feed(state, PING, echo(0.01))
    before = state.view(1.0)
    state.close()
    feed(state, PING, echo(None))
    assert state.view(1.0) == before


def test_rounds_that_could_not_be_measured_are_told_and_not_counted() -> None:
    state = watch(PING)
    nothing = result(PING, Outcome.FAILED, Failure.UNREACHABLE, "no route to 192.0.2.9")
    state.take(PING.id, state.begin(PING.id), nothing, [])
    view = state.view(1.0)
    assert view.faults == ("ping: no route to 192.0.2.9",)
    assert view.ways[0].loss is None
    feed(state, PING, echo(0.01))
    assert state.view(1.0).faults == ()


def test_streams_are_pooled_by_direction() -> None:
    state = watch(STAMP)
    feed(state, STAMP, stream(2, 0), stream(0, 0), stream(1, 3))
    both, forward, back = state.view(3.0).ways
    assert forward.loss is not None
    assert back.loss is not None
    assert both.loss is not None
    assert (forward.loss.sent, forward.loss.lost) == (150, 3)
    assert (back.loss.sent, back.loss.lost) == (147, 3)
    assert (both.loss.sent, both.loss.lost) == (150, 6)
    assert forward.marks == (46,)
    assert both.quality is None, "each direction scores by itself"
    assert forward.quality is not None
    # 2 of 50 and 1 of 50 at random are 1.92 and 0.98 runs
    burst_ratio = (1 - 3 / 150) * 3 / (1.92 + 0.98)
    expected = estimate(one_way_delay_s=0.010, loss_ratio=3 / 150, burst_ratio=burst_ratio)
    assert forward.quality.r_factor == pytest.approx(expected.r_factor)
    assert forward.loss.interval == pool([forward.loss]).interval


def test_a_reflector_that_tells_no_direction() -> None:
    state = watch(STAMP)
    told = [one for one in stream(0, 0) if one.method.get("direction") in (None, "round-trip")]
    why = "the reflector copies our sequence numbers"
    blind = [
        type(one)(one.id, one.check, one.name, None, method={**one.method, "reason": why})
        for one in stream(0, 0)
        if one.name in ("packets_lost_count", "packet_loss_ratio")
        and one.method["direction"] != "round-trip"
    ]
    feed(state, STAMP, [*told, *blind])
    both, forward, _ = state.view(1.0).ways
    assert both.quality is not None
    assert (forward.loss, forward.note) == (None, why)


def test_options_answered_and_not() -> None:
    state = watch(SIP)
    feed(state, SIP, options(200, server="pbx"), options(503), options(None))
    sip = state.view(1.0).sip
    assert sip is not None
    assert (sip.asked, sip.answered, sip.code, sip.codes) == (3, 2, None, (200, 503))
    assert sip.server == "pbx"
    assert sip.delay is not None
    assert (sip.delay.samples, sip.delay.last_s) == (2, None)


def test_the_record_says_what_was_shown() -> None:
    state = watch(PING, SIP)
    feed(state, ROUTE, path(), path(), path(2))
    feed(state, PING, *[echo(0.010)] * 9, echo(None), echo(0.030, mark=0))
    feed(state, SIP, options(200))
    view, found = state.view(9.0), observations(state, 9.0)

    def value(name: str, **method: int) -> object:
        (one,) = [
            each
            for each in found
            if each.name == name and all(each.method.get(key) == method[key] for key in method)
        ]
        return one.value

    (way,) = view.ways
    assert way.loss is not None
    assert way.quality is not None
    assert view.delay is not None
    assert value("packets_sent_count") == way.loss.sent == 11
    assert value("packets_received_count") == 10
    assert value("packet_loss_ratio") == pytest.approx(way.loss.ratio, abs=1e-9)
    assert value("round_trip_delay_median_s") == view.delay.median_s
    assert value("mos_cqe") == pytest.approx(way.quality.mos_cqe, abs=1e-9)
    assert value("dscp_received") == 0
    assert value("hop_reply_ratio", hop=2) == pytest.approx(2 / 3)
    assert value("hop_packet_loss_ratio", hop=2) == 0
    assert value("hop_address", hop=4) == TARGET
    assert value("route_length_hops") == 4
    assert value("sip_status_code") == 200
    assert {one.method["rounds"] for one in found} == {3, 11, 1}
    assert len({one.id for one in found}) == len(found)


def test_checks_end_as_their_rounds_did() -> None:
    state = watch(PING, SIP)
    feed(state, ROUTE, path())
    silent = result(SIP, Outcome.FAILED, Failure.TIMEOUT, "no answer")
    state.take(SIP.id, state.begin(SIP.id), silent, options(None))
    route, ping, sip = results(state)
    assert (route.outcome, route.failure, route.reason) == (Outcome.COMPLETED, None, None)
    assert (ping.outcome, ping.failure) == (Outcome.FAILED, Failure.INTERRUPTED)
    assert (sip.outcome, sip.failure, sip.reason) == (
        Outcome.FAILED, Failure.TIMEOUT, "no answer",
    )  # fmt: skip
    (code,) = [one for one in observations(state, 1.0) if one.name == "sip_status_code"]
    assert (code.value, code.failure) == (None, Failure.TIMEOUT)


def test_a_watch_of_no_round_was_not_run() -> None:
    state = watch(PING)
    state.begin(PING.id)
    assert {one.outcome for one in results(state)} == {Outcome.NOT_RUN}
    assert observations(state, 0.5) == ()


def test_names_and_units_are_those_of_the_probes() -> None:
    known: dict[str, str | None] = {}
    for probe in CATALOG.values():
        if probe.kind in ("ping", "route", "stamp", "sip"):
            known.update(probe.units)
    assert {name: known[name] for name in UNITS} == dict(UNITS)


def test_a_view_is_of_plain_values() -> None:
    names = {field.name for field in fields(watch(PING).view(0.0))}
    assert {"hops", "ways", "sip", "faults"} <= names
