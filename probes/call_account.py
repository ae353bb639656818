"""What a call showed, as observations: its signalling, and by `MediaAccount` its media."""

import base64
from collections.abc import Iterator

from nethealth.model.failure import Failure
from nethealth.model.observation import Observation, Passport
from nethealth.model.probe import Observer
from nethealth.protocol.sip_call import Call
from probes.call_media_account import MEDIA_UNITS, TEXT_MAX, CallEnding, MediaAccount
from probes.steps import RESOLUTION_UNITS
from probes.tls import TLS_UNITS

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "tcp_connect_time_s": "s",
    "tls_handshake_time_s": "s",
    **TLS_UNITS,
    "sip_status_code": None,
    "sip_transmission_count": None,
    "sip_provisional_codes": None,
    "session_request_delay_s": "s",
    "answer_delay_s": "s",
    "sip_server": None,
    "sip_authenticated": None,
    "sip_prack_count": None,
    "sip_request_count": None,
    "sip_malformed_reply_count": None,
    "sip_foreign_reply_count": None,
    "sip_wrong_source_count": None,
    "call_duration_s": "s",
    "call_ended_by": None,
    "sip_bye_status_code": None,
    **MEDIA_UNITS,
}

_DIGITS = 9
_SOURCES_MAX = 8


def account(observe: Observer, method: Passport, ending: CallEnding) -> Iterator[Observation]:
    """The facts of the signalling; those of the media only if the call was answered with some."""
    yield from _signalling(observe, method, ending)
    media = ending.call.media
    if ending.call.answered_s is not None and media is not None:
        yield from MediaAccount(observe, method, ending, media).observations()


def _signalling(observe: Observer, method: Passport, ending: CallEnding) -> Iterator[Observation]:
    call = ending.call
    silent = ending.failure.failure if ending.failure else Failure.TIMEOUT
    if call.final is None:
        yield observe("sip_status_code", None, failure=silent, method=method)
    else:
        phrase = call.final.reason_phrase[:TEXT_MAX]
        yield observe(
            "sip_status_code", call.final.status_code, method={**method, "reason_phrase": phrase}
        )
        server = call.final.server or call.final.user_agent
        if server is not None:
            yield observe("sip_server", server[:TEXT_MAX], method=method)
    yield observe("sip_transmission_count", len(call.invite.sent_s), method=method)
    if call.provisional:
        codes = " ".join(map(str, call.provisional[:16]))
        yield observe("sip_provisional_codes", codes, method=method)
    progress_s, code = call.progress or (None, None)
    yield _since_invite(observe, "session_request_delay_s", progress_s, method, call, silent, code)
    if call.answered_s is not None:
        yield _since_invite(observe, "answer_delay_s", call.answered_s, method, call, silent, 200)
    if ending.login.challenged:
        passport = {**method, **ending.login.passport, "reason": ending.login.reason}
        yield observe("sip_authenticated", ending.login.accepted(call), method=passport)
    if call.pracks:
        yield observe("sip_prack_count", call.pracks, method=method)
    for name, count in sorted(call.requests.items()):
        yield observe("sip_request_count", count, method={**method, "sip_method": name})
    malformed = dict(method)
    if call.first_malformed is not None:
        malformed["octets_base64"] = base64.b64encode(
            observe.names.octets(call.first_malformed)
        ).decode()
        malformed["error"] = (call.first_fault or "")[:TEXT_MAX]
    yield observe("sip_malformed_reply_count", call.malformed_count, method=malformed)
    yield observe("sip_foreign_reply_count", call.foreign_count, method=method)
    sources = tuple(ending.wrong_sources)[:_SOURCES_MAX]
    yield observe(
        "sip_wrong_source_count",
        ending.wrong_sources.total(),
        method={**method, "sources": sources},
    )
    if call.answered_s is not None and call.hung_up_s is not None:
        yield observe("call_duration_s", call.hung_up_s - call.answered_s, method=method)
        yield observe("call_ended_by", call.ended_by, method=method)
        if call.ended_by == "us":
            unanswered = Failure.TIMEOUT if call.bye_status is None else None
            yield observe("sip_bye_status_code", call.bye_status, failure=unanswered, method=method)


def _since_invite(
    observe: Observer,
    name: str,
    at_s: float | None,
    method: Passport,
    call: Call,
    silent: Failure,
    code: int | None,
) -> Observation:
    """A delay from the first INVITE, the answering of a challenge included.

    Unknown if a copy of an INVITE went before, which may be what was answered.
    """
    if at_s is None or not call.first_invite.sent_s:
        return observe(name, None, failure=silent, method=method)
    for invite in (call.first_invite, call.invite):
        if sum(sent_s <= at_s for sent_s in invite.sent_s) > 1:
            reason = "answered only after a retransmission"
            return observe(name, None, method={**method, "reason": reason})
    delay_s = round(at_s - call.first_invite.sent_s[0], _DIGITS)
    told: Passport = {"authenticated": True} if call.authorized else {}
    return observe(name, delay_s, samples=1, method={**method, **told, "status_code": code})
