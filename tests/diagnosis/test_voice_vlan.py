"""Two voice VLANs for one telephone, and the starts that are no circle."""

from nethealth.model.finding import Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture

PORT, OTHER_PORT = "00:11:22:00:00:07", "00:11:22:00:00:08"
PHONE, COMPUTER = "08:00:0f:00:00:07", "3c:00:00:00:00:42"


def says(
    protocol: str, vlan: int, mac: str = PORT, tagged: bool = True, application: int = 1,
    telephone: bool = False,
) -> Fact:  # fmt: skip
    method = {"protocol": protocol, "mac": mac, "telephone": telephone, "changes": 0}
    more = (
        {"tagged": tagged, "application": application} if protocol == "lldp" else {"asked": False}
    )
    return "voice_vlan_announced", vlan, {**method, **more}


def circles(
    mac: str = PHONE, starts: int = 12, period_s: float = 95.0, vlans: tuple[int, ...] = (20, 30)
) -> list[Fact]:
    return [
        ("dhcp_cycle_count", starts, {"mac": mac, "vlans": list(vlans), "releases": 0}),
        ("dhcp_cycle_median_s", period_s, {"mac": mac}),
        ("dhcp_phone_client_count", 1, {"vlan": 20, "macs": [PHONE], "leased_addresses": []}),
    ]


def hall(*facts: Fact) -> Scene:
    return capture(Scene().site("hall"), "hall", *facts, lasts_s=1200)


def the(*facts: Fact) -> Finding:
    (found,) = hall(*facts).findings()
    assert found.id == "voice-vlan-conflict:hall"
    return found


def test_a_telephone_that_follows_each_of_two_protocols_in_turn() -> None:
    found = the(says("lldp", 20), says("cdp", 30), *circles())
    assert (found.verdict, found.severity) == (Verdict.SUPPORTED, Severity.WARNING)
    assert found.direction is None  # it has none: neither disturbs the other by it
    assert "CDP says 30; LLDP says 20" in found.statement
    assert f"{PHONE} 12 times and every 95 s" in found.statement


def test_protocols_that_differ_while_no_telephone_minds() -> None:
    found = the(says("lldp", 20), says("cdp", 30))
    assert (found.verdict, found.severity) == (Verdict.SUGGESTIVE, Severity.INFO)


def test_a_telephone_in_circles_though_all_protocols_agree() -> None:
    found = the(says("lldp", 20), says("cdp", 20), *circles())
    assert found.verdict is Verdict.SUGGESTIVE
    assert found.refutations[0].result.startswith("yes")
    assert "what VLAN DHCP tells it" in found.missing


def test_it_circles_through_other_vlans_than_those_that_differ() -> None:
    found = the(says("lldp", 40), says("cdp", 50), *circles())
    assert found.verdict is Verdict.SUGGESTIVE


def test_untagged_by_one_protocol_and_tagged_by_the_other() -> None:
    spoken: list[Fact] = [
        ("phone_vlan_packet_count", 90, {"mac": PHONE, "vlan": vlan}) for vlan in (None, 30)
    ]
    found = the(says("lldp", 20, tagged=False), says("cdp", 30), *spoken, *circles(vlans=(30,)))
    assert found.verdict is Verdict.SUPPORTED
    assert "LLDP says untagged" in found.statement


def test_the_two_leases_of_an_ordinary_start_are_no_circle() -> None:
    assert not hall(says("lldp", 20), says("cdp", 20), *circles(starts=2)).findings()


def test_a_telephone_restarted_twice_a_day_is_no_circle() -> None:
    assert not hall(says("cdp", 20), *circles(starts=4, period_s=14_000.0)).findings()


def test_a_computer_in_circles_is_no_telephone() -> None:
    assert not hall(says("cdp", 20), *circles(mac=COMPUTER)).findings()


def test_one_that_begins_again_within_one_vlan_follows_no_second_advice() -> None:
    assert not hall(says("cdp", 20), *circles(vlans=(20,))).findings()


def test_two_ports_may_give_two_vlans_and_signalling_one_of_its_own() -> None:
    assert not hall(says("cdp", 20), says("cdp", 30, mac=OTHER_PORT)).findings()
    assert not hall(says("lldp", 20), says("lldp", 30, application=2)).findings()
    assert not hall(says("cdp", 20), says("lldp", 30, telephone=True)).findings()
