"""Requests of the far end within a call, and what they are answered (RFC 3261 sections 12.2.2, 14).

A REFER is refused, and so is every extension that a far end requires: no number is ever called but
the one that was given.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nethealth.model.check import CallCodec
from nethealth.model.endpoint import Endpoint
from nethealth.protocol.call_media import AgreedMedia, offer
from nethealth.protocol.call_media import answer as answer_offer
from nethealth.protocol.sip_call_inviting import SDP_TYPE
from nethealth.protocol.sip_dialog import Dialog, OwnSide, retargeted
from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipRequest

_EARLY = ("UPDATE", "OPTIONS", "INFO")  # what may come before the call is answered


@dataclass(frozen=True, slots=True)
class Standing:
    """What a call has agreed on so far; both are None before."""

    dialog: Dialog | None
    media: AgreedMedia | None


@dataclass(frozen=True, slots=True)
class Reply:
    """Octets for the far end, and what the request changed."""

    data: bytes
    standing: Standing
    foreign: bool = False
    hangs_up: bool = False


class Answering:
    """Our own description of the media, and the answers; `requests` counts those of this call."""

    def __init__(
        self,
        own: OwnSide,
        media: Endpoint,
        rtcp_port: int,
        codecs: Sequence[CallCodec],
        session: int,
        peer: str,
    ) -> None:
        self.requests: Counter[str] = Counter()
        self._own = own
        self._media, self._rtcp_port, self._codecs = media, rtcp_port, tuple(codecs)
        self._session = session
        self._peer = peer
        self._version = 1

    def offer(self) -> bytes:
        """The description that the INVITE bears."""
        return offer(self._media, self._rtcp_port, self._codecs, self._session)

    def answer(self, request: SipRequest, standing: Standing) -> Reply:
        """Answer one request that bears our Call-ID and is no ACK."""
        own, dialog = self._own, standing.dialog
        ours = request.to_tag == own.tag and (
            dialog is None or request.from_tag == dialog.remote_tag
        )
        if not ours or (dialog is None and request.method not in _EARLY):
            gone = own.response(request, 481, "Call/Transaction Does Not Exist")
            return Reply(gone, standing, foreign=True)
        self.requests[request.method[:32]] += 1
        required = ", ".join(request.values("require"))
        if required and request.method != "CANCEL":
            # no extension of ours: the session timer of RFC 4028, for one, is left to the far end
            more = (("Unsupported", required),)
            return Reply(own.response(request, 420, "Bad Extension", more=more), standing)
        match request.method:
            case "BYE":
                return Reply(own.response(request, 200, "OK"), standing, hangs_up=True)
            case "INVITE" | "UPDATE":
                return self._renegotiate(request, standing)
            case "OPTIONS" | "INFO":
                return Reply(own.response(request, 200, "OK"), standing)
            case "CANCEL":
                gone = own.response(request, 481, "Call/Transaction Does Not Exist")
                return Reply(gone, standing)
            case _:
                return Reply(own.response(request, 405, "Method Not Allowed"), standing)

    def _renegotiate(self, request: SipRequest, standing: Standing) -> Reply:
        """A re-INVITE or UPDATE (section 14.2, RFC 3311): other media, a new target, or neither."""
        contact = request.contact
        if contact and standing.dialog is not None:
            standing = replace(standing, dialog=retargeted(standing.dialog, contact[0].uri))
        if not request.body:
            if request.method == "UPDATE":
                return Reply(self._own.response(request, 200, "OK"), standing)
            body = self.offer()
            return Reply(self._own.response(request, 200, "OK", more=(SDP_TYPE,), body=body),
                         standing)  # fmt: skip
        if standing.media is None:
            return Reply(self._own.response(request, 488, "Not Acceptable Here"), standing)
        try:
            self._version += 1
            body, media = answer_offer(
                request.body, self._media, self._rtcp_port, self._session, self._version,
                standing.media.codec, self._peer,
            )  # fmt: skip
        except WireError:
            return Reply(self._own.response(request, 488, "Not Acceptable Here"), standing)
        data = self._own.response(request, 200, "OK", more=(SDP_TYPE,), body=body)
        return Reply(data, replace(standing, media=media))
