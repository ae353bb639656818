"""OPTIONS, the question that asks a SIP server for nothing but an answer (RFC 3261 section 11)."""

from collections.abc import Callable

from nethealth import __version__
from nethealth.model.check import SipTransport
from nethealth.model.ports import Endpoint
from nethealth.protocol.sip_transaction import TIMER_F_S, ClientTransaction
from nethealth.wire.errors import WireError
from nethealth.wire.sip import CSeq, encode_request
from nethealth.wire.sip_uri import SipUri, parse_uri

BRANCH_COOKIE = "z9hG4bK"  # section 8.1.1.7
_CSEQ = CSeq(1, "OPTIONS")


class Options:
    """Questions to one `uri` by one way, with `local` as the address to answer to.

    `getrandbits` is `random.Random.getrandbits` or the like: it makes branch, tag and Call-ID.
    The octets that never change are made once.
    """

    def __init__(
        self,
        uri: str,
        transport: SipTransport,
        local: Endpoint,
        getrandbits: Callable[[int], int],
    ) -> None:
        host = f"[{local.address}]" if ":" in local.address else local.address
        contact = f"sip:nethealth@{local}"
        if transport != "udp":
            contact += f";transport={transport}"
        request = encode_request(
            _CSEQ.method,
            uri,
            (
                # rport asks for the answer to come back the way the request went (RFC 3581)
                ("Via", f"SIP/2.0/{transport.upper()} {local};branch={BRANCH_COOKIE}\0;rport"),
                ("Max-Forwards", "70"),
                ("From", f"<sip:nethealth@{host}>;tag=\0"),
                ("To", f"<{_to(uri)}>"),
                ("Call-ID", "\0"),
                ("CSeq", f"{_CSEQ.number} {_CSEQ.method}"),
                ("Contact", f"<{contact}>"),
                ("Accept", "application/sdp"),
                ("User-Agent", f"nethealth/{__version__}"),
                ("Content-Length", "0"),
            ),
        )
        self._parts = request.split(b"\0")
        if len(self._parts) != 4:
            raise ValueError(f"NUL in {uri!a}")
        self._getrandbits = getrandbits
        self._sent_by = str(local)
        self._reliable = transport != "udp"

    def transaction(self, timeout_s: float = TIMER_F_S) -> ClientTransaction:
        """A new question, with names of its own."""
        names = f"{self._getrandbits(320):080x}"
        branch, tag, call_id = names[:32], names[32:48], names[48:]
        start, to_tag, to_call_id, rest = self._parts
        return ClientTransaction(
            b"".join(
                (start, branch.encode(), to_tag, tag.encode(), to_call_id, call_id.encode(), rest)
            ),
            branch=BRANCH_COOKIE + branch,
            sent_by=self._sent_by,
            cseq=_CSEQ,
            reliable=self._reliable,
            timeout_s=timeout_s,
        )


def _to(uri: str) -> str:
    """`uri` without port and parameters, which To may not carry (section 19.1.1, table 1)."""
    try:
        asked = parse_uri(uri)
    except WireError:
        return uri  # a scheme of its own
    return str(SipUri(asked.scheme, asked.host, asked.user))
