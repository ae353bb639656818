"""What a watch of a target sends, and that it never does more than look."""

import pytest

from nethealth.inventory import parse
from nethealth.model.check import (
    PingParameters,
    RouteParameters,
    SipParameters,
    StampParameters,
)
from nethealth.plan import TargetError, WatchPlan, plan_watch

SITES = '[[council]]\nid = "c"\nname = "C"\n[[site]]\nid = "hall"\ncouncil = "c"\nname = "Hall"\n'
PBX = (
    SITES
    + """
[[asset]]
id = "pbx"
site = "hall"
kind = "pbx"
address = "198.18.2.10"
[asset.sip]
username = "probe"
password_env = "SECRET"
test_account = true
hops = true
"""
)


def plan(target: str, inventory: str = "", *, echo: bool = True, interval_s: float = 1.0,
         **options: str) -> WatchPlan:  # fmt: skip
    known = parse(inventory) if inventory else None
    return plan_watch(target, known, interval_s=interval_s, options=options, echo=echo)


def kinds(found: WatchPlan) -> list[str]:
    return [check.probe for check in found.checks]


def test_a_host() -> None:
    found = plan("198.18.2.10")
    assert [check.id for check in found.checks] == ["198.18.2.10:route", "198.18.2.10:ping"]
    route, ping = (check.parameters for check in found.checks)
    assert isinstance(route, RouteParameters)
    assert (route.method, route.queries, route.dscp) == ("icmp", 1, 46)
    assert isinstance(ping, PingParameters)
    assert (ping.count, ping.dscp) == (1, 46)
    assert set(found.every_s.values()) == {1.0}


def test_each_kind_of_target_is_looked_at_by_what_it_answers() -> None:
    assert kinds(plan("stamp:198.18.2.30:8620")) == ["route", "stamp"]
    assert kinds(plan("sip:echo@198.18.2.10:5070")) == ["route", "ping", "sip"]
    assert kinds(plan("pbx", PBX)) == ["route", "ping", "sip"]
    assert kinds(plan("sip:198.18.2.10", echo=False)) == ["route", "sip"]
    (route, _) = plan("sip:198.18.2.10", echo=False).checks
    assert isinstance(route.parameters, RouteParameters)
    assert route.parameters.method == "udp"


def test_a_watch_never_logs_in() -> None:
    sip = plan("pbx", PBX).checks[2].parameters
    assert isinstance(sip, SipParameters)
    assert (sip.username, sip.password_env, sip.test_account) == (None, None, False)
    assert (sip.hops, sip.old_tls) == (False, False)
    assert sip.timeout_s == 4


@pytest.mark.parametrize(
    ("interval_s", "ping", "route", "sip"), [(0.2, 0.2, 1, 5), (1, 1, 1, 5), (30, 30, 30, 30)]
)
def test_nobody_is_asked_more_often_than_is_kind(
    interval_s: float, ping: float, route: float, sip: float
) -> None:
    found = plan("pbx", PBX, interval_s=interval_s)
    assert found.every_s == {"pbx:ping": ping, "pbx:route": route, "pbx:sip": sip}


@pytest.mark.parametrize(("interval_s", "count"), [(0.2, 50), (1, 50), (2, 100), (60, 250)])
def test_streams_last_as_long_as_the_interval_up_to_five_seconds(
    interval_s: float, count: int
) -> None:
    stamp = plan("stamp:198.18.2.30", interval_s=interval_s).checks[1].parameters
    assert isinstance(stamp, StampParameters)
    assert (stamp.count, stamp.interval_s, stamp.dscp) == (count, 0.02, 46)


def test_the_inventory_and_the_user_know_better() -> None:
    text = PBX + '[asset.route]\nmethod = "tcp"\n[asset.ping]\ndscp = 26\n'
    route, ping, _ = (check.parameters for check in plan("pbx", text).checks)
    assert isinstance(route, RouteParameters)
    assert isinstance(ping, PingParameters)
    assert (route.method, route.port, route.dscp, ping.dscp) == ("tcp", 443, 0, 26)
    route, ping = (
        check.parameters for check in plan("198.18.2.10", method="udp", dscp="34").checks
    )
    assert isinstance(route, RouteParameters)
    assert isinstance(ping, PingParameters)
    assert (route.method, route.dscp, ping.dscp) == ("udp", 34, 34)


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        ("hall", {}, "a site has many paths; a watch shows the path to a host"),
        ("https://198.18.2.10/", {}, "nothing of a call; a watch shows"),
        ("dns:portal.example@198.18.1.53", {}, "nothing of a call"),
        ("198.18.2.10:443", {}, "nothing of a call"),
        ("pbx", {"count": "5"}, 'option "count" has no meaning in a watch, which paces itself'),
        ("pbx", {"username": "x"}, "asks by plain OPTIONS alone"),
        ("pbx", {"dscp": "64"}, "option dscp"),
        ("pbx", {"dcsp": "46"}, 'did you mean "dscp"'),
        ("sip:", {}, "sip:"),
    ],
)  # fmt: skip
def test_what_is_no_watch(target: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(TargetError, match=words):
        plan_watch(target, parse(PBX), interval_s=1.0, options=options)


def test_an_asset_without_an_address() -> None:
    text = SITES + '[[asset]]\nid = "a"\nsite = "hall"\nkind = "service"\n'
    http = text + '[asset.http]\nurl = "https://portal.example/"\n'
    with pytest.raises(TargetError, match="the inventory gives no address"):
        plan("a", http)
    sip = text + '[asset.sip]\nuri = "sip:198.18.2.10"\n'
    assert kinds(plan("a", sip)) == ["route", "ping", "sip"]
