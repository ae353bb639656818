"""One side of a SIP dialog (RFC 3261 section 12): the names it bears and the requests it makes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

from nethealth import __version__
from nethealth.model.check import SipTransport
from nethealth.model.endpoint import Endpoint
from nethealth.protocol.sip_request import BRANCH_COOKIE
from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipMessage, SipRequest, encode_request, encode_response
from nethealth.wire.sip_address import parse_address
from nethealth.wire.sip_grammar import excerpt, split
from nethealth.wire.sip_uri import escaped_user, parse_uri

ALLOW = "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, OPTIONS, INFO"
_ROUTES_MAX = 32
_DEFAULT_PORT = {"udp": 5060, "tcp": 5060, "tls": 5061}


@dataclass(frozen=True, slots=True)
class Dialog:
    """The far end as a response or request of its own showed it (section 12.1.2)."""

    to: str  # the To of our requests, with the far end's tag
    remote_tag: str | None  # None from peers of before RFC 3261
    target: str  # where in-dialog requests are addressed to
    routes: tuple[str, ...] = ()
    fit: Callable[[str], bool] = lambda address: True  # whether a request may go to an address

    @property
    def addressing(self) -> tuple[str, tuple[str, ...]]:
        """Request-URI and Route values (section 12.2.1.1); a strict router stands in the URI."""
        if not self.routes:
            return self.target, ()
        first = parse_address(self.routes[0])
        if any(name == "lr" for name, _ in parse_uri(first.uri).parameters):
            return self.target, self.routes
        return first.uri, (*self.routes[1:], f"<{self.target}>")

    @property
    def hop(self) -> Endpoint | None:
        """Where the next request goes, if that is a numeric address (section 8.1.2) that is fit."""
        uri = parse_uri(parse_address(self.routes[0]).uri if self.routes else self.target)
        try:
            ip_address(uri.host)
        except ValueError:
            return None
        if not self.fit(uri.host):
            return None
        transport = uri.parameter("transport") or ("tls" if uri.scheme == "sips" else "udp")
        return Endpoint(uri.host, uri.port or _DEFAULT_PORT.get(transport.lower(), 5060))


def dialog_of(
    message: SipMessage, asked: str, fit: Callable[[str], bool] = lambda address: True
) -> Dialog:
    """The dialog that a response to our INVITE makes; `asked` is its target if it names none.

    What cannot be sent back, such as a URI of another scheme, is a WireError.
    """
    to = message.only("to")
    if to is None:
        raise WireError("no To")
    contact = message.contact
    target = contact[0].uri if contact else asked
    recorded = [part for line in message.values("record-route") for part in split(line, ",")]
    if len(recorded) > _ROUTES_MAX:
        raise WireError(f"{len(recorded)} Record-Route")
    dialog = Dialog(to, message.to_tag, target, tuple(reversed(recorded)), fit)
    for text in (to, target, *recorded):
        if not text.isprintable():
            raise WireError(f"control characters in {excerpt(text)}")
    parse_uri(target)
    parse_uri(dialog.addressing[0])
    return dialog


def retargeted(dialog: Dialog, target: str) -> Dialog:
    """The dialog after a target refresh (section 12.2.2); a target that is no URI: WireError."""
    if not target.isprintable():
        raise WireError(f"control characters in {excerpt(target)}")
    parse_uri(target)
    return replace(dialog, target=target)


class OwnSide:
    """What all requests of one call share. `getrandbits` makes branches, tag and Call-ID."""

    def __init__(
        self,
        uri: str,
        transport: SipTransport,
        local: Endpoint,
        getrandbits: Callable[[int], int],
        *,
        username: str | None = None,
    ) -> None:
        host = f"[{local.address}]" if ":" in local.address else local.address
        self.uri = uri
        self.sent_by = str(local)
        self.tag = f"{getrandbits(64):016x}"
        self.call_id = f"{getrandbits(128):032x}"
        self.reliable = transport != "udp"
        asked = parse_uri(uri)
        self.to = f"<{asked.scheme}:{asked.user + '@' if asked.user else ''}{_host(asked.host)}>"
        self.contact = f"<sip:nethealth@{local}" + (
            f";transport={transport}>" if self.reliable else ">"
        )
        sender = f"sip:nethealth@{host}"
        if username is not None:  # servers hold a login to the caller who is named
            sender = f"{asked.scheme}:{escaped_user(username)}@{_host(asked.host)}"
        self._from = f"<{sender}>;tag={self.tag}"
        self._via = f"SIP/2.0/{transport.upper()} {local}"
        self._getrandbits = getrandbits

    def branch(self) -> str:
        """A name for a new transaction."""
        return f"{BRANCH_COOKIE}{self._getrandbits(128):032x}"

    def request(
        self,
        method: str,
        number: int,
        branch: str,
        dialog: Dialog | None = None,
        *,
        more: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> bytes:
        """A request within `dialog`, or to the one who is called."""
        uri, routes = dialog.addressing if dialog else (self.uri, ())
        return encode_request(
            method,
            uri,
            (
                ("Via", f"{self._via};branch={branch};rport"),
                ("Max-Forwards", "70"),
                *(("Route", route) for route in routes),
                ("From", self._from),
                ("To", dialog.to if dialog else self.to),
                ("Call-ID", self.call_id),
                ("CSeq", f"{number} {method}"),
                *more,
                ("User-Agent", f"nethealth/{__version__}"),
                ("Content-Length", str(len(body))),
            ),
            body,
        )

    def response(
        self,
        request: SipRequest,
        status_code: int,
        reason_phrase: str,
        *,
        more: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> bytes:
        """Our answer to a request of the far end (section 8.2.6.2)."""
        names = {"via": "Via", "from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}
        copied = [(names[name], value) for name, value in request.headers if name in names]
        for _, value in copied:
            if not value.isprintable():
                raise WireError(f"control characters in {excerpt(value)}")
        return encode_response(
            status_code,
            reason_phrase,
            (
                *copied,
                ("Contact", self.contact),
                ("Allow", ALLOW),
                *more,
                ("Content-Length", str(len(body))),
            ),
            body,
        )


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
