"""Local calls that cross a line twice, and relays that are innocent."""

from dataclasses import replace

from nethealth.model.finding import Direction, Finding, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, known
from tests.diagnosis.heard import stream, told_call

ONE, OTHER = "203.0.113.21:4000", "203.0.113.22:4002"  # two telephones at the depot
IN, OUT = "198.51.100.10:10000", "198.51.100.10:10002"  # the telephone system at the hall


def found(*facts: Fact, relay: str = "hall-pbx") -> dict[str, Finding]:
    scene = Scene(kind="capture")
    known(scene, relay, "pbx", "198.51.100.10")
    known(scene, "depot-switch", "switch", "203.0.113.2")
    return {one.id: one for one in capture(scene, None, *facts).findings()}


def both_legs(relay_in: str = IN, relay_out: str = OUT) -> list[Fact]:
    """One conversation, relayed: two streams in at the relay and two out, by their SSRC."""
    return [
        *stream(ONE, relay_in, ssrc="0xa"), *stream(relay_out, OTHER, ssrc="0xa"),
        *stream(OTHER, relay_out, ssrc="0xb"), *stream(relay_in, ONE, ssrc="0xb"),
    ]  # fmt: skip


def test_local_call_over_a_relay_elsewhere_crosses_the_line_twice() -> None:
    """G.711 is 80 kb/s of IP each way and leg: two speakers towards the relay are 160."""
    (finding,) = found(*both_legs()).values()
    assert (finding.id, finding.site) == ("media-hairpin:depot", "depot")
    assert finding.verdict is Verdict.SUPPORTED
    assert finding.direction is Direction.TELEPHONY_TO_NETWORK
    assert "1 call within Depot House goes to hall-pbx and back" in finding.statement
    assert "160 kb/s each way" in finding.statement
    assert any("equal SSRC" in test.result for test in finding.refutations)


def test_how_much_of_the_line_it_is_stands_beside_it() -> None:
    """160 kb/s of a line of 2 Mb/s up are 8 %."""
    scene = Scene(kind="capture")
    known(scene, "hall-pbx", "pbx", "198.51.100.10")
    known(scene, "depot-switch", "switch", "203.0.113.2")
    scene.sites["depot"] = replace(scene.sites["depot"], wan_down_mbps=20.0, wan_up_mbps=2.0)
    finding = capture(scene, None, *both_legs()).only("media-hairpin:depot")
    assert finding.statement.endswith("direct media would not need, 8.0 % of 2 Mb/s.")


def test_legs_with_ssrcs_of_their_own_are_joined_by_their_calls() -> None:
    facts = [
        *stream(ONE, IN, ssrc="0xa"), *stream(OUT, OTHER, ssrc="0xc"),
        *told_call(1, "203.0.113.21:5060", "198.51.100.10:5060", media=(ONE, IN)),
        *told_call(2, "198.51.100.10:5060", "203.0.113.22:5060", media=(OUT, OTHER)),
    ]  # fmt: skip
    finding = found(*facts)["media-hairpin:depot"]
    assert finding.verdict is Verdict.SUPPORTED
    assert any("two legs of one call" in test.result for test in finding.refutations)


def test_two_calls_of_the_same_server_at_the_same_time_are_not_two_legs() -> None:
    """As long, and joined by the server; but one of them lost its second half of packets."""
    facts = [
        *stream(ONE, IN, ssrc="0xa"), *stream(OUT, OTHER, ssrc="0xc", sent=500),
        *told_call(1, "203.0.113.21:5060", "198.51.100.10:5060", media=(ONE, IN)),
        *told_call(2, "198.51.100.10:5060", "203.0.113.22:5060", media=(OUT, OTHER)),
    ]  # fmt: skip
    assert found(*facts) == {}


def test_relay_at_the_site_itself_sends_nothing_over_the_line() -> None:
    scene = Scene(kind="capture")
    known(scene, "depot-pbx", "pbx", "203.0.113.10")
    facts = both_legs("203.0.113.10:10000", "203.0.113.10:10002")
    finding = capture(scene, None, *facts).only("media-hairpin:depot")
    assert (finding.verdict, finding.direction) == (Verdict.NO_EVIDENCE, Direction.UNDETERMINED)


def test_call_between_two_sites_by_a_relay_is_no_hairpin() -> None:
    facts = [*stream("192.0.2.5:4000", IN, ssrc="0xa"), *stream(OUT, OTHER, ssrc="0xa")]
    scene = Scene(kind="capture")
    known(scene, "hall-pbx", "pbx", "198.51.100.10")
    known(scene, "depot-switch", "switch", "203.0.113.2")
    known(scene, "mill-switch", "switch", "192.0.2.2")
    assert capture(scene, None, *facts).only("media-hairpin:hall").verdict is Verdict.NO_EVIDENCE


def test_addresses_of_no_known_site_only_suggest_it() -> None:
    facts = [*stream("192.0.2.5:4000", IN, ssrc="0xa"), *stream(OUT, "192.0.2.6:4000", ssrc="0xa")]
    (finding,) = found(*facts).values()
    assert (finding.verdict, finding.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)
    assert finding.missing


def test_copy_behind_an_address_translator_is_no_relay() -> None:
    """The same SSRC twice, but the second does not leave from where the first arrived."""
    assert found(*stream(ONE, IN, ssrc="0xa"), *stream("192.0.2.9:5000", IN, ssrc="0xa")) == {}


def test_same_ssrc_at_another_time_is_another_call() -> None:
    facts = [*stream(ONE, IN, ssrc="0xa"), *stream(OUT, OTHER, ssrc="0xa", at_s=60.0)]
    assert found(*facts) == {}
