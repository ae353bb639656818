"""Scopes that run dry: telephones with two leases, and guests, strangers and silence like it."""

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, event


def scope(
    phones: tuple[int, int], others: tuple[int, int], twice: int = 0, refused: int = 0,
    vlan: int | None = 10, relay: str | None = None,
) -> Fact:  # fmt: skip
    """`phones` and `others` as asked and leased."""
    return (
        "dhcp_scope_client_count", phones[0] + others[0],
        {
            "vlan": vlan, "relay": relay, "phones": phones[0], "phones_leased": phones[1],
            "phones_leased_elsewhere_too": twice, "phones_refused": 0, "others_leased": others[1],
            "others_refused": refused, "local_macs": 0,
        },
    )  # fmt: skip


def servers(*addresses: str) -> Fact:
    return "dhcp_server_count", len(addresses), {"servers": list(addresses)}


ONE = servers("198.18.2.2")


def the(scene: Scene) -> Finding:
    (found,) = [each for each in scene.findings() if each.code == "dhcp-exhaustion"]
    return found


def hall(*facts: Fact, told_s: float | None = None) -> Scene:
    scene = capture(Scene().site("hall"), "hall", *facts)
    return scene if told_s is None else event(scene, "dhcp-no-leases", told_s, "hall")


def test_telephones_that_hold_two_leases_each_empty_a_scope() -> None:
    found = the(hall(scope((80, 75), (20, 10), twice=70), ONE, told_s=300))
    assert found.id == "dhcp-exhaustion:hall:vlan-10"
    assert (found.verdict, found.severity) == (Verdict.SUPPORTED, Severity.WARNING)
    assert found.direction is Direction.TELEPHONY_TO_NETWORK
    assert "15 clients of 100 got no lease" in found.statement
    assert "telephones hold 75, and 70 of them one elsewhere too" in found.statement
    assert "e1" in found.evidence


def test_without_the_servers_word_both_kinds_must_go_without() -> None:
    """40 telephones asked and 35 were leased; of 40 others 10 were not: no filter by kind."""
    found = the(hall(scope((40, 35), (40, 30), twice=33), ONE))
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.TELEPHONY_TO_NETWORK)
    filtered = the(hall(scope((40, 40), (40, 20), twice=38), ONE))
    assert (filtered.verdict, filtered.severity) == (Verdict.SUGGESTIVE, Severity.INFO)
    assert filtered.direction is Direction.UNDETERMINED
    assert "the server's log" in filtered.missing[0]


def test_guests_who_come_and_go_are_no_telephony() -> None:
    found = the(hall(scope((3, 3), (240, 180), twice=3), ONE, told_s=10))
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.NOT_TELEPHONY)


def test_a_voice_scope_that_is_too_small_takes_no_lease_from_anybody_else() -> None:
    found = the(hall(scope((60, 50), (0, 0), twice=0), ONE, told_s=10))
    assert (found.verdict, found.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)


def test_a_strangers_server_that_answers_too() -> None:
    two = servers("198.18.2.2", "192.168.0.1")
    found = the(hall(scope((40, 35), (40, 30), twice=33, refused=6), two))
    assert (found.verdict, found.direction) == (Verdict.CONTRADICTED, Direction.UNDETERMINED)
    assert "2 answer, and 6 clients were refused" in found.refutations[1].result
    told = the(hall(scope((40, 35), (40, 30), twice=33, refused=6), two, told_s=10))
    assert (told.verdict, told.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)


def test_a_server_that_is_away_has_not_run_dry() -> None:
    found = the(hall(scope((40, 0), (40, 0)), ("dhcp_message_count", 300,
                     {"message_type": "DISCOVER"})))  # fmt: skip
    assert (found.verdict, found.severity) == (Verdict.CONTRADICTED, Severity.INFO)
    assert "no server answered anybody" in found.refutations[0].result


def test_two_clients_without_a_lease_are_none_of_it() -> None:
    assert not hall(scope((40, 40), (10, 8)), ONE).findings()
    assert not hall(scope((400, 395), (100, 98), twice=300), ONE).findings()


def test_the_servers_word_alone_says_not_whose_leases_they_are() -> None:
    found = the(event(Scene().site("hall"), "dhcp-no-leases", 20, "hall"))
    assert (found.id, found.verdict) == ("dhcp-exhaustion:hall", Verdict.SUGGESTIVE)
    assert found.direction is Direction.UNDETERMINED
    assert found.evidence == ("e1",)


def test_a_word_of_another_day_is_about_another_time() -> None:
    scene = hall(scope((40, 40), (40, 20), twice=38), ONE, told_s=86_400)
    verdicts = {each.id: each.verdict for each in scene.findings()}
    assert verdicts == {
        "dhcp-exhaustion:hall:vlan-10": Verdict.SUGGESTIVE,
        "dhcp-exhaustion:hall": Verdict.SUGGESTIVE,
    }


def test_a_scope_behind_a_relay_bears_its_name() -> None:
    found = the(hall(scope((80, 75), (20, 10), twice=70, vlan=None, relay="198.18.7.1"), ONE,
                     told_s=5))  # fmt: skip
    assert found.id == "dhcp-exhaustion:hall:198.18.7.1"
