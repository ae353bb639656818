"""Calls written as a script: who says what and when, as messages and as the frames they come in."""

from nethealth.model.endpoint import Endpoint
from nethealth.passive.sip_read import SeenMessage, read_datagram
from tests.passive.packet_frames import ethernet, ipv4, udp

ALICE, PROXY, BOB = (Endpoint(f"198.18.0.{last}", 5060) for last in (1, 2, 3))
SECOND = 1_000_000_000
START_NS = 1_700_000_000 * SECOND
OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 198.18.0.1\r\ns=-\r\nc=IN IP4 198.18.0.1\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 9 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
)
ANSWER = (
    b"v=0\r\no=- 2 2 IN IP4 198.18.0.3\r\ns=-\r\nc=IN IP4 198.18.0.3\r\nt=0 0\r\n"
    b"m=audio 50000 RTP/AVP 8\r\n"
)


class Script:
    """Messages of one Call-ID; `from_tag` is the caller's unless a call says otherwise."""

    def __init__(self, call_id: str = "call-1@198.18.0.1", from_tag: str = "a") -> None:
        self.call_id = call_id
        self.from_tag = from_tag
        self.seen: list[SeenMessage] = []
        self.frames: list[tuple[int, bytes]] = []

    def request(
        self, at_s: float, method: str, source: Endpoint = ALICE, destination: Endpoint = BOB, *,
        number: int = 1, branch: str | None = None, to_tag: str | None = None,
        from_tag: str | None = None, headers: tuple[str, ...] = (), body: bytes = b"",
        from_uri: str = "sip:alice@example.org", to_uri: str = "sip:bob@example.org",
    ) -> None:  # fmt: skip
        branch = branch or f"z9hG4bK{method.lower()}{number}"
        lines = [
            f"{method} sip:bob@example.org SIP/2.0",
            *self._common(method, source, number, branch, from_tag, to_tag, from_uri, to_uri),
            *headers,
        ]
        self._add(at_s, source, destination, lines, body)

    def response(
        self, at_s: float, code: int, of: str = "INVITE", source: Endpoint = BOB,
        destination: Endpoint = ALICE, *, number: int = 1, branch: str | None = None,
        to_tag: str | None = "b", from_tag: str | None = None, headers: tuple[str, ...] = (),
        body: bytes = b"", phrase: str = "Phrase",
    ) -> None:  # fmt: skip
        branch = branch or f"z9hG4bK{of.lower()}{number}"
        uris = "sip:alice@example.org", "sip:bob@example.org"
        lines = [
            f"SIP/2.0 {code} {phrase}",
            *self._common(of, destination, number, branch, from_tag, to_tag, *uris),
            *headers,
        ]
        self._add(at_s, source, destination, lines, body)

    def _common(
        self, method: str, sent_by: Endpoint, number: int, branch: str, from_tag: str | None,
        to_tag: str | None, from_uri: str, to_uri: str,
    ) -> list[str]:  # fmt: skip
        return [
            f"Via: SIP/2.0/UDP {sent_by};branch={branch}",
            f"From: <{from_uri}>;tag={from_tag or self.from_tag}",
            f"To: <{to_uri}>" + (f";tag={to_tag}" if to_tag else ""),
            f"Call-ID: {self.call_id}",
            f"CSeq: {number} {method}",
        ]

    def _add(
        self, at_s: float, source: Endpoint, destination: Endpoint, lines: list[str], body: bytes
    ) -> None:
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        octets = "\r\n".join([*lines, "", ""]).encode() + body
        time_ns = START_NS + round(at_s * SECOND)
        message = read_datagram(octets).message
        assert message is not None
        self.seen.append(SeenMessage(time_ns, source, destination, "udp", message))
        datagram = udp(octets, source.port, destination.port)
        packet = ipv4(datagram, source=source.address, destination=destination.address)
        self.frames.append((time_ns, ethernet(packet)))


def ordinary_call(script: Script) -> Script:
    """INVITE at 0, 100 at 0.1, ringing at 0.5, answered at 2, hung up by the caller at 60."""
    script.request(0.0, "INVITE", body=OFFER)
    script.response(0.1, 100, to_tag=None)
    script.response(0.5, 180)
    script.response(2.0, 200, body=ANSWER)
    script.request(2.1, "ACK", branch="z9hG4bKack", to_tag="b")
    script.request(60.0, "BYE", number=2, to_tag="b", headers=("Reason: Q.850;cause=16",))
    script.response(60.25, 200, "BYE", number=2)
    return script
