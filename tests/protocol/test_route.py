"""Scenarios worked by hand: what was sent and answered, and the route that follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.model.endpoint import Endpoint
from nethealth.model.ports import ProbeEvent
from nethealth.protocol.route import Answer, Hop, Trace, path_loss_ratios, translated

TARGET = "198.51.100.9"


def exceeded(probe: int | None, at_s: float, source: str) -> ProbeEvent:
    return ProbeEvent(probe, at_s, source, "error", 11, 0)


def no_port(probe: int, at_s: float, source: str = TARGET) -> ProbeEvent:
    return ProbeEvent(probe, at_s, source, "error", 3, 3)


def trace(hops_max: int = 30, queries: int = 3, *, serial: bool = False) -> Trace:
    return Trace(TARGET, hops_max, queries, timeout_s=3.0, serial=serial)


def send_all(one: Trace, now: float) -> list[int]:
    """What it sends without waiting, as hop numbers."""
    hops = []
    while (probe := one.next_probe(now)) is not None:
        one.sent(probe, now)
        hops.append(one.hop_of(probe))
    return hops


def router(hop: int) -> str:
    return f"192.0.2.{hop}"


def test_four_hops_are_searched_at_a_time_and_the_rest_is_asked_once_the_end_is_known() -> None:
    one = trace()
    assert send_all(one, 0.0) == [1, 2, 3, 4]
    one.received(exceeded(0, 0.01, router(1)))
    one.received(exceeded(3, 0.01, router(2)))
    assert send_all(one, 0.01) == [5, 6]
    one.received(no_port(6, 0.02))  # the target is hop 3; 4 to 6 went too far
    assert send_all(one, 0.02) == [1, 2, 3, 1, 2, 3]
    for probe in (1, 2):
        one.received(exceeded(probe, 0.03, router(1)))
        one.received(exceeded(probe + 3, 0.03, router(2)))
        one.received(no_port(probe + 6, 0.04))
    assert one.finished(0.04)
    assert (one.reached, one.ended) == (True, True)
    assert [(hop.number, hop.sent, hop.addresses) for hop in one.hops()] == [
        (1, 3, (router(1),)), (2, 3, (router(2),)), (3, 3, (TARGET,)),
    ]  # fmt: skip
    # Round trips of hop 3: 20 ms, then twice 40 - 20 ms.
    assert one.hops()[2].delay_median_s == pytest.approx(0.02)


def test_the_nearest_end_counts_whichever_answers_first() -> None:
    one = trace(queries=1)
    send_all(one, 0.0)
    one.received(no_port(3, 0.01))
    one.received(no_port(1, 0.02))
    one.received(exceeded(0, 0.03, router(1)))
    assert [hop.number for hop in one.hops()] == [1, 2]


def test_a_silent_hop_holds_the_search_up_for_half_a_second_and_stands_in_the_route() -> None:
    one = trace(queries=1)
    assert send_all(one, 0.0) == [1, 2, 3, 4]
    assert one.next_probe(0.4) is None
    assert one.wake_s(0.4) == pytest.approx(0.5)
    assert send_all(one, 0.5) == [5, 6, 7, 8]
    one.received(no_port(5, 0.6))
    assert send_all(one, 0.6) == []
    assert not one.finished(0.6)
    assert one.finished(3.5)
    assert [hop.answers != () for hop in one.hops()] == [False] * 5 + [True]


def test_a_route_that_ends_in_silence_is_listed_as_far_as_anything_answered() -> None:
    one = trace(hops_max=6, queries=2)
    send_all(one, 0.0)
    one.received(exceeded(0, 0.01, router(1)))
    one.received(exceeded(2, 0.01, router(2)))
    assert send_all(one, 0.01) == [5, 6]
    assert send_all(one, 0.2) == []
    assert send_all(one, 0.6) == [1, 2]  # the second query of what answered
    assert [hop.number for hop in one.hops()] == [1, 2]
    assert (one.reached, one.ended) == (False, False)
    assert path_loss_ratios(one.hops(), one.reached) == (0.5, None)


def test_a_router_that_says_there_is_no_way_ends_the_route() -> None:
    one = trace(queries=1)
    send_all(one, 0.0)
    one.received(exceeded(0, 0.01, router(1)))
    one.received(ProbeEvent(1, 3.0, router(1), "error", 3, 1))
    assert (one.ended, one.reached) == (True, False)
    assert [hop.addresses for hop in one.hops()] == [(router(1),), (router(1),)]


def test_the_target_may_answer_from_another_of_its_addresses() -> None:
    one = trace(queries=1)
    send_all(one, 0.0)
    one.received(no_port(0, 0.01, "198.51.100.77"))
    assert one.reached


def test_late_doubled_and_foreign_answers_are_none() -> None:
    one = trace(queries=1)
    send_all(one, 0.0)
    one.received(exceeded(0, 3.1, router(1)))
    one.received(exceeded(99, 0.1, router(1)))
    assert one.hops() == ()
    one.received(exceeded(0, 0.2, router(1)))
    one.received(exceeded(0, 0.1, router(7)))
    assert [hop.addresses for hop in one.hops()] == [(router(1),)]


def test_a_quotation_too_short_to_tell_belongs_to_the_only_probe_awaited() -> None:
    one = trace(queries=1, serial=True)
    assert send_all(one, 0.0) == [1]
    one.received(exceeded(None, 0.1, router(1)))
    assert one.hops()[0].addresses == (router(1),)
    many = trace(queries=1)
    send_all(many, 0.0)
    many.received(exceeded(None, 0.1, router(1)))
    assert (many.hops(), many.unmatched_count) == ((), 1)


def hop(number: int, answered: int, sent: int) -> Hop:
    answer = Answer(0.01, exceeded(0, 0.01, router(number)))
    return Hop(number, sent, (answer,) * answered)


def test_a_hop_that_limits_its_icmp_loses_nothing() -> None:
    # mtr at ten a second: 73 % missing at both routers, none at the end.
    route = (hop(1, 27, 100), hop(2, 27, 100), hop(3, 100, 100))
    assert path_loss_ratios(route, True) == (0.0, 0.0, 0.0)


def test_loss_counts_from_the_hop_from_which_it_continues_to_the_end() -> None:
    # Hop 2 answers seldom; from hop 3 on a fifth is missing of everything.
    route = (hop(1, 10, 10), hop(2, 5, 10), hop(3, 8, 10), hop(4, 7, 10), hop(5, 8, 10))
    assert path_loss_ratios(route, True) == pytest.approx((0.0, 0.2, 0.2, 0.2, 0.2))


def test_of_the_last_hop_that_answers_nobody_can_tell_unless_it_is_the_target() -> None:
    route = (hop(1, 10, 10), hop(2, 4, 10))
    assert path_loss_ratios(route, False) == (0.0, None)
    assert path_loss_ratios(route, True) == pytest.approx((0.0, 0.6))


def test_a_translator_is_noticed_by_what_is_quoted() -> None:
    us = Endpoint("192.0.2.1", 40_000)
    for quoted, seen in (
        (None, None),
        (Endpoint("192.0.2.1", 40_000), False),
        (Endpoint("203.0.113.5", 40_000), True),
        (Endpoint("192.0.2.1", 1024), True),
    ):
        event = ProbeEvent(0, 0.0, router(1), "error", 11, 0, quoted_source=quoted)
        assert translated(event, us) is seen


@given(
    st.integers(1, 12), st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from(("exceeded", "port", "no host")))),
    st.booleans(),
)  # fmt: skip
def test_every_trace_ends_and_sends_no_probe_twice(
    hops_max: int, queries: int, answers: list[tuple[int, str]], serial: bool
) -> None:
    one = trace(hops_max, queries, serial=serial)
    kinds = {"exceeded": (11, 0), "port": (3, 3), "no host": (3, 1)}
    now, sent, script = 0.0, list[int](), list(answers)
    while not one.finished(now):
        probe = one.next_probe(now)
        if probe is not None:
            one.sent(probe, now)
            sent.append(probe)
        elif script:
            number, kind = script.pop()
            one.received(ProbeEvent(number, now, router(1), "error", *kinds[kind]))
        else:
            now = one.wake_s(now) or now + 1
        assert now < 120
    assert len(sent) == len(set(sent)) <= hops_max * queries
    assert len(one.hops()) <= hops_max
