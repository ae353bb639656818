"""The inventory reads, and what does not fit is named with file, line, key, found and allowed."""

import dataclasses
import re
import types
import typing
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.inventory import Fault, InventoryError, decode, example, parse
from nethealth.model.inventory import Inventory, SweepSettings

BASE = """\
[[council]]
id = "scdc"
name = "South Cambridgeshire"
[[site]]
id = "hall"
council = "scdc"
name = "Hall"
"""
BASE_LINES = BASE.count("\n")


def faults(text: str) -> tuple[Fault, ...]:
    with pytest.raises(InventoryError) as caught:
        parse(text)
    return caught.value.faults


def fault(text: str) -> Fault:
    (only,) = faults(text)
    return only


def test_the_example_parses_and_says_what_it_shows() -> None:
    inventory = parse(example())
    assert inventory.sweep == SweepSettings()
    assert inventory.asset[0].checks == ("ping", "sip")
    assert inventory.asset[0].end_of_support == date(2018, 12, 31)
    assert inventory.blackout[0].from_ == "09:00"


def names_of(model: Any) -> set[str]:
    names: set[str] = set()
    for key, hint in typing.get_type_hints(model, include_extras=True).items():
        if key.startswith("__"):
            continue
        names.add(key.removesuffix("_"))
        for part in walk(hint):
            if dataclasses.is_dataclass(part):
                names |= names_of(part)
    return names


def walk(hint: Any) -> typing.Iterator[Any]:
    yield hint
    if isinstance(hint, types.UnionType) or typing.get_origin(hint):
        for part in typing.get_args(hint):
            yield from walk(part)


def test_the_example_shows_every_key_of_the_model() -> None:
    shown = set(re.findall(r"^(?:\[+(?:asset\.)?)?([a-z0-9_-]+)(?:\]+| = )", example(), re.M))
    # a table with a hyphen in its name has none in the model
    assert names_of(Inventory) <= {name.replace("-", "_") for name in shown}


def test_the_example_holds_only_addresses_set_apart_for_tests() -> None:
    for address in re.findall(r"\d+\.\d+\.\d+\.\d+", example().replace("198.18.0.0/15", "")):
        assert address.startswith(("198.18.", "198.19."))


def test_what_a_building_has_is_counted_and_absent_is_not_none() -> None:
    site = parse(BASE + 'cooling_units = 0\nups = 2\nbuilding = "Annexe"\n').site[0]
    assert (site.cooling_units, site.ups, site.building) == (0, 2, "Annexe")
    assert parse(BASE).site[0].cooling_units is None
    only = fault(BASE + "cooling_units = -1\n")
    assert (only.line, only.key) == (BASE_LINES + 1, 'site[1] "hall".cooling_units')
    assert (only.found, only.allowed) == ("-1", "a whole number from 0 to 1000")


def test_an_empty_text_is_an_empty_inventory() -> None:
    assert parse("") == Inventory()


def test_a_fault_reads_as_one_line_with_all_its_parts() -> None:
    text = (
        BASE + '[[asset]]\nid = "hall-pbx"\nsite = "hall"\nkind = "pabx"\naddress = "198.18.2.1"\n'
    )
    only = fault(text)
    assert only.file == "sites.toml"
    assert only.line == BASE_LINES + 4
    assert only.key == 'asset[1] "hall-pbx".kind'
    assert only.found == '"pabx" (did you mean "pbx"?)'
    assert only.allowed.startswith('"pbx", "sbc", "gateway"')
    assert str(only).startswith(
        'sites.toml:11: asset[1] "hall-pbx".kind: found "pabx" (did you mean "pbx"?); '
        'allowed: "pbx", "sbc", '
    )


def test_faults_of_model_and_meaning_are_shown_together_in_the_order_of_lines() -> None:
    text = """\
[vantage]
timezone = "Europe/Londn"
[[site]]
id = "hall"
council = "nobody"
name = ""
gateway = "198.18.2.300"
[[asset]]
id = "a b"
site = "hal"
kind = "phone"
adress = "198.18.2.4"
"""
    with pytest.raises(InventoryError) as caught:
        parse(text, name="my.toml")
    assert [(each.line, each.key) for each in caught.value.faults] == [
        (2, "vantage.timezone"),
        (5, 'site[1] "hall".council'),
        (6, 'site[1] "hall".name'),
        (7, 'site[1] "hall".gateway'),
        (8, 'asset[1] "a b".address'),
        (9, 'asset[1] "a b".id'),
        (10, 'asset[1] "a b".site'),
        (12, 'asset[1] "a b".adress'),
    ]
    assert str(caught.value).count("\n") == 7
    assert all(line.startswith("my.toml:") for line in str(caught.value).splitlines())
    assert '"Europe/London"' in caught.value.faults[0].found


ASSET = BASE + '[[asset]]\nid = "a"\nsite = "hall"\nkind = "server"\naddress = "198.18.2.1"\n'


@pytest.mark.parametrize(
    ("line", "key", "found", "allowed"),
    [
        ("ping.dscp = 64", "ping.dscp", "64", "a whole number from 0 to 63"),
        ('ping.dscp = "46"', "ping.dscp", '"46"', "a whole number from 0 to 63"),
        ("ping.count = 0", "ping.count", "0", "a whole number from 1 to 10000"),
        ("ping.count = 2.0", "ping.count", "2.0", "a whole number from 1 to 10000"),
        ("ping.count = true", "ping.count", "true", "a whole number from 1 to 10000"),
        (f"ping.count = {'9' * 4000}", "ping.count", "a number of very many digits",
         "a whole number from 1 to 10000"),
        ("ping = 3", "ping", "3", "a table"),
        ("ping.family = 5", "ping.family", "5", "4, 6"),
        ("tcp.ports = []", "tcp.ports", "[]",
         "a list, at least one, each: a whole number from 1 to 65535"),
        ("tcp.ports = [443, 0]", "tcp.ports[2]", "0", "a whole number from 1 to 65535"),
        ("tcp.timeout_s = 3", "tcp.ports", "nothing",
         "a list, at least one, each: a whole number from 1 to 65535"),
        ("sip.timeout_s = nan", "sip.timeout_s", "nan", "a number above 0 and at most 64"),
        ("sip.timeout_s = inf", "sip.timeout_s", "inf", "a number above 0 and at most 64"),
        ('sip.password_env = "pass word"', "sip.password_env", "text that is not shown here",
         "the name of an environment variable, which holds the secret outside the file"),
        ('sip.password = "s3cret"', "sip.password",
         'the unknown key "password" (did you mean "password_env"?)',
         'the keys "uri", "transport", "username", "password_env", "test_account", "hops", '
         '"old_tls", "timeout_s", "family"'),
        ('sip.username = "probe"', "sip.username", "a user name without a password",
         "username beside password_env"),
        ('sip.password_env = "P"', "sip.password_env", "a password without a user name",
         "password_env beside username"),
        ("sip.test_account = true", "sip.test_account", "true without an account",
         "true beside username and password_env"),
        ('sip = {username = "a\\nVia: b", password_env = "P"}', "sip.username", r'"a\u000aVia: b"',
         "a user name of 1 to 128 printable characters"),
        ('sip.uri = "http://198.18.2.1"', "sip.uri",
         '"http://198.18.2.1" (neither sip nor sips)',
         "a SIP URI such as sip:198.18.2.10:5060, without a password"),
        ('sip.uri = "sip:me:s3cret@198.18.2.1"', "sip.uri", "a password in the URI",
         "a SIP URI such as sip:198.18.2.10:5060, without a password"),
        ('sip = { uri = "sip:x.y;transport=tcp", transport = "udp" }', "sip.transport", '"udp"',
         '"tcp", as the uri has it, or a uri that leaves it open'),
        ('http.url = "ftp://198.18.2.1/"', "http.url",
         '"ftp://198.18.2.1/" (neither http nor https)',
         "a URL such as https://198.18.2.10/, without a user name or password"),
        ('http.url = "https://me:s3cret@198.18.2.1/"', "http.url",
         "a user name or password in the URL",
         "a URL such as https://198.18.2.10/, without a user name or password"),
        ('dns = { names = ["a b"] }', "dns.names[1]", '"a b" (no domain name)',
         "a domain name such as portal.example or _sip._udp.example"),
        ('dns = { names = ["a.b"], record_type = "ANY" }', "dns.record_type", '"ANY"',
         '"A", "AAAA", "SRV", "NAPTR", "PTR", "MX", "TXT", "CNAME", "NS", "SOA"'),
        ('checks = ["pong"]', "checks[1]", '"pong" (did you mean "ping"?)',
         '"ping", "tcp", "dns", "http", "sip", "call", "stamp", "route", "path-mtu", "sip-alg", '
         '"nat", "coexistence", "snmp", "capture"'),
        ('checks = ["tcp"]', "checks", '"tcp" without a table [asset.tcp]',
         '"tcp" together with [asset.tcp] and its key ports'),
        ('checks = ["dns"]', "checks", '"dns" without a table [asset.dns]',
         '"dns" together with [asset.dns] and its key names'),
        ("ping = { count = 1000 }", "ping", "1000 packets x 200 ms + 2000 ms wait = 202 s",
         "at most sweep.deadline_s = 35 s"),
        ("sip.timeout_s = 40", "sip.timeout_s", "40 s", "at most sweep.deadline_s = 35 s"),
        ("end_of_support = 2018", "end_of_support", "2018", "a date such as 2027-12-31"),
        ('mac = "001b4f123456"', "mac", '"001b4f123456"',
         "a MAC address such as 00:1b:4f:12:34:56"),
        ("installed = 1900", "installed", "1900", "a whole number from 1950 to 2100"),
        ('legacy = "yes"', "legacy", '"yes"', "true or false"),
        ('name = "\\u001b[31m\\n"', None, "", ""),
    ],
)  # fmt: skip
def test_faults_of_an_asset(line: str, key: str | None, found: str, allowed: str) -> None:
    text = f"{ASSET}{line}\n"
    if key is None:
        assert parse(text).asset[0].name == "\x1b[31m\n"
        return
    only = fault(text)
    assert (only.key, only.found, only.allowed) == (f'asset[1] "a".{key}', found, allowed)
    assert only.line == text.count("\n")
    assert "s3cret" not in str(only)


@pytest.mark.parametrize(
    "address",
    ["-x", "a b", "198.18.2.300", "198.18.2", "[::1]", "a..b", "x:5060", "http://x", "x\\u001b",
     "a_b-", ".", "::1::2", "x" * 64, "1.2.3.4.5",
     "fe80::1%\\u001b[31m", "fe80::1%a b"],
)  # fmt: skip
def test_addresses_that_are_none(address: str) -> None:
    only = fault(ASSET.replace("198.18.2.1", address))
    assert only.key == 'asset[1] "a".address'
    assert only.allowed.startswith("a numeric address such as")
    assert "\x1b" not in str(only)


@pytest.mark.parametrize(
    "address",
    ["::1", "fe80::1%eth0", "pbx", "pbx.example.", "a_b.example", "1a.example", "bücher.de"],
)
def test_addresses_that_are_good(address: str) -> None:
    assert parse(ASSET.replace("198.18.2.1", address)).asset[0].address == address


@pytest.mark.parametrize(
    ("kind", "extra", "needing"),
    [
        ("phone", "", "ping"),
        ("pbx", "", "ping, sip"),
        ("pbx", 'sip.uri = "sip:x.example"\n', "ping"),
        ("service", "", "http"),
        ("service", 'http.url = "https://x.example/"\n', None),
        ("service", "tcp.ports = [1]\n", "tcp"),
        ("phone", "checks = []\n", None),
        ("phone", 'checks = ["capture"]\n', None),
        ("phone", 'checks = ["call"]\ncall.number = "sip:echo@x.example"\n', None),
    ],
)
def test_an_address_is_needed_by_what_is_measured(
    kind: str, extra: str, needing: str | None
) -> None:
    text = f'{BASE}[[asset]]\nid = "a"\nsite = "hall"\nkind = "{kind}"\n{extra}'
    if needing is None:
        assert parse(text).asset[0].address is None
    else:
        only = fault(text)
        assert only.found == "nothing"
        assert f"needed by the checks {needing} (" in only.allowed


def test_ids_that_clash() -> None:
    text = BASE + BASE.replace('"hall"', '"hall2"').replace('"scdc"\nname', '"scdc"\nname')
    text += ASSET.removeprefix(BASE) * 2 + ASSET.removeprefix(BASE).replace('"a"', '"hall"')
    text += '[[line]]\nid = "l"\nsite = "hall"\nkind = "isdn2"\nuse = "fax"\n' * 2
    found = faults(text)
    assert [(each.key, each.found) for each in found] == [
        ('council[2] "scdc".id', '"scdc", which council[1] has already'),
        ('asset[2] "a".id', '"a", which asset[1] has already'),
        ('asset[3] "hall".id', '"hall", which site[1] has too'),
        ('line[2] "l".id', '"l", which line[1] has already'),
    ]


def test_references_to_nothing() -> None:
    text = BASE + (
        '[vantage]\nsite = "w"\n'
        '[[blackout]]\nsite = "x"\ndays = "daily"\nfrom = "09:00"\nto = "10:00"\n'
        '[[asset]]\nid = "a"\nsite = "halls"\nkind = "phone"\naddress = "::1"\n'
        '[[line]]\nid = "l"\nsite = "z"\nkind = "isdn2"\nuse = "fax"\n'
    )
    assert [(each.key, each.found, each.allowed) for each in faults(text)] == [
        ("vantage.site", '"w"', 'the id of a site: "hall"'),
        ("blackout[1].site", '"x"', 'the id of a site: "hall"'),
        ('asset[1] "a".site', '"halls" (did you mean "hall"?)', 'the id of a site: "hall"'),
        ('line[1] "l".site', '"z"', 'the id of a site: "hall"'),
    ]


@pytest.mark.parametrize("days", ["mon-", "monday", "mon,,tue", "mon tue", "-", "1-5", "daily,mon"])
def test_days_that_are_none(days: str) -> None:
    text = f'{BASE}[[blackout]]\nsite = "hall"\ndays = "{days}"\nfrom = "09:00"\nto = "10:00"\n'
    only = fault(text)
    assert (only.key, only.line) == ("blackout[1].days", BASE_LINES + 3)
    assert '"mon-fri"' in only.allowed


def test_hours_that_are_none() -> None:
    text = f'{BASE}[[blackout]]\nsite = "hall"\ndays = "daily"\nfrom = "9:00"\nto = 10:00:00\n'
    assert [each.found for each in faults(text)] == ['"9:00"', "10:00:00"]


def test_the_models_own_word_for_from_is_no_key() -> None:
    text = f'{BASE}[[blackout]]\nsite = "hall"\ndays = "daily"\nfrom_ = "09:00"\nto = "10:00"\n'
    assert [each.key for each in faults(text)] == ["blackout[1].from", "blackout[1].from_"]


@pytest.mark.parametrize(
    "name", ["Europe", "/etc/localtime", "../UTC", "", "Mars/Base", "a\\u0000"]
)
def test_time_zones_that_are_none(name: str) -> None:
    assert fault(f'[vantage]\ntimezone = "{name}"\n').key == "vantage.timezone"


def test_a_sweep_whose_pings_never_fit_is_refused_with_the_sum() -> None:
    only = fault("[sweep]\nping_count = 20\nping_interval_ms = 200\ndeadline_s = 5\n")
    assert only.found == "20 packets x 200 ms + 2000 ms wait = 6 s"
    assert only.allowed == "at most sweep.deadline_s = 5 s"
    assert parse("[sweep]\ndeadline_s = 6\n").sweep.deadline_s == 6


def test_severities() -> None:
    assert dict(parse('[severity]\nsip-down = "info"\n').severity) == {"sip-down": "info"}
    found = faults('[severity]\nsip-dwn = "info"\nhost-down = "bad"\n')
    assert found[0].found == 'the unknown key "sip-dwn" (did you mean "sip-down"?)'
    assert found[1].allowed == '"info", "warning", "critical"'


def test_an_element_that_is_no_table() -> None:
    assert fault("asset = [1]\n").allowed == "a table"
    assert "a list" in fault("asset = { id = 3 }\n").allowed


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = \n", 2), ("[a]\n\n[a]\n", 3), ("x", 1), ('a = "\n', 1), ("a = 1\n\x00", 2)],
)
def test_what_is_no_toml_has_the_line_of_tomllib(text: str, line: int) -> None:
    only = fault(text)
    assert (only.line, only.key, only.allowed) == (line, "text", "TOML 1.0")
    assert only.found.isprintable()


def test_text_beyond_reason_is_one_clear_fault() -> None:
    assert fault("#" * (16 * 2**20 + 1)).allowed == "at most 16777216 bytes"
    assert fault("a = " + "[" * 100_000).found == "values nested very deep"
    assert fault("a = " + "[" * 50 + "]" * 50).found == "values nested very deep"
    assert fault(".".join("a" * 5000) + " = 1").found == "values nested very deep"
    assert fault('a = "\ud800"').found == "a lone surrogate"


def test_bytes_that_are_not_utf_8_name_their_line() -> None:
    with pytest.raises(InventoryError) as caught:
        decode(b"# one\n# caf\xe9\n", name="x.toml")
    assert str(caught.value) == (
        "x.toml:2: text: found the byte 0xe9, which is not UTF-8; allowed: text in UTF-8"
    )
    assert decode(b"\xef\xbb\xbfa = 1") == "a = 1"


@given(
    st.recursive(
        st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.floats(), st.dates()),
        lambda inside: (
            st.lists(inside, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["id", "site", "kind", "checks", "ping", "tcp", "ports", "x", "url"]
                ),
                inside,
                max_size=4,
            )
        ),
        max_leaves=20,
    ),
    st.sampled_from(["asset", "site", "sweep", "vantage", "severity", "blackout", "other"]),
)
def test_any_document_either_parses_or_raises_its_own_error(value: Any, key: str) -> None:
    text = f"{key} = {toml(value)}\n"
    try:
        parse(text)
    except InventoryError as error:
        assert all(each.line == 1 and str(each).isprintable() for each in error.faults)


def toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            escaped = "".join(f"\\U{ord(c):08X}" if not c.isalnum() else c for c in value)
            return f'"{escaped}"'
        case date():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return f"{{ {', '.join(f'{key} = {toml(item)}' for key, item in value.items())} }}"
        case _:
            return str(value)
