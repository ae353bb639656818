"""What a vantage and the witness of its reflector say to each other (docs/adr/0006).

On a TCP connection to the control port each line is one JSON object, at most LINE_MAX octets long:
a vantage opens with Hello and may send Speak; the witness answers Welcome and then tells what has
arrived, was bound, spoken or refused. By UDP a vantage sends an Opening, padded, and the witness
Spoken words, which are much shorter. Octets travel in base64, so that nothing on the way back
mends what something on the way there has changed.
"""

import base64
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal

from nethealth.wire.errors import WireError
from nethealth.wire.sip_grammar import excerpt

CONTROL_PORT = 8630  # by default; the second port is the next one
VERSION = 1
SECRET_OCTETS = 16  # of tokens and nonces
OCTETS_MAX = 4096  # told of one request
LINE_MAX = 8192
ASKED_MAX = 512  # of a line that a vantage sends
OPENING_OCTETS = 256  # of an Opening: credit for ten words of the witness
SPOKEN_OCTETS = 24

BUSY = "too fast, or no room"  # the reason of a refusal that spoils all that was measured

Place = Literal["same", "port", "address"]
_OPENING = struct.Struct(">4s16s16sH")
_WORD = struct.Struct(">4s16sHH")
_OPENING_MAGIC, _WORD_MAGIC = b"NHO1", b"NHS1"


@dataclass(frozen=True, slots=True)
class Hello:
    """Asks for a session; the nonce comes back in Welcome."""

    nonce: bytes


@dataclass(frozen=True, slots=True)
class Speak:
    """Asks for one word to the source of a binding, after so long, from one of three places.

    `same` is where the Opening came to, `port` the second port of that address, `address` the
    control port of the reflector's other address.
    """

    binding: int
    serial: int
    after_s: float
    place: Place = "same"


@dataclass(frozen=True, slots=True)
class Welcome:
    """The session's token, the source that the witness sees, and where it listens."""

    nonce: bytes
    token: bytes
    source: str
    source_port: int
    sip_port: int | None  # null: it does not listen for SIP
    control_port: int
    second_port: int
    other_address: str | None  # of the same IP version
    speak_most_s: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as it arrived, octet for octet; `cut` if it was longer than OCTETS_MAX."""

    transport: Literal["udp", "tcp"]
    port: int
    source: str
    source_port: int
    octets: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """An Opening has arrived from this source at this address and port of the witness."""

    binding: int
    address: str
    port: int
    source: str
    source_port: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word has been sent to the source of a binding."""

    binding: int
    serial: int


@dataclass(frozen=True, slots=True)
class Refused:
    """What was asked will not be done."""

    reason: str


Asked = Hello | Speak
Told = Welcome | Arrival | Bound | Spoken | Refused


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens, or shows again, a binding of a session."""

    token: bytes
    nonce: bytes
    binding: int

    def build(self) -> bytes:
        packed = _OPENING.pack(_OPENING_MAGIC, self.token, self.nonce, self.binding)
        return packed.ljust(OPENING_OCTETS, b"\0")

    @classmethod
    def parse(cls, data: bytes) -> "Opening":
        """Read one; what is shorter, or no Opening, is a WireError."""
        if len(data) < OPENING_OCTETS or not data.startswith(_OPENING_MAGIC):
            raise WireError(f"no opening of a binding: {len(data)} octets")
        _, token, nonce, binding = _OPENING.unpack_from(data)
        return cls(token, nonce, binding)


@dataclass(frozen=True, slots=True)
class Word:
    """What the witness speaks to a binding; the nonce is that of its Opening."""

    nonce: bytes
    binding: int
    serial: int

    def build(self) -> bytes:
        return _WORD.pack(_WORD_MAGIC, self.nonce, self.binding, self.serial)

    @classmethod
    def parse(cls, data: bytes) -> "Word":
        """Read one; anything else is a WireError."""
        if len(data) != SPOKEN_OCTETS or not data.startswith(_WORD_MAGIC):
            raise WireError(f"no word of the witness: {len(data)} octets")
        _, nonce, binding, serial = _WORD.unpack(data)
        return cls(nonce, binding, serial)


def build_line(message: Asked | Told) -> bytes:
    """One line, its end included."""
    match message:
        case Hello(nonce):
            fields: dict[str, Any] = {"hello": VERSION, "nonce": nonce.hex()}
        case Speak(binding, serial, after_s, place):
            fields = {"speak": binding, "serial": serial, "after_s": after_s, "place": place}
        case Welcome():
            fields = {
                "welcome": VERSION,
                "nonce": message.nonce.hex(),
                "token": message.token.hex(),
                "source": message.source,
                "source_port": message.source_port,
                "sip_port": message.sip_port,
                "control_port": message.control_port,
                "second_port": message.second_port,
                "other_address": message.other_address,
                "speak_most_s": message.speak_most_s,
            }
        case Arrival():
            fields = {
                "arrived": message.transport,
                "port": message.port,
                "source": message.source,
                "source_port": message.source_port,
                "octets": base64.b64encode(message.octets).decode(),
                "cut": message.cut,
            }
        case Bound(binding, address, port, source, source_port):
            fields = {
                "bound": binding,
                "address": address,
                "port": port,
                "source": source,
                "source_port": source_port,
            }
        case Spoken(binding, serial):
            fields = {"spoken": binding, "serial": serial}
        case Refused(reason):
            fields = {"refused": reason}
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def parse_asked(line: bytes) -> Asked:
    """Read what a vantage sent, without the end of the line; anything else is a WireError."""
    fields = _object(line, ASKED_MAX)
    if "hello" in fields:
        _version(fields, "hello")
        return Hello(_secret(fields, "nonce"))
    if "speak" in fields:
        after_s = fields.get("after_s")
        if isinstance(after_s, bool) or not isinstance(after_s, int | float):
            raise WireError("after_s is no number")
        if not 0 <= after_s < 1e6:
            raise WireError(f"after_s is {after_s}")
        return Speak(
            _number(fields, "speak"), _number(fields, "serial"), float(after_s), _place(fields)
        )
    raise WireError(f"neither hello nor speak: {_shown(line)}")


def parse_told(line: bytes) -> Told:
    """Read what a witness sent, without the end of the line; anything else is a WireError."""
    fields = _object(line, LINE_MAX)
    if "welcome" in fields:
        return _welcome(fields)
    if "arrived" in fields:
        return _arrival(fields)
    if "bound" in fields:
        return Bound(
            _number(fields, "bound"),
            _address(fields, "address"),
            _port(fields, "port"),
            _address(fields, "source"),
            _port(fields, "source_port"),
        )
    if "spoken" in fields:
        return Spoken(_number(fields, "spoken"), _number(fields, "serial"))
    if isinstance(fields.get("refused"), str):
        return Refused(BUSY if fields["refused"] == BUSY else excerpt(fields["refused"]))
    raise WireError(f"no line of a witness: {_shown(line)}")


def _welcome(fields: Mapping[str, Any]) -> Welcome:
    _version(fields, "welcome")
    most_s = fields.get("speak_most_s")
    if isinstance(most_s, bool) or not isinstance(most_s, int | float) or not 0 < most_s < 1e6:
        raise WireError("speak_most_s is no duration")
    return Welcome(
        _secret(fields, "nonce"),
        _secret(fields, "token"),
        _address(fields, "source"),
        _port(fields, "source_port"),
        None if fields.get("sip_port") is None else _port(fields, "sip_port"),
        _port(fields, "control_port"),
        _port(fields, "second_port"),
        None if fields.get("other_address") is None else _address(fields, "other_address"),
        float(most_s),
    )


def _arrival(fields: Mapping[str, Any]) -> Arrival:
    transport, text, cut = fields["arrived"], fields.get("octets"), fields.get("cut")
    if transport not in ("udp", "tcp"):
        raise WireError("arrived by neither udp nor tcp")
    if not isinstance(text, str) or not isinstance(cut, bool):
        raise WireError("an arrival without octets")
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError:
        raise WireError("octets that are not base64") from None
    if len(octets) > OCTETS_MAX:
        raise WireError(f"{len(octets)} octets in an arrival; at most {OCTETS_MAX}")
    return Arrival(
        "udp" if transport == "udp" else "tcp",
        _port(fields, "port"),
        _address(fields, "source"),
        _port(fields, "source_port"),
        octets,
        cut,
    )


def _object(line: bytes, most: int) -> Mapping[str, Any]:
    if len(line) > most:
        raise WireError(f"line of {len(line)} octets; at most {most}")
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise WireError(f"not JSON: {_shown(line)}") from None
    if not isinstance(fields, dict):
        raise WireError(f"no JSON object: {_shown(line)}")
    return fields


def _shown(line: bytes) -> str:
    return excerpt(line.decode("latin-1"))


def _version(fields: Mapping[str, Any], key: str) -> None:
    if fields[key] != VERSION or isinstance(fields[key], bool):
        raise WireError(f"{key} of another version than {VERSION}")


def _secret(fields: Mapping[str, Any], key: str) -> bytes:
    text = fields.get(key)
    if not isinstance(text, str) or len(text) != 2 * SECRET_OCTETS:
        raise WireError(f"{key} is no {SECRET_OCTETS} octets in hexadecimal")
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        raise WireError(f"{key} is not hexadecimal") from None
    if len(secret) != SECRET_OCTETS:
        raise WireError(f"{key} is no {SECRET_OCTETS} octets in hexadecimal")
    return secret


def _number(fields: Mapping[str, Any], key: str, least: int = 0) -> int:
    value = fields.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 0xFFFF:
        raise WireError(f"{key} is no number from {least} to 65535")
    return value


def _port(fields: Mapping[str, Any], key: str) -> int:
    return _number(fields, key, 1)


def _address(fields: Mapping[str, Any], key: str) -> str:
    text = fields.get(key)
    try:
        if isinstance(text, str):
            return str(ip_address(text.partition("%")[0]))
    except ValueError:
        pass
    raise WireError(f"{key} is no numeric address")


def _place(fields: Mapping[str, Any]) -> Place:
    match fields.get("place"):
        case "same":
            return "same"
        case "port":
            return "port"
        case "address":
            return "address"
    raise WireError("place is none of same, port, address")
