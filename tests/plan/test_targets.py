"""What the command line names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.inventory import parse
from nethealth.inventory.faults import listed
from nethealth.inventory.kinds import PLANNED_KINDS
from nethealth.inventory.parsing import SITES
from nethealth.model.check import (
    DnsParameters,
    HttpParameters,
    Parameters,
    PathMtuParameters,
    PingParameters,
    ProbeKind,
    ProbeMethod,
    RouteParameters,
    SipParameters,
    StampParameters,
    TcpParameters,
)
from nethealth.plan import TargetError, plan_inventory, plan_targets
from nethealth.plan.options import check_keys

INVENTORY = parse("""\
[[council]]
id = "scdc"
name = "South Cambridgeshire"
[[site]]
id = "hall"
council = "scdc"
name = "Hall"
gateway = "198.18.2.1"
[[site]]
id = "barn"
council = "scdc"
name = "Barn"
[[asset]]
id = "hall-pbx"
site = "hall"
kind = "pbx"
address = "198.18.2.10"
ping.dscp = 46
sip.transport = "tcp"
[[asset]]
id = "hall-phone"
site = "hall"
kind = "phone"
address = "198.18.2.11"
[[asset]]
id = "paper"
site = "barn"
kind = "server"
checks = []
""")


@pytest.mark.parametrize(
    ("text", "check_id", "parameters"),
    [
        ("198.18.2.10", "198.18.2.10:ping", PingParameters("198.18.2.10")),
        ("2001:db8::1", "2001:db8::1:ping", PingParameters("2001:db8::1")),
        ("[2001:db8::1]", "[2001:db8::1]:ping", PingParameters("2001:db8::1")),
        ("pbx.example", "pbx.example:ping", PingParameters("pbx.example")),
        ("pbx.example:5061", "pbx.example:5061:tcp", TcpParameters("pbx.example", 5061)),
        ("[2001:db8::1]:443", "[2001:db8::1]:443:tcp", TcpParameters("2001:db8::1", 443)),
        ("https://x.example/a", "https://x.example/a:http", HttpParameters("https://x.example/a")),
        ("http://[::1]:8080", "http://[::1]:8080:http", HttpParameters("http://[::1]:8080")),
        ("sip:198.18.2.10", "sip:198.18.2.10:sip",
         SipParameters("sip:198.18.2.10", "198.18.2.10", 5060, "udp")),
        ("sip:a@x;transport=tcp", "sip:a@x;transport=tcp:sip",
         SipParameters("sip:a@x;transport=tcp", "x", 5060, "tcp", locate="srv")),
        ("sips:[::1]", "sips:[::1]:sip", SipParameters("sips:[::1]", "::1", 5061, "tls")),
        ("dns:portal.example@198.18.2.53", "dns:portal.example@198.18.2.53:dns",
         DnsParameters("198.18.2.53", "portal.example")),
        ("dns:_sip._udp.x@[::1]:5353", "dns:_sip._udp.x@[::1]:5353:dns",
         DnsParameters("::1", "_sip._udp.x", port=5353)),
        ("stamp:198.18.2.9", "stamp:198.18.2.9:stamp", StampParameters("198.18.2.9")),
        ("stamp:[::1]:8620", "stamp:[::1]:8620:stamp", StampParameters("::1", 8620)),
    ],
)  # fmt: skip
def test_forms(text: str, check_id: str, parameters: Parameters) -> None:
    (check,) = plan_targets([text], None)
    assert (check.id, check.parameters) == (check_id, parameters)
    assert (check.council, check.site, check.asset) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "probe", "parameters"),
    [
        ("198.18.2.10", "sip", SipParameters("sip:198.18.2.10", "198.18.2.10", 5060)),
        ("::1", "sip", SipParameters("sip:[::1]", "::1", 5060)),
        ("::1", "http", HttpParameters("https://[::1]/")),
        ("x.example:5070", "sip", SipParameters("sip:x.example:5070", "x.example", 5070)),
        ("x.example:8443", "http", HttpParameters("https://x.example:8443/")),
        ("x.example:8443", "ping", PingParameters("x.example")),
        ("https://x.example/", "ping", PingParameters("x.example")),
        ("https://[::1]/", "tcp", TcpParameters("::1", 443)),
        ("http://x.example:8080/", "tcp", TcpParameters("x.example", 8080)),
        ("sips:x.example", "tcp", TcpParameters("x.example", 5061)),
        ("dns:a.example@198.18.2.53", "ping", PingParameters("198.18.2.53")),
    ],
)
def test_probe_overrides_the_form(text: str, probe: ProbeKind, parameters: Parameters) -> None:
    (check,) = plan_targets([text], None, probes=(probe,))
    assert (check.id, check.probe, check.parameters) == (f"{text}:{probe}", probe, parameters)


def test_several_probes_of_one_target() -> None:
    checks = plan_targets(
        ["::1"], None, probes=("tcp", "dns", "ping", "ping"),
        options={"ports": "443, 5061", "names": "a.example"},
    )  # fmt: skip
    assert [check.id for check in checks] == [
        "::1:tcp:443", "::1:tcp:5061", "::1:dns:a.example", "::1:ping",
    ]  # fmt: skip


def test_an_asset_gets_the_checks_of_the_plan_under_the_same_ids() -> None:
    planned = [check for check in plan_inventory(INVENTORY) if check.asset == "hall-pbx"]
    assert list(plan_targets(["hall-pbx"], INVENTORY)) == planned


def test_a_site_gets_its_gateway_and_all_its_assets() -> None:
    assert plan_targets(["hall"], INVENTORY) == plan_inventory(INVENTORY, sites=["hall"])


def test_without_an_inventory_an_id_is_a_host_name() -> None:
    (check,) = plan_targets(["hall-pbx"], None)
    assert check.parameters == PingParameters("hall-pbx")


def test_a_host_that_is_no_id_stays_a_host() -> None:
    assert [check.id for check in plan_targets(["x.example"], INVENTORY)] == ["x.example:ping"]


def test_probe_replaces_an_assets_checks_and_chooses_among_a_sites() -> None:
    (tcp,) = plan_targets(["hall-phone"], INVENTORY, probes=("sip",))
    assert (tcp.id, tcp.asset) == ("hall-phone:sip", "hall-phone")
    assert [check.id for check in plan_targets(["hall"], INVENTORY, probes=("sip",))] == [
        "hall-pbx:sip"
    ]
    with pytest.raises(TargetError, match="plans no dns check at this site"):
        plan_targets(["hall"], INVENTORY, probes=("dns",))
    with pytest.raises(TargetError, match="plans no check at this site"):
        plan_targets(["barn"], INVENTORY)
    with pytest.raises(TargetError, match="plans no check of it; choose one with --probe"):
        plan_targets(["paper"], INVENTORY)
    with pytest.raises(TargetError, match="paper: ping needs an address"):
        plan_targets(["paper"], INVENTORY, probes=("ping",))


def test_each_check_is_planned_once() -> None:
    checks = plan_targets(["hall", "hall-pbx", "hall", "::1", "::1"], INVENTORY)
    assert len({check.id for check in checks}) == len(checks) == 5


def test_options_go_over_what_the_inventory_says() -> None:
    checks = plan_targets(
        ["hall-pbx"], INVENTORY, options={"count": "5", "timeout_s": "3", "family": "4"}
    )
    assert [check.parameters for check in checks] == [
        PingParameters("198.18.2.10", 5, dscp=46, family=4),
        SipParameters("sip:198.18.2.10", "198.18.2.10", 5060, "tcp", 3, 4),
    ]


def test_every_key_that_a_probe_has_can_be_set() -> None:
    options = {
        "count": "3", "interval_ms": "50", "timeout_ms": "500", "dscp": "46", "family": "6",
        "ports": "80", "timeout_s": "1.5", "names": "a.example", "record_type": "AAAA",
        "port": "5353", "expect": "::1,::2", "url": "http://[::1]/", "expect_status": "200",
        "body_match": "a, b", "uri": "sip:[::1]:5070", "transport": "tcp", "username": "u",
        "password_env": "PASSWORD", "test_account": "true",
        "hops": "true", "old_tls": "true",
    }  # fmt: skip
    probes: tuple[ProbeKind, ...] = ("ping", "tcp", "dns", "http", "sip")
    checks = plan_targets(["::1"], None, probes=probes, options=options)
    assert [check.parameters for check in checks] == [
        PingParameters("::1", 3, 0.05, 0.5, 46, family=6),
        TcpParameters("::1", 80, 1.5, 6),
        DnsParameters("::1", "a.example", "AAAA", 5353, ("::1", "::2"), 1.5, 6),
        HttpParameters("http://[::1]/", 200, "a, b", timeout_s=1.5, family=6),
        SipParameters(
            "sip:[::1]:5070",
            "::1",
            5070,
            "tcp",
            1.5,
            6,
            "u",
            "PASSWORD",
            test_account=True,
            hops=True,
            old_tls=True,
        ),
    ]


@pytest.mark.parametrize("kind", PLANNED_KINDS)
def test_the_options_of_a_probe_are_the_keys_of_its_table_in_the_inventory(kind: ProbeKind) -> None:
    found = [
        key for key in SITES.allowed.keys(("asset", 0, kind)) if not check_keys({key: ""}, [kind])
    ]
    assert found == list(SITES.allowed.keys(("asset", 0, kind)))
    with pytest.raises(TargetError, match="is no key of"):
        plan_targets(("198.18.0.1",), None, probes=(kind,), options={"colour": "red"})


def test_a_route_by_each_method_goes_to_its_usual_port() -> None:
    ports: dict[ProbeMethod, int] = {"udp": 33434, "icmp": 0, "tcp": 443}
    for method, port in ports.items():
        options = {"method": method, "queries": "2", "hops_max": "9", "dscp": "46"}
        (check,) = plan_targets(["x.example"], None, probes=("route",), options=options)
        assert check.id == "x.example:route"
        assert check.parameters == RouteParameters("x.example", method, port, 2, 9, 46)
    (check,) = plan_targets(["::1"], None, probes=("route",), options={"port": "5060"})
    assert check.parameters == RouteParameters("::1", "udp", 5060)


def test_an_asset_is_traced_where_its_list_says_so() -> None:
    asked = parse(
        '[[council]]\nid = "c"\nname = "C"\n[[site]]\nid = "s"\ncouncil = "c"\nname = "S"\n'
        '[[asset]]\nid = "a"\nsite = "s"\nkind = "pbx"\naddress = "198.18.2.10"\n'
        'checks = ["route", "path-mtu"]\nroute.dscp = 46\n'
    )
    assert [(check.id, check.parameters) for check in plan_inventory(asked)] == [
        ("a:route", RouteParameters("198.18.2.10", dscp=46)),
        ("a:path-mtu", PathMtuParameters("198.18.2.10")),
    ]


def test_path_mtu_has_nothing_to_set() -> None:
    (check,) = plan_targets(["::1"], None, probes=("path-mtu",))
    assert (check.id, check.parameters) == ("::1:path-mtu", PathMtuParameters("::1"))
    with pytest.raises(TargetError, match='option "dscp" is no key of path-mtu'):
        plan_targets(["::1"], None, probes=("path-mtu",), options={"dscp": "46"})


def test_a_long_check_that_was_asked_for_gets_the_time_it_needs() -> None:
    (check,) = plan_targets(["::1"], None, options={"count": "1000"})
    assert check.deadline_s == pytest.approx(1000 * 0.2 + 2)
    (check,) = plan_targets(["sip:x"], None, options={"timeout_s": "64"})
    assert check.deadline_s == 64


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an empty target"),
        ("a b", "a space or control character"),
        ("a\x1b[31m", "a space or control character"),
        ("a\n", "a space or control character"),
        ("x" * 1001, "1001 characters; a target has at most 1000"),
        ("-c", "no host name"),
        ("198.18.2.300", "no valid numeric address"),
        ("x:0", "no port from 1 to 65535"),
        ("a:b:c", "no host name"),
        ("stamp:198.18.2.1:0", "no port from 1 to 65535"),
        ("stamp:", "no host name"),
        ("https://", "no host name"),
        ("https://u:p@x/", "a user name or password"),
        ("sip:u:p@x", "a password"),
        ("sip:x;transport=sctp", "transport is none of udp, tcp, tls"),
        ("dns:x", "no @server"),
        ("dns:@::1", "no domain name"),
        ("dns:x@", "no host name"),
        ("ftp://x/", "no port"),
    ],
)
def test_targets_that_are_none(text: str, reason: str) -> None:
    with pytest.raises(TargetError) as caught:
        plan_targets([text], None)
    (sentence,) = caught.value.faults
    assert reason in sentence
    assert sentence.isprintable()


@pytest.mark.parametrize(
    ("probes", "options", "reason"),
    [
        ((), {"cuont": "3"},
         'option "cuont" is no key of ping (did you mean "count"?); allowed: "count", '
         '"interval_ms", "timeout_ms", "dscp", "family"'),
        (("tcp", "dns"), {"ports": "1", "names": "x", "dscp": "46"},
         'option "dscp" is no key of tcp or dns; allowed: "ports", "timeout_s", "family", '
         '"names", "record_type", "port", "expect"'),
        ((), {"dscp": "64"}, 'option dscp: found "64"; allowed: a whole number from 0 to 63'),
        ((), {"count": "many"},
         'option count: found "many"; allowed: a whole number from 1 to 10000'),
        ((), {"family": "5"}, 'option family: found "5"; allowed: 4, 6'),
        (("sip",), {"transport": "sctp"},
         'option transport: found "sctp"; allowed: "udp", "tcp", "tls"'),
        (("sip",), {"uri": "sip:x;transport=tcp", "transport": "udp"},
         'option transport: found "udp"; allowed: "tcp", as the uri has it, or a uri that leaves '
         "it open"),
        (("sip",), {"password_env": "pass word"},
         "option password_env: found text that is not shown here; allowed: the name of an "
         "environment variable, which holds the secret outside the file"),
        (("tcp",), {}, "::1: tcp needs a port, as in HOST:443 or --option ports=443,5061"),
        (("tcp",), {"ports": "x"}, 'option ports: found "x"; allowed: a list, at least one, each: '
         "a whole number from 1 to 65535"),
        (("dns",), {}, "::1: dns needs a name to ask for, as in dns:portal.example@SERVER or "
         "--option names=portal.example"),
        (("capture",), {}, 'the probe "capture" is not available in this version; available: '
         + listed(PLANNED_KINDS)),
    ],
)  # fmt: skip
def test_options_and_probes_that_do_not_fit(
    probes: tuple[ProbeKind, ...], options: dict[str, str], reason: str
) -> None:
    with pytest.raises(TargetError) as caught:
        plan_targets(["::1"], None, probes=probes, options=options)
    assert reason in caught.value.faults


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(TargetError) as caught:
        plan_targets(
            ["a b", "::1", "stamp:-"], None, probes=("coexistence", "ping"),
            options={"dscp": "99", "nope": "1"},
        )  # fmt: skip
    assert len(caught.value.faults) == 5
    assert str(caught.value).count("\n") == 4


@given(st.text(max_size=40), st.sampled_from(["", "sip:", "https://", "dns:", "dns:x@", "[", "::"]))
def test_any_text_is_a_target_or_a_target_error(text: str, prefix: str) -> None:
    for probe in ((), ("ping",), ("sip",), ("http",)):
        try:
            (check,) = plan_targets([prefix + text], None, probes=probe)
        except TargetError as error:
            assert all(fault.isprintable() for fault in error.faults)
        else:
            assert check.id.isprintable()
            assert check.target.isprintable()


OPTION = st.sampled_from(["count", "dscp", "family", "uri", "timeout_s", "transport"])


@given(st.dictionaries(OPTION, st.text(max_size=10)))
def test_any_option_is_taken_or_a_target_error(options: dict[str, str]) -> None:
    try:
        plan_targets(["::1"], None, probes=("ping", "sip"), options=options)
    except TargetError as error:
        assert all(fault.isprintable() for fault in error.faults)
