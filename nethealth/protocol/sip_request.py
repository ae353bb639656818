"""Requests outside of any dialog, each with names of its own (RFC 3261 section 8.1.1)."""

from collections.abc import Callable, Sequence

from nethealth import __version__
from nethealth.model.check import SipTransport
from nethealth.model.endpoint import Endpoint
from nethealth.protocol.sip_transaction import TIMER_F_S, ClientTransaction
from nethealth.wire.errors import WireError
from nethealth.wire.sip import CSeq, encode_request
from nethealth.wire.sip_uri import SipUri, parse_uri

BRANCH_COOKIE = "z9hG4bK"  # section 8.1.1.7
MAX_FORWARDS = 70  # section 8.1.1.6

Headers = Sequence[tuple[str, str]]


class Requests:
    """Requests of one method to one `uri` by one way, with `local` as the address to answer to.

    From is `from_uri`, To is `to_uri`; every one of them has `headers`. `getrandbits` is
    `random.Random.getrandbits` or the like: it makes branch, tag and Call-ID. The octets that never
    change are made once.
    """

    def __init__(
        self,
        method: str,
        uri: str,
        transport: SipTransport,
        local: Endpoint,
        getrandbits: Callable[[int], int],
        *,
        from_uri: str,
        to_uri: str,
        headers: Headers = (),
    ) -> None:
        request = encode_request(
            method,
            uri,
            (
                # rport asks for the answer to come back the way the request went (RFC 3581)
                ("Via", f"SIP/2.0/{transport.upper()} {local};branch={BRANCH_COOKIE}\0;rport"),
                ("Max-Forwards", "\0"),
                ("From", f"<{from_uri}>;tag=\0"),
                ("To", f"<{to_uri}>"),
                ("Call-ID", "\0"),
                ("CSeq", f"\0 {method}"),
                *headers,
                ("User-Agent", f"nethealth/{__version__}\0"),
                ("Content-Length", "0"),
            ),
        )
        self._parts = request.decode().split("\0")
        if len(self._parts) != 7:
            raise ValueError(f"NUL in {uri!a}")
        self._method = method
        self._getrandbits = getrandbits
        self._sent_by = str(local)
        self._reliable = transport != "udp"
        self._cseq = self._first = CSeq(1, method)
        self._tag = self._call_id = ""

    def transaction(
        self, timeout_s: float = TIMER_F_S, *, max_forwards: int = MAX_FORWARDS, more: Headers = ()
    ) -> ClientTransaction:
        """A new request, with names of its own."""
        names = self._getrandbits(320).to_bytes(40).hex()
        self._tag, self._call_id, self._cseq = names[32:48], names[48:], self._first
        return self._next(names[:32], timeout_s, max_forwards, more)

    def again(
        self, timeout_s: float = TIMER_F_S, *, max_forwards: int = MAX_FORWARDS, more: Headers = ()
    ) -> ClientTransaction:
        """The last request once more, changed: same Call-ID and From, the next CSeq (22.2)."""
        self._cseq = CSeq(self._cseq.number + 1, self._method)
        branch = self._getrandbits(128).to_bytes(16).hex()
        return self._next(branch, timeout_s, max_forwards, more)

    def _next(
        self, branch: str, timeout_s: float, max_forwards: int, more: Headers
    ) -> ClientTransaction:
        lines = "".join([f"\r\n{name}: {value}" for name, value in more])
        if more and lines.count("\n") + lines.count("\r") != 2 * len(more):
            raise ValueError("line break in a header")
        start, forwards, tag, call_id, cseq, end, rest = self._parts
        request = (
            f"{start}{branch}{forwards}{max_forwards}{tag}{self._tag}"
            f"{call_id}{self._call_id}{cseq}{self._cseq.number}{end}{lines}{rest}"
        )
        return ClientTransaction(
            request.encode(),
            branch=BRANCH_COOKIE + branch,
            sent_by=self._sent_by,
            cseq=self._cseq,
            reliable=self._reliable,
            timeout_s=timeout_s,
        )


def bare(uri: str) -> str:
    """`uri` without port and parameters, which To may not carry (section 19.1.1, table 1)."""
    try:
        asked = parse_uri(uri)
    except WireError:
        return uri  # a scheme of its own
    return str(SipUri(asked.scheme, asked.host, asked.user))


def contact_uri(
    user: str, local: Endpoint, transport: SipTransport, *, secure: bool = False
) -> str:
    """Where `user` is reached at `local`; SIPS if what was asked for is (section 8.1.1.8)."""
    if secure:
        return f"sips:{user}@{local}"
    return f"sip:{user}@{local}" + ("" if transport == "udp" else f";transport={transport}")
