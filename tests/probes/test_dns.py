"""dns against dnsmasq, and against servers that lie, garble, or answer from elsewhere."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.model.check import DnsParameters
from nethealth.model.failure import Failure, Outcome
from probes.dns_exchange import parsed
from tests.peers import dnsmasq
from tests.peers.ports import free_port
from tests.probes.driver import Seen, drive, observe
from tests.probes.hostile import datagram_server, forever, stream_server

RECORDS = (
    "local=/example/",
    "host-record=portal.example,198.18.2.10,2001:db8::10",
    "srv-host=_sip._udp.example,pbx.example,5060,10,20",
    "naptr-record=example,10,100,S,SIP+D2U,,_sip._udp.example",
    "mx-host=example,mail.example,10",
    "txt-record=note.example,hello",
    "cname=www.example,portal.example",
    "ptr-record=10.2.18.198.in-addr.arpa,portal.example",
    "server=/dead.test/127.0.0.1#1",
    *(f"txt-record=big.example,{str(digit) * 250}" for digit in range(8)),
)


@pytest.fixture(scope="module", params=["127.0.0.1", "::1"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    address: str = request.param
    port = free_port(address)
    folder: Path = tmp_path_factory.mktemp("dnsmasq")
    with dnsmasq.serving(folder, address, port, RECORDS):
        yield address, port


def ask(server: tuple[str, int], name: str, record_type: str = "A", *expect: str) -> Seen:
    address, port = server
    return drive("dns", DnsParameters(address, name, record_type, port, expect))


@pytest.mark.parametrize(
    ("name", "record_type", "answers"),
    [
        ("portal.example", "A", ("198.18.2.10",)),
        ("PORTAL.example.", "A", ("198.18.2.10",)),
        ("portal.example", "AAAA", ("2001:db8::10",)),
        ("_sip._udp.example", "SRV", ("10 20 5060 pbx.example.",)),
        ("example", "NAPTR", ('10 100 "S" "SIP+D2U" "" _sip._udp.example.',)),
        ("example", "MX", ("10 mail.example.",)),
        ("note.example", "TXT", ('"hello"',)),
        ("198.18.2.10", "PTR", ("portal.example.",)),
        ("www.example", "A", ("198.18.2.10",)),
        ("portal.example", "TXT", ()),
    ],
)
def test_answers_of_each_type(
    server: tuple[str, int], name: str, record_type: str, answers: tuple[str, ...]
) -> None:
    seen = ask(server, name, record_type)
    assert seen.completed()
    assert seen.value("dns_response_code") == "NOERROR"
    assert seen.only("dns_answer_count").method["answers"] == answers
    assert seen.value("dns_answer_count") == len(answers)
    assert seen.value("dns_answer_expected") is None
    assert seen.value("dns_truncated") is False
    assert seen.value("dns_ignored_reply_count") == 0
    delay = seen.only("dns_response_time_s")
    assert delay.unit == "s"
    assert 0 < seen.value("dns_response_time_s") < 3


def test_an_alias_is_listed_apart(server: tuple[str, int]) -> None:
    aliases = ask(server, "www.example").only("dns_answer_count").method["aliases"]
    assert aliases == ("www.example. portal.example.",)


@pytest.mark.parametrize(
    ("name", "code"), [("no-such.example", "NXDOMAIN"), ("elsewhere.test", "REFUSED")]
)
def test_codes_are_facts(server: tuple[str, int], name: str, code: str) -> None:
    seen = ask(server, name, "A", "198.18.2.10")
    assert seen.completed()
    assert seen.value("dns_response_code") == code
    assert seen.value("dns_answer_expected") is False


@pytest.mark.parametrize(
    ("name", "record_type", "expect", "expected"),
    [
        ("portal.example", "A", ("198.18.2.10",), True),
        ("portal.example", "A", ("198.18.2.10", "198.18.2.11"), True),
        ("portal.example", "A", ("198.18.2.11",), False),
        ("portal.example", "AAAA", ("2001:0DB8:0::10",), True),
        ("_sip._udp.example", "SRV", ("10 20 5060 PBX.example",), True),
        ("note.example", "TXT", ("hello",), True),
        ("portal.example", "TXT", ("hello",), False),
    ],
)
def test_answers_against_what_is_expected(
    server: tuple[str, int],
    name: str,
    record_type: str,
    expect: tuple[str, ...],
    expected: bool,
) -> None:
    seen = ask(server, name, record_type, *expect)
    assert seen.value("dns_answer_expected") is expected


def test_a_truncated_answer_is_asked_for_again_by_tcp_as_a_step_of_its_own(
    server: tuple[str, int],
) -> None:
    seen = ask(server, "big.example", "TXT")
    assert seen.completed()
    assert seen.value("dns_truncated") is True
    assert seen.value("dns_response_time_s", transport="udp") > 0
    assert seen.value("dns_response_time_s", transport="tcp") > 0
    assert seen.value("tcp_connect_time_s") > 0
    assert seen.value("dns_answer_count") == 8
    assert seen.only("dns_answer_count").method["transport"] == "tcp"


def test_a_forwarder_without_upstream_times_out(server: tuple[str, int]) -> None:
    address, port = server
    parameters = DnsParameters(address, "a.dead.test", port=port, timeout_s=0.3)
    seen = drive("dns", parameters)
    assert seen.failed(Failure.TIMEOUT)
    assert seen.value("dns_response_time_s") is None


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_no_server_is_refused(address: str) -> None:
    seen = drive("dns", DnsParameters(address, "portal.example", port=free_port(address)))
    assert seen.failed(Failure.REFUSED)
    assert "port unreachable" in (seen.end.reason or "")


@pytest.mark.parametrize(
    ("name", "record_type"), [("a..b", "A"), ("x" * 64, "A"), ("portal.example", "NONSENSE")]
)
def test_what_is_no_question_is_not_run(name: str, record_type: str) -> None:
    seen = drive("dns", DnsParameters("127.0.0.1", name, record_type))
    assert seen.end.outcome is Outcome.NOT_RUN
    assert seen.end.reason
    assert seen.observations == ()


# --- servers that do wrong -----------------------------------------------------------------------

Answers = Callable[[bytes], list[tuple[bytes, str]]]
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"


def response(query: bytes, *, code: str = "NOERROR", address: str | None = "198.18.2.10") -> bytes:
    question = dns.message.from_wire(query)
    message = dns.message.make_response(question)
    message.set_rcode(dns.rcode.from_text(code))
    if address is not None:
        name = question.question[0].name
        message.answer.append(dns.rrset.from_text(name, 60, "IN", "A", address))
    return message.to_wire()


def other_id(octets: bytes) -> bytes:
    return bytes([octets[0] ^ 0xFF]) + octets[1:]


def other_question(query: bytes) -> bytes:
    asked = dns.message.from_wire(query)
    other = dns.message.make_query("other.example", "A", id=asked.id)
    return response(other.to_wire())


def compression_loop(query: bytes) -> bytes:
    """The answer's owner name is a pointer to itself (RFC 1035 section 4.1.4)."""
    answer = response(query, address=None)
    header = answer[:6] + b"\x00\x01" + answer[8:12]
    question_end = answer.index(b"\x00\x00\x01\x00\x01", 12) + 5
    pointer = (0xC000 | question_end).to_bytes(2)
    record = pointer + b"\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc6\x12\x02\x0a"
    return header[:10] + b"\x00\x00" + answer[12:question_end] + record


def ask_hostile(answer: Answers, *, timeout_s: float = 0.3) -> Seen:
    async def case() -> Seen:
        async with datagram_server(answer) as port:
            parameters = DnsParameters(HERE, "portal.example", port=port, timeout_s=timeout_s)
            return await observe("dns", parameters)

    return asyncio.run(case())


def test_servfail_is_a_fact() -> None:
    seen = ask_hostile(lambda query: [(response(query, code="SERVFAIL", address=None), HERE)])
    assert seen.completed()
    assert seen.value("dns_response_code") == "SERVFAIL"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda query: [(other_id(response(query)), HERE)], "foreign"),
        (lambda query: [(other_question(query), HERE)], "foreign"),
        (lambda query: [(query, HERE)], "foreign"),  # our own question, reflected
        (lambda query: [(query[:2] + b"\xff" * 40, HERE)], "malformed"),
        (lambda _: [(b"", HERE)], "malformed"),
        (lambda _: [(b"short", HERE)], "malformed"),
        (lambda query: [(response(query)[:-3], HERE)], "malformed"),
        (lambda query: [(compression_loop(query), HERE)], "malformed"),
        (lambda query: [(response(query) + b"\x00" * 60_000, HERE)], "malformed"),
    ],
    ids=["id", "question", "reflected", "garbage", "empty", "short", "cut", "loop", "oversize"],
)
def test_wrong_answers_alone_are_a_broken_protocol(answer: Answers, kind: str) -> None:
    seen = ask_hostile(answer)
    assert seen.failed(Failure.PROTOCOL)
    assert seen.value("dns_response_time_s") is None
    ignored = seen.only("dns_ignored_reply_count")
    assert ignored.value == 1
    assert ignored.method[kind] == 1


def test_the_right_answer_from_another_address_is_a_wrong_source() -> None:
    seen = ask_hostile(lambda query: [(response(query), ELSEWHERE)])
    assert seen.failed(Failure.WRONG_SOURCE)
    assert seen.only("dns_ignored_reply_count").method["wrong_source"] == 1


def test_a_good_answer_is_found_behind_wrong_ones() -> None:
    seen = ask_hostile(
        lambda query: [
            (other_id(response(query, address="198.18.9.9")), HERE),
            (other_question(query), HERE),
            (b"\x00", HERE),
            (response(query, address="198.18.9.9"), ELSEWHERE),
            (response(query), HERE),
        ],
        timeout_s=3,
    )
    assert seen.completed()
    assert seen.only("dns_answer_count").method["answers"] == ("198.18.2.10",)
    assert seen.value("dns_ignored_reply_count") == 4


def truncated(query: bytes) -> bytes:
    message = dns.message.make_response(dns.message.from_wire(query))
    message.flags |= dns.flags.TC
    return message.to_wire() + b"\x00the first half of a record"


@pytest.mark.parametrize("failure", [Failure.REFUSED, Failure.PROTOCOL, Failure.TIMEOUT])
def test_truncated_without_a_useful_tcp_server(failure: Failure) -> None:
    async def case() -> Seen:
        async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(2)
            if failure is Failure.TIMEOUT:
                await forever()
            writer.write(b"\x00\x20" + b"\xff" * 32)
            await writer.drain()

        async with datagram_server(lambda query: [(truncated(query), HERE)]) as port:
            if failure is Failure.REFUSED:
                parameters = DnsParameters(HERE, "portal.example", port=port, timeout_s=0.5)
                return await observe("dns", parameters)
            async with stream_server(garbage, port=port):
                parameters = DnsParameters(HERE, "portal.example", port=port, timeout_s=0.5)
                return await observe("dns", parameters)

    seen = asyncio.run(case())
    assert seen.failed(failure)
    assert seen.value("dns_truncated") is True
    assert "dns_answer_count" not in seen.names()


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=8), st.integers(0))
def test_no_octets_make_the_parser_raise(changes: list[tuple[int, int]], cut: int) -> None:
    query = dns.message.make_query("portal.example", "A", use_edns=0).to_wire()
    octets = bytearray(response(query))
    for position, value in changes:
        octets[position % len(octets)] = value
    message = parsed(bytes(octets[: cut % (len(octets) + 1) or None]))
    assert message is None or isinstance(message, dns.message.Message)
