"""What the probes of a path would have said, for a scene."""

from collections.abc import Sequence

from nethealth.model.observation import Observation, Passport, Scalar
from tests.diagnosis.build import Scene


def more(
    scene: Scene, name: str, value: Scalar, method: Passport, samples: int | None = None
) -> None:
    """One observation more of the check that was added last."""
    check = scene.checks[-1].id
    number = sum(seen.check == check for seen in scene.observations) + 1
    scene.observations.append(
        Observation(
            f"{check}/{number}", check, name, value, t_s=2.0, samples=samples, method=method
        )
    )


def route(scene: Scene, host: str, quoted: Sequence[int | None], sent: int = 46) -> Scene:
    """A trace: the DSCP that each hop quoted, None of one that quotes nothing."""
    scene.check(host, "route", {"route_reached": True, "route_length_hops": len(quoted)})
    for hop, dscp in enumerate(quoted, 1):
        method: Passport = {"hop": hop, "dscp": sent}
        more(scene, "hop_address", f"192.0.2.{hop}", method, 3)
        more(scene, "hop_dscp_quoted", dscp, method, 3)
    return scene


def black_hole(
    scene: Scene, host: str, small: int = 10, large: int = 0, last: str | None = "192.0.2.2"
) -> Scene:
    """A search that ended at 1400 octets; of ten packets each, how many were answered."""
    told: Passport = {"failing_bytes": 1401, "limit": "vanished"}
    scene.check(
        host, "path-mtu", {"path_mtu_bytes": (1400, told), "path_mtu_black_hole": (True, told)}
    )
    for size, answered in ((1400, small), (1401, large)):
        more(scene, "packet_reply_ratio", answered / 10, {"packet_bytes": size}, 10)
    method: Passport = {"hop": 2, "next_hop": 3, "next_address": "192.0.2.3"}
    more(scene, "path_mtu_last_hop", last, method)
    return scene
