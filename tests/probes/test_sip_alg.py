"""sip-alg against our own reflector on loopback, and against witnesses that lie."""

import asyncio
import base64
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from nethealth.model.check import SipAlgParameters
from nethealth.model.failure import Failure, Outcome
from nethealth.wire.sip import SipRequest, parse_message
from nethealth.wire.witness import Arrival, Told, Welcome, build_line
from tests.peers import reflector
from tests.peers.ports import free_row
from tests.probes.driver import Seen, drive, observe
from tests.probes.hostile import stream_server
from tests.probes.lying_witness import HERE, Twist, lying, truly

CASES = [(t, m) for t in ("udp", "tcp") for m in ("OPTIONS", "INVITE")]


def asked(twist: Twist = truly, **more: object) -> Seen:
    """The probe against a witness that tells what `twist` makes of the truth."""

    async def run() -> Seen:
        async with lying(twist) as ports:
            parameters = SipAlgParameters(HERE, ports.sip, ports.control, timeout_s=0.5)
            return await observe("sip-alg", replace(parameters, **more))  # type: ignore[arg-type]

    return asyncio.run(run())


def verdicts(seen: Seen) -> list[object]:
    return [seen.value("sip_alg_seen", transport=t, sip_method=m) for t, m in CASES]


@pytest.mark.parametrize(("address", "allow"), [(HERE, "127.0.0.0/8"), ("::1", "::1/128")])
def test_a_clean_path_to_our_reflector(tmp_path: Path, address: str, allow: str) -> None:
    control = free_row(4)
    sip, port = control + 2, control + 3
    more = ("--sip-port", str(sip), "--control-port", str(control))
    with reflector.serving(tmp_path, address, port, allow, more=more) as process:
        process.wait_bound("tcp", control)
        seen = drive("sip-alg", SipAlgParameters(address, sip, control))
        other = drive("sip-alg", SipAlgParameters(address, control, control))
    assert seen.completed()
    assert verdicts(seen) == ["not seen"] * 4
    assert [each.value for each in seen.observations if each.name == "nat_source_translated"] == [
        False, False,
    ]  # fmt: skip
    for transport, method in CASES:
        pair = [
            seen.only("sip_request_arrived", transport=transport, sip_method=method, role=role)
            for role in ("sip", "control")
        ]
        assert [one.value for one in pair] == [True, True]
        sent = {str(one.method["sent_base64"]) for one in pair}
        # the same octets to both ports, and as they arrived
        assert sent == {str(one.method["received_base64"]) for one in pair}
        (octets,) = map(base64.b64decode, sent)
        message = parse_message(octets)
        assert isinstance(message, SipRequest)
        assert message.method == method
        assert pair[0].method["local"] == pair[0].method["source"]
    assert "witness_rejected_count" not in seen.names()
    assert other.end.outcome is Outcome.NOT_RUN
    assert f"--sip-port {control}" in str(other.end.reason)


def test_the_sizes_that_arrive_are_told_whole(tmp_path: Path) -> None:
    seen = asked()
    for dont_fragment in (False, True):
        for role in ("sip", "control"):
            one = seen.only("sip_size_arrived_max_bytes", dont_fragment=dont_fragment, role=role)
            assert one.value == 2800  # loopback carries 65,536
            assert one.method["sizes_arrived"] == [1200, 1300, 1400, 1472, 1600, 2800]
            assert one.method["sizes_missing"] == []


def test_no_witness_no_sip() -> None:
    """Nothing of SIP leaves for a host whose control port is no witness's."""
    heard: list[bytes] = []

    async def run(answer: bytes) -> Seen:
        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.readline())
            writer.write(answer)
            await writer.drain()
            heard.append(await reader.read(65_535))

        async with stream_server(behave) as port:
            return await observe("sip-alg", SipAlgParameters(HERE, 5060, port, timeout_s=0.3))

    welcome = Welcome(bytes(16), bytes(16), HERE, 9, 5060, 8630, 8631, None, 600.0)
    for answer, failure in (
        (build_line(welcome), Failure.PROTOCOL),  # a nonce that is not ours: a replay
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Failure.PROTOCOL),
        (b"x" * 100_000, Failure.PROTOCOL),
        (b'{"refused":"no room"}\n', Failure.PROTOCOL),
        (b"", Failure.TIMEOUT),
    ):
        seen = asyncio.run(run(answer))
        assert seen.failed(failure), (answer[:30], seen.end)
        assert "nethealth reflect" in str(seen.end.reason)
        assert set(seen.names()) == {"witness_opening_time_s"}
    assert not any(b"SIP/2.0" in octets for octets in heard)
    assert drive("sip-alg", SipAlgParameters(HERE, 5060, free_row(1))).failed(Failure.REFUSED)


def arrivals(change: Callable[[Arrival], Iterable[Told | bytes]]) -> Twist:
    """A twist of arrivals alone."""
    return lambda told: change(told) if isinstance(told, Arrival) else (told,)


def octets(made: bytes) -> Twist:
    return arrivals(lambda told: (replace(told, octets=made),))


@pytest.mark.parametrize(
    ("twist", "word"),
    [
        (octets(b"INVITE sip:evil SIP/2.0\r\n\r\n"), "no name"),
        (octets(b""), "no name"),
        (octets(b"\xff" * 4000), "no name"),
        (arrivals(lambda told: (replace(told, cut=True),)), "longer"),
        (arrivals(lambda told: (replace(told, octets=told.octets + b"x" * 2000),)),
         "longer"),
        (arrivals(lambda told: (replace(told, octets=b"?" + told.octets),)),
         "is not the request"),
        (arrivals(lambda told: (replace(told, port=9),)), "no name"),
    ],
    ids=["other's", "empty", "noise", "cut", "longer", "no request", "another port"],
)  # fmt: skip
def test_a_claim_that_cannot_be_is_never_a_rewriting(twist: Twist, word: str) -> None:
    seen = asked(twist, copies=1, sizes_bytes=(1200,))
    assert seen.failed(Failure.PROTOCOL), seen.end
    assert word in str(seen.end.reason)
    assert verdicts(seen) == [None] * 4
    assert "sip_rewritten_parts" not in seen.names()
    rejected = [each for each in seen.observations if each.name == "witness_rejected_count"]
    assert sum(int(str(each.value)) for each in rejected) >= 8


@pytest.mark.parametrize(
    "line",
    [
        b'{"arrived":"udp","port":5060,"source":"::1","source_port":1,"octets":"*","cut":false}\n',
        b"\xff\xfe\n", b"[" * 9000 + b"\n", b"x" * 20_000,
    ],
    ids=["not base64", "not JSON", "deep", "long"],
)  # fmt: skip
def test_a_line_that_cannot_be_read_ends_the_session(line: bytes) -> None:
    seen = asked(arrivals(lambda told: (line,)), copies=1)
    assert seen.failed(Failure.PROTOCOL)
    assert "sip_rewritten_parts" not in seen.names()


def test_a_replay_of_an_arrival_is_rejected_and_changes_nothing() -> None:
    seen = asked(arrivals(lambda told: (told, told)))
    assert seen.completed()
    assert verdicts(seen) == ["not seen"] * 4
    assert seen.value("witness_rejected_count", reason="tells of more copies than were sent") >= 8


def test_one_request_told_in_the_place_of_another_is_no_rewriting() -> None:
    first: dict[tuple[str, int], bytes] = {}

    def change(told: Arrival) -> Iterable[Told | bytes]:
        way = (told.transport, told.port)
        return (replace(told, octets=first.setdefault(way, told.octets)),)

    seen = asked(arrivals(change), sizes_bytes=())
    assert "rewritten" not in verdicts(seen)
    assert "sip_rewritten_parts" not in seen.names()


def test_arrivals_that_contradict_each_other_are_no_verdict() -> None:
    count = 0

    def change(told: Arrival) -> Iterable[Told | bytes]:
        nonlocal count
        if told.transport != "udp" or b"OPTIONS" not in told.octets:
            return (told,)
        count += 1  # the first of either port is withheld, so that second copies are sent
        if count <= 2:
            return ()
        return (told, replace(told, octets=told.octets.replace(b"nethealth@", b"nethealtx@")))

    seen = asked(arrivals(change), sizes_bytes=())
    one = seen.only("sip_alg_seen", transport="udp", sip_method="OPTIONS")
    assert (one.value, one.failure) == (None, Failure.PROTOCOL)


def test_a_flood_of_lines_is_cut_off() -> None:
    flood = b'{"spoken":1,"serial":1}\n' * 5000
    seen = asked(arrivals(lambda told: (flood, told)), copies=1)
    assert seen.failed(Failure.PROTOCOL)
    assert "more than 4096 lines" in str(seen.end.reason)


def test_a_witness_that_leaves_is_told_with_what_was_seen() -> None:
    async def run() -> Seen:
        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonce = (await reader.readline()).split(b'"nonce":"')[1][:32].decode()
            welcome = Welcome(bytes.fromhex(nonce), bytes(16), HERE, 9, 5060, 8630, 8631, None, 1.0)
            writer.write(build_line(welcome))
            await writer.drain()

        async with stream_server(behave) as port:
            return await observe("sip-alg", SipAlgParameters(HERE, 5060, port, timeout_s=0.5))

    seen = asyncio.run(run())
    assert seen.failed(Failure.RESET)
    assert "rewritten" not in [each.value for each in seen.observations]


def test_a_run_that_is_cut_short_calls_nothing_blocked() -> None:
    """The control copies are told, then the session ends: what was not awaited is not known."""
    ended = b"not JSON\n"
    count = 0

    def change(told: Arrival) -> Iterable[Told | bytes]:
        nonlocal count
        count += 1
        return (told,) if count == 1 else (ended,)

    seen = asked(arrivals(change), sizes_bytes=())
    assert seen.failed(Failure.PROTOCOL)
    assert set(verdicts(seen)) <= {None, "not seen"}
    assert "sip_size_arrived_max_bytes" not in seen.names()


def test_a_reflector_that_is_asked_too_fast_is_no_measurement(tmp_path: Path) -> None:
    control = free_row(4)
    more = ("--sip-port", str(control + 2), "--control-port", str(control))
    allow = "127.0.0.0/8"
    with reflector.serving(tmp_path, HERE, control + 3, allow, more=more, rate=9) as process:
        process.wait_bound("tcp", control)
        seen = drive("sip-alg", SipAlgParameters(HERE, control + 2, control))
    assert seen.failed(Failure.PROTOCOL)
    assert "--rate" in str(seen.end.reason)
    assert "blocked" not in [each.value for each in seen.observations]


def test_what_a_lying_reflector_can_still_do() -> None:
    """It can claim that the SIP port's copy was changed: the page of the probe says so."""
    sip: list[int] = []

    def change(told: Told) -> Iterable[Told | bytes]:
        if isinstance(told, Welcome):
            sip.append(told.sip_port or 0)
        if isinstance(told, Arrival) and told.port in sip:
            return (replace(told, octets=told.octets.replace(b"127.0.0.1", b"192.0.2.99")),)
        return (told,)

    seen = asked(change, sizes_bytes=())
    assert verdicts(seen) == ["rewritten"] * 4
    parts = seen.only("sip_rewritten_parts", transport="udp", sip_method="INVITE")
    assert "SDP c=" in str(parts.value)
    assert parts.method["control"] == "unchanged"
