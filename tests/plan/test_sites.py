"""What is planned of an inventory."""

import pytest

from nethealth.inventory import parse
from nethealth.model.check import (
    DnsParameters,
    HttpParameters,
    PingParameters,
    SipParameters,
    TcpParameters,
)
from nethealth.plan import TargetError, plan_inventory, unplanned

SITES = """\
[[council]]
id = "scdc"
name = "South Cambridgeshire"
[[site]]
id = "hall"
council = "scdc"
name = "Hall"
"""


def planned(asset: str, sweep: str = "") -> list[str]:
    text = f'{sweep}{SITES}[[asset]]\nid = "a"\nsite = "hall"\n{asset}'
    return [check.id for check in plan_inventory(parse(text))]


V6 = 'address = "2001:db8::10"\n'


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("pbx", ["a:ping", "a:sip"]),
        ("sbc", ["a:ping", "a:sip"]),
        ("gateway", ["a:ping", "a:sip"]),
        ("phone", ["a:ping"]),
        ("ata", ["a:ping"]),
        ("router", ["a:ping"]),
        ("switch", ["a:ping"]),
        ("server", ["a:ping"]),
        ("sensor", ["a:ping"]),
        ("reflector", ["a:ping", "a:stamp"]),
        ("service", ["a:http"]),
    ],
)
def test_checks_by_kind(kind: str, expected: list[str]) -> None:
    assert planned(f'kind = "{kind}"\n{V6}') == expected


@pytest.mark.parametrize(
    ("kind", "extra", "expected"),
    [
        ("server", 'tcp.ports = [443, 5061, 443]\ndns.names = ["b.example", "a.example"]\n',
         ["a:ping", "a:tcp:443", "a:tcp:5061", "a:dns:b.example", "a:dns:a.example"]),
        ("phone", "sip = {}\nhttp = {}\n", ["a:ping", "a:http", "a:sip"]),
        ("service", "tcp.ports = [1]\n", ["a:tcp:1"]),
        ("service", "ping.dscp = 46\n", ["a:ping"]),
        ("service", "stamp.port = 862\n", ["a:stamp"]),
        ("service", 'checks = ["ping"]\n', ["a:ping"]),
        ("pbx", 'checks = ["sip", "ping", "sip"]\n', ["a:ping", "a:sip"]),
        ("pbx", 'checks = ["ping"]\ntcp.ports = [1]\n', ["a:ping"]),
        ("pbx", "checks = []\n", []),
        ("pbx", 'checks = ["capture"]\n', []),
        ("switch", 'snmp = {version = 2, community_env = "C"}\n', ["a:ping", "a:snmp"]),
        # what rings somewhere has to be listed; the table says only what may be called
        ("pbx", 'call.number = "sip:echo@198.18.2.10"\n', ["a:ping", "a:sip"]),
        ("pbx", 'checks = ["call"]\ncall.number = "sip:echo@198.18.2.10"\n', ["a:call"]),
    ],
)  # fmt: skip
def test_checks_by_tables_and_by_list(kind: str, extra: str, expected: list[str]) -> None:
    assert planned(f'kind = "{kind}"\n{V6}{extra}') == expected


def test_what_a_check_says_of_itself() -> None:
    text = SITES + f'gateway = "198.18.2.1"\n[[asset]]\nid = "a"\nsite = "hall"\nkind = "pbx"\n{V6}'
    gateway, ping, sip = plan_inventory(parse(text))
    assert (gateway.id, gateway.council, gateway.site, gateway.asset, gateway.target) == (
        "site.hall:gateway:ping", "scdc", "hall", None, "198.18.2.1",
    )  # fmt: skip
    assert (ping.council, ping.site, ping.asset) == ("scdc", "hall", "a")
    assert ping.target == "2001:db8::10"
    assert sip.target == "sip:[2001:db8::10]"
    assert ping.deadline_s == 35


def test_defaults_are_those_of_the_sweep_under_those_of_the_asset() -> None:
    text = f"""\
[sweep]
ping_count = 10
ping_interval_ms = 100
deadline_s = 4
{SITES}
[[asset]]
id = "a"
site = "hall"
kind = "server"
{V6}ping.interval_ms = 50
ping.dscp = 46
ping.family = 6
tcp = {{ ports = [443] }}
dns = {{ names = ["x.example"], record_type = "SRV", port = 5353, expect = ["y"], timeout_s = 1 }}
http = {{ expect_status = 204, body_match = "ok" }}
sip = {{ transport = "tls" }}
"""
    parameters = [check.parameters for check in plan_inventory(parse(text))]
    assert parameters == [
        PingParameters("2001:db8::10", 10, 0.05, 2.0, dscp=46, family=6),
        TcpParameters("2001:db8::10", 443, timeout_s=4),
        DnsParameters("2001:db8::10", "x.example", "SRV", 5353, ("y",), timeout_s=1),
        HttpParameters("https://[2001:db8::10]/", 204, "ok", timeout_s=4),
        SipParameters("sip:[2001:db8::10]", "2001:db8::10", 5061, "tls", timeout_s=4),
    ]
    assert {check.deadline_s for check in plan_inventory(parse(text))} == {4}


def test_targets_have_the_form_that_a_person_could_type() -> None:
    text = f"""{SITES}[[asset]]\nid = "a"\nsite = "hall"\nkind = "server"\n{V6}
tcp.ports = [443]
dns = {{ names = ["x.example"], port = 5353 }}
http = {{}}
sip.uri = "sip:me@pbx.example;transport=tcp"
"""
    assert [check.target for check in plan_inventory(parse(text))] == [
        "2001:db8::10",
        "[2001:db8::10]:443",
        "dns:x.example@[2001:db8::10]:5353",
        "https://[2001:db8::10]/",
        "sip:me@pbx.example;transport=tcp",
    ]


def test_without_a_word_on_time_sip_waits_64_times_t1() -> None:
    text = f'{SITES}[[asset]]\nid = "a"\nsite = "hall"\nkind = "pbx"\n{V6}'
    sip = plan_inventory(parse(text))[-1].parameters
    assert isinstance(sip, SipParameters)
    assert sip.timeout_s == 32  # RFC 3261 section 17.1.2.2: Timer F


def test_some_sites_only() -> None:
    text = SITES + '[[site]]\nid = "depot"\ncouncil = "scdc"\nname = "Depot"\ngateway = "::1"\n'
    text += f'[[asset]]\nid = "a"\nsite = "hall"\nkind = "phone"\n{V6}'
    inventory = parse(text)
    assert [check.id for check in plan_inventory(inventory, sites=["hall"])] == ["a:ping"]
    assert [check.id for check in plan_inventory(inventory, sites={"depot"})] == [
        "site.depot:gateway:ping"
    ]
    assert plan_inventory(inventory, sites=()) == ()
    with pytest.raises(TargetError, match=r'"hal" is no site .*did you mean "hall"'):
        plan_inventory(inventory, sites=["hal"])


def test_what_this_version_cannot_make_is_said_once_for_each() -> None:
    text = SITES + "".join(
        f'[[asset]]\nid = "{name}"\nsite = "hall"\nkind = "pbx"\n{V6}{extra}'
        for name, extra in (
            ("a", 'checks = ["ping", "capture", "capture"]\n'),
            ("b", 'checks = ["ping"]\n'),
        )
    )
    assert unplanned(parse(text)) == (
        "a: this version cannot make the check capture, so it is not planned.",
    )


def test_two_thousand_sites_are_planned_whole() -> None:
    text = '[[council]]\nid = "c"\nname = "C"\n' + "".join(
        f'[[site]]\nid = "s{n}"\ncouncil = "c"\nname = "Site {n}"\ngateway = "198.18.0.1"\n'
        f'[[asset]]\nid = "p{n}"\nsite = "s{n}"\nkind = "pbx"\naddress = "198.18.0.2"\n'
        f'[[asset]]\nid = "f{n}"\nsite = "s{n}"\nkind = "phone"\naddress = "198.18.0.3"\n'
        for n in range(2000)
    )
    ids = [check.id for check in plan_inventory(parse(text))]
    assert len(ids) == 2000 * 4
    assert set(ids) == {
        name.format(n)
        for n in range(2000)
        for name in ("site.s{}:gateway:ping", "p{}:ping", "p{}:sip", "f{}:ping")
    }
