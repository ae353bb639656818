"""`nethealth check` against real servers: healthy, degraded and impossible, in text and in JSON."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab import faults
from tests.lab.program import NO_RAW_SOCKETS, Ran, nethealth
from tests.lab.servers import PORTAL, Servers
from tests.lab.topology import Lab, ipv4, ipv6

Check = Callable[..., Ran]

HOSTS = ("127.0.0.1", "::1", ipv4("hall-phone"), ipv6("hall-phone"), PORTAL)
SERVICES = (
    f"{ipv4('hall-server')}:443",
    f"[{ipv6('hall-server')}]:443",
    f"https://{PORTAL}/",
    f"https://{ipv4('depot-server')}/",
    f"https://[{ipv6('depot-server')}]/",
    f"dns:{PORTAL}@{ipv4('hall-dns')}",
    f"dns:{PORTAL}@[{ipv6('hall-dns')}]",
    f"sip:{ipv4('hall-pbx')}",
    f"sip:[{ipv6('hall-pbx')}]",
    f"sip:{ipv4('hall-pbx')};transport=tcp",
    f"sips:{ipv4('hall-pbx')}",
    f"sips:[{ipv6('hall-pbx')}]",
)


@pytest.fixture
def check(lab: Lab, lab_servers: Servers, tmp_path: Path) -> Check:
    """`check(ARGUMENT…, as_text=False, prefix=())`, in a folder without an inventory."""

    def run(*arguments: str, as_text: bool = False, prefix: tuple[str, ...] = ()) -> Ran:
        form = () if as_text else ("--format", "json")
        return nethealth(
            lab,
            tmp_path,
            *("check", *arguments, *form),
            ca_file=lab_servers.authority.ca_file,
            prefix=prefix,
        )

    return run


QUICKLY = ("--option", "interval_ms=10")


@pytest.mark.parametrize("targets", [HOSTS, SERVICES], ids=["hosts", "services"])
def test_healthy(check: Check, targets: tuple[str, ...]) -> None:
    ran = check(*targets, *(QUICKLY if targets is HOSTS else ()))
    assert (ran.exit_code, ran.codes) == (0, set()), (ran.stdout, ran.stderr)
    assert {one["outcome"] for one in ran.record["checks"]} == {"completed"}
    assert {one["target"] for one in ran.record["checks"]} == set(targets)


def test_text_names_the_target_and_holds_nothing_a_terminal_would_obey(check: Check) -> None:
    for target in ("127.0.0.1", f"https://{PORTAL}/", f"sip:{ipv4('hall-pbx')}"):
        ran = check(target, *(QUICKLY if target in HOSTS else ()), as_text=True)
        assert ran.exit_code == 0, ran.stderr
        assert target in ran.stdout
        assert all(character.isprintable() or character == "\n" for character in ran.stdout)


def test_a_server_that_is_gone(check: Check, lab_servers: Servers) -> None:
    with lab_servers.sip_down("hall"), lab_servers.web_down("hall"), lab_servers.dns_down():
        for target, code, failure in (
            (f"sip:{ipv4('hall-pbx')}", "sip-down", "refused"),
            (f"sip:{ipv4('hall-pbx')};transport=tcp", "sip-down", "refused"),
            (f"https://{ipv4('hall-server')}/", "service-down", "refused"),
            (f"{ipv4('hall-server')}:443", "service-down", "refused"),
            (f"dns:{PORTAL}@{ipv4('hall-dns')}", "dns-failure", "refused"),
        ):
            ran = check(target)
            assert (ran.exit_code, ran.codes) == (1, {code}), (target, ran.record["findings"])
            assert ran.record["checks"][0]["failure"] == failure
        text = check(target, as_text=True).stdout
    assert "refused" in text


def test_a_name_that_does_not_exist_is_told_from_a_name_server_that_does_not_answer(
    check: Check, lab_servers: Servers
) -> None:
    ran = check(f"dns:nothing.example@{ipv4('hall-dns')}")
    assert ran.seen("dns_response_code")["value"] == "NXDOMAIN"
    with lab_servers.dns_down():
        ran = check(f"dns:nothing.example@{ipv4('hall-dns')}")
    assert ran.record["checks"][0]["failure"] == "refused"
    assert "dns-failure" in ran.codes


@pytest.mark.parametrize(
    ("behaviour", "code", "exit_code"),
    [("503", "sip-overload", 1), ("401", "sip-auth", 0), ("slow", "sip-overload", 1)],
)
def test_a_sip_server_in_trouble(
    check: Check, lab_servers: Servers, behaviour: str, code: str, exit_code: int
) -> None:
    with lab_servers.sip_behaving("hall", behaviour):
        ran = check(f"sip:{ipv4('hall-pbx')}")
    assert (ran.exit_code, ran.codes) == (exit_code, {code}), ran.record["findings"]
    if behaviour == "503":
        assert ran.seen("sip_status_code")["value"] == 503
        assert ran.seen("sip_retry_after_s")["value"] == 30
    if behaviour == "slow":
        assert ran.seen("sip_transmission_count")["value"] == 2
        assert ran.seen("sip_response_delay_s")["value"] is None


def test_the_answer_of_somebody_else_is_never_counted_as_up(
    check: Check, lab_servers: Servers
) -> None:
    for fault in (lab_servers.sip_garbage, lab_servers.sip_foreign_via):
        with fault("hall"):
            ran = check(f"sip:{ipv4('hall-pbx')}", "--option", "timeout_s=2")
        assert (ran.exit_code, ran.codes) == (1, {"sip-malformed"})
        assert ran.record["checks"][0]["failure"] == "protocol"


def test_a_certificate_that_runs_out_and_one_that_nobody_vouches_for(
    check: Check, lab: Lab, lab_servers: Servers, tmp_path: Path
) -> None:
    target = f"https://{ipv4('hall-server')}/"
    with lab_servers.certificate_expiring("hall", days=10):
        ran = check(target)
    assert (ran.exit_code, ran.codes) == (1, {"certificate-expiry"})
    days = ran.seen("certificate_days_to_expiry")
    assert (9.9 < days["value"] <= 10, days["unit"]) == (True, "d")
    assert ran.seen("tls_chain_verified")["value"] is True
    elsewhere = tmp_path / "none.pem"
    elsewhere.write_text("")
    strange = nethealth(lab, tmp_path, "check", target, "--format", "json", ca_file=elsewhere)
    assert strange.seen("tls_chain_verified")["value"] is False


def test_a_host_that_is_not_there(check: Check, lab: Lab) -> None:
    ran = check("198.18.2.99", *QUICKLY)
    assert (ran.exit_code, ran.codes) == (1, {"host-down"})
    with faults.host_unplugged(lab, "hall-phone"):
        ran = check(ipv6("hall-phone"), *QUICKLY)
    assert (ran.exit_code, ran.codes) == (1, {"host-down"})


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("sip:",),
        ("https://",),
        ("dns:portal.example",),
        ("198.18.2.10:99999",),
        ("127.0.0.1", "--probe", "telepathy"),
        ("127.0.0.1", "--option", "count=none"),
        ("127.0.0.1", "--option", "colour=red"),
        ("127.0.0.1", "--format", "interpretive-dance"),
    ],
)
def test_what_makes_no_sense_is_2(check: Check, arguments: tuple[str, ...]) -> None:
    ran = check(*arguments, as_text=True)
    assert ran.exit_code == 2
    assert ran.stderr
    assert not ran.stdout


def test_a_name_that_nobody_knows_is_3(check: Check) -> None:
    ran = check("nothing.example")
    assert ran.exit_code == 3
    assert ran.record["checks"][0]["failure"] == "resolve"


@contextmanager
def _no_echo_sockets(lab: Lab) -> Iterator[None]:
    """Debian's own default: no group may open an unprivileged ICMP socket."""
    key = "net.ipv4.ping_group_range"
    lab.run("vantage", f"sysctl -qw '{key}=1 0'")
    try:
        yield
    finally:
        lab.run("vantage", f"sysctl -qw '{key}=0 2147483647'")


def test_ping_needs_a_socket_and_says_so(check: Check, lab: Lab) -> None:
    phone = ipv4("hall-phone")
    assert check(phone, *QUICKLY, prefix=NO_RAW_SOCKETS).exit_code == 0
    with _no_echo_sockets(lab):
        assert check(phone, *QUICKLY).exit_code == 0  # root's raw socket
        ran = check(phone, *QUICKLY, prefix=NO_RAW_SOCKETS)
        reachable = check(f"{ipv4('hall-server')}:443", prefix=NO_RAW_SOCKETS)
    (one,) = ran.record["checks"]
    assert (ran.exit_code, one["outcome"]) == (3, "not_run")
    assert "ping_group_range" in one["reason"]
    assert reachable.exit_code == 0
