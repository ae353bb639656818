"""The questions of RFC 3263, put to the name servers that the system asks."""

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from nethealth.model.check import SipParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.observation import Observation, Scalar
from nethealth.model.ports import NetworkFailure
from nethealth.model.probe import Env, Observer
from nethealth.protocol.sip_location import Location, Naptr, Question, Srv, Target
from probes.dns_exchange import Ignored, ask_by_datagram, ask_by_stream
from probes.steps import within

_WAIT_S = 2.0  # for one server's answer
_EDNS_PAYLOAD_BYTES = 1232


async def locate(
    parameters: SipParameters, env: Env, observe: Observer
) -> tuple[tuple[Target, ...], Observation]:
    """Every target in the order in which a client would try them; none: the domain's own host."""
    transport = parameters.transport if parameters.locate == "srv" else None
    secure = parameters.uri.lower().startswith("sips:")
    location = Location(parameters.host, secure=secure, transport=transport)
    asked: list[str] = []
    failure: NetworkFailure | None = None
    while env.name_servers and (question := location.question) is not None:
        try:
            records = await _ask(question, env)
        except NetworkFailure as error:
            # One silence is enough: with no name server every question would be waited for.
            failure = error
            break
        asked.append(f"{question.record_type} {question.name}: {len(records)}")
        location.answered(records)
    method: dict[str, Scalar | tuple[str, ...]] = {
        "domain": parameters.host,
        "questions": tuple(asked),
        "targets": tuple(map(str, location.targets)),
        "refused": location.refused,
        "reason": failure.reason if failure else None,
    }
    if not env.name_servers:
        method["reason"] = "no name server is known"
    return location.targets, observe(
        "sip_target_count",
        None if failure else len(location.targets),
        failure=failure.failure if failure else None,
        method=method,
    )


async def _ask(question: Question, env: Env) -> list[Naptr] | list[Srv]:
    """By the first name server that answers; a name without such records has none of them."""
    silence = NetworkFailure(Failure.RESOLVE, "no name server answered")
    try:
        name = dns.name.from_text(question.name)
    except (dns.exception.DNSException, ValueError):  # what a NAPTR record sends us on to
        return []
    for server in env.name_servers:
        query = dns.message.make_query(
            name,
            question.record_type,
            use_edns=0,
            payload=_EDNS_PAYLOAD_BYTES,
            id=env.random.getrandbits(16),
        )
        await env.pacer.wait()
        try:
            answer = await _answer(server, query, env)
        except NetworkFailure as failure:
            silence = failure
            continue
        if answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return _records(answer, question)
        code = dns.rcode.to_text(answer.rcode())
        silence = NetworkFailure(Failure.RESOLVE, f"{server} answered {code} for {question.name}")
    raise NetworkFailure(Failure.RESOLVE, silence.reason)


async def _answer(
    server: Endpoint, query: dns.message.QueryMessage, env: Env
) -> dns.message.Message:
    answer, _ = await ask_by_datagram(env, server, query, _WAIT_S, Ignored())
    if not answer.flags & dns.flags.TC:
        return answer
    channel = await within(_WAIT_S, env.network.open_stream(server), f"connecting to {server}")
    try:
        return await within(_WAIT_S, ask_by_stream(channel, query), f"asking {server} by TCP")
    finally:
        await channel.close()


def _records(answer: dns.message.Message, question: Question) -> list[Naptr] | list[Srv]:
    wanted = dns.rdatatype.from_text(question.record_type)
    found = [rdata for rrset in answer.answer if rrset.rdtype == wanted for rdata in rrset]
    if question.record_type == "SRV":
        return [Srv(each.priority, each.weight, each.port, each.target.to_text()) for each in found]
    return [
        Naptr(
            each.order,
            each.preference,
            each.flags.decode("ascii", "replace"),
            each.service.decode("ascii", "replace"),
            each.replacement.to_text(),
        )
        for each in found
    ]
