"""Each fault is what it says, in the words of a tool that is not ours."""

import time
from pathlib import Path
from statistics import mean, median, pstdev

import pytest

from tests.lab import faults, witness
from tests.lab.patience import again
from tests.lab.servers import PORTAL, Servers
from tests.lab.topology import Lab, ipv4, ipv6
from tests.peers import irtt


@pytest.mark.parametrize("towards", ["site", "vantage"])
def test_loss_is_of_one_direction_and_one_site(
    lab: Lab, tmp_path: Path, towards: faults.Towards
) -> None:
    server = ipv4("hall-server")
    with (
        irtt.server(server, tmp_path / "irtt.log", prefix=lab.at("hall-server")),
        faults.loss(lab, "hall", 0.2, towards),
    ):
        seen = irtt.measure(server, count=400, interval_s=0.005, prefix=lab.at("vantage"))
        assert witness.fping(lab, ipv4("depot-phone")).lost_count == 0
    lossy, clean = seen.loss_up, seen.loss_down
    if towards == "vantage":
        lossy, clean = clean, lossy
    assert 0.1 < lossy < 0.3  # five standard deviations of 400 packets each way
    # irtt learns from later replies which way a packet was lost: of the last ones it cannot.
    assert clean < 0.02


def test_the_kernel_counts_what_fping_misses(lab: Lab) -> None:
    with faults.loss(lab, "hall", 0.2) as counter:
        echoes = witness.fping(lab, ipv4("hall-phone"), count=300)
        assert echoes.lost_count == counter.dropped() > 0
    with faults.loss(lab, "hall", 1.0):
        assert witness.fping(lab, ipv6("hall-phone"), count=3).lost_count == 3


@again
def test_delay_is_exact(lab: Lab, tmp_path: Path, forwarder: Path) -> None:
    with faults.delay(lab, "hall", forwarder, tmp_path / "delay.log", delay_ms=40) as link:
        echoes = witness.fping(lab, ipv4("hall-phone"), count=100)
        assert link.counts() == (100, 0)
    # Nothing comes early; what comes late waits for this machine's own processors.
    assert min(echoes.delays_s) >= 0.040
    assert median(echoes.delays_s) == pytest.approx(0.040, abs=0.003)


@again
def test_jitter_is_uniform_and_of_one_direction(lab: Lab, tmp_path: Path, forwarder: Path) -> None:
    server = ipv4("hall-server")
    with (
        irtt.server(server, tmp_path / "irtt.log", prefix=lab.at("hall-server")),
        faults.delay(lab, "hall", forwarder, tmp_path / "f", delay_ms=20, jitter_ms=30),
    ):
        seen = irtt.measure(server, count=400, interval_s=0.005, prefix=lab.at("vantage"))
    # Uniform on [20, 50): mean 35, standard deviation 30 / sqrt(12) = 8.66; five standard errors.
    assert mean(seen.delays_up_s) == pytest.approx(0.035, abs=0.0025)
    assert pstdev(seen.delays_up_s) == pytest.approx(0.00866, abs=0.002)
    assert median(seen.delays_down_s) < 0.005


def test_burst_loss_is_as_long_as_its_channel_says(
    lab: Lab, tmp_path: Path, forwarder: Path
) -> None:
    # Enter 0.05, leave 0.25: mean loss 0.05 / 0.30 = 1/6, mean run 4; of independent loss 1.2.
    with faults.delay(
        lab, "hall", forwarder, tmp_path / "f", delay_ms=0, gilbert=(0.05, 0.25)
    ) as link:
        done = lab.run(
            "vantage", f"fping -q -C 1500 -p 2 -i 1 -t 300 {ipv4('hall-phone')}", check=False
        )
        seen, lost = link.counts()
    words = "".join("-" if word == "-" else " " for word in done.stderr.split()[2:])
    runs = words.split()
    assert (seen, lost) == (1500, words.count("-"))
    assert lost / seen == pytest.approx(1 / 6, abs=0.1)
    assert 2.5 < mean(map(len, runs)) < 6


@again
def test_a_deep_buffer_delays_only_under_load_and_loses_nothing(lab: Lab, tmp_path: Path) -> None:
    with faults.slow_link(lab, "hall", rate_kbit=2000, buffer_ms=3000):
        idle = witness.fping(lab, ipv4("hall-server"), count=20)
        with faults.bulk_transfer(lab, "hall", tmp_path, window_octets=80_000):
            loaded = witness.fping(lab, ipv4("hall-server"), count=100, interval_ms=20)
            marked = witness.fping(lab, ipv4("hall-server"), count=20, interval_ms=20, dscp=46)
    assert median(idle.delays_s) < 0.02
    # 80,000 octets of data at 2 Mbit/s are 320 ms; with headers and the kernel's rounding, more.
    assert 0.3 < median(loaded.delays_s) < 0.7
    assert loaded.lost_count == 0
    # Voice waits with the rest: nothing here favours it.
    assert 0.3 < median(marked.delays_s) < 0.7


@again
def test_a_link_favours_voice_and_nothing_else(lab: Lab, tmp_path: Path) -> None:
    server = ipv4("hall-server")
    with (
        irtt.server(server, tmp_path / "irtt.log", prefix=lab.at("hall-server")),
        faults.priority_link(lab, "hall", rate_kbit=2000, buffer_ms=3000),
        faults.bulk_transfer(lab, "hall", tmp_path, window_octets=80_000),
    ):
        time.sleep(1)
        voice, others = (
            irtt.measure(server, count=60, interval_s=0.02, dscp=dscp, prefix=lab.at("vantage"))
            for dscp in (46, 0)
        )
    # As above, data waits for 320 ms or more; voice for one frame of it (6 ms), or a few.
    assert median(others.round_trip_delays_s) > 0.3
    assert median(voice.round_trip_delays_s) < 0.05


def test_a_pulled_link_silences_what_is_behind_it_and_comes_back(lab: Lab) -> None:
    def answers(node: str) -> bool:
        return not witness.fping(lab, ipv4(node), count=1).lost_count

    with faults.host_unplugged(lab, "hall-phone"):
        assert [answers(node) for node in ("hall-phone", "hall-pbx")] == [False, True]
    with faults.site_outage(lab, "hall"):
        assert [answers(node) for node in ("hall", "hall-pbx", "depot-pbx")] == [False, False, True]
    with faults.vantage_unplugged(lab):
        assert not answers("core")
        assert "NO-CARRIER" in lab.run("vantage", "ip link show eth0").stdout
    assert answers("hall-phone")
    assert not witness.fping(lab, ipv6("hall-phone"), count=1).lost_count


def test_sip_faults(lab: Lab, lab_servers: Servers) -> None:
    assert witness.sip_options(lab, "hall").startswith("SIP/2.0 200 OK")
    with lab_servers.sip_behaving("hall", "503"):
        answer = witness.sip_options(lab, "hall")
        assert answer.startswith("SIP/2.0 503 ")
        assert "\nRetry-After: 30" in answer
    with lab_servers.sip_behaving("hall", "401"):
        answer = witness.sip_options(lab, "hall")
        assert answer.startswith("SIP/2.0 401 ")
        assert "\nWWW-Authenticate: Digest" in answer
    with lab_servers.sip_behaving("hall", "silent"):
        assert witness.sip_options(lab, "hall", wait_s=1) == ""
    with lab_servers.sip_behaving("hall", "slow"):
        assert witness.sip_options(lab, "hall", wait_s=0.55) == ""  # T1 is 0.5 s
        assert witness.sip_options(lab, "hall", wait_s=2.5).startswith("SIP/2.0 200 ")
    with lab_servers.sip_down("hall"):
        assert "Connection refused" in witness.sip_options(lab, "hall")
    with lab_servers.sip_garbage("hall"):
        answer = witness.sip_options(lab, "hall")
        assert len(answer) > 200
        assert "SIP/2.0" not in answer
    with lab_servers.sip_foreign_via("hall"):
        answer = witness.sip_options(lab, "hall")
        assert answer.startswith("SIP/2.0 200 ")
        assert "z9hG4bK-of-somebody-else" in answer
        assert ipv4("vantage") + ":5062" not in answer
    assert witness.sip_options(lab, "hall").startswith("SIP/2.0 200 OK")


def test_web_and_name_faults(lab: Lab, lab_servers: Servers) -> None:
    ca_file = str(lab_servers.authority.ca_file)
    assert witness.web(lab, "hall", ca_file) == "200"
    assert not witness.expires_within(lab, "hall", days=31)
    with lab_servers.web_down("hall"):
        assert "Failed to connect" in witness.web(lab, "hall", ca_file)
        assert witness.web(lab, "depot", ca_file) == "200"
    with lab_servers.certificate_expiring("hall", days=10):
        assert witness.web(lab, "hall", ca_file) == "200"
        assert witness.expires_within(lab, "hall", days=10)
        assert not witness.expires_within(lab, "hall", days=9)
    with lab_servers.dns_down():
        assert "no servers could be reached" in witness.resolve(lab, PORTAL)
    assert witness.web(lab, "hall", ca_file) == "200"
    assert witness.resolve(lab, PORTAL) == ipv4("hall-server")
