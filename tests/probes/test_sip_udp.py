"""`sip` over UDP against servers that misbehave: each ends in its own class, and in time."""

import asyncio
import base64
import re
from collections.abc import Sequence

import pytest

from nethealth.model.failure import Failure, Outcome
from nethealth.wire.sip import SipRequest, parse_message
from probes.sip_answer import TEXT_MAX
from probes.sip_exchange import DATAGRAMS_MAX
from tests.peers.hostile_sip import Answer, datagram_server, response
from tests.peers.ports import free_port
from tests.probes.sip_runs import Said, ask

COUNTS = ("sip_malformed_reply_count", "sip_foreign_reply_count", "sip_wrong_source_count")


def run(
    answer: Answer,
    *,
    address: str = "127.0.0.1",
    answer_from: str | None = None,
    timeout_s: float = 0.3,
) -> tuple[Said, list[bytes]]:
    async def scene() -> tuple[Said, list[bytes]]:
        async with datagram_server(answer, address=address, answer_from=answer_from) as (port, got):
            return await ask(port, host=address, timeout_s=timeout_s), got

    return asyncio.run(scene())


def always(*replies: bytes) -> Answer:
    return lambda _, __: replies


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_good_answer(address: str) -> None:
    more = "Allow: INVITE, ACK\r\nServer: PBX 3\r\nRetry-After: 5"
    said, requests = run(lambda _, request: [response(request, more=more)], address=address)
    assert said.end == (Outcome.COMPLETED, None)
    assert said["sip_status_code"].value == 200
    assert said["sip_status_code"].method["reason_phrase"] == "OK"
    assert said["sip_status_code"].method["ip_version"] == (6 if ":" in address else 4)
    delay = said["sip_response_delay_s"].value
    assert isinstance(delay, float)
    assert delay > 0
    assert said["sip_transmission_count"].value == 1
    assert said["sip_allow"].value == "INVITE, ACK"
    assert said["sip_server"].value == "PBX 3"
    assert said["sip_retry_after_s"].value == 5
    assert said["sip_received_address"].value == "203.0.113.9:51000"
    assert [said[name].value for name in COUNTS] == [0, 0, 0]
    assert "resolution_time_s" not in said.names, "a numeric host is not resolved"
    (request,) = requests
    message = parse_message(request)
    assert isinstance(message, SipRequest)
    local = said["sip_received_address"].method["local"]
    assert message.via[0].sent_by == local, "the address that a server is to answer to"


def test_a_name_is_resolved_and_timed_apart() -> None:
    async def scene() -> Said:
        async with datagram_server(lambda _, request: [response(request)]) as (port, _):
            return await ask(port, host="localhost")

    said = asyncio.run(scene())
    assert said.names[0] == "resolution_time_s"
    assert said["resolution_time_s"].value is not None


def test_a_name_that_does_not_exist() -> None:
    said = asyncio.run(ask(5060, host="no-such-host.invalid"))
    assert said.end == (Outcome.FAILED, Failure.RESOLVE)
    assert said.names == ["resolution_time_s"]


def test_silence() -> None:
    said, requests = run(always(), timeout_s=0.7)
    assert said.end == (Outcome.FAILED, Failure.TIMEOUT)
    assert len(requests) == 2, "sent again after T1"
    assert said["sip_transmission_count"].value == 2
    for name in ("sip_status_code", "sip_response_delay_s"):
        assert said[name].value is None
        assert said[name].failure is Failure.TIMEOUT
    assert said.completion.reason == "no answer to 2 copies of the request"


def test_a_closed_port() -> None:
    said = asyncio.run(ask(free_port()))
    assert said.end == (Outcome.FAILED, Failure.REFUSED)
    assert said["sip_status_code"].failure is Failure.REFUSED


def test_garbage() -> None:
    garbage = bytes(range(256)) * 4
    said, _ = run(always(garbage))
    assert said.end == (Outcome.FAILED, Failure.PROTOCOL)
    malformed = said["sip_malformed_reply_count"]
    assert malformed.value == 1
    assert base64.b64decode(str(malformed.method["octets_base64"])) == garbage[:512]
    assert said["sip_status_code"].value is None


def test_the_largest_datagram_of_headers() -> None:
    said, _ = run(always(b"SIP/2.0 200 OK\r\n" + b"a: bcdef\r\n" * 5900 + b"\r\n"))
    assert said.end == (Outcome.FAILED, Failure.PROTOCOL)


@pytest.mark.parametrize(
    ("pattern", "other"),
    [(r"branch=[^;\r]+", "branch=z9hG4bKforeign"), (r"CSeq: 1", "CSeq: 2"),
     (r"1 OPTIONS", "1 INVITE"), (r"UDP 127\.0\.0\.1", "UDP 127.0.0.9")],
)  # fmt: skip
def test_an_answer_to_something_else_is_never_up(pattern: str, other: str) -> None:
    def answer(_: int, request: bytes) -> Sequence[bytes]:
        return [re.sub(pattern, other, response(request).decode()).encode()]

    said, _ = run(answer)
    assert said.end == (Outcome.FAILED, Failure.PROTOCOL)
    assert said["sip_foreign_reply_count"].value == 1
    assert said["sip_status_code"].value is None


def test_an_answer_from_another_address() -> None:
    said, _ = run(lambda _, request: [response(request)], answer_from="127.0.0.2")
    assert said.end == (Outcome.FAILED, Failure.WRONG_SOURCE)
    wrong = said["sip_wrong_source_count"]
    assert wrong.value == 1
    sources = wrong.method["sources"]
    assert isinstance(sources, tuple)
    assert str(sources[0]).startswith("127.0.0.2:")


def test_an_answer_from_another_port_is_from_elsewhere_too() -> None:
    said, _ = run(lambda _, request: [response(request)], answer_from="127.0.0.1")
    assert said.end == (Outcome.FAILED, Failure.WRONG_SOURCE)


def test_only_provisional_answers() -> None:
    said, _ = run(lambda _, request: [response(request, "100 Trying")] * 5)
    assert said.end == (Outcome.FAILED, Failure.TIMEOUT)
    assert "provisional" in (said.completion.reason or "")


def test_a_provisional_answer_and_then_the_final_one() -> None:
    said, _ = run(lambda _, request: [response(request, "100 Trying"), response(request)])
    assert said.end == (Outcome.COMPLETED, None)
    assert said["sip_status_code"].value == 200


def test_a_server_that_refuses_service_has_answered() -> None:
    said, _ = run(
        lambda _, request: [
            response(request, "503 Service Unavailable", more="Retry-After: 120 (x)")
        ]
    )
    assert said.end == (Outcome.COMPLETED, None)
    assert said["sip_status_code"].value == 503
    assert said["sip_retry_after_s"].value == 120


def test_a_redirection_to_itself_is_an_answer_and_never_followed() -> None:
    asked: list[bytes] = []

    def moved(_: int, request: bytes) -> Sequence[bytes]:
        asked.append(request)
        to = request.split(b" ")[1].decode()
        return [response(request, "302 Moved Temporarily", more=f"Contact: <{to}>")] * 3

    said, _ = run(moved)
    assert said.end == (Outcome.COMPLETED, None)
    assert said["sip_status_code"].value == 302
    assert len(asked) == 1


def test_a_broken_field_does_not_hide_the_answer() -> None:
    more = "Retry-After: soon\r\nAllow: (\r\nServer: ok"
    said, _ = run(lambda _, request: [response(request, more=more)])
    assert said.end == (Outcome.COMPLETED, None)
    for name in ("sip_retry_after_s", "sip_allow"):
        assert said[name].value is None
        assert said[name].failure is Failure.PROTOCOL


def test_the_second_copy_answered() -> None:
    said, requests = run(
        lambda before, request: [response(request)] if before else [], timeout_s=5.0
    )
    assert said.end == (Outcome.COMPLETED, None)
    assert requests[0] == requests[1], "a retransmission is the same octets"
    assert said["sip_transmission_count"].value == 2
    assert said["sip_response_delay_s"].value is None
    assert said["sip_response_delay_s"].failure is None
    after_s = said["sip_last_copy_response_delay_s"].value
    assert isinstance(after_s, float)
    assert 0 < after_s < 1, "of the second copy, before a third would have gone"


def test_an_answer_several_times_over() -> None:
    said, _ = run(lambda _, request: [response(request)] * 3)
    assert said.end == (Outcome.COMPLETED, None)
    assert said["sip_transmission_count"].value == 1


def test_a_good_answer_behind_bad_ones() -> None:
    said, _ = run(
        lambda _, request: [
            b"noise",
            response(request).replace(b"z9hG4bK", b"z9hG4bK0"),
            response(request),
        ]
    )
    assert said.end == (Outcome.COMPLETED, None)
    assert [said[name].value for name in COUNTS] == [1, 1, 0]


def test_markup_and_control_characters_are_bounded_text() -> None:
    evil = "<script>\x1b[31m\x00" + "x" * 1000
    said, _ = run(lambda _, request: [response(request, f"200 {evil}", more=f"Server: {evil}")])
    assert said["sip_server"].value == evil[:TEXT_MAX]
    assert said["sip_status_code"].method["reason_phrase"] == evil[:TEXT_MAX]


def test_a_flood_is_bounded() -> None:
    """A server that answers each request with thousands: the check ends before its timeout."""

    async def scene() -> Said:
        async with datagram_server(lambda _, __: []) as (port, requests):
            asking = asyncio.create_task(ask(port, timeout_s=32.0))
            while not requests:
                await asyncio.sleep(0.005)
            via = parse_message(requests[0]).top_via
            assert via is not None
            assert via.port is not None
            loop = asyncio.get_running_loop()
            flood, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=("127.0.0.1", via.port)
            )
            while not asking.done():
                for _ in range(50):
                    flood.sendto(b"noise")
                await asyncio.sleep(0.001)
            flood.close()
            return await asking

    said = asyncio.run(scene())
    assert said.end == (Outcome.FAILED, Failure.WRONG_SOURCE)
    assert said["sip_wrong_source_count"].value == DATAGRAMS_MAX
    assert "gave up" in (said.completion.reason or "")
