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


def options_transaction(
    uri: str,
    transport: SipTransport,
    local: Endpoint,
    getrandbits: Callable[[int], int],
    timeout_s: float = TIMER_F_S,
) -> ClientTransaction:
    """A transaction that asks `uri`, with `local` as the address to answer to.

    `getrandbits` is `random.Random.getrandbits` or the like: it makes branch, tag and Call-ID.
    """
    branch = f"{BRANCH_COOKIE}{getrandbits(128):032x}"
    host = f"[{local.address}]" if ":" in local.address else local.address
    contact = f"sip:nethealth@{local}"
    if transport != "udp":
        contact += f";transport={transport}"
    request = encode_request(
        _CSEQ.method,
        uri,
        (
            # rport asks for the answer to come back the way the request went (RFC 3581)
            ("Via", f"SIP/2.0/{transport.upper()} {local};branch={branch};rport"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:nethealth@{host}>;tag={getrandbits(64):016x}"),
            ("To", f"<{_to(uri)}>"),
            ("Call-ID", f"{getrandbits(128):032x}"),
            ("CSeq", f"{_CSEQ.number} {_CSEQ.method}"),
            ("Contact", f"<{contact}>"),
            ("Accept", "application/sdp"),
            ("User-Agent", f"nethealth/{__version__}"),
            ("Content-Length", "0"),
        ),
    )
    return ClientTransaction(
        request,
        branch=branch,
        sent_by=str(local),
        cseq=_CSEQ,
        reliable=transport != "udp",
        timeout_s=timeout_s,
    )


def _to(uri: str) -> str:
    """`uri` without port and parameters, which To may not carry (section 19.1.1, table 1)."""
    try:
        asked = parse_uri(uri)
    except WireError:
        return uri  # a scheme of its own
    return str(SipUri(asked.scheme, asked.host, asked.user))
