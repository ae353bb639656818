"""Two claimants of one address in a capture: who is wrong, and who shares it lawfully."""

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, event, known

PHONE, SERVER, OTHER = "08:00:0f:00:00:07", "0a:00:00:00:00:05", "3c:00:00:00:00:42"
ADDRESS = "198.18.2.30"


def contested(
    first: str = SERVER, second: str = PHONE, changes: int = 9, address: str = ADDRESS,
    makers: tuple[str | None, str | None] = (None, None),
) -> Fact:  # fmt: skip
    return (
        "arp_claimant_count", 2,
        {
            "t_s": 30.0, "address": address, "first_claimant": first, "first_claimant_packets": 20,
            "other_claimants": [second], "other_claimants_packets": [9], "changes": changes,
            "telephone_makers": list(makers),
        },
    )  # fmt: skip


def phones(*macs: str, leased: tuple[str, ...] = ()) -> Fact:
    return (
        "dhcp_phone_client_count", len(macs),
        {"vlan": 20, "macs": list(macs), "leased_addresses": list(leased)},
    )  # fmt: skip


def the(scene: Scene) -> Finding:
    (found,) = [each for each in scene.findings() if each.code == "address-conflict"]
    return found


def server() -> Scene:
    return known(Scene().site("hall"), "hall-files", "server", ADDRESS)


def test_a_telephone_that_claims_a_servers_address() -> None:
    found = the(capture(server(), "hall", contested(), phones(PHONE)))
    assert found.id == "address-conflict:hall:198.18.2.30"
    assert (found.verdict, found.severity) == (Verdict.SUPPORTED, Severity.WARNING)
    assert found.direction is Direction.TELEPHONY_TO_NETWORK
    assert "9 times" in found.refutations[1].result
    assert f"{found.from_:%H:%M:%S}" == "19:00:30"  # from the first frame of the second claimant


def test_the_maker_of_its_address_makes_it_a_telephone_too() -> None:
    found = the(capture(server(), "hall", contested(makers=(None, "Mitel"))))
    assert found.direction is Direction.TELEPHONY_TO_NETWORK


def test_a_computer_with_a_telephones_lease_is_the_one_that_is_wrong() -> None:
    scene = capture(Scene().site("hall"), "hall", contested(), phones(PHONE, leased=(ADDRESS,)))
    found = the(scene)
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.NETWORK_TO_TELEPHONY)


def test_nobody_knows_whose_address_it_is() -> None:
    found = the(capture(Scene().site("hall"), "hall", contested(), phones(PHONE)))
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.UNDETERMINED)
    assert found.missing == ("whose address it is: the inventory and DHCP do not say",)


def test_two_devices_of_which_nothing_is_known() -> None:
    found = the(capture(server(), "hall", contested(second=OTHER)))
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.UNDETERMINED)


def test_two_devices_that_announce_themselves_as_something_else() -> None:
    here: list[Fact] = [
        ("neighbour_device", "host", {"mac": mac, "telephone": False}) for mac in (SERVER, OTHER)
    ]
    found = the(capture(server(), "hall", contested(second=OTHER), *here))
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.NOT_TELEPHONY)


def test_an_address_that_moved_once_may_be_a_new_lease() -> None:
    found = the(capture(server(), "hall", contested(changes=1), phones(PHONE)))
    assert (found.verdict, found.severity) == (Verdict.SUGGESTIVE, Severity.INFO)
    assert found.direction is Direction.UNDETERMINED


def test_two_cards_of_one_machine_answer_in_turns() -> None:
    scene = capture(server(), "hall", contested("0a:00:00:00:00:05", "0a:00:00:00:00:06"))
    assert the(scene).verdict is Verdict.SUGGESTIVE


def test_what_routers_share_is_no_conflict() -> None:
    assert not capture(server(), "hall", contested("00:00:5e:00:01:07", OTHER)).findings()
    hello: Fact = ("redundancy_change_count", 1, {"protocol": "hsrp", "address": ADDRESS})
    assert not capture(server(), "hall", contested(SERVER, OTHER), hello).findings()


def test_one_that_answers_for_many_is_no_owner() -> None:
    many = [contested(OTHER, SERVER, address=f"198.18.2.{at}") for at in range(40, 48)]
    assert not capture(server(), "hall", *many).findings()


def test_a_message_of_another_device_stands_among_the_evidence() -> None:
    scene = event(capture(server(), "hall", contested(), phones(PHONE)), "duplicate-address", 31,
                  "hall")  # fmt: skip
    assert "e1" in the(scene).evidence
