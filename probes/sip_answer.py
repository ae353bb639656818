"""What one finished SIP exchange showed, as observations."""

import base64
from collections.abc import Iterator

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.observation import Observation, Passport
from nethealth.model.probe import Observer
from nethealth.protocol.sip_transaction import ClientTransaction
from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipResponse
from probes.sip_exchange import Ending

ANSWER_UNITS: dict[str, str | None] = {
    "sip_response_delay_s": "s",
    "sip_transmission_count": None,
    "sip_last_copy_response_delay_s": "s",
    "sip_status_code": None,
    "sip_allow": None,
    "sip_server": None,
    "sip_retry_after_s": "s",
    "sip_received_address": None,
    "sip_malformed_reply_count": None,
    "sip_foreign_reply_count": None,
    "sip_wrong_source_count": None,
}

TEXT_MAX = 256  # characters kept of any text that a peer wrote
_SOURCES_MAX = 8


def exchange_facts(
    transaction: ClientTransaction,
    ending: Ending,
    local: Endpoint,
    observe: Observer,
    method: Passport,
) -> Iterator[Observation]:
    """What the finished exchange showed: the answer if there is one, then every count."""
    final = transaction.final
    sent_s, answered_s = transaction.first_sent_s, transaction.answered_s
    delay_s, note = None, dict[str, str]()
    if sent_s is not None and answered_s is not None:
        if transaction.first_transmission_answered:
            delay_s = answered_s - sent_s
        else:
            note = {"reason": "answered only after a retransmission"}
    yield observe(
        "sip_response_delay_s",
        delay_s,
        samples=None if delay_s is None else 1,
        failure=ending.failure,
        method={**method, **note},
    )
    yield observe("sip_transmission_count", transaction.transmission_count, method=method)
    if (last_copy_s := transaction.answered_after_last_copy_s) is not None:
        yield observe("sip_last_copy_response_delay_s", last_copy_s, samples=1, method=method)
    if final is None:
        yield observe("sip_status_code", None, failure=ending.failure, method=method)
    else:
        yield observe(
            "sip_status_code",
            final.status_code,
            method={**method, "reason_phrase": final.reason_phrase[:TEXT_MAX]},
        )
        yield from _fields(final, local, observe, method)
    malformed = dict(method)
    if transaction.first_malformed is not None:
        malformed["octets_base64"] = base64.b64encode(
            observe.names.octets(transaction.first_malformed)
        ).decode()
        malformed["error"] = transaction.first_fault
    yield observe("sip_malformed_reply_count", transaction.malformed_count, method=malformed)
    yield observe("sip_foreign_reply_count", transaction.foreign_count, method=method)
    yield observe(
        "sip_wrong_source_count",
        ending.wrong_sources.total(),
        method={**method, "sources": tuple(ending.wrong_sources)[:_SOURCES_MAX]},
    )


def _fields(
    final: SipResponse, local: Endpoint, observe: Observer, method: Passport
) -> Iterator[Observation]:
    """The header fields of an answer; one that it does not have is not reported."""
    server = final.server or final.user_agent
    if server is not None:
        yield observe("sip_server", server[:TEXT_MAX], method=method)
    try:
        if final.allow is not None:
            yield observe("sip_allow", ", ".join(final.allow)[:TEXT_MAX], method=method)
    except WireError as error:
        yield _broken("sip_allow", error, observe, method)
    try:
        if final.retry_after_s is not None:
            yield observe("sip_retry_after_s", final.retry_after_s, method=method)
    except WireError as error:
        yield _broken("sip_retry_after_s", error, observe, method)
    try:
        via = final.top_via
        if via is not None and (via.received is not None or via.rport is not None):
            address = via.received or via.host
            seen = address if via.rport is None else str(Endpoint(address, via.rport))
            yield observe("sip_received_address", seen, method={**method, "local": str(local)})
    except WireError as error:
        yield _broken("sip_received_address", error, observe, method)


def _broken(name: str, error: WireError, observe: Observer, method: Passport) -> Observation:
    return observe(
        name, None, failure=Failure.PROTOCOL, method={**method, "error": str(error)[:TEXT_MAX]}
    )
