"""Session descriptions: the standard's own example, what peers really send, and what breaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire.errors import WireError
from nethealth.wire.sdp import Media, Session, encode_sdp, parse_sdp

# RFC 8866 section 5, the example description, for IPv4 addresses as in RFC 4566 section 5
EXAMPLE = b"""v=0
o=jdoe 2890844526 2890842807 IN IP4 10.47.16.5
s=SDP Seminar
i=A Seminar on the session description protocol
u=http://www.example.com/seminars/sdp.pdf
e=j.doe@example.com (Jane Doe)
c=IN IP4 224.2.17.12/127
t=2873397496 2873404696
a=recvonly
m=audio 49170 RTP/AVP 0
m=video 51372 RTP/AVP 99
a=rtpmap:99 h263-1998/90000
"""


def test_the_example_of_the_standard() -> None:
    session = parse_sdp(EXAMPLE)
    audio = session.audio
    assert audio == Media("audio", 49170, "RTP/AVP", ("0",))
    assert session.address_of(audio) == "224.2.17.12"
    assert session.direction_of(audio) == "recvonly"
    assert session.origin == "jdoe 2890844526 2890842807 IN IP4 10.47.16.5"
    assert session.media[1].codecs == ((99, "H263-1998", 90000),)
    assert parse_sdp(EXAMPLE.replace(b"\n", b"\r\n")) == session


def test_what_stands_by_the_media_wins() -> None:
    session = parse_sdp(
        b"v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\n"
        b"m=audio 4000/2 rtp/avp 8 101\r\nc=IN IP6 2001:DB8:0::2\r\na=rtpmap:8 PCMA/8000/1\r\n"
        b"a=sendonly\r\na=ptime:20\r\na=rtcp:4010 IN IP6 2001:db8::3\r\nx=unknown\r\n"
    )
    audio = session.audio
    assert audio is not None
    assert session.address_of(audio) == "2001:db8::2"
    assert session.direction_of(audio) == "sendonly"
    assert (audio.protocol, audio.formats, audio.ptime_ms) == ("RTP/AVP", ("8", "101"), 20)
    assert audio.codecs == ((8, "PCMA", 8000),)
    assert audio.rtcp_port == 4010


@pytest.mark.parametrize(
    ("attributes", "port"), [("", 4001), ("a=rtcp:4500\n", 4500), ("a=rtcp-mux\na=rtcp:7\n", 4000)]
)
def test_where_rtcp_goes(attributes: str, port: int) -> None:
    audio = parse_sdp(f"v=0\nm=audio 4000 RTP/AVP 0\n{attributes}".encode()).audio
    assert audio is not None
    assert audio.rtcp_port == port


def test_media_that_is_refused_is_none() -> None:
    assert parse_sdp(b"v=0\nm=audio 0 RTP/AVP 0\n").audio is None
    assert parse_sdp(b"v=0\nm=video 9 RTP/AVP 0\n").audio is None


@pytest.mark.parametrize(
    "body",
    [
        b"", b"v=1\n", b"v=0\nm=audio\n", b"v=0\nm=audio 70000 RTP/AVP 0\n", b"v=0\nc=IN IP4\n",
        b"v=0\nc=ATM NSAP 47\n", b"v=0\nm=audio x RTP/AVP 0\n", b"v=0\nnonsense\n",
        b"v=0\n" + b"a=x\n" * 1001, b"v=0\n" + bytes(70_000),
    ],
)  # fmt: skip
def test_what_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        parse_sdp(body)


@pytest.mark.parametrize("where", [b"", b"c=IN IP4 media.example\n", b"c=IN IP4 1.2.3\n"])
def test_an_address_that_media_cannot_go_to(where: bytes) -> None:
    session = parse_sdp(b"v=0\n" + where + b"m=audio 4000 RTP/AVP 0\n")
    assert session.audio is not None
    with pytest.raises(WireError):
        session.address_of(session.audio)


def test_what_is_written_is_read() -> None:
    media = Media(
        "audio", 4000, "RTP/AVP", ("8", "0"), None, (("rtpmap", "8 PCMA/8000"), ("sendrecv", None))
    )
    session = Session("nethealth 1 1 IN IP6 2001:db8::1", "2001:db8::1", (media,))
    assert parse_sdp(encode_sdp(session)) == session
    with pytest.raises(ValueError, match="line break"):
        encode_sdp(Session("a\r\nm=audio 1 RTP/AVP 0", None, ()))


@given(st.binary(max_size=300))
def test_any_octets_parse_or_are_refused(body: bytes) -> None:
    for octets in (body, b"v=0\n" + body, b"v=0\nm=audio 1 RTP/AVP 0\na=" + body):
        try:
            session = parse_sdp(octets)
        except WireError:
            continue
        for media in session.media:
            session.direction_of(media)
            assert isinstance(media.codecs, tuple)
            for name in ("ptime_ms", "rtcp_port"):
                try:
                    getattr(media, name)
                except WireError:
                    continue
