"""`call` against far ends that lie, fall silent or never stop: classified, ended, never counted."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from nethealth.model.failure import Failure, Outcome
from nethealth.wire.rtp import RtpPacket, parse_rtp
from tests.peers.hostile_callee import SDP, Callee, Script, callee, polite, tagged
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


def test_an_answer_from_a_forged_source_is_no_answer() -> None:
    """Everything in it is right, but it comes from a third address."""

    async def forge(far: Callee) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.5", 0))
            while True:
                await asyncio.sleep(0.05)
                if far.invite:
                    other.sendto(far.answer(), far.caller)

    said, far = call(silence, meanwhile=forge)
    assert said.end == (Outcome.FAILED, Failure.TIMEOUT)
    assert said.value("sip_status_code") is None
    assert said.number("sip_wrong_source_count") > 1
    sources = said.one("sip_wrong_source_count").method["sources"]
    assert isinstance(sources, Sequence)
    assert str(sources[0]).startswith("127.0.0.5:")
    assert set(far.methods) == {"INVITE"}, "neither ACK nor BYE for it"
    assert said.find("rtp_packets_sent") == []


def test_a_redirection_to_itself_is_never_followed() -> None:
    def script(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        moved = f"Contact: <sip:echo@{far.address}:{far.port}>"
        if method == "INVITE":
            return [tagged(response(data, "302 Moved Temporarily", more=moved))] * 5
        return []

    said, far = call(script)
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_status_code") == 302
    assert far.methods.count("INVITE") == 1
    assert set(far.methods) == {"INVITE", "ACK"}


async def stranger_within(far: Callee) -> None:
    """A second stream from the announced port, of another SSRC and with gaps."""
    beside = asyncio.create_task(speak(far))
    while "ACK" not in far.methods:
        await asyncio.sleep(0.005)
    for number in range(0, 100, 10):
        far.media.sendto(RtpPacket(8, number, 0, 99, bytes(160)).encode(), far.caller_media)
        await asyncio.sleep(0.01)
    await beside


def test_a_foreign_ssrc_is_told_apart() -> None:
    said, _ = call(meanwhile=stranger_within)
    assert said.value("rtp_packets_expected", direction="return") == 26
    assert said.value("rtp_packets_received", direction="return") == 25
    assert said.value("rtp_packets_lost", direction="return") == 1
    foreign = said.one("rtp_foreign_ssrc_count")
    assert foreign.value == 10
    assert foreign.method["ssrcs"] == ("0x00000063",)


def test_replayed_packets_are_no_packets_of_their_own() -> None:
    async def replay(far: Callee) -> None:
        await speak(far)
        for _ in range(8):
            for number in (3, 12, 20):  # the twelfth was missing, and comes late
                packet = RtpPacket(8, number, number * 160, 77, bytes(160))
                far.media.sendto(packet.encode(), far.caller_media)
            await asyncio.sleep(0.005)

    said, _ = call(meanwhile=replay)
    assert said.value("rtp_packets_expected", direction="return") == 26
    assert said.value("rtp_packets_lost", direction="return") == 0
    assert said.value("rtp_packets_duplicated", direction="return") == 23
    assert said.value("rtp_packets_received", direction="return") == 49
    assert said.value("packet_loss_ratio", direction="return") == 0
    assert said.value("rtp_packets_reordered", direction="return") == 1


def elsewhere(address: str, port: int) -> Script:
    """A callee whose description names somebody else."""

    def script(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        if method == "INVITE":
            return [far.answer(body=SDP.format(address, port))]
        return polite(far, method, data)

    return script


@pytest.mark.parametrize(
    ("address", "port"),
    [("239.192.0.1", 6000), ("255.255.255.255", 6000), ("0.0.0.7", 6000), ("127.0.0.1", 53)],
)
def test_a_description_that_aims_at_everybody_is_refused(address: str, port: int) -> None:
    said, far = call(elsewhere(address, port))
    assert said.end == (Outcome.FAILED, Failure.PROTOCOL)
    assert said.completion is not None
    assert "nothing is sent there" in (said.completion.reason or "")
    assert far.methods == ["INVITE", "ACK", "BYE"]
    assert said.find("rtp_packets_sent") == []


class Victim:
    """Somebody who takes no part, or one that answers; it counts what hits it."""

    def __init__(self, address: str = "127.0.0.9") -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]
        self.hits = 0

    async def count(self, *, answers: bool = False) -> None:
        loop = asyncio.get_running_loop()
        while True:
            data, sender = await loop.sock_recvfrom(self.socket, 2048)
            self.hits += 1
            if answers and self.hits == 10:
                self.socket.sendto(data, sender)


def test_a_stream_cannot_be_aimed_at_somebody_who_takes_no_part() -> None:
    """Two seconds of it reach him, 100 packets, and no more however long the call lasts."""
    victim = Victim()
    said, _ = call(
        elsewhere(victim.address, victim.port), meanwhile=lambda far: victim.count(), duration_s=3.0
    )
    victim.socket.close()
    assert said.end == (Outcome.COMPLETED, None)
    assert victim.hits <= 100
    sent = said.number("rtp_packets_sent", direction="forward")
    assert sent == victim.hits
    withheld = said.one("rtp_packets_withheld", direction="forward")
    assert withheld.value == 150 - sent
    assert withheld.method["announced"] == f"{victim.address}:{victim.port}"
    assert said.value("rtp_packets_received", direction="return") == 0


def test_whoever_answers_from_there_takes_part() -> None:
    partner = Victim()
    said, _ = call(
        elsewhere(partner.address, partner.port),
        meanwhile=lambda far: partner.count(answers=True),
        duration_s=3.0,
    )
    partner.socket.close()
    assert said.value("rtp_packets_sent", direction="forward") == 150
    assert said.find("rtp_packets_withheld") == []


def test_changing_the_target_again_and_again_wins_nothing() -> None:
    """A re-INVITE every 300 ms names another victim: together they get what one would."""
    victims = [Victim(f"127.0.0.{number}") for number in range(20, 30)]

    async def roam(far: Callee) -> None:
        counting = [asyncio.create_task(victim.count()) for victim in victims]
        try:
            while "ACK" not in far.methods:
                await asyncio.sleep(0.005)
            for number, victim in enumerate(victims):
                body = SDP.format(victim.address, victim.port)
                far.say(far.request("INVITE", number + 1, body))
                await asyncio.sleep(0.3)
            await asyncio.sleep(10)
        finally:
            for task in counting:
                task.cancel()

    said, _ = call(elsewhere(victims[0].address, victims[0].port), meanwhile=roam, duration_s=3.2)
    for victim in victims:
        victim.socket.close()
    assert sum(victim.hits > 0 for victim in victims) > 3
    assert sum(victim.hits for victim in victims) <= 100
    assert said.number("rtp_packets_withheld", direction="forward") >= 50


def test_a_reinvite_that_aims_at_everybody_changes_nothing() -> None:
    async def aim(far: Callee) -> None:
        while "ACK" not in far.methods:
            await asyncio.sleep(0.005)
        far.say(far.request("INVITE", 1, SDP.format("239.192.0.1", 6000)))

    heard: list[bytes] = []

    def script(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        heard.append(data)
        return polite(far, method, data)

    said, _ = call(script, meanwhile=aim)
    assert any(data.startswith(b"SIP/2.0 488") for data in heard)
    assert said.value("rtp_packets_sent", direction="forward") == 20
    matched = said.one("media_address_matched").method["announced"]
    assert str(matched).startswith("127.0.0.1:"), "as it was before"


def test_requests_follow_no_contact_that_names_everybody() -> None:
    def script(far: Callee, method: str, data: bytes) -> Sequence[bytes]:
        if method == "INVITE":
            contact = f"Contact: <sip:far@{far.address}:{far.port}>".encode()
            return [far.answer().replace(contact, b"Contact: <sip:far@239.192.0.1>")]
        return polite(far, method, data)

    said, far = call(script)
    assert said.end == (Outcome.COMPLETED, None)
    assert far.methods == ["INVITE", "ACK", "BYE"], "they went to the one who was asked"


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
