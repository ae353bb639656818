"""Logging in, registering and finding a domain in the lab, by the program as its users start it."""

from pathlib import Path

import pytest

from tests.lab.program import Ran, inventory, nethealth
from tests.lab.servers import VOICE, Servers
from tests.lab.topology import SITES, Lab
from tests.peers.kamailio import ACCOUNT

USERNAME, PASSWORD = ACCOUNT
LOGIN = f'username = "{USERNAME}"\npassword_env = "LAB_PASSWORD"\n'


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    """The lab's inventory: credentials at every pbx, a test account at the depot's alone."""
    text = inventory()
    for site in SITES:
        before, head, after = text.partition(f'id = "{site}-pbx"')
        more = LOGIN + ("test_account = true\n" if site == "depot" else "")
        text = before + head + after.replace("[asset.sip]\n", f"[asset.sip]\n{more}", 1)
    (tmp_path / "sites.toml").write_text(text)
    return tmp_path


def check(lab: Lab, servers: Servers, folder: Path, *arguments: str, **secrets: str) -> Ran:
    return nethealth(
        lab, folder, *("check", *arguments, "--probe", "sip", "--format", "json"),
        ca_file=servers.authority.ca_file, secrets=secrets,
    )  # fmt: skip


@pytest.mark.parametrize("site", SITES)
def test_with_good_credentials_nothing_is_found(
    lab: Lab, lab_servers: Servers, sites: Path, site: str
) -> None:
    with lab_servers.sip_behaving(site, "auth"):
        ran = check(lab, lab_servers, sites, f"{site}-pbx", LAB_PASSWORD=PASSWORD)
        bindings = lab_servers.sip_bindings(site)
    assert (ran.exit_code, ran.codes) == (0, set()), ran.record["findings"]
    assert ran.seen("sip_authenticated")["value"] is True
    registered = {one["name"] for one in ran.record["observations"] if "regist" in one["name"]}
    if site == "depot":
        assert ran.seen("sip_registration_expires_s")["value"] == 60
        assert ran.seen("sip_registration_removed")["value"] is True
        assert 0 < ran.seen("registration_request_delay_s")["value"] < 4
    else:
        assert registered == set(), "it is no test account"
    assert "nethealth" not in bindings


def test_with_wrong_credentials_it_is_told_and_tried_once(
    lab: Lab, lab_servers: Servers, sites: Path
) -> None:
    with lab_servers.sip_behaving("hall", "auth"), lab_servers.sip_behaving("depot", "auth"):
        ran = check(lab, lab_servers, sites, "hall-pbx", "depot-pbx", LAB_PASSWORD="not-the-one")
    assert (ran.exit_code, ran.codes) == (0, {"sip-auth"})
    logins = [
        one["value"] for one in ran.record["observations"] if one["name"] == "sip_authenticated"
    ]
    assert sorted(map(str, logins)) == ["False", "None"], "one refusal, and then no more"
    assert sorted(str(one["failure"]) for one in ran.record["checks"]) == ["None", "auth"]


def test_without_credentials_a_challenge_is_information(
    lab: Lab, lab_servers: Servers, tmp_path: Path
) -> None:
    (tmp_path / "sites.toml").write_text(inventory())
    with lab_servers.sip_behaving("hall", "auth"):
        ran = check(lab, lab_servers, tmp_path, "hall-pbx")
    assert (ran.exit_code, ran.codes) == (0, {"sip-auth"})
    assert "no credentials are configured" in ran.record["findings"][0]["statement"]


def test_a_secret_that_is_not_there_is_no_measurement(
    lab: Lab, lab_servers: Servers, sites: Path
) -> None:
    ran = check(lab, lab_servers, sites, "hall-pbx")
    (one,) = ran.record["checks"]
    assert (ran.exit_code, one["outcome"]) == (3, "not_run")
    assert "LAB_PASSWORD" in one["reason"]


def test_a_domain_and_the_server_of_it_that_is_down(
    lab: Lab, lab_servers: Servers, tmp_path: Path
) -> None:
    ran = check(lab, lab_servers, tmp_path, f"sip:{VOICE}")
    assert (ran.exit_code, ran.codes) == (0, set()), ran.record["findings"]
    found = ran.seen("sip_target_count")
    assert found["value"] == 3
    assert found["method"]["targets"] == [
        f"hall.{VOICE}:5060;transport=udp",
        f"depot.{VOICE}:5060;transport=udp",
        f"hall.{VOICE}:5060;transport=tcp",
    ]
    with lab_servers.sip_down("depot"):
        ran = check(lab, lab_servers, tmp_path, f"sip:{VOICE}")
    assert (ran.exit_code, ran.codes) == (1, {"sip-down"})
    assert f"depot.{VOICE}" in ran.record["findings"][0]["statement"]
    assert "1 of the 3 servers" in ran.record["findings"][0]["statement"]
