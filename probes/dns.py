"""dns: one question to one server; what it answers, how fast, and whether it is what was expected.

dnspython builds and parses the messages; they travel on our own channels, so that an answer from
somebody else, or to another question, is seen and counted.
"""

from collections.abc import AsyncIterator
from ipaddress import ip_address

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.reversename

from nethealth.model.check import Check, DnsParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.observation import Observation, Passport
from nethealth.model.ports import NetworkFailure
from nethealth.model.probe import Completion, Env, Observer, Probe
from probes.dns_exchange import Ignored, ask_by_datagram, ask_by_stream
from probes.steps import RESOLUTION_UNITS, failed, not_run, resolve_one, within

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "dns_response_time_s": "s",
    "dns_ignored_reply_count": "packets",
    "dns_truncated": None,
    "tcp_connect_time_s": "s",
    "dns_response_code": None,
    "dns_answer_count": None,
    "dns_answer_expected": None,
}

_EDNS_PAYLOAD_BYTES = 1232  # passes every path of 1280 octets unfragmented (DNS flag day 2020)
_ANSWERS_MAX = 50
_TEXT_MAX = 256


async def query(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """One query over UDP; one more over TCP, as a step of its own, if the answer is truncated."""
    parameters = check.parameters
    if not isinstance(parameters, DnsParameters):
        raise TypeError(f"{check.id}: not the parameters of a dns check")
    observe = Observer(check, env, UNITS)
    try:
        question = _question(parameters, env)
    except (dns.exception.DNSException, ValueError) as error:
        yield not_run(f"{parameters.name} {parameters.record_type}: not a question: {error}")
        return
    resolution = await resolve_one(parameters.server, parameters.family, env, observe)
    for observation in resolution.observations:
        yield observation
    if resolution.failure is not None:
        yield failed(resolution.failure)
        return
    remote = Endpoint(resolution.address, parameters.port)
    asked = {"name": parameters.name, "record_type": parameters.record_type.upper()}
    method = {**resolution.passport, "port": parameters.port, **asked, "transport": "udp"}

    await env.pacer.wait()
    ignored = Ignored()
    try:
        answer, delay_s = await ask_by_datagram(
            env, remote, question, parameters.timeout_s, ignored
        )
    except NetworkFailure as failure:
        yield observe("dns_response_time_s", None, failure=failure.failure, method=method)
        yield _ignored_count(observe, ignored, method)
        yield failed(failure)
        return
    yield observe("dns_response_time_s", delay_s, samples=1, method=method)
    yield _ignored_count(observe, ignored, method)
    truncated = bool(answer.flags & dns.flags.TC)
    yield observe("dns_truncated", truncated, method=method)
    if truncated:
        method = {**method, "transport": "tcp"}
        await env.pacer.wait()
        started_s = env.clock.monotonic_s()
        try:
            channel = await within(
                parameters.timeout_s, env.network.open_stream(remote), f"connecting to {remote}"
            )
        except NetworkFailure as failure:
            yield observe("tcp_connect_time_s", None, failure=failure.failure, method=method)
            yield failed(failure)
            return
        connected_s = env.clock.monotonic_s()
        yield observe("tcp_connect_time_s", connected_s - started_s, samples=1, method=method)
        try:
            answer = await within(
                parameters.timeout_s,
                ask_by_stream(channel, question),
                f"asking {remote} by TCP",
            )
        except NetworkFailure as failure:
            yield observe("dns_response_time_s", None, failure=failure.failure, method=method)
            yield failed(failure)
            return
        finally:
            await channel.close()
        delay_s = env.clock.monotonic_s() - connected_s
        yield observe("dns_response_time_s", delay_s, samples=1, method=method)
    for observation in _content(observe, answer, question, parameters, method):
        yield observation


def _question(parameters: DnsParameters, env: Env) -> dns.message.QueryMessage:
    record_type = dns.rdatatype.from_text(parameters.record_type)
    name = dns.name.from_text(parameters.name)
    if record_type == dns.rdatatype.PTR and _is_address(parameters.name):
        name = dns.reversename.from_address(parameters.name)
    return dns.message.make_query(
        name,
        record_type,
        use_edns=0,
        payload=_EDNS_PAYLOAD_BYTES,
        id=env.random.getrandbits(16),
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _ignored_count(observe: Observer, ignored: Ignored, method: Passport) -> Observation:
    return observe(
        "dns_ignored_reply_count",
        ignored.foreign + ignored.malformed + ignored.wrong_source,
        method={
            **method,
            "foreign": ignored.foreign,
            "malformed": ignored.malformed,
            "wrong_source": ignored.wrong_source,
        },
    )


def _content(
    observe: Observer,
    answer: dns.message.Message,
    question: dns.message.QueryMessage,
    parameters: DnsParameters,
    method: Passport,
) -> list[Observation]:
    record_type = question.question[0].rdtype
    found = [
        rdata.to_text()[:_TEXT_MAX]
        for rrset in answer.answer
        if rrset.rdtype == record_type
        for rdata in rrset
    ]
    aliases = [
        f"{rrset.name} {rdata}"[: 2 * _TEXT_MAX]
        for rrset in answer.answer
        if rrset.rdtype == dns.rdatatype.CNAME != record_type
        for rdata in rrset
    ]
    listed = {**method, "answers": tuple(found[:_ANSWERS_MAX])}
    expected: bool | None = None
    if parameters.expect:
        wanted = {_normal(text) for text in parameters.expect}
        expected = bool(found) and all(_normal(text) in wanted for text in found)
    return [
        observe(
            "dns_response_code",
            dns.rcode.to_text(answer.rcode()),
            method={
                **method,
                "authoritative": bool(answer.flags & dns.flags.AA),
                "recursion_available": bool(answer.flags & dns.flags.RA),
            },
        ),
        observe(
            "dns_answer_count",
            len(found),
            method={**listed, "aliases": tuple(aliases[:_ANSWERS_MAX])},
        ),
        observe("dns_answer_expected", expected, method={**listed, "expected": parameters.expect}),
    ]


def _normal(text: str) -> str:
    """An answer without what does not matter: case, quotes, a final dot, an address's spelling."""
    plain = " ".join(text.replace('"', "").lower().split()).rstrip(".")
    try:
        return str(ip_address(plain))
    except ValueError:
        return plain


DNS = Probe("dns", query, UNITS)
