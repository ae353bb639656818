"""`sip` over TCP and TLS against peers that hang, lie, flood or never close."""

import asyncio
from pathlib import Path

import pytest

from nethealth.model.check import SipTransport
from nethealth.model.failure import Failure, Outcome
from tests.peers.certificates import Authority
from tests.peers.hostile_sip import Conversation, request_on, response, stream_server
from tests.peers.kamailio import Kamailio
from tests.peers.ports import free_port
from tests.probes.sip_runs import Said, ask


def run(
    converse: Conversation,
    *,
    address: str = "127.0.0.1",
    timeout_s: float = 0.3,
    transport: SipTransport = "tcp",
) -> Said:
    async def scene() -> Said:
        async with stream_server(converse, address=address) as port:
            return await ask(port, host=address, transport=transport, timeout_s=timeout_s)

    return asyncio.run(scene())


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_good_answer_in_pieces(address: str) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await request_on(reader)
        answer = b"\r\n\r\n" + response(request, "100 Trying") + response(request, body="hello")
        for octet in range(0, len(answer), 17):
            writer.write(answer[octet : octet + 17])
            await writer.drain()

    said = run(converse, address=address, timeout_s=5.0)
    assert said.end == (Outcome.COMPLETED, None)
    assert said["sip_status_code"].value == 200
    assert said["sip_transmission_count"].value == 1
    assert said.names[0] == "tcp_connect_time_s"
    assert said["sip_response_delay_s"].value is not None


def test_nobody_listens() -> None:
    said = asyncio.run(ask(free_port(), transport="tcp"))
    assert said.end == (Outcome.FAILED, Failure.REFUSED)
    assert said.names == ["tcp_connect_time_s"]
    assert said["tcp_connect_time_s"].value is None


async def _silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def _closes(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await request_on(reader)


async def _hangs_half_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(response(await request_on(reader), body="hello")[:-3])
    await reader.read()


async def _closes_half_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(response(await request_on(reader))[:-9])


async def _endless_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SIP/2.0 200 OK\r\nServer: ")
    while True:
        writer.write(b"x" * 60_000)
        await writer.drain()


async def _megabytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(response(await request_on(reader))[:-5] + b"99999999\r\n\r\n")
    while True:
        writer.write(b"x" * 60_000)
        await writer.drain()


async def _many_messages(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    trying = response(await request_on(reader), "100 Trying")
    while True:
        writer.write(trying * 50)
        await writer.drain()


async def _keep_alives(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"\r\n" * 20_000)
        await writer.drain()


async def _web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_on(reader)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await reader.read()


async def _foreign(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(response(await request_on(reader)).replace(b"z9hG4bK", b"z9hG4bK0"))
    await reader.read()


async def _foreign_and_closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(response(await request_on(reader)).replace(b"z9hG4bK", b"z9hG4bK0"))


@pytest.mark.parametrize(
    ("converse", "failure", "reason"),
    [
        (_silent, Failure.TIMEOUT, "no answer"),
        (_closes, Failure.RESET, "before an answer"),
        (_hangs_half_way, Failure.TIMEOUT, "part of a message"),
        (_closes_half_way, Failure.RESET, "within a message"),
        (_endless_header, Failure.PROTOCOL, "malformed"),
        (_megabytes, Failure.PROTOCOL, "malformed"),
        (_many_messages, Failure.PROTOCOL, "octets came"),
        (_keep_alives, Failure.PROTOCOL, "octets came"),
        (_web_server, Failure.PROTOCOL, "start line"),
        (_foreign, Failure.PROTOCOL, "foreign"),
        (_foreign_and_closes, Failure.PROTOCOL, "foreign"),
    ],
)
def test_peers_that_misbehave(converse: Conversation, failure: Failure, reason: str) -> None:
    timeout_s = 0.3 if failure is Failure.TIMEOUT or converse is _foreign else 30.0
    said = run(converse, timeout_s=timeout_s)
    assert said.end == (Outcome.FAILED, failure)
    assert reason in (said.completion.reason or "")
    assert said["sip_status_code"].value is None
    assert said["sip_status_code"].failure is failure


def test_a_malformed_answer_is_kept_as_evidence() -> None:
    said = run(_web_server)
    assert said["sip_malformed_reply_count"].value == 1
    assert said["sip_malformed_reply_count"].method["octets_base64"]


@pytest.mark.parametrize(
    ("converse", "failure"), [(_silent, Failure.TIMEOUT), (_keep_alives, Failure.TLS)]
)
def test_no_tls_there(converse: Conversation, failure: Failure) -> None:
    said = run(converse, transport="tls")
    assert said.end == (Outcome.FAILED, failure)
    assert said.names == ["tcp_connect_time_s", "tls_handshake_time_s"]
    assert said["tls_handshake_time_s"].failure is failure


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_facts_of_a_real_server(tmp_path: Path, *, trusted: bool) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("pbx", ["127.0.0.1"])
    port = free_port()
    with Kamailio(tmp_path, [f"tls:127.0.0.1:{port}"], certificate=pair.certificate, key=pair.key):
        said = asyncio.run(
            ask(
                port,
                transport="tls",
                timeout_s=10.0,
                ca_file=authority.ca_file if trusted else None,
            )
        )
    assert said.end == (Outcome.COMPLETED, None), "a bad certificate is a fact, not the end"
    assert said["sip_status_code"].value == 200
    assert said["tls_version"].value in ("TLSv1.2", "TLSv1.3")
    assert said["tls_chain_verified"].value is trusted
    assert said["tls_name_matched"].value is True
    days = said["certificate_days_to_expiry"].value
    assert isinstance(days, float)
    assert 89 < days < 91
    assert said.names.index("tls_handshake_time_s") < said.names.index("sip_status_code")
