"""What a call sounds of: the codecs that are offered, the offer, and what an answer makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nethealth.model.check import CallCodec
from nethealth.model.endpoint import Endpoint
from nethealth.protocol.call_target import unfit_media
from nethealth.wire.errors import WireError
from nethealth.wire.sdp import Attribute, Media, Session, encode_sdp, parse_sdp

PTIME_S = 0.020
CLOCK_HZ = 8000  # of RTP, for all four; G.722 samples twice as fast (RFC 3551 section 4.5.2)
TIMESTAMPS_PER_PACKET = 160
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
_TURNED: Mapping[str, Direction] = {"sendonly": "recvonly", "recvonly": "sendonly",
                                    "inactive": "inactive"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CodecFormat:
    """One codec by RFC 3551; `frame` is repeated to fill 20 ms."""

    payload_type: int
    name: str
    scored_as: str  # its row in `nethealth.quality.codecs`
    frame: bytes
    repeats: int

    @property
    def payload(self) -> bytes:
        """The 20 ms that are sent over and over."""
        return self.frame * self.repeats


# G.711 tables 5 and 6: the eight octets of 1000 Hz at 0 dBm0. The other two codecs are sent
# octets of one value, which any decoder takes in; nobody is meant to listen to them.
FORMATS: Mapping[CallCodec, CodecFormat] = {
    "PCMA": CodecFormat(8, "PCMA", "G.711+PLC", bytes.fromhex("34212134b4a1a1b4"), 20),
    "PCMU": CodecFormat(0, "PCMU", "G.711+PLC", bytes.fromhex("1e0b0b1e9e8b8b9e"), 20),
    "G722": CodecFormat(9, "G722", "G.722", b"\xfa", 160),
    "G729": CodecFormat(18, "G729", "G.729", bytes(10), 2),
}


@dataclass(frozen=True, slots=True)
class AgreedMedia:
    """Where our packets go and in which codec; `direction` as we see it."""

    remote: Endpoint
    rtcp: Endpoint
    codec: CodecFormat
    direction: Direction

    @property
    def sends(self) -> bool:
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        return self.direction in ("sendrecv", "recvonly")


def offer(local: Endpoint, rtcp_port: int, codecs: Sequence[CallCodec], session: int) -> bytes:
    """The description of one audio stream at `local`, with `codecs` in the order of our choice."""
    return _description(local, rtcp_port, [FORMATS[codec] for codec in codecs], session, 1)


def agreed(body: bytes, codecs: Sequence[CallCodec], peer: str, own: str) -> AgreedMedia:
    """What an answer to our offer says; a WireError where no call can be held by it.

    `peer` is the address that was asked, `own` ours: they bound where media may go.
    """
    session = parse_sdp(body)
    media = _audio(session)
    remote, rtcp = _destination(session, media, peer, own)
    direction = _TURNED.get(session.direction_of(media), "sendrecv")
    return AgreedMedia(remote, rtcp, _chosen(media, codecs), direction)


def answer(
    body: bytes,
    local: Endpoint,
    rtcp_port: int,
    session: int,
    version: int,
    current: CodecFormat,
    peer: str,
) -> tuple[bytes, AgreedMedia]:
    """Our answer to an offer made within the call, and what it makes of the media.

    The codec in use must be among those offered; a WireError where it is not.
    """
    offered = parse_sdp(body)
    media = _audio(offered)
    if str(current.payload_type) not in media.formats:
        raise WireError(f"SDP: {current.name} is not offered any more")
    direction = _TURNED.get(offered.direction_of(media), "sendrecv")
    remote, rtcp = _destination(offered, media, peer, local.address)
    described = _description(local, rtcp_port, [current], session, version, direction)
    return described, AgreedMedia(remote, rtcp, current, direction)


def _destination(session: Session, media: Media, peer: str, own: str) -> tuple[Endpoint, Endpoint]:
    """Where RTP and RTCP go, if they may go there."""
    remote = Endpoint(session.address_of(media), media.port)
    rtcp = Endpoint(remote.address, media.rtcp_port)
    unfit = unfit_media(remote, rtcp, peer, own)
    if unfit is not None:
        raise WireError(f"SDP: {unfit}, so nothing is sent there")
    return remote, rtcp


def _audio(session: Session) -> Media:
    media = session.audio
    if media is None:
        raise WireError("SDP: no audio")
    if media.protocol not in ("RTP/AVP", "RTP/AVPF"):
        raise WireError(f"SDP: audio by {media.protocol[:40]!a} and not by RTP/AVP")
    if session.address_of(media) in ("0.0.0.0", "::"):
        raise WireError("SDP: audio goes to no address")
    return media


def _chosen(media: Media, codecs: Sequence[CallCodec]) -> CodecFormat:
    """The first format of the answer that we offered; the others are for the far end to send."""
    ours = {str(FORMATS[codec].payload_type): FORMATS[codec] for codec in codecs}
    for chosen in media.formats:
        if chosen in ours:
            return ours[chosen]
    raise WireError("SDP: none of the codecs that were offered")


def _description(
    local: Endpoint,
    rtcp_port: int,
    formats: Sequence[CodecFormat],
    session: int,
    version: int,
    direction: Direction = "sendrecv",
) -> bytes:
    family = 6 if ":" in local.address else 4
    attributes: list[Attribute] = [
        ("rtpmap", f"{one.payload_type} {one.name}/{CLOCK_HZ}") for one in formats
    ]
    attributes += [("fmtp", "18 annexb=no")] if any(one.name == "G729" for one in formats) else []
    attributes += [("ptime", "20"), ("rtcp", str(rtcp_port)), (direction, None)]
    media = Media(
        kind="audio",
        port=local.port,
        protocol="RTP/AVP",
        formats=tuple(str(one.payload_type) for one in formats),
        attributes=tuple(attributes),
    )
    origin = f"nethealth {session} {version} IN IP{family} {local.address}"
    return encode_sdp(Session(origin, local.address, (media,)))
