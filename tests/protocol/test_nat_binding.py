"""The search for the end of a binding where it is known, and the words of mapping."""

import pytest

from nethealth.model.endpoint import Endpoint
from nethealth.protocol.nat_binding import LifetimeSearch, Mapped, filtering, mapping, silences

A, B = Endpoint("192.0.2.1", 4000), Endpoint("192.0.2.1", 4001)


def test_silences_are_in_equal_ratios_with_what_the_rfc_asks_for_among_them() -> None:
    # ten from 15 to 150: each 10 ** (1 / 9) = 1.2915 times the one before
    assert silences(15, 150) == pytest.approx(
        (15, 19.373, 25.022, 32.317, 41.739, 53.908, 69.624, 89.923, 116.14, 120, 150), abs=0.002
    )
    assert silences(10, 10) == (10,)
    assert silences(20, 5) == (5,)


def lived(lifetime_s: float, lengths: tuple[float, ...], bindings: int = 2) -> LifetimeSearch:
    search = LifetimeSearch()
    for length in lengths:
        for _ in range(bindings):
            search.record(length, length < lifetime_s)
    return search


@pytest.mark.parametrize(
    ("lifetime_s", "survived_s", "lost_s"),
    [(30, 25.022, 32.317), (120.5, 120, 150), (1000, 150, None), (1, None, 15)],
)
def test_the_end_is_between_two_silences(
    lifetime_s: float, survived_s: float | None, lost_s: float | None
) -> None:
    search = lived(lifetime_s, silences(15, 150))
    assert (search.survived_s, search.lost_s) == (survived_s, lost_s)


def test_it_is_refined_between_them_and_then_near_enough() -> None:
    search = lived(30, silences(15, 150))
    # 25.022 to 32.317 in five steps of 1.459
    assert search.between() == (26.481, 27.94, 29.399, 30.858)
    for length in search.between():
        search.record(length, length < 30)
    assert (search.survived_s, search.lost_s) == (29.399, 30.858)
    assert search.between() == ()
    assert lived(1000, silences(15, 150)).between() == ()


def test_a_word_lost_by_chance_is_no_end() -> None:
    search = lived(100, silences(15, 150))
    search.heard[25.022] = [False, False]
    assert (search.survived_s, search.lost_s) == (89.923, 116.14)
    search.heard[116.14] = [True, False]
    assert (search.survived_s, search.lost_s) == (116.14, 120)
    assert search.agreeing == (4, 4)


def test_longer_silences_are_not_awaited_once_two_neighbours_are_lost() -> None:
    planned = silences(15, 150)
    assert not lived(30, planned[:4]).is_over(planned)  # the fourth alone is lost
    assert lived(30, planned[:5]).is_over(planned)
    assert not LifetimeSearch().is_over(planned)


@pytest.mark.parametrize(
    ("mapped", "word"),
    [
        (Mapped(A, A, A), "endpoint-independent"),
        (Mapped(A, A, B), "address-dependent"),
        (Mapped(A, B, B), "address and port-dependent"),
        (Mapped(A, None, B), "address-dependent or address and port-dependent"),
        (Mapped(A, A, None), "not port-dependent"),
        (Mapped(A, B, None), "address and port-dependent"),
        (Mapped(A, None, None), None),
        (Mapped(None, A, A), None),
    ],
)
def test_mapping_by_rfc_4787_section_4_1(mapped: Mapped, word: str | None) -> None:
    assert mapping(mapped) == word


@pytest.mark.parametrize(
    ("heard", "word"),
    [
        ((True, True, True), "endpoint-independent"),
        ((True, True, False), "address-dependent"),
        ((True, False, False), "address and port-dependent"),
        ((True, None, False), "address-dependent or address and port-dependent"),
        ((True, True, None), "not port-dependent"),
        ((True, False, None), "address and port-dependent"),
        ((True, None, None), None),
        ((False, False, False), None),
    ],
)
def test_filtering_by_rfc_4787_section_5(
    heard: tuple[bool, bool | None, bool | None], word: str | None
) -> None:
    assert filtering(*heard) == word
