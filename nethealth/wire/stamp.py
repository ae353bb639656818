"""STAMP test packets, unauthenticated (RFC 8762 section 4), with the TLVs of RFC 8972 section 4.

A reflected packet of 41 to 43 octets is a TWAMP-Light reflector's (RFC 5357 section 4.2.1), which
ends with the hop limit. What follows the base packet is kept whatever it holds: of what cannot be
a TLV, as the padding of TWAMP, the octets stand in `rest`.
"""

import struct
from dataclasses import dataclass
from math import ceil, isfinite

from nethealth.wire.errors import WireError

PORT = 862
BASE_OCTETS = 44
REFLECTED_OCTETS_MIN = 41
TLV_HEADER_OCTETS = 4
TLVS_MAX = 16  # read in one packet; what follows is left as it is

EXTRA_PADDING = 1
TIMESTAMP_INFORMATION = 3
CLASS_OF_SERVICE = 4

UNRECOGNISED = 0x80
MALFORMED = 0x40
INTEGRITY_FAILED = 0x20

_SENDER = struct.Struct(">IQHH")
_REFLECTED = struct.Struct(">IQHHQIQH2xB")
_TLV = struct.Struct(">BBH")
_STAMP_AT = 4  # of the own time stamp in either packet

_UNIX_IN_NTP_S = 2_208_988_800  # RFC 5905 section 6: the prime epoch is 1900
_NANOSECONDS = 1_000_000_000
_ERA_S = 1 << 32
_SCALE_MAX, _MULTIPLIER_MAX = 63, 255


@dataclass(frozen=True, slots=True)
class ErrorEstimate:
    """What a clock says of itself (RFC 4656 section 4.1.2, RFC 8186 section 2.3)."""

    synchronised: bool  # S: to UTC, by an external source
    ptp: bool  # Z: the time stamps are PTPv2's truncated ones, not NTP's
    scale: int
    multiplier: int

    @property
    def error_s(self) -> float | None:
        """The bound in seconds; None for the multiplier 0, which says nothing."""
        return self.multiplier * 2.0 ** (self.scale - 32) if self.multiplier else None

    @classmethod
    def of(cls, error_s: float, *, synchronised: bool) -> "ErrorEstimate":
        """The least estimate that is not below `error_s`; ValueError for what is no duration."""
        if not (isfinite(error_s) and error_s >= 0):
            raise ValueError(f"an error of {error_s} s")
        for scale in range(_SCALE_MAX - 7):
            multiplier = max(1, ceil(error_s * 2.0 ** (32 - scale)))
            if multiplier <= _MULTIPLIER_MAX:
                # One error has several forms; the one with the smallest multiplier is taken.
                twos = (multiplier & -multiplier).bit_length() - 1
                return cls(synchronised, False, scale + twos, multiplier >> twos)
        return cls(synchronised, False, _SCALE_MAX, _MULTIPLIER_MAX)

    @classmethod
    def parse(cls, field: int) -> "ErrorEstimate":
        """Read the 16 bits."""
        return cls(bool(field & 0x8000), bool(field & 0x4000), field >> 8 & 0x3F, field & 0xFF)

    def field(self) -> int:
        """The 16 bits."""
        return self.synchronised << 15 | self.ptp << 14 | self.scale << 8 | self.multiplier


def ntp_of_unix_ns(unix_ns: int) -> int:
    """The 64-bit NTP time stamp, to the nearest 2**-32 s, of nanoseconds since 1970."""
    seconds, nanoseconds = divmod(unix_ns, _NANOSECONDS)
    fraction = ((nanoseconds << 32) + _NANOSECONDS // 2) // _NANOSECONDS
    return ((((seconds + _UNIX_IN_NTP_S) % _ERA_S) << 32) + fraction) % (1 << 64)


def nanoseconds(timestamp: int, error_estimate: ErrorEstimate) -> int:
    """A time stamp in nanoseconds since 1970: of UTC, or of TAI where it is PTP's.

    NTP's seconds start again in 2036: those below half of their range are of the era after that.
    """
    seconds, fraction = timestamp >> 32, timestamp & 0xFFFFFFFF
    if error_estimate.ptp:
        return seconds * _NANOSECONDS + fraction
    era = 0 if seconds >= _ERA_S // 2 else _ERA_S
    rounded = (fraction * _NANOSECONDS + (1 << 31)) >> 32
    return (seconds + era - _UNIX_IN_NTP_S) * _NANOSECONDS + rounded


@dataclass(frozen=True, slots=True)
class Tlv:
    """One TLV; a sender sets the flag U, and the reflector that knows the type clears it."""

    type: int
    value: bytes
    flags: int = UNRECOGNISED

    @property
    def usable(self) -> bool:
        """Whether the reflector understood it and found nothing wrong with it."""
        return not self.flags & (UNRECOGNISED | MALFORMED | INTEGRITY_FAILED)

    def build(self) -> bytes:
        return _TLV.pack(self.flags, self.type, len(self.value)) + self.value


@dataclass(frozen=True, slots=True)
class ClassOfService:
    """The value of the Class of Service TLV (RFC 8972 section 4.4)."""

    dscp1: int  # what the answer is to bear
    dscp2: int = 0  # what the reflector received
    ecn: int = 0  # likewise
    rp: int = 0  # not 0: the reflector was not allowed to use dscp1

    @classmethod
    def parse(cls, value: bytes) -> "ClassOfService":
        """Read it; WireError if it is not four octets."""
        if len(value) != 4:
            raise WireError(f"a class of service of {len(value)} octets in place of 4")
        bits = int.from_bytes(value[:2], "big")
        return cls(bits >> 10, bits >> 4 & 0x3F, bits >> 2 & 3, bits & 3)

    def build(self) -> bytes:
        bits = self.dscp1 << 10 | self.dscp2 << 4 | self.ecn << 2 | self.rp
        return bits.to_bytes(2, "big") + b"\0\0"


@dataclass(frozen=True, slots=True)
class TimestampInformation:
    """The value of the Timestamp Information TLV (RFC 8972 section 4.3), each a code of its lists.

    `…_in` speaks of the receive time stamp, `…_out` of the transmit one.
    """

    sync_source_in: int = 0
    timestamp_in: int = 0
    sync_source_out: int = 0
    timestamp_out: int = 0

    @classmethod
    def parse(cls, value: bytes) -> "TimestampInformation":
        """Read it; WireError if it is not four octets."""
        if len(value) != 4:
            raise WireError(f"timestamp information of {len(value)} octets in place of 4")
        return cls(*value)

    def build(self) -> bytes:
        return bytes(
            (self.sync_source_in, self.timestamp_in, self.sync_source_out, self.timestamp_out)
        )


@dataclass(frozen=True, slots=True)
class SenderPacket:
    """What a Session-Sender sends; `timestamp` as it stands in the packet (see `nanoseconds`)."""

    sequence_number: int
    timestamp: int
    error_estimate: ErrorEstimate
    ssid: int = 0  # 0 for a sender of RFC 8762 alone
    tlvs: tuple[Tlv, ...] = ()
    rest: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> "SenderPacket":
        """Read a packet; WireError for one that is too short."""
        if len(data) < BASE_OCTETS:
            raise WireError(f"{len(data)} octets; a sender's packet has {BASE_OCTETS} or more")
        sequence_number, timestamp, error, ssid = _SENDER.unpack_from(data)
        tlvs, rest = parse_tlvs(data[BASE_OCTETS:])
        return cls(sequence_number, timestamp, ErrorEstimate.parse(error), ssid, tlvs, rest)

    def build(self) -> bytes:
        head = _SENDER.pack(
            self.sequence_number, self.timestamp, self.error_estimate.field(), self.ssid
        )
        tail = b"".join(tlv.build() for tlv in self.tlvs)
        return head.ljust(BASE_OCTETS, b"\0") + tail + self.rest


@dataclass(frozen=True, slots=True)
class ReflectedPacket:
    """What a Session-Reflector answers; the fields `sender_…` are copies of what it received."""

    sequence_number: int
    timestamp: int
    error_estimate: ErrorEstimate
    ssid: int
    receive_timestamp: int
    sender_sequence_number: int
    sender_timestamp: int
    sender_error_estimate: ErrorEstimate
    sender_ttl: int
    tlvs: tuple[Tlv, ...] = ()
    rest: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> "ReflectedPacket":
        """Read an answer, TWAMP-Light's included; WireError for one that is too short."""
        if len(data) < REFLECTED_OCTETS_MIN:
            raise WireError(f"{len(data)} octets; an answer has {REFLECTED_OCTETS_MIN} or more")
        number, sent, error, ssid, received, number1, sent1, error1, ttl = _REFLECTED.unpack_from(
            data
        )
        tlvs, rest = parse_tlvs(data[BASE_OCTETS:])
        return cls(
            number, sent, ErrorEstimate.parse(error), ssid, received,
            number1, sent1, ErrorEstimate.parse(error1), ttl, tlvs, rest,
        )  # fmt: skip

    def tlv(self, wanted: int) -> Tlv | None:
        """The first TLV of that type which the reflector understood."""
        return next((tlv for tlv in self.tlvs if tlv.type == wanted and tlv.usable), None)

    def build(self) -> bytes:
        head = _REFLECTED.pack(
            self.sequence_number, self.timestamp, self.error_estimate.field(), self.ssid,
            self.receive_timestamp, self.sender_sequence_number, self.sender_timestamp,
            self.sender_error_estimate.field(), self.sender_ttl,
        )  # fmt: skip
        tail = b"".join(tlv.build() for tlv in self.tlvs)
        return head.ljust(BASE_OCTETS, b"\0") + tail + self.rest


def parse_tlvs(data: bytes) -> tuple[tuple[Tlv, ...], bytes]:
    """The TLVs, at most TLVS_MAX, and the octets from the first that cannot be one."""
    tlvs: list[Tlv] = []
    at = 0
    while len(data) - at >= TLV_HEADER_OCTETS and len(tlvs) < TLVS_MAX:
        flags, kind, length = _TLV.unpack_from(data, at)
        end = at + TLV_HEADER_OCTETS + length
        if end > len(data):
            break
        tlvs.append(Tlv(kind, data[at + TLV_HEADER_OCTETS : end], flags))
        at = end
    return tuple(tlvs), data[at:]


def stamped(packet: bytearray, timestamp: int) -> None:
    """Write the packet's own time stamp, which is taken last of all."""
    packet[_STAMP_AT : _STAMP_AT + 8] = timestamp.to_bytes(8, "big")
