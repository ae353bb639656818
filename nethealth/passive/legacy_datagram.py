"""Which legacy protocol a datagram speaks: by port what to look for, by its octets whether it is.

Every test is strict: lengths within a message must add up, and numbers must be ones the protocol
has. What only may be one counts as `certain=False`: it is reported if its pair proves itself.
"""

from dataclasses import dataclass

from nethealth.wire import h225, iax2, megaco, mgcp, uaudp, unistim
from nethealth.wire.errors import WireError

PORTS: dict[int, str] = {
    h225.RAS_PORT: "h225",
    h225.RAS_DISCOVERY_PORT: "h225",
    mgcp.GATEWAY_PORT: "mgcp",
    mgcp.AGENT_PORT: "mgcp",
    megaco.TEXT_PORT: "megaco",
    megaco.BINARY_PORT: "megaco",
    iax2.PORT: "iax2",
    unistim.PORT: "unistim",
    **dict.fromkeys(uaudp.PORTS, "noe"),
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """A protocol of the contract's list; `certain`: this packet alone can be nothing else."""

    protocol: str
    certain: bool


def recognise(protocol: str, payload: bytes) -> Recognised | None:
    """Whether the payload at a port of `protocol` speaks it."""
    try:
        return _RECOGNISERS[protocol](payload)
    except WireError:
        return None


def _h225(payload: bytes) -> Recognised:
    h225.parse_ras(payload)
    return Recognised("h225", h225.PROTOCOL_IDENTIFIER in payload[:64])


def _mgcp(payload: bytes) -> Recognised:
    return Recognised("mgcp", isinstance(mgcp.parse(payload), mgcp.MgcpCommand))


def _megaco(payload: bytes) -> Recognised:
    megaco.parse(payload)
    return Recognised("megaco", True)


def _iax2(payload: bytes) -> Recognised:
    frame = iax2.parse(payload)
    # A control frame whose information elements add up; others of its call follow from it.
    return Recognised("iax2", frame.frame_type == iax2.IAX_CONTROL)


def _unistim(payload: bytes) -> Recognised:
    return Recognised("unistim", unistim.parse(payload).kind == "payload")


def _noe(payload: bytes) -> Recognised:
    packet = uaudp.parse(payload)
    return Recognised("noe", packet.messages > 0 and packet.exact)


_RECOGNISERS = {
    "h225": _h225,
    "mgcp": _mgcp,
    "megaco": _megaco,
    "iax2": _iax2,
    "unistim": _unistim,
    "noe": _noe,
}
