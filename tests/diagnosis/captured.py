"""Scenes with captures and events: what reading them would have observed, by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from nethealth.model.check import CheckResult
from nethealth.model.failure import Outcome
from nethealth.model.inventory import AssetKind
from nethealth.model.observation import Event, Observation, Scalar
from tests.diagnosis.build import STARTED, Scene
from tests.diagnosis.devices import read, telephone

Fact = tuple[str, Scalar, dict[str, Any]]  # `t_s` and `samples` of the method are the fact's own


def capture(
    scene: Scene, site: str | None, *facts: Fact, lasts_s: float = 600.0, from_s: float = 0.0
) -> Scene:
    """One capture that was taken at a site, or nobody knows where, `from_s` after STARTED."""
    if site is not None and site not in scene.sites:
        scene.site(site)
    number = sum(one.probe == "capture" for one in scene.checks) + 1
    check = "capture" if number == 1 else f"capture-{number}"
    scene.checks.append(
        CheckResult(
            check, "capture", "scdc" if site else None, site, None, "lan.pcap", Outcome.COMPLETED,
            started_s=0.0, finished_s=1.0,
        )
    )  # fmt: skip
    began = f"{STARTED + timedelta(seconds=from_s):%Y-%m-%dT%H:%M:%S}.000000000Z"
    for at, (name, value, method) in enumerate([("capture_duration_s", lasts_s, {}), *facts], 1):
        own = {key: each for key, each in method.items() if key not in {"t_s", "samples"}}
        scene.observations.append(
            Observation(
                f"{check}/{at}", check, name, value, t_s=method.get("t_s"),
                samples=method.get("samples"), method={"capture_started": began, **own},
            )
        )  # fmt: skip
    return scene


def series(name: str, counts: Sequence[int], bin_s: float = 10.0, **method: Any) -> Fact:
    """A series from the capture's beginning on; bins of 0 are left out, as the reader does."""
    full = [at for at, count in enumerate(counts) if count]
    first = full[0] if full else 0
    return (
        name,
        max(counts),
        {
            "t_s": first * bin_s,
            "samples": sum(counts),
            "bin_s": bin_s,
            "bin_offsets": [at - first for at in full],
            "bin_counts": [counts[at] for at in full],
            **method,
        },
    )


def event(scene: Scene, kind: str, at_s: float, site: str, asset: str | None = None) -> Scene:
    """What another system wrote down, `at_s` after STARTED."""
    number = len(scene.events) + 1
    moment = STARTED + timedelta(seconds=at_s)
    scene.events.append(Event(f"e{number}", moment, kind, site, asset, "syslog"))
    return scene


def known(scene: Scene, asset: str, kind: AssetKind, address: str) -> Scene:
    """An asset of the inventory, which nothing asks."""
    scene.asset(asset)
    scene.assets[asset] = replace(scene.assets[asset], kind=kind, address=address)
    return scene


def group(
    address: str,
    source: str,
    counts: Sequence[int],
    *,
    rtp: bool = True,
    members: int = 0,
    by_rule: bool = False,
) -> list[Fact]:
    """What one source sends to one group, in bins of ten seconds."""
    packets = sum(counts)
    return [
        (
            "multicast_group_packet_count",
            packets,
            {
                "group": address, "flooded_by_rule": by_rule, "octets": 214 * packets,
                "rtp_packets": packets if rtp else 0, "sources": 1, "source_addresses": [source],
                "source_packets": [packets], "members": members, "groups": 1,
            },
        ),
        series("multicast_group_per_bin_max", counts, group=address),
    ]  # fmt: skip


def troubled_lan(scene: Scene) -> Scene:
    """A network that shows each mechanism which a capture or a single port can show."""
    phone: Fact = (
        "dhcp_phone_client_count", 1,
        {"vlan": 20, "macs": ["08:00:0f:00:00:07"], "leased_addresses": []},
    )  # fmt: skip
    advice: list[Fact] = [
        (
            "voice_vlan_announced", vlan,
            {"protocol": protocol, "mac": "00:11:22:00:00:07", "telephone": False},
        )
        for protocol, vlan in (("lldp", 20), ("cdp", 30))
    ]  # fmt: skip
    dry: Fact = (
        "dhcp_scope_client_count", 80,
        {"vlan": 10, "phones": 40, "phones_leased": 35, "phones_leased_elsewhere_too": 33,
         "others_leased": 30, "phones_refused": 0, "others_refused": 0},
    )  # fmt: skip
    blocks: list[Fact] = [
        ("tftp_client_count", 9, {"clients": [], "servers": []}),
        ("tftp_data_packet_count", 9000, {}),
        series("tftp_data_per_bin_max", [4500, 4500]),
    ]
    marked: list[Fact] = [
        ("dscp_octets", 30_000_000, {"dscp": 46}),
        ("ef_not_voice_packet_count", 30_000, {}),
        (
            "ef_not_voice_flow_packet_count", 30_000,
            {"flow": "TCP 198.18.7.1 port 9 to 198.18.7.2 port 445", "octets": 30_000_000},
        ),
        series("ef_not_voice_per_bin_max", [30_000]),
    ]  # fmt: skip
    flooded: Fact = (
        "unknown_unicast_packet_count", 4000,
        {"samples": 100_000, "silent_destinations": 2, "destinations": 60},
    )  # fmt: skip
    echo: list[Fact] = [
        (f"interface_{way}_broadcast_per_s", 60.0, {"interface": "Gi0/7"}) for way in ("in", "out")
    ]
    read(scene, "fen-switch", *echo, telephone("Gi0/7"))
    storm = series("broadcast_per_bin_max", [60] * 20 + [9000] * 5 + [60] * 35)
    for at_s in (205.0, 210.0, 230.0):
        event(scene, "registration-lost", at_s, "fen")
    return capture(scene, "fen", storm, phone, *advice, dry, *blocks, *marked, flooded)
