"""Messages to events: a line of each built-in rule, and patterns that may not be used."""

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from nethealth.inventory.events.builtin import BUILTIN, KINDS
from nethealth.inventory.events.messages import SyslogReader, Tally, first_year
from nethealth.inventory.events.places import Places
from nethealth.inventory.events.rules import TEXT_MAX, fault_of, matched
from nethealth.model.inventory import Asset, Council, Inventory, Site
from nethealth.model.observation import Event

LONDON = ZoneInfo("Europe/London")
KNOWN = Inventory(
    council=(Council(id="c", name="C"),),
    site=(Site(id="hall", council="c", name="Town Hall"), Site(id="barn", council="c", name="B")),
    asset=(
        Asset(id="hall-sw1", site="hall", kind="switch", address="198.18.2.2"),
        Asset(id="hall-p7", site="hall", kind="phone", address="198.18.2.57", name="Desk 7"),
        Asset(id="barn-sw1", site="barn", kind="switch", address="2001:db8::2", name="twin"),
        Asset(id="barn-sw2", site="barn", kind="switch", name="twin"),
    ),
)

# As vendors and daemons document them. Compared with the source's own string, its manual or a
# published log: Cisco's ILPOWER, SPANTREE, IP and CALLMANAGER lines, HP's power, Junos, IPv6 of
# Linux, Asterisk, atftpd, dnsmasq, ISC dhcpd and Kea. The others follow what is commonly known.
SAMPLES = [
    # Cisco IOS system message guide.
    ("link-down", "%LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down"),
    ("link-up", "%LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to up"),
    ("link-down", "%LINK-5-CHANGED: Interface Vlan1, changed state to administratively down"),
    (None, "%LINEPROTO-5-UPDOWN: Line protocol on Interface Gi0/1, changed state to down"),
    ("poe-denied", "%ILPOWER-5-ILPOWER_POWER_DENY: Interface Gi1/0/3: inline power denied"),
    ("spanning-tree-change", "%SPANTREE-5-TOPOTRAP: Topology Change Trap for vlan 10"),
    ("spanning-tree-change", "%SPANTREE-5-ROOTCHANGE: Root Changed for vlan 10: New Root Port is"),
    ("restart", "%SYS-5-RESTART: System restarted --"),
    ("restart", "%SYS-5-RELOAD: Reload requested by console."),
    ("duplicate-address", "%IP-4-DUPADDR: Duplicate address 198.18.2.5 on Vlan10, sourced by"),
    ("fan-alarm", "%PLATFORM_ENV-1-FAN_NOT_PRESENT: Fan is not present"),
    ("temperature-alarm", "%PLATFORM_ENV-1-TEMP: Temperature is above the red threshold"),
    # Cisco Unified CM error and system messages.
    ("registration-lost", "%UC_CALLMANAGER-3-EndPointUnregistered: %[DeviceName=SEP001122334455]"),
    # HP ProCurve management guide, "PoE Event Log Messages", and the event log reference.
    ("poe-denied", "chassis: Port A3 PD Denied power due to insufficient power allocation."),
    ("link-down", "00077 ports: port 3 is now off-line"),
    ("link-up", "00076 ports: port 3 is now on-line"),
    # Junos.
    ("link-down", "mib2d: SNMP_TRAP_LINK_DOWN: ifIndex 501, ifAdminStatus up(1)"),
    # Linux.
    ("link-down", "kernel: [12.3] e1000e 0000:00:19.0 eno1: NIC Link is Down"),
    ("link-up", "kernel: e1000e: eth0 NIC Link is Up 1000 Mbps Full Duplex"),
    ("restart", "kernel: [    0.000000] Linux version 6.1.0-18-amd64 (debian-kernel@lists)"),
    ("duplicate-address", "kernel: IPv6: eth0: IPv6 duplicate address fe80::1 used by 00:11 detected!"),  # noqa: E501
    # Asterisk: chan_sip.c, res_pjsip/pjsip_distributor.c, asterisk.c.
    ("registration-failed", "asterisk: NOTICE[1]: chan_sip.c:28468 in handle_request_register: Registration from '\"101\" <sip:101@198.18.2.10>' failed for '198.18.2.57:5060' - Wrong password"),  # noqa: E501
    ("registration-failed", "asterisk: NOTICE[1]: res_pjsip/pjsip_distributor.c:676 log_failed_request: Request 'REGISTER' from '<sip:101@198.18.2.10>' failed for '198.18.2.57:5060' (callid: x) - Failed to authenticate"),  # noqa: E501
    (None, "asterisk: Request 'INVITE' from '<sip:1@h>' failed for '198.18.2.57:5060' - no"),
    ("pbx-restart", "asterisk: Asterisk Ready."),
    # tftpd-hpa, atftpd, dnsmasq.
    ("tftp-load", "in.tftpd: RRQ from 198.18.2.57 filename SEP001122334455.cnf.xml"),
    ("tftp-load", "atftpd: Serving term45.default.loads to 198.18.2.57:50123"),
    ("tftp-load", "dnsmasq-tftp: sent /srv/tftp/SIP45.9-4-2SR3.loads to 198.18.2.57"),
    # ISC dhcpd, dnsmasq, Kea.
    ("dhcp-no-leases", "dhcpd: DHCPDISCOVER from 00:11:22:33:44:55 via eth0: network 198.18.2.0/24: no free leases"),  # noqa: E501
    ("dhcp-no-leases", "dnsmasq-dhcp: DHCPDISCOVER(eth0) 00:11:22:33:44:55 no address available"),
    ("dhcp-no-leases", "kea-dhcp4: WARN [kea-dhcp4.alloc-engine] ALLOC_ENGINE_V4_ALLOC_FAIL_SUBNET [hwtype=1]"),  # noqa: E501
    ("duplicate-address", "dhcpd: Abandoning IP address 198.18.2.9: pinged before offer"),
    # Building management: no standard; as gateways write it.
    ("chiller-alarm", "bms: CHILLER-1 common alarm active"),
    ("temperature-alarm", "ipmievd: Temperature sensor Ambient Upper Critical going high"),
    ("fan-alarm", "chassis: Fan 2 failed"),
    # What only sounds like it.
    (None, "sshd: Failed password for root from 198.18.9.9 port 22 ssh2"),
    (None, "dhcpd: DHCPACK on 198.18.2.57 to 00:11:22:33:44:55 via eth0"),
    (None, "fand: temperature is normal again"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), SAMPLES, ids=[text[:40] for _, text in SAMPLES])
def test_a_line_of_each_source(kind: str | None, text: str) -> None:
    found = matched(BUILTIN, text)
    assert (found.kind if found else None) == kind


def test_every_rule_has_a_line_and_every_kind_its_words() -> None:
    used = {rule.kind for rule in BUILTIN}
    assert used <= {kind for kind, _ in SAMPLES}
    assert used | {"call", "call-start", "call-end"} == set(KINDS)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(a+)+$", "within a repeated group"),
        ("(a|aa)+$", "within a repeated group"),
        (r"(\d+,){20}x", "within a repeated group"),
        ("((a*)b)*", "within a repeated group"),
        (r"(?:a?){99}", "within a repeated group"),
        (".*a.*b.*c", "too many repeats"),
        (".{0,99}.{0,99}.{0,99}.{0,99}", "too many repeats"),
        (r"(a)\1", "back-reference"),
        ("(?=a+)b", "back-reference, a condition or a look around"),
        ("(?P<user>a)", "the group user"),
        ("(a", "no regular expression"),
        ("(?x) a b", "the flag x"),
    ],
)
def test_patterns_that_could_hang_are_refused(pattern: str, says: str) -> None:
    fault = fault_of(pattern)
    assert fault is not None
    assert says in fault


@pytest.mark.parametrize(
    "pattern",
    [
        r"PAGE (?P<asset>\S+) started", "a.*b.*c", "(?:up|down)", "(?i:abc)+", r"[(+*]{2}[]+]x",
        r"(?P<site>[a-z]{1,20}) \d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}", r"\(a+\)+",
    ],
)  # fmt: skip
def test_plain_patterns_may_be_used(pattern: str) -> None:
    assert fault_of(pattern) is None


def test_the_built_in_rules_stand_a_hostile_line() -> None:
    """Each of its words, over and over: what re would try again from each place."""
    for rule in BUILTIN:
        for word in rule.words:
            hostile = f"{word} '" * (TEXT_MAX // (len(word) + 2) + 50)
            matched((rule,), hostile)


def events(*lines: str, year: int = 2026, clock: float | None = None) -> list[Event]:
    reader = SyslogReader(BUILTIN, Places(KNOWN), LONDON, clock)
    return list(reader.events(io.BytesIO("\n".join(lines).encode()), year, Tally()))


def test_summer_time_is_that_of_the_zone() -> None:
    winter, summer = events(
        "Jan 25 09:00:00 hall-sw1 x: Asterisk Ready.", "Jul 25 09:00:00 hall-sw1 x: Asterisk Ready."
    )
    assert winter.time == datetime(2026, 1, 25, 9, tzinfo=UTC)
    assert summer.time == datetime(2026, 7, 25, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("hall-sw1", ("hall", "hall-sw1")),
        ("HALL-SW1.example.org", ("hall", "hall-sw1")),
        ("198.18.2.2", ("hall", "hall-sw1")),
        ("2001:DB8:0::2", ("barn", "barn-sw1")),
        ("twin", ("barn", None)),  # two assets of one site
        ("198.18.2.3", (None, None)),
    ],
)
def test_hosts_are_placed(host: str, place: tuple[str | None, str | None]) -> None:
    [one] = events(f"Nov 25 09:00:00 {host} x: Asterisk Ready.")
    assert (one.site, one.asset) == place


def test_an_asset_that_the_message_names_goes_before_the_host() -> None:
    [one] = events("Nov 25 09:00:00 other in.tftpd[3]: RRQ from 198.18.2.57 filename a.loads")
    assert (one.site, one.asset, one.source) == ("hall", "hall-p7", "syslog other")


def test_ids_are_those_of_the_same_file_again_and_no_text_is_in_them() -> None:
    lines = [
        f"Nov 25 09:00:00 hall-sw1 x: %LINK-3-UPDOWN: Interface Gi0/{port}, changed state to down"
        for port in (1, 2, 1)
    ]
    first = events(*lines)
    assert len(first) == 2  # two ports in one second; the third line only repeats
    assert [one.id for one in first] == [one.id for one in events(*lines)]
    other = events(*[line.replace("Gi0/", "Te0/") for line in lines])
    assert {one.id for one in other} == {one.id for one in first}


def test_clock_error() -> None:
    line = "Nov 25 09:00:01 hall-sw1 7: Nov 25 08:59:58.500 GMT: %SYS-5-RESTART: System restarted"
    assert events(line)[0].clock_error_s == 2.5
    assert events(line, clock=0.5)[0].clock_error_s == 0.5
    assert events("Nov 25 09:00:01 h x: Asterisk Ready.")[0].clock_error_s is None


@pytest.mark.parametrize(
    ("lines", "latest", "year"),
    [
        (("Nov 25", "Dec 31", "Jan  2"), datetime(2026, 1, 3, tzinfo=UTC), 2025),
        (("Nov 25", "Nov 26"), datetime(2026, 1, 3, tzinfo=UTC), 2025),
        (("Nov 25", "Nov 26"), datetime(2026, 11, 26, 12, tzinfo=UTC), 2026),
        (("Feb 29",), datetime(2026, 5, 1, tzinfo=UTC), 2024),
        (("Dec 1", "Jan  1", "Jun  1", "Dec  1", "Jan 1"), datetime(2026, 6, 1, tzinfo=UTC), 2024),
    ],
)
def test_the_year_is_found_from_the_end(
    lines: tuple[str, ...], latest: datetime, year: int
) -> None:
    text = "".join(f"{line} 09:00:00 h a: b\n" for line in lines)
    assert first_year(io.BytesIO(text.encode()), latest, LONDON) == year
