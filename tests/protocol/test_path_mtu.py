"""The search against paths of every kind, each a function from a size to what becomes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.protocol.path_mtu import MtuSearch, Report


def run(
    search: MtuSearch, *, path: int, link: int = 1500, says: int | None = None, answers: bool = True
) -> list[int]:
    """The sizes tried on a path of that MTU; `says`: what a router names, 0 for no size."""
    tried = []
    while (size := search.next_size()) is not None:
        tried.append(size)
        assert len(tried) < 40
        if size > link:
            search.refused(size, link)
        elif not answers:
            search.vanished(size)
        elif size <= path:
            search.passed(size)
        elif says is None:
            search.vanished(size)
        else:
            search.refused(size, says or None, Report("192.0.2.1", 3, 4, says or None))
    return tried


def test_a_whole_path_takes_four_sizes() -> None:
    search = MtuSearch(4)
    assert run(search, path=1500) == [1200, 65_535, 1500, 1501]
    assert (search.passing, search.limit, search.black_hole) == (1500, "link", False)


def test_a_router_that_names_the_size_is_tried_and_found_right() -> None:
    search = MtuSearch(4)
    assert run(search, path=1400, says=1400) == [1200, 65_535, 1500, 1400, 1401]
    assert (search.passing, search.limit, search.black_hole) == (1400, "reported", False)


def test_a_black_hole_is_found_to_the_octet() -> None:
    search = MtuSearch(4)
    tried = run(search, path=1400)
    assert tried[:3] == [1200, 65_535, 1500]
    assert (search.passing, search.failing, search.black_hole) == (1400, 1401, True)
    assert len(tried) <= 3 + 9  # 300 sizes are halved nine times


def test_a_router_that_names_no_size_or_a_wrong_one_is_searched_past() -> None:
    for says in (0, 68, 1499, 9000):
        search = MtuSearch(4)
        run(search, path=1400, says=says)
        assert (search.passing, search.black_hole) == (1400, False)


def test_a_second_narrow_link_that_says_nothing_is_a_black_hole() -> None:
    search = MtuSearch(4)
    while (size := search.next_size()) is not None:
        if size > 1500:
            search.refused(size, 1500)
        elif size > 1450:
            search.refused(size, 1450, Report("192.0.2.1", 3, 4, 1450))
        elif size > 1400:
            search.vanished(size)
        else:
            search.passed(size)
    assert (search.passing, search.black_hole) == (1400, True)
    assert search.reports


def test_version_6_begins_at_its_least_mtu() -> None:
    search = MtuSearch(6)
    assert run(search, path=1280, says=1280)[0] == 1280
    assert (search.passing, search.black_hole) == (1280, False)


def test_a_path_below_the_base_is_found_from_below() -> None:
    search = MtuSearch(4)
    assert run(search, path=576)[:2] == [1200, 84]
    assert (search.passing, search.black_hole) == (576, True)


def test_a_host_that_answers_nothing_ends_the_search_after_two_sizes() -> None:
    search = MtuSearch(4)
    assert run(search, path=1500, answers=False) == [1200, 84]
    assert (search.passing, search.black_hole) == (None, None)


def test_a_path_that_takes_every_size_has_no_limit() -> None:
    search = MtuSearch(4)
    run(search, path=65_535, link=65_535)
    assert (search.passing, search.limit, search.black_hole) == (65_535, "none", False)


@pytest.mark.parametrize("says", [True, False])
@given(path=st.integers(84, 9000), link=st.integers(1280, 9000))
def test_every_path_is_found_to_the_octet(says: bool, path: int, link: int) -> None:
    search = MtuSearch(4)
    run(search, path=path, link=link, says=path if says else None)
    assert search.passing == min(path, link)
    assert search.black_hole is (not says and path < link)
