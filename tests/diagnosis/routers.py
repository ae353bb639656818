"""A site's router as SNMP reads it every minute, and echo requests beside it."""

from dataclasses import replace
from typing import Any

from nethealth.model.inventory import AssetKind
from nethealth.model.observation import Passport, Scalar
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import known

PORT: dict[str, Any] = {"interface": "Gi0/0", "bits": 64}
MINUTE = 60.0


def line(
    carried_mbps: list[tuple[float, float]],
    *,
    sold_mbps: float | None = 2.0,
    lost: dict[int, int] | None = None,
    discards: dict[int, int] | None = None,
    kind: AssetKind = "router",
    beside: tuple[str, ...] | None = None,
    scene: Scene | None = None,
) -> Scene:
    """A router read every minute, and so many of 100 echo requests lost in each of them.

    `beside`: what a neighbour at its port says that it can do.
    """
    scene = Scene() if scene is None else scene
    known(scene, "hall-edge", kind, "198.51.100.1")
    if sold_mbps is not None:
        scene.sites["hall"] = replace(
            scene.sites["hall"], wan_down_mbps=sold_mbps, wan_up_mbps=sold_mbps
        )
    ins = outs = thrown = 0
    for at in range(len(carried_mbps) + 1):
        facts: dict[str, Scalar | tuple[Scalar, Passport]] = {
            "snmp_response_delay_median_s": 0.01,
            "uptime_s": 1e6 + at * MINUTE,
            **(
                {}
                if beside is None
                else {
                    "neighbour_name": (
                        "edge",
                        {
                            "interface": "Gi0/0",
                            "chassis": "02:00:00:00:00:01",
                            "capabilities": beside,
                        },
                    )
                }
            ),
            "interface_status": ("up", {"interface": "Gi0/0", "type": 6}),
            "interface_speed_bps": (10_000_000, {"interface": "Gi0/0"}),
            "interface_in_octets_count": (ins, PORT),
            "interface_out_octets_count": (outs, PORT),
            "interface_out_discards_count": (thrown, PORT),
        }
        scene.check("hall-edge", "snmp", facts, start_s=at * MINUTE)
        if at == len(carried_mbps):
            break
        into, out = carried_mbps[at]
        ins += round(into * 1e6 * MINUTE / 8)
        outs += round(out * 1e6 * MINUTE / 8)
        thrown += (discards or {}).get(at, 0)
        scene.check(
            "hall-pbx", "ping",
            {"packets_sent_count": 100, "packets_received_count": 100 - (lost or {}).get(at, 0),
             "packet_loss_ratio": (lost or {}).get(at, 0) / 100},
            start_s=at * MINUTE + 20,
        )  # fmt: skip
    return scene
