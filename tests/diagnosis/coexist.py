"""What a check `coexistence` would have said, for a scene."""

from dataclasses import dataclass, field

from nethealth.model.observation import Observation, Scalar
from tests.diagnosis.build import Scene

# R by ITU-T G.107 with default echo, and a buffer of 40 ms.
PASSPORT: dict[str, Scalar] = {
    "codec": "G.711+PLC", "delay_variant": "default-echo", "one_way_delay_s": 0.01,
    "packetisation_s": 0.02, "jitter_buffer_s": 0.04, "burst_r": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class Beside:
    """One class in one phase: wait above the idle line, losses of so many, and R."""

    wait_s: float = 0.001
    lost: int = 0
    sent: int = 250
    discarded: int = 0
    r_factor: float = 91.0
    pdv_s: float = 0.002


@dataclass(frozen=True)
class Story:
    """One load of one direction, told by hand; guards are their rise beside the load."""

    phase: str = "upload"
    voice: Beside = Beside()
    rest: Beside = Beside()
    idle_voice: Beside = Beside(wait_s=0.0)
    idle_rest: Beside = Beside(wait_s=0.0)
    after_rest: Beside = Beside(wait_s=0.0)
    guards: dict[str, float] = field(default_factory=dict)
    mark: int = 46
    late_s: float = 0.0002
    rate_bps: float | None = 4e6
    ended: str = "its time was over"


def coexistence(scene: Scene, host: str, *stories: Story) -> Scene:
    """The check of these loads; the idle phases are those of the first."""
    scene.check(host, "coexistence", {})
    check = scene.checks[-1].id

    def see(
        name: str, value: Scalar, samples: int | None = None, **method: Scalar,
    ) -> None:  # fmt: skip
        number = sum(seen.check == check for seen in scene.observations) + 1
        between = None
        if name == "queueing_delay_median_s" and isinstance(value, float):
            between = (value * 0.9, value * 1.1)
        scene.observations.append(
            Observation(f"{check}/{number}", check, name, value, t_s=2.0, samples=samples,
                        interval=between, method=method)
        )  # fmt: skip

    def tell(phase: str, dscp: int, one: Beside, loaded: str) -> None:
        see("packets_sent_count", one.sent, phase=phase, dscp=dscp)
        see("packets_received_count", one.sent - one.lost, phase=phase, dscp=dscp)
        for way in ("forward", "return"):
            quiet = one if way == loaded else Beside(0.0, sent=one.sent)
            told: dict[str, Scalar] = {"phase": phase, "dscp": dscp, "direction": way}
            see("packets_lost_count", quiet.lost, quiet.sent, **told)
            see("packet_loss_ratio", quiet.lost / quiet.sent, quiet.sent, **told)
            if quiet.lost:
                see("packet_loss_burst_ratio", 1.0, quiet.sent, **told)
            see("pdv_p99_s", quiet.pdv_s, quiet.sent, **told)
            if phase != "before":
                see("queueing_delay_median_s", quiet.wait_s, quiet.sent, **told)
            missed = (quiet.lost + quiet.discarded) / quiet.sent
            scored = {**PASSPORT, **told, "loss_ratio": missed}
            see("r_factor", quiet.r_factor, quiet.sent, **scored,
                late_discard_count=quiet.discarded)  # fmt: skip

    ways = {"download": "forward", "upload": "return"}
    first = stories[0]
    # Idle loss, where there is any, is of the direction that will be loaded.
    tell("before", 46, first.idle_voice, ways[first.phase])
    tell("before", 0, first.idle_rest, ways[first.phase])
    for story in stories:
        if story.rate_bps is not None:
            tell(story.phase, 46, story.voice, ways[story.phase])
            tell(story.phase, 0, story.rest, ways[story.phase])
    tell("after", 46, Beside(0.0), ways[first.phase])
    tell("after", 0, first.after_rest, ways[first.phase])
    for story in stories:
        for guard, rise_s in story.guards.items():
            for phase, delay_s in (("before", 0.01), (story.phase, 0.01 + rise_s)):
                see("guard_round_trip_delay_median_s", delay_s, 25, guard=guard, phase=phase)
        way = ways[story.phase]
        expected: dict[str, Scalar] = {} if way == "forward" else {"expected": 46}
        see("dscp_received", story.mark, 1000, dscp=46, direction=way, **expected)
        see("send_timer_error_p99_s", story.late_s, 1000, dscp=46)
        see("load_rate_bps", story.rate_bps, phase=story.phase, direction=way)
        see("load_ended_by", story.ended, phase=story.phase, direction=way)
    return scene
