"""Servers that abuse a login or a registration: what they get is counted, and bounded."""

import asyncio
import re
from collections.abc import Callable

import pytest

from nethealth.model.failure import Failure, Outcome
from tests.peers.hostile_sip import (
    Answer,
    datagram_server,
    request_on,
    response,
    stream_server,
)
from tests.probes.sip_runs import Said, ask

CHALLENGE = 'WWW-Authenticate: Digest realm="r", nonce="n{}"'


def run(answer: Answer, *, timeout_s: float = 5.0, test_account: bool = False) -> tuple[
    Said, list[bytes]
]:  # fmt: skip
    async def scene() -> tuple[Said, list[bytes]]:
        async with datagram_server(answer) as (port, requests):
            said = await ask(
                port, timeout_s=timeout_s, password="s3cret", test_account=test_account
            )
            return said, requests

    said, requests = asyncio.run(scene())
    assert "s3cret" not in repr(said)
    assert not any(b"s3cret" in request for request in requests)
    return said, requests


def header(request: bytes, name: str) -> str:
    found = re.search(rf"^{name}: (.*?)\r$", request.decode(), re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def refuse(more: Callable[[int], str]) -> Answer:
    return lambda count, request: [response(request, "401 Unauthorized", more=more(count))]


def test_one_that_challenges_for_ever_gets_credentials_once() -> None:
    said, requests = run(refuse(CHALLENGE.format))
    assert said.end == (Outcome.FAILED, Failure.AUTH)
    assert said["sip_authenticated"].value is False
    assert len(requests) == 2
    first, second = requests
    assert header(first, "Call-ID") == header(second, "Call-ID")
    assert header(first, "From") == header(second, "From")
    assert header(first, "Via") != header(second, "Via")
    assert (header(first, "CSeq"), header(second, "CSeq")) == ("1 OPTIONS", "2 OPTIONS")


def test_a_nonce_that_is_always_stale_is_replaced_once() -> None:
    said, requests = run(refuse(lambda count: CHALLENGE.format(count) + ", stale=true"))
    assert said.end == (Outcome.FAILED, Failure.AUTH)
    nonces = [re.findall(r'nonce="(\w+)"', header(each, "Authorization")) for each in requests]
    assert nonces == [[], ["n0"], ["n1"]]


def test_a_nonce_that_was_stale_once() -> None:
    def answer(count: int, request: bytes) -> list[bytes]:
        if count == 2:
            return [response(request)]
        challenge = CHALLENGE.format(count) + ", stale=true"
        return [response(request, "401 Unauthorized", more=challenge)]

    said, _ = run(answer)
    assert said["sip_authenticated"].value is True
    assert said["sip_authenticated"].method["stale_nonce"] is True


@pytest.mark.parametrize(
    ("challenge", "reason"),
    [
        ("", "none by digest"),
        ("WWW-Authenticate: Basic realm=x", "none by digest"),
        ('WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA3', "SHA3"),
        ('WWW-Authenticate: Digest realm="r", nonce="n", algorithm=\x1b[31m', "cannot be read"),
        ('WWW-Authenticate: Digest realm="r", nonce="' + "n" * 5000 + '"', "cannot be read"),
        ("\r\n".join([CHALLENGE.format(1)] * 17), "cannot be read"),
        ('WWW-Authenticate: Digest nonce="n"', "cannot be read"),
    ],
)
def test_challenges_that_are_not_answered(challenge: str, reason: str) -> None:
    said, requests = run(refuse(lambda _: challenge))
    assert len(requests) == 1, "no credentials were sent"
    assert said.end == (Outcome.COMPLETED, None)
    assert said["sip_status_code"].value == 401
    assert said["sip_authenticated"].value is None
    assert reason in str(said["sip_authenticated"].method["reason"])


def test_silence_once_credentials_came() -> None:
    said, requests = run(
        lambda count, request: refuse(CHALLENGE.format)(count, request) if count == 0 else [],
        timeout_s=0.3,
    )
    assert said["sip_authenticated"].value is None
    assert said["sip_authenticated"].failure is Failure.TIMEOUT
    assert said.end == (Outcome.COMPLETED, None)
    assert len(requests) == 2


def registrar(granted: Callable[[bytes], str]) -> Answer:
    """Answers OPTIONS; what it says to each REGISTER, headers included, is `granted`'s."""

    def answer(_: int, request: bytes) -> list[bytes]:
        if request.startswith(b"OPTIONS"):
            return [response(request)]
        start, more = [*granted(request).split("\r\n", 1), ""][:2]
        return [response(request, start, more=more)] if start else []

    return answer


def registers(requests: list[bytes]) -> list[str]:
    """The Contact of each REGISTER; copies left aside."""
    asked = dict.fromkeys(each for each in requests if each.startswith(b"REGISTER"))
    contacts = [header(each, "Contact") for each in asked]
    assert all(re.fullmatch(r"<sip:nethealth-\w+@[^>]+>;expires=\d+", each) for each in contacts)
    return contacts


def test_other_peoples_bindings_are_neither_kept_nor_touched() -> None:
    others = "Contact: <sip:the-boss@198.51.100.7>;expires=900, <tel:+441234>, <sip:x@[::1>"

    def granted(request: bytes) -> str:
        own = header(request, "Contact")
        return f"200 OK\r\n{others}" + ("" if own.endswith("=0") else f", {own}")

    said, requests = run(registrar(granted), test_account=True)
    contacts = registers(requests)
    assert [each.rpartition(";")[2] for each in contacts] == ["expires=60", "expires=0"]
    assert len({each.partition(";")[0] for each in contacts}) == 1
    assert said["sip_registration_expires_s"].value == 60
    assert said["sip_registration_expires_s"].method["binding_count"] == 4
    assert said["sip_registration_removed"].value is True
    assert "the-boss" not in repr(said)


def test_a_registrar_that_keeps_the_binding_is_told() -> None:
    said, _ = run(
        registrar(lambda request: f"200 OK\r\nContact: {header(request, 'Contact')}"),
        test_account=True,
    )
    assert said["sip_registration_removed"].value is False


def test_a_registrar_that_does_not_list_the_binding() -> None:
    said, requests = run(registrar(lambda _: "200 OK"), test_account=True)
    assert said["sip_registration_status_code"].value == 200
    assert said["sip_registration_expires_s"].value is None
    assert said["sip_registration_expires_s"].method["contact_listed"] is False
    assert len(registers(requests)) == 2


def test_no_answer_is_no_proof_that_nothing_was_bound() -> None:
    said, requests = run(registrar(lambda _: ""), timeout_s=0.3, test_account=True)
    assert said["sip_registration_status_code"].failure is Failure.TIMEOUT
    assert said["registration_request_delay_s"].value is None
    assert registers(requests)[-1].endswith(";expires=0")


def test_a_refusal_needs_no_removal() -> None:
    said, requests = run(registrar(lambda _: "404 Not Found"), test_account=True)
    assert said["sip_registration_status_code"].value == 404
    assert "sip_registration_removed" not in said.names
    assert len(registers(requests)) == 1


@pytest.mark.parametrize(
    ("shortest", "asked"), [("300", [60, 300, 0]), ("86400", [60]), ("-1", [60]), ("5", [60])]
)
def test_a_minute_may_be_too_brief(shortest: str, asked: list[int]) -> None:
    def granted(request: bytes) -> str:
        if header(request, "Contact").endswith("=60"):
            return f"423 Interval Too Brief\r\nMin-Expires: {shortest}"
        return "200 OK"

    _, requests = run(registrar(granted), test_account=True)
    assert [int(each.rpartition("=")[2]) for each in registers(requests)] == asked


def test_a_check_that_is_stopped_takes_its_binding_back() -> None:
    """The registrar binds and says nothing; the sweep cancels while the answer is awaited."""

    async def scene() -> list[bytes]:
        async with datagram_server(registrar(lambda _: "")) as (port, requests):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await ask(port, timeout_s=0.4, password="s3cret", test_account=True)
            return requests

    contacts = registers(asyncio.run(scene()))
    assert [each.rpartition("=")[2] for each in contacts] == ["60", "0"]


def test_a_connection_that_is_cut_after_the_binding_is_made_anew() -> None:
    seen: list[bytes] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await request_on(reader)
            seen.append(request)
            own = header(request, "Contact")
            bound = "" if own.endswith("=0") else f"Contact: {own}"
            writer.write(response(request, more=bound))
            await writer.drain()
            if own.endswith("=60"):
                return

    async def scene() -> Said:
        async with stream_server(converse) as port:
            return await ask(
                port, transport="tcp", timeout_s=5.0, password="s3cret", test_account=True
            )

    said = asyncio.run(scene())
    assert said["sip_registration_removed"].value is True
    first, second = registers(seen)
    assert first.replace("=60", "=0") == second, "the very Contact that was registered"
