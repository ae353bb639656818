"""Data with the mark of voice, and what bears it by right."""

from dataclasses import replace

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, known, series

BACKUP = "TCP 198.18.2.40 port 50000 to 198.18.9.1 port 445"


def marked(
    flow: str = BACKUP, packets: int = 30_000, size: int = 1000, voice_octets: int = 10_000_000
) -> list[Fact]:
    """One flow, alike in each of six bins of ten seconds, beside voice of the class."""
    octets = packets * size
    return [
        ("dscp_octets", octets + voice_octets, {"dscp": 46}),
        ("ef_not_voice_packet_count", packets, {"samples": packets + 50_000}),
        ("ef_not_voice_octets", octets, {"octets_of_class": octets + voice_octets}),
        ("ef_not_voice_flow_packet_count", packets, {"flow": flow, "octets": octets}),
        series("ef_not_voice_per_bin_max", [packets // 6] * 6),
    ]


def hall(*facts: Fact) -> Scene:
    return capture(Scene().site("hall"), "hall", *facts, lasts_s=60)


def the(scene: Scene) -> Finding:
    (found,) = [each for each in scene.findings() if each.code == "dscp-misuse"]
    return found


def test_a_backup_in_the_queue_of_voice() -> None:
    """30,000 frames of 1,000 octets in 60 s: 4,000 kbit/s, as 4,000 / 87.2 = 46 calls."""
    found = the(hall(*marked()))
    assert (found.id, found.severity) == ("dscp-misuse:hall", Severity.WARNING)
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.NETWORK_TO_TELEPHONY)
    assert "up to 4000 kbit/s, as much as 46 calls" in found.statement
    assert "75.0 % of that class's octets" in found.statement


def test_signalling_with_the_mark_of_voice_is_telephonys_own() -> None:
    assert not hall(*marked("UDP 198.18.2.10 port 5060 to 198.18.9.1 port 5060")).findings()


def test_fax_with_the_mark_of_voice_is_telephonys_own() -> None:
    fax: Fact = (
        "legacy_signalling_endpoint_packet_count", 900,
        {"protocol": "t38", "address": "198.18.2.60", "packets_sent": 450},
    )  # fmt: skip
    flow = "UDP 198.18.2.60 port 20000 to 198.18.9.1 port 20002"
    assert not [each for each in hall(*marked(flow), fax).findings() if each.code == "dscp-misuse"]


def test_a_tunnel_may_carry_voice() -> None:
    found = the(hall(*marked("UDP 198.18.2.40 port 4500 to 198.18.9.1 port 4500")))
    assert (found.verdict, found.severity) == (Verdict.SUGGESTIVE, Severity.INFO)
    assert found.direction is Direction.UNDETERMINED


def test_an_exchange_that_marks_its_own_data() -> None:
    scene = hall(*marked("TCP 198.18.2.10 port 50000 to 198.18.9.1 port 8080"))
    found = the(known(scene, "hall-pbx", "pbx", "198.18.2.10"))
    assert (found.verdict, found.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)
    assert "hall-pbx" in found.refutations[2].result


def test_a_trickle_is_none_of_it() -> None:
    """60 frames of 100 octets in 60 s are 0.8 kbit/s; 4,000 kbit/s beside 100 MB a twentieth."""
    assert not hall(*marked(packets=60, size=100)).findings()
    assert not hall(*marked(voice_octets=600_000_000)).findings()


def test_voice_that_loses_where_best_effort_does_not_is_told() -> None:
    scene = hall(*marked()).ping("hall-router", lost=0, sent=200)
    scene.check(
        "hall-echo", "stamp",
        {
            "packets_sent_count": 1000, "packets_received_count": 900,
            "packets_lost_count": (100, {"direction": "forward"}),
            "packet_loss_ratio": (0.1, {"direction": "forward"}),
        },
    )  # fmt: skip
    scene.observations = [
        replace(each, samples=1000) if each.name == "packet_loss_ratio" else each
        for each in scene.observations
    ]
    result = the(scene).refutations[3].result
    assert result == "yes: voice lost 100 of 1000, echo requests 0 of 200"
