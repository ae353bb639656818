"""What many traces of one packet a hop say, and what they only seem to say."""

from nethealth.watch import HopLine
from nethealth.watch.path import PathHistory
from tests.watch.rounds import ROUTERS, TARGET, path, trace

A, B, C = ((router, 0.001, 46) for router in ROUTERS)
T = (TARGET, 0.004, None)


def lines(*rounds: object) -> tuple[HopLine, ...]:
    history = PathHistory()
    for one in rounds:
        assert isinstance(one, list)
        history.take(one)
    return history.lines()


def test_every_hop_answers() -> None:
    found = lines(path(), path(), path())
    assert [hop.addresses for hop in found] == [(name,) for name in (*ROUTERS, TARGET)]
    assert [(hop.answered, hop.rounds, hop.loss_ratio) for hop in found] == [(3, 3, 0.0)] * 4
    assert [hop.marks for hop in found] == [(46,), (46,), (46,), ()]
    assert found[1].delay is not None
    assert found[1].delay.median_s == 0.002


def test_a_router_that_answers_seldom_loses_nothing() -> None:
    found = lines(path(), path(2), path(2), path(2))
    assert [(hop.answered, hop.loss_ratio) for hop in found] == [(4, 0), (1, 0), (4, 0), (4, 0)]
    assert found[1].loss_interval is not None
    assert found[1].loss_interval[0] == 0


def test_what_the_target_misses_is_lost_from_there_on_back() -> None:
    """Half of the target's answers are missing, and nobody behind it tells of more."""
    found = lines(path(), trace([A, B, C], reached=False), path(), trace([A, B, C], reached=False))
    assert [hop.loss_ratio for hop in found] == [0.0, 0.0, 0.0, 0.5]
    assert (found[3].answered, found[3].rounds) == (2, 4)


def test_the_next_packet_is_answered_in_place_of_the_lost_one() -> None:
    """TTL 5 reaches a target that is the fourth hop; the path is no longer for that."""
    late = trace([A, B, C, None, T])
    history = PathHistory()
    for one in (path(), late, path(), late):
        history.take(one)
    assert len(history.lines()) == 4
    assert history.lines()[3].loss_ratio == 0.5
    assert sorted(history.lengths) == [4]


def test_the_first_trace_lost_the_packet_for_the_target() -> None:
    history = PathHistory()
    history.take(trace([A, B, C, None, T]))
    assert len(history.lines()) == 5, "nobody knows better yet"
    history.take(path())
    assert len(history.lines()) == 4
    assert sorted(history.lengths) == [4]


def test_a_path_that_grows_and_shrinks() -> None:
    other = ("192.0.2.77", 0.001, 46)
    longer = trace([A, B, C, other, T])
    history = PathHistory()
    for one in (path(), longer, longer):
        history.take(one)
    assert [hop.addresses for hop in history.lines()][3:] == [("192.0.2.77", TARGET), (TARGET,)]
    assert sorted(history.lengths) == [4, 5]
    history.take(path())
    assert len(history.lines()) == 4


def test_a_target_that_answers_only_in_the_end() -> None:
    """The rounds before count: packets went for it and were not answered."""
    gone = trace([A, B, C], reached=False)
    found = lines(gone, gone, gone, path())
    assert (found[3].answered, found[3].rounds, found[3].loss_ratio) == (1, 4, 0.75)


def test_of_the_last_hop_that_is_not_the_target_nobody_can_tell() -> None:
    found = lines(trace([A, B, C], reached=False))
    assert [hop.loss_ratio for hop in found] == [0.0, 0.0, None]


def test_a_silent_path_has_no_hops() -> None:
    assert lines(trace([], reached=False)) == ()
    assert lines([]) == ()


def test_addresses_are_bounded() -> None:
    rounds = [trace([(f"198.51.100.{number}", 0.001, None), T]) for number in range(200)]
    (first, _) = lines(*rounds)
    assert len(first.addresses) == 16
    assert first.answered == 200


def test_a_mark_that_comes_and_goes() -> None:
    (first, *_) = lines(path(mark=46), path(mark=0), path(mark=None))
    assert first.marks == (0, 46), "the latest first; where none was quoted nothing is known"
