"""Calls to real telephones at the sites: who is not heard, and how much is lost, is found."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.lab import faults
from tests.lab.patience import again
from tests.lab.program import Ran, nethealth
from tests.lab.servers import Servers
from tests.lab.topology import Lab, ipv4, ipv6
from tests.peers import baresip
from tests.peers.baresip import Telephone
from tests.peers.call_proxy import CALLEE, CALLER, PASSWORD, CallProxy

SIP, MEDIA = 5070, 16000
ALL_MEDIA = f"{MEDIA}:{MEDIA + 50}"
RTP_ONLY = "-m length --length 200:220"  # 20 ms of G.711 by IPv4 and IPv6; RTCP is shorter
ADDRESSES = {"hall": ipv4("hall-phone"), "depot": ipv6("depot-phone")}
Called = Callable[[], tuple[Ran, Mapping[str, Telephone]]]

AFTER_BYE = 2  # packets that it may still send once it has answered our BYE
# a report of baresip comes every five seconds
INVENTORY = '[[council]]\nid = "lab"\nname = "The council of the lab"\n' + "".join(
    f"""
[[site]]
id = "{site}"
council = "lab"
name = "The {site}"

[[asset]]
id = "{site}-phone"
site = "{site}"
kind = "phone"
owner = "3C ICT"
address = "{address}"
checks = ["call"]
[asset.call]
number = "sip:echo@{f"[{address}]" if ":" in address else address}:{SIP}"
duration_s = 7
"""
    for site, address in ADDRESSES.items()
)


@pytest.fixture
def phones(lab: Lab, tmp_path: Path) -> Iterator[Mapping[str, Telephone]]:
    with ExitStack() as stack:
        yield {
            site: stack.enter_context(
                baresip.telephone(
                    tmp_path, address, SIP, media_port=MEDIA, folder_name=site,
                    prefix=lab.at(f"{site}-phone"),
                )
            )
            for site, address in ADDRESSES.items()
        }  # fmt: skip


@pytest.fixture
def sweep(lab: Lab, lab_servers: Servers, tmp_path: Path) -> Callable[[], Ran]:
    (tmp_path / "sites.toml").write_text(INVENTORY)

    def run() -> Ran:
        return nethealth(
            lab, tmp_path, "sweep", "--format", "json", ca_file=lab_servers.authority.ca_file
        )

    return run


def value(ran: Ran, site: str, name: str, direction: str) -> int:
    """The one observation of this name and direction of the site's telephone."""
    found: list[dict[str, Any]] = [
        one
        for one in ran.record["observations"]
        if one["name"] == name
        and one["check"] == f"{site}-phone:call"
        and one["method"].get("direction") == direction
        and one["method"].get("source") in (None, "RTCP")
    ]
    return int(found[0]["value"])


@again
def test_with_all_off_nothing_is_found(
    phones: Mapping[str, Telephone], sweep: Callable[[], Ran]
) -> None:
    ran = sweep()
    assert (ran.findings, ran.exit_code) == (set(), 0)
    for site, phone in phones.items():
        heard = value(ran, site, "rtp_packets_received", "return")
        (sent, got), lost = phone.statistics().values()
        assert (got, lost) == (350, (0, 0))
        assert sent - AFTER_BYE <= heard <= sent
        assert value(ran, site, "rtp_packets_lost", "forward") == 0
    assert value(ran, "hall", "dscp_received", "return") == 46
    assert value(ran, "depot", "dscp_received", "return") == 0, "baresip marks IPv4 alone"


# By site: where, what is dropped there, and what is said of it.
Silenced = Mapping[str, tuple[str, str, str]]


@pytest.mark.parametrize(
    "silenced",
    [
        {
            "hall": (
                "FORWARD -o hall", f"-p udp --dport {ALL_MEDIA} -j DROP",
                "no audio got from here to the far end: it reports none of our 350 packets",
            ),
            "depot": (
                "FORWARD -i depot", f"-p udp --sport {ALL_MEDIA} -j DROP",
                "no audio got from the far end to here: not one packet arrived; whether ours (350)",
            ),
        },
        {
            "hall": (
                "FORWARD -i hall", f"-p udp --sport {ALL_MEDIA} {RTP_ONLY} -j DROP",
                "no audio got from the far end to here: not one packet arrived, while it reports",
            ),
        },
    ],
    ids=["forward-and-return", "return-but-for-reports"],
)  # fmt: skip
@again
def test_one_way_audio_is_found_with_its_direction(
    lab: Lab, phones: Mapping[str, Telephone], sweep: Callable[[], Ran], silenced: Silenced
) -> None:
    with ExitStack() as stack:
        for where, text, _ in silenced.values():
            stack.enter_context(faults.rule(lab, "core", text, where=where))
        ran = sweep()
    assert ran.findings == {("one-way-audio", site, f"{site}-phone") for site in silenced}
    assert ran.exit_code == 1
    for found in ran.record["findings"]:
        assert silenced[found["site"]][2] in found["statement"]


@again
def test_loss_is_counted_as_the_telephone_counts_it(
    lab: Lab, phones: Mapping[str, Telephone], sweep: Callable[[], Ran]
) -> None:
    """On the way to the hall by IPv4, and at the same time on the way from the depot by IPv6."""
    random = f"-p udp {RTP_ONLY} -m statistic --mode random --probability 0.3 -j DROP"
    with (
        faults.rule(lab, "core", random, where="FORWARD -o hall"),
        faults.rule(lab, "core", random, where="FORWARD -i depot"),
    ):
        ran = sweep()
        towards_hall = faults.DropCounter(lab).dropped("-o hall")
        from_depot = faults.DropCounter(lab).dropped("-i depot", "ip6tables")
    assert ran.findings == {
        ("poor-voice-quality", site, f"{site}-phone") for site in ("hall", "depot")
    }
    found = {one["site"]: one for one in ran.record["findings"]}
    assert {found[site]["verdict"] for site in ("hall", "depot")} == {"supported"}

    assert "poor from here to the far end" in found["hall"]["statement"]
    (sent, heard), (_, missed) = phones["hall"].statistics().values()
    assert heard == 350 - towards_hall
    lost = value(ran, "hall", "rtp_packets_lost", "forward")
    assert 0 < lost <= missed <= towards_hall, "its last report comes before the end"
    received = value(ran, "hall", "rtp_packets_received", "return")
    assert sent - AFTER_BYE <= received <= sent

    assert "poor from the far end to here" in found["depot"]["statement"]
    (sent, heard), (_, missed) = phones["depot"].statistics().values()
    assert (heard, missed) == (350, 0)
    received = value(ran, "depot", "rtp_packets_received", "return")
    assert sent - from_depot - AFTER_BYE <= received <= sent - from_depot
    expected = value(ran, "depot", "rtp_packets_expected", "return")
    assert value(ran, "depot", "rtp_packets_lost", "return") == expected - received
    assert sent - 10 <= expected <= sent, "all but what was lost at either end"


def test_a_telephone_that_is_gone(lab: Lab, sweep: Callable[[], Ran]) -> None:
    ran = sweep()
    assert {code for code, _, _ in ran.findings} == {"call-failed"}
    assert all("refused" in one["statement"] for one in ran.record["findings"])


PROXY = 5080
THROUGH = f"""[[council]]
id = "lab"
name = "The council of the lab"

[[site]]
id = "hall"
council = "lab"
name = "The hall"

[[asset]]
id = "hall-phone"
site = "hall"
kind = "phone"
owner = "3C ICT"
address = "{ipv4("hall-phone")}"
checks = ["call"]
[asset.call]
number = "sip:{CALLEE}@{ipv4("hall-pbx")}:{PROXY}"
duration_s = 7
username = "{CALLER}"
password_env = "LAB_PASSWORD"
"""


def test_through_the_switchboard_loss_is_counted_as_the_telephone_counts_it(
    lab: Lab, lab_servers: Servers, tmp_path: Path
) -> None:
    """The telephone is reached by its switchboard alone; media goes straight to it, both ways
    with loss."""
    (tmp_path / "sites.toml").write_text(THROUGH)
    (tmp_path / "proxy").mkdir()
    at = ipv4("hall-pbx")
    straight = f"-p udp --dport {SIP} -j DROP"
    random = f"-p udp {RTP_ONLY} -m statistic --mode random --probability 0.3 -j DROP"
    with ExitStack() as stack:
        kamailio = CallProxy(tmp_path / "proxy", [f"udp:{at}:{PROXY}"], prefix=lab.at("hall-pbx"))
        stack.enter_context(kamailio)
        phone = stack.enter_context(
            baresip.telephone(
                tmp_path, ipv4("hall-phone"), SIP, media_port=MEDIA,
                registrar=(f"{at}:{PROXY}", PASSWORD), prefix=lab.at("hall-phone"),
            )
        )  # fmt: skip
        stack.enter_context(faults.rule(lab, "core", straight, where="FORWARD -o hall"))
        for where in ("FORWARD -o hall", "FORWARD -i hall"):
            stack.enter_context(faults.rule(lab, "core", random, where=where))
        ran = nethealth(
            lab, tmp_path, "sweep", "--format", "json",
            ca_file=lab_servers.authority.ca_file, secrets={"LAB_PASSWORD": PASSWORD},
        )  # fmt: skip
        counter = faults.DropCounter(lab)
        there, back = (counter.dropped(way) for way in ("-o hall", "-i hall"))
        (sent, heard), (_, missed) = phone.statistics().values()
        routed = kamailio.routed()
    assert routed == ["by ACK", "by BYE"]
    assert ran.seen("sip_authenticated")["value"] is True
    assert ran.findings == {("poor-voice-quality", "hall", "hall-phone")}
    received = value(ran, "hall", "rtp_packets_received", "return")
    assert value(ran, "hall", "rtp_packets_sent", "forward") == 350
    assert heard == 350 - there
    # its last report comes before the end, and what is lost after its last packet it misses
    assert 0 < value(ran, "hall", "rtp_packets_lost", "forward") <= missed <= there
    assert sent - back - AFTER_BYE <= received <= sent - back
    expected_packets = value(ran, "hall", "rtp_packets_expected", "return")
    assert value(ran, "hall", "rtp_packets_lost", "return") == expected_packets - received > 0
    assert sent - 10 <= expected_packets <= sent
