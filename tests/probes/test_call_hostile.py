"""`call` against far ends that lie, fall silent or never stop: classified, ended, never counted."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from nethealth.model.failure import Failure, Outcome
from nethealth.wire.rtp import RtpPacket, parse_rtp
from tests.peers.hostile_callee import Callee, Script, callee, polite, tagged
from tests.peers.hostile_sip import response, stream_server
from tests.probes.call_runs import Said, parameters, place

Meanwhile = Callable[[Callee], Coroutine[Any, Any, None]]


@pytest.fixture(autouse=True)
def short_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three copies of a BYE, and no longer: 0.5 s and 1 s apart."""
    monkeypatch.setattr("probes.call.CLEANUP_S", 1.6)


def call(
    script: Script = polite,
    *,
    meanwhile: Meanwhile | None = None,
    cut_after_s: float | None = None,
    duration_s: float = 0.4,
    ring_timeout_s: float = 0.3,
    deadline_s: float = 20.0,
) -> tuple[Said, Callee]:
    """One call to a far end that follows `script`, while `meanwhile` goes on beside it."""

    async def scene() -> tuple[Said, Callee]:
        async with callee(script) as far:
            beside = asyncio.create_task(meanwhile(far)) if meanwhile else None
            said = await place(
                parameters(far.port, duration_s=duration_s, ring_timeout_s=ring_timeout_s),
                cut_after_s=cut_after_s,
                deadline_s=deadline_s,
            )
            if beside is not None:
                beside.cancel()
                await asyncio.wait({beside})
            return said, far

    return asyncio.run(scene())


def silence(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
    return []


def test_nobody_there() -> None:
    said, far = call(silence)
    assert said.end == (Outcome.FAILED, Failure.TIMEOUT)
    assert far.methods == ["INVITE"], "and no CANCEL, which only a provisional answer allows"
    assert said.value("sip_status_code") is None


def test_wrong_branches_are_no_answer() -> None:
    def script(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        return [far.answer().replace(b"branch=z9hG4bK", b"branch=z9hG4bKx")] * 3

    said, _ = call(script)
    assert said.end == (Outcome.FAILED, Failure.PROTOCOL)
    assert said.value("sip_foreign_reply_count") == 3
    assert said.find("rtp_packets_sent") == []


def test_it_rings_without_end() -> None:
    def script(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        return [far.answer("180 Ringing", body="")] * 40 if method == "INVITE" else []

    async def ringing(far: Callee) -> None:
        while True:
            await asyncio.sleep(0.01)
            if far.invite:
                far.say(far.answer("180 Ringing", body=""))

    said, far = call(script, meanwhile=ringing)
    assert said.end == (Outcome.FAILED, Failure.TIMEOUT)
    assert said.value("sip_provisional_codes") == "180"
    assert "CANCEL" in far.methods
    assert "BYE" not in far.methods


def test_a_flood_of_provisional_answers_is_bounded() -> None:
    async def flood(far: Callee) -> None:
        while True:
            await asyncio.sleep(0)
            if far.invite:
                far.say(far.answer("183 Session Progress", body=""))

    said, _ = call(silence, meanwhile=flood, ring_timeout_s=20.0, deadline_s=25.0)
    assert said.end == (Outcome.FAILED, Failure.PROTOCOL)


def test_a_bad_description_is_ended_by_bye() -> None:
    def script(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        if method == "INVITE":
            return [far.answer(body="v=0\r\nm=audio none RTP/AVP 8\r\n")]
        return polite(far, method, data)

    said, far = call(script)
    assert said.end == (Outcome.FAILED, Failure.PROTOCOL)
    assert far.methods == ["INVITE", "ACK", "BYE"]
    assert said.value("sip_status_code") == 200
    assert said.find("rtp_packets_sent") == []


def test_bye_is_never_answered() -> None:
    def script(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        return [] if method == "BYE" else polite(far, method, data)

    said, far = call(script)
    assert said.end == (Outcome.COMPLETED, None)
    assert said.one("sip_bye_status_code").failure is Failure.TIMEOUT
    assert far.methods.count("BYE") >= 3, "copies by the timers"
    assert said.value("rtp_packets_sent", direction="forward") == 20


@pytest.mark.parametrize(("start", "ended_by"), [("200 OK", "BYE"), ("180 Ringing", "CANCEL")])
def test_a_check_that_is_stopped_ends_its_call(start: str, ended_by: str) -> None:
    """The sweep cancels at a deadline and gives a second to close."""

    def script(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        return [far.answer(start)] if method == "INVITE" else polite(far, method, data)

    said, far = call(script, cut_after_s=0.3, duration_s=20.0, ring_timeout_s=20.0)
    assert far.methods[-1] == ended_by
    assert said.completion is None
    assert said.find("sip_status_code"), "what was known was handed over"


def test_a_call_ends_before_its_deadline() -> None:
    said, far = call(duration_s=30.0, deadline_s=4.5)
    assert said.end == (Outcome.COMPLETED, None)
    assert far.methods[-1] == "BYE"
    assert said.number("call_duration_s") < 4.5


def test_the_far_end_hangs_up() -> None:
    async def leave(far: Callee) -> None:
        while "ACK" not in far.methods:
            await asyncio.sleep(0.01)
        far.say(far.request("BYE"))

    said, far = call(meanwhile=leave, duration_s=10.0)
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("call_ended_by") == "peer"
    assert "BYE" not in far.methods
    assert said.value("sip_request_count", sip_method="BYE") == 1


async def echo(far: Callee, *, every: int = 1, source: socket.socket | None = None) -> None:
    """Send every packet back, but for each `every`th if that is more than one."""
    loop = asyncio.get_running_loop()
    while True:
        data, sender = await loop.sock_recvfrom(far.media, 2048)
        if every == 1 or parse_rtp(data).sequence % every:
            (source or far.media).sendto(data, sender)


def test_an_echo_that_loses_every_fifth_packet() -> None:
    said, _ = call(meanwhile=lambda far: echo(far, every=5), duration_s=1.0)
    sent = said.number("rtp_packets_sent", direction="forward")
    assert sent == 50
    assert said.value("rtp_packets_lost", direction="round-trip") == 10
    assert said.value("packet_loss_ratio", direction="round-trip") == 0.2
    assert said.value("rtp_loss_run_max_packets", direction="round-trip") == 1
    # all within 16 received packets of each other: one burst, from the first loss to the last
    assert said.value("burst_density_ratio", direction="round-trip") == pytest.approx(10 / 46)
    assert said.value("gap_density_ratio", direction="round-trip") == 0
    assert said.one("r_factor", direction="round-trip").method["loss_ratio"] == 0.2


def test_media_of_a_third_address_is_never_counted() -> None:
    async def flood(far: Callee) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.3", 0))
            await echo(far, source=other)

    said, _ = call(meanwhile=flood)
    assert said.value("rtp_packets_received", direction="return") == 0
    assert said.number("rtp_wrong_source_count") > 10
    sources = said.one("rtp_wrong_source_count").method["sources"]
    assert isinstance(sources, Sequence)
    assert str(sources[0]).startswith("127.0.0.3:")
    assert said.value("media_address_matched") is None
    assert said.find("r_factor") == []


def test_media_of_another_port_is_told() -> None:
    async def other_port(far: Callee) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            await echo(far, source=other)

    said, far = call(meanwhile=other_port)
    matched = said.one("media_address_matched")
    assert matched.value is False
    assert matched.method["announced"] == f"127.0.0.1:{far.media_port}"
    assert matched.method["source"] != matched.method["announced"]
    assert said.value("rtp_packets_lost", direction="round-trip") == 0


async def speak(far: Callee, *, mark: int = 0) -> None:
    """A stream of the far end's own, which hears nothing: 25 packets, of which one is missing."""
    while "ACK" not in far.methods:
        await asyncio.sleep(0.005)
    far.media.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, mark << 2)
    for number in range(26):
        if number != 12:
            packet = RtpPacket(8, number, number * 160, 77, bytes(160))
            far.media.sendto(packet.encode(), far.caller_media)
        await asyncio.sleep(0.01)


def test_a_stream_of_the_far_ends_own() -> None:
    said, _ = call(meanwhile=lambda far: speak(far, mark=46))
    assert said.value("rtp_packets_expected", direction="return") == 26
    assert said.value("rtp_packets_received", direction="return") == 25
    assert said.value("rtp_packets_lost", direction="return") == 1
    assert said.one("rtp_packets_received", direction="return").method["ssrc"] == "0x0000004d"
    assert said.value("dscp_received", direction="return") == 46
    assert said.value("rtp_packets_received", direction="forward") is None, "no report came"


def test_reports_that_know_nothing_of_us() -> None:
    """The far end sends receiver reports and hears nothing: forward audio is missing."""

    async def reporting(far: Callee) -> None:
        beside = asyncio.create_task(speak(far))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtcp:
            rtcp.bind(("127.0.0.1", 0))
            while True:
                await asyncio.sleep(0.3)
                if far.invite:
                    host, port = far.caller_media
                    rtcp.sendto(struct.pack("!BBHI", 0x80, 201, 1, 77), (host, port + 1))
                if beside.done():
                    beside.result()

    said, _ = call(meanwhile=reporting, duration_s=1.6)
    forward = said.one("rtp_packets_received", direction="forward")
    assert forward.value == 0
    assert forward.method["reason"] == "the far end reports, and of no packet of ours"
    assert said.value("rtp_packets_received", direction="return") == 25


def test_port_unreachable_for_media_does_not_end_the_call() -> None:
    async def deaf(far: Callee) -> None:
        while "ACK" not in far.methods:
            await asyncio.sleep(0.005)
        far.media.close()

    said, _ = call(meanwhile=deaf)
    assert said.end == (Outcome.COMPLETED, None)
    assert said.number("media_error_count") > 5
    first = said.one("media_error_count").method["first"]
    assert isinstance(first, str)
    assert "port unreachable" in first
    assert said.value("rtp_packets_sent", direction="forward") == 20


def test_garbage_on_the_media_ports() -> None:
    async def garbage(far: Callee) -> None:
        while "ACK" not in far.methods:
            await asyncio.sleep(0.005)
        host, port = far.caller_media
        for size in range(50):
            far.media.sendto(bytes(size), (host, port))
            far.media.sendto(b"\xff" * size, (host, port + 1))

    said, _ = call(meanwhile=garbage)
    assert said.end == (Outcome.COMPLETED, None)
    assert said.number("rtp_malformed_count") >= 50
    assert said.value("rtp_packets_received", direction="return") == 0


@pytest.mark.parametrize("status", ["302 Moved Temporarily", "401 Unauthorized", "486 Busy Here"])
def test_any_final_answer_is_a_fact(status: str) -> None:
    def script(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        if method == "INVITE":
            return [tagged(response(data, status, more="Contact: <sip:112@127.0.0.9>"))]
        return []

    said, far = call(script)
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_status_code") == int(status[:3])
    assert far.methods == ["INVITE", "ACK"]


def test_a_forbidden_number_is_never_called() -> None:
    async def scene() -> tuple[Said, Callee]:
        async with callee() as far:
            return await place(parameters(far.port, user="%31%31%32@")), far

    said, far = asyncio.run(scene())
    assert said.completion is not None
    assert said.completion.outcome is Outcome.NOT_RUN
    assert "never called" in (said.completion.reason or "")
    assert far.methods == []


def test_a_connection_that_breaks_off_within_the_call() -> None:
    async def scene() -> Said:
        async with callee() as far:

            async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                far.invite = await reader.readuntil(b"\r\n\r\n")
                writer.write(far.answer())
                await reader.readuntil(b"\r\n\r\n")  # the ACK, and part of the offer before it

            async with stream_server(converse) as port:
                return await place(parameters(port, transport="tcp", duration_s=5.0))

    said = asyncio.run(scene())
    assert said.end == (Outcome.FAILED, Failure.RESET)
    assert said.value("sip_status_code") == 200
