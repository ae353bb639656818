"""What a fuzzer begins with: real messages, so that it need not invent their grammar first."""

from collections.abc import Iterator
from pathlib import Path

from nethealth.wire.rtcp import (
    ExtendedReport,
    Goodbye,
    SenderReport,
    SourceDescription,
    encode_rtcp,
)
from nethealth.wire.rtp import RtpPacket
from tests import captures
from tests.passive.sip_script import ANSWER, OFFER, Script, ordinary_call
from tests.wire.test_rtcp_xr import SUMMARY, TIMES, VOIP
from tests.wire.test_rtp import BLOCK, RECEIVER
from tests.wire.test_vq_report import EXAMPLE

FOUND = Path(__file__).parent / "found"  # inputs that once broke the rule


def seeds() -> Iterator[bytes]:
    """All of them for every codec: they are few, and a fuzzer drops what teaches it nothing."""
    yield from (b"", b"\0" * 64, b"\xff" * 64)
    script = ordinary_call(Script())
    messages = [frame[42:] for _, frame in script.frames]  # Ethernet, IPv4 and UDP are 42 octets
    yield from messages
    yield b"\0\0".join(messages)
    yield from (OFFER, ANSWER, EXAMPLE)
    yield from (
        b"sip:alice:secret@[2001:db8::1]:5060;transport=tcp;lr?subject=x",
        b'"A \\" B" <sip:a@b.example>;tag=1;expires=60',
        b"SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bK1;received=198.18.0.2;rport=5062",
        b'Digest realm="a", nonce="b", qop="auth,auth-int", algorithm=SHA-256, opaque="c"',
        b"tel:+44-20-7946-0000;phone-context=%2B44",
    )
    yield encode_rtcp([SenderReport(1, 2, 3, 4, 5, (BLOCK,)), RECEIVER])
    described = SourceDescription(((1, ((1, b"a@b"),)),))
    yield encode_rtcp([described, Goodbye((1,), b"bye")])
    yield encode_rtcp([ExtendedReport(1, (VOIP, SUMMARY, *TIMES))])
    yield RtpPacket(8, 1, 2, 3, b"x" * 160, csrc=(1,), extension=(0xBEDE, b"abcd")).encode()
    if FOUND.is_dir():
        yield from (path.read_bytes() for path in sorted(FOUND.iterdir()))
    if captures.present():
        for path in sorted((captures.folder() / "sip_messages").rglob("*")):
            if path.is_file() and path.suffix not in (".tsv", ".pcap"):
                yield path.read_bytes()
