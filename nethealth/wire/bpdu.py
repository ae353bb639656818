"""Bridge protocol data units: spanning tree in its versions.

IEEE 802.1D-1998 clause 9 (STP and its topology change notification), 802.1D-2004 clause 9 (RSTP),
802.1Q clause 14 (MSTP). Cisco's per-VLAN BPDU (PVST+) is the same octets behind a SNAP header with
the VLAN in a TLV at the end.
"""

import struct
from dataclasses import dataclass
from typing import Literal

from nethealth.wire.errors import WireError
from nethealth.wire.octets import mac_address, need

Kind = Literal["stp", "tcn", "rstp", "mstp"]

_CONFIGURATION = struct.Struct("!HBBB8sI8sHHHHH")  # 35 octets
_TYPE_CONFIGURATION, _TYPE_TCN, _TYPE_RAPID = 0x00, 0x80, 0x02
_TOPOLOGY_CHANGE, _ACKNOWLEDGED = 0x01, 0x80
_PVST_VLAN = struct.Struct("!HHH")  # type 0, length 2, the VLAN
_UNIT_S = 1 / 256


@dataclass(frozen=True, slots=True)
class BridgeId:
    """A bridge: priority (with the system ID extension in its low 12 bits) and MAC address."""

    priority: int
    mac: str

    def __str__(self) -> str:
        return f"{self.priority & 0xF000}/{self.priority & 0x0FFF}/{self.mac}"


@dataclass(frozen=True, slots=True)
class Bpdu:
    """One BPDU. A notification (`tcn`) has no fields of its own: they are None.

    `vlan` only of PVST+. `topology_change` is the flag TC; a `tcn` speaks of a change by itself.
    """

    kind: Kind
    topology_change: bool = False
    acknowledged: bool = False
    root: BridgeId | None = None
    root_path_cost: int | None = None
    bridge: BridgeId | None = None
    port_id: int | None = None
    hello_s: float | None = None
    forward_delay_s: float | None = None
    vlan: int | None = None


def parse(octets: bytes, *, per_vlan: bool = False) -> Bpdu:
    """A BPDU from its protocol identifier on: behind LLC 42 42 03, or Cisco's SNAP 0x010B."""
    need(octets, 4, "BPDU")
    if octets[:2] != b"\0\0":
        raise WireError(f"BPDU of protocol identifier {octets[:2].hex()}; it is 0000")
    version, kind = octets[2], octets[3]
    if kind == _TYPE_TCN:
        return Bpdu("tcn", vlan=_vlan(octets) if per_vlan else None)
    if kind not in (_TYPE_CONFIGURATION, _TYPE_RAPID):
        raise WireError(f"BPDU of type {kind:#04x}")
    need(octets, _CONFIGURATION.size, "configuration BPDU")
    (
        _, _, _, flags, root, cost, bridge, port, _, _, hello, forward,
    ) = _CONFIGURATION.unpack_from(octets)  # fmt: skip
    return Bpdu(
        kind=_kind(version, kind),
        topology_change=bool(flags & _TOPOLOGY_CHANGE),
        acknowledged=bool(flags & _ACKNOWLEDGED) and kind == _TYPE_CONFIGURATION,
        root=_bridge(root),
        root_path_cost=cost,
        bridge=_bridge(bridge),
        port_id=port,
        hello_s=hello * _UNIT_S,
        forward_delay_s=forward * _UNIT_S,
        vlan=_vlan(octets) if per_vlan else None,
    )


def _kind(version: int, kind: int) -> Kind:
    if kind == _TYPE_CONFIGURATION:
        return "stp"
    return "mstp" if version >= 3 else "rstp"


def _bridge(octets: bytes) -> BridgeId:
    return BridgeId(int.from_bytes(octets[:2], "big"), mac_address(octets[2:]))


def _vlan(octets: bytes) -> int | None:
    """The VLAN of Cisco's closing TLV, after a configuration of 35 or a rapid one of 36 octets."""
    for start in (36, 35):
        if len(octets) >= start + _PVST_VLAN.size:
            tag, length, vlan = _PVST_VLAN.unpack_from(octets, start)
            if (tag, length) == (0, 2) and 0 < vlan < 4095:
                return int(vlan)
    return None
