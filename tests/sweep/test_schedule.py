"""Starts keep each site's rate and each host's gap, and no site waits for another."""

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.model.check import (
    Check,
    DnsParameters,
    HttpParameters,
    Parameters,
    PingParameters,
    SipParameters,
)
from nethealth.sweep.schedule import HOST_GAP_S, host_of, schedule
from tests.sweep.virtual import tcp

PLAN = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 5)), max_size=60)


@given(PLAN, st.sampled_from([2.0, 50.0, 1000.0]))
def test_every_check_starts_once_within_its_sites_rate_and_its_hosts_gap(
    plan: list[tuple[str | None, int]], rate: float
) -> None:
    checks = [tcp(f"c{n}", site, f"host{host}") for n, (site, host) in enumerate(plan)]
    starts = schedule(checks, rate)
    assert sorted(c.id for _, c in starts) == sorted(c.id for c in checks)
    by_site, by_host = defaultdict(list), defaultdict(list)
    for at_s, check in starts:
        by_site[check.site].append(at_s)
        by_host[host_of(check)].append(at_s)
    for times in by_site.values():
        assert all(b - a >= 1 / rate - 1e-9 for a, b in pairwise(times))
    for times in by_host.values():
        assert all(b - a >= HOST_GAP_S - 1e-9 for a, b in pairwise(times))


def test_a_small_site_is_done_while_a_big_one_goes_on() -> None:
    checks = [tcp(f"big{n}", "big") for n in range(500)] + [tcp(f"s{n}", "small") for n in range(5)]
    starts = {check.id: at_s for at_s, check in schedule(checks, 50)}
    assert max(starts[f"s{n}"] for n in range(5)) < 0.1 + 1e-9  # 5 starts, 20 ms apart, shifted
    assert starts["big499"] == pytest.approx(499 / 50, abs=0.02)


def test_sites_do_not_start_at_the_same_instant() -> None:
    checks = [tcp(f"{site}{n}", f"site{site}") for site in range(4) for n in range(3)]
    times = [at_s for at_s, _ in schedule(checks, 10)]
    assert min(b - a for a, b in pairwise(times)) == pytest.approx(0.025)  # 100 ms over 4 sites


def test_every_host_has_its_first_check_before_any_has_its_second() -> None:
    checks = [tcp(f"{host}-{n}", "hall", host) for host in "ab" for n in range(2)]
    assert [c.id for _, c in schedule(checks, 50)] == ["a-0", "b-0", "a-1", "b-1"]


def test_a_spread_slows_the_starts_and_never_hastens_them() -> None:
    checks = [tcp(f"c{n}") for n in range(10)]
    assert schedule(checks, 50, spread_s=60)[-1][0] == pytest.approx(54)
    assert schedule(checks, 50, spread_s=0.01)[-1][0] == pytest.approx(0.18)


@pytest.mark.parametrize(
    ("parameters", "host"),
    [
        (PingParameters("Hall-PBX"), "hall-pbx"),
        (DnsParameters("198.18.2.53", "portal.example"), "198.18.2.53"),
        (HttpParameters("https://Portal.example:8443/x"), "portal.example"),
        (HttpParameters("https://[2001:db8::1]/"), "2001:db8::1"),
        (HttpParameters("https://[2001:db8::1/"), "https://[2001:db8::1/"),
        (SipParameters("sip:100@pbx", "198.18.2.10", 5060), "198.18.2.10"),
    ],
)
def test_the_host_of_a_check(parameters: Parameters, host: str) -> None:
    assert host_of(Check("c", "ping", None, None, None, "t", parameters)) == host
