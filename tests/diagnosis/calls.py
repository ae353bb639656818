"""Test calls made by hand, added to a Scene."""

from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Passport, Scalar
from tests.diagnosis.build import Scene

RETURN, FORWARD = {"direction": "return"}, {"direction": "forward"}


def call(
    scene: Scene,
    host: str,
    facts: list[tuple[str, Scalar, Passport]],
    *,
    outcome: Outcome = Outcome.COMPLETED,
    failure: Failure | None = None,
    reason: str | None = None,
) -> Scene:
    """A call; unlike with `Scene.check`, one name may stand for each direction."""
    target = f"sip:echo@a.{host}"
    scene.check(host, "call", {}, outcome=outcome, failure=failure, reason=reason, target=target)
    check = scene.checks[-1].id
    for index, (name, value, method) in enumerate(facts, 1):
        scene.observations.append(
            Observation(f"{check}/{index}", check, name, value, t_s=2.0, samples=500, method=method)
        )
    return scene


def talked(
    scene: Scene,
    host: str,
    *,
    sent: int = 500,
    back: int = 500,
    forward: int | None = 500,
    strangers: int = 0,
    media: str = "sendrecv",
    r_factor: tuple[str, float, float, float] | None = None,
) -> Scene:
    """An answered call; `r_factor`: direction, R, loss ratio and its least value."""
    facts: list[tuple[str, Scalar, Passport]] = [
        ("sip_status_code", 200, {}),
        ("rtp_packets_sent", sent, {**FORWARD, "media_direction": media}),
        ("rtp_packets_received", back, RETURN),
        ("rtp_packets_received", forward, FORWARD),
        ("rtp_wrong_source_count", strangers, {"sources": ("203.0.113.9:4000",)}),
    ]
    if r_factor is not None:
        direction, value, ratio, low = r_factor
        passport: dict[str, Scalar] = {
            "direction": direction, "codec": "G.711+PLC", "one_way_delay_s": 0.01,
            "loss_ratio": ratio, "loss_low": low, "burst_r": 1.0,
        }  # fmt: skip
        facts += [("r_factor", value, passport), ("mos_cqe", 2.0, passport)]
    return call(scene, host, facts)


def refused(scene: Scene, host: str, status: int, phrase: str) -> Scene:
    return call(scene, host, [("sip_status_code", status, {"reason_phrase": phrase})])
