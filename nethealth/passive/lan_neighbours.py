"""Who introduces itself on the link by LLDP, LLDP-MED or CDP: for inventory and voice VLAN."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from nethealth.model.observation import Passport, Scalar
from nethealth.passive.analysis import Fact, Units
from nethealth.passive.columns import u32
from nethealth.passive.lan_spanning_tree import llc_rows
from nethealth.passive.packets import Packets
from nethealth.passive.series import Tallies
from nethealth.passive.text import mac_text
from nethealth.wire import cdp, lldp
from nethealth.wire.errors import WireError

UNITS: Units = {
    "neighbour_frame_count": "packets",
    "neighbour_device": None,
    "voice_vlan_announced": None,
    "half_duplex_neighbour_count": "devices",
    "phone_vlan_packet_count": "packets",
}
_SNAP_CISCO, _CDP = 0xAAAA0300, 0x000C2000
_FRAME_MAX = 9216
_DEVICES_MAX = 4096
_DEVICES_SHOWN = 500
_PHONES_SHOWN = 200
# RFC 4836: the half-duplex types of what a telephone's or an old switch's port can be.
_HALF_DUPLEX_MAU = frozenset({10, 15, 25, 29})  # 10BASE-T, 100BASE-TX, 1000BASE-X and -T


@dataclass(frozen=True, slots=True)
class _Device:
    protocol: str
    mac: int
    vlan: int
    name: str | None
    telephone: bool
    half_duplex: bool
    first_ns: int
    shown: Passport
    voice: tuple[tuple[int, Passport], ...]


class NeighboursAnalysis:
    """A device is a protocol and the MAC address that spoke it; the last word counts."""

    def __init__(self) -> None:
        self._frames: Tallies[str] = Tallies()
        self._devices: dict[tuple[str, int], _Device] = {}
        self._changes: Tallies[tuple[str, int]] = Tallies()
        self._phones: set[int] = set()
        self._vlans: Tallies[tuple[int, int]] = Tallies()

    def feed(self, packets: Packets) -> None:
        for row in packets.rows(packets.ethertype == lldp.ETHERTYPE):
            octets = packets.octets_of(row, int(packets.network_at[row]), _FRAME_MAX)
            self._hear("lldp", packets, row, octets)
        rows = llc_rows(packets)
        at = packets.network_at[rows]
        cisco = u32(packets.octets, at) == _SNAP_CISCO
        cisco &= u32(packets.octets, at + 4) == _CDP
        for row in rows[cisco].tolist():
            octets = packets.octets_of(row, int(packets.network_at[row]) + 8, _FRAME_MAX)
            self._hear("cdp", packets, row, octets)
        if self._phones:
            self._follow(packets)

    def _hear(self, protocol: str, packets: Packets, row: int, octets: bytes) -> None:
        mac, vlan = int(packets.ethernet_source[row]), int(packets.vlan[row])
        time_ns = int(packets.time_ns[row])
        try:
            if protocol == "lldp":
                device = _of_lldp(lldp.parse(octets), mac, vlan, time_ns)
            else:
                device = _of_cdp(cdp.parse(octets), mac, vlan, time_ns)
        except WireError:
            return
        self._frames.add(protocol)
        key = (protocol, mac)
        known = self._devices.get(key)
        if known is None and len(self._devices) >= _DEVICES_MAX:
            return
        if known is not None:
            device = replace(device, first_ns=known.first_ns)
            if known.voice != device.voice:
                self._changes.add(key)
        self._devices[key] = device
        if device.telephone and len(self._phones) < _DEVICES_MAX:
            self._phones.add(mac)

    def _follow(self, packets: Packets) -> None:
        """In which VLANs the telephones speak, from their first introduction on."""
        phones = np.fromiter(self._phones, np.uint64, len(self._phones))
        source, vlan = packets.ethernet_source, packets.vlan
        counts = np.ones(len(packets), np.int64)
        known = packets.known
        if known is not None:
            source = np.concatenate([source, known.headers.ethernet_source[known.places]])
            vlan = np.concatenate([vlan, known.headers.vlan[known.places]])
            counts = np.concatenate([counts, known.counts])
        rows = np.flatnonzero(np.isin(source, phones))
        if not len(rows):
            return
        keys, place = np.unique(source[rows].astype(np.int64) << 13 | vlan[rows] + 1,
                                return_inverse=True)  # fmt: skip
        totals = np.bincount(place, counts[rows]).astype(np.int64)
        for value, count in zip(keys.tolist(), totals.tolist(), strict=True):
            self._vlans.add((value >> 13, (value & 0x1FFF) - 1), count)

    def finish(self) -> Iterator[Fact]:
        for protocol in sorted(self._frames.counts):
            yield Fact(
                "neighbour_frame_count",
                self._frames.counts[protocol],
                method={"protocol": protocol},
            )
        devices = [self._devices[key] for key in sorted(self._devices)]
        for device in devices[:_DEVICES_SHOWN]:
            yield Fact(
                "neighbour_device",
                device.name,
                method={
                    "protocol": device.protocol,
                    "mac": mac_text(device.mac),
                    "vlan": None if device.vlan < 0 else device.vlan,
                    "telephone": device.telephone,
                    "half_duplex": device.half_duplex,
                    **device.shown,
                    "devices": len(devices),
                },
                time_ns=device.first_ns,
            )
            for vlan, policy in device.voice:
                yield Fact(
                    "voice_vlan_announced",
                    vlan,
                    method={
                        "protocol": device.protocol,
                        "mac": mac_text(device.mac),
                        "telephone": device.telephone,
                        "changes": self._changes.counts[device.protocol, device.mac],
                        **policy,
                    },
                    time_ns=device.first_ns,
                )
        if devices:
            yield Fact(
                "half_duplex_neighbour_count",
                sum(device.half_duplex for device in devices),
                samples=len(devices),
            )
        top, _ = self._vlans.top(_PHONES_SHOWN)
        for (mac, vlan), count in top:
            yield Fact(
                "phone_vlan_packet_count",
                count,
                method={"mac": mac_text(mac), "vlan": None if vlan < 0 else vlan},
            )


def _of_lldp(frame: lldp.LldpFrame, mac: int, vlan: int, time_ns: int) -> _Device:
    voice = tuple(
        (
            policy.vlan,
            {
                "tagged": policy.tagged,
                "priority": policy.priority,
                "dscp": policy.dscp,
                "application": policy.application,
            },
        )
        for policy in frame.policies
        if policy.known and policy.application in (lldp.VOICE, lldp.VOICE_SIGNALLING)
    )
    telephone = frame.telephone or frame.med_class == 3
    shown: dict[str, Scalar] = {
        "chassis": frame.chassis,
        "port": frame.port,
        "description": frame.system_description,
        "med_class": frame.med_class,
        "native_vlan": frame.port_vlan,
        "auto_negotiation": frame.auto_negotiation,
        "mau_type": frame.mau_type,
        **{key: frame.inventory.get(key) for key in ("model", "manufacturer", "serial",
           "hardware", "firmware", "software", "asset")},
    }  # fmt: skip
    half = frame.mau_type in _HALF_DUPLEX_MAU
    return _Device(
        "lldp", mac, vlan, frame.system_name or frame.inventory.get("model") or frame.chassis,
        telephone, half, time_ns, shown, voice,
    )  # fmt: skip


def _of_cdp(frame: cdp.CdpFrame, mac: int, vlan: int, time_ns: int) -> _Device:
    announced = frame.voice_vlan or frame.voice_vlan_asked
    voice: tuple[tuple[int, Passport], ...] = ()
    if announced is not None:
        voice = ((announced, {"asked": frame.voice_vlan is None}),)
    shown: dict[str, Scalar] = {
        "port": frame.port,
        "model": frame.platform,
        "software": frame.software,
        "address": frame.address,
        "native_vlan": frame.native_vlan,
        "duplex": frame.duplex,
    }
    return _Device(
        "cdp", mac, vlan, frame.device, frame.telephone, frame.duplex == "half", time_ns, shown,
        voice,
    )  # fmt: skip
