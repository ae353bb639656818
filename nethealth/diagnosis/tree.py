"""A spanning tree that changes, by what switches say of it and by what is heard on the wire.

RFC 4188 for the counts; IEEE 802.1D for the flag that BPDUs bear for some 35 s after a change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nethealth.diagnosis.capture import Capture, words
from nethealth.diagnosis.device import Device
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, number
from nethealth.diagnosis.lan import Lan, surest
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Finding, Refutation, Verdict
from nethealth.model.observation import Observation

CHANGES_LEAST = 5  # of the tree while it was watched: a single one is a computer switched on
RECENT_S = 3600.0
APART_S = 45.0  # a silence this long of the flag ends one change: it is set for max age + delay


def spanning_tree_changes(places: Sequence[Lan]) -> Iterator[Finding]:
    """A root that is another than before, or a tree that keeps changing; one recent change is a
    hint."""
    for lan in places:
        evidence = lan.evidence
        told = [found for device in lan.devices if (found := _of_device(evidence, device))]
        yield from told
        if not any(finding.verdict is Verdict.DEMONSTRATED for finding in told):
            heard = (_of_capture(evidence, lan, capture) for capture in lan.captures)
            yield from surest(found for found in heard if found is not None)


@dataclass(frozen=True)
class Unrest:
    """How often a capture heard the tree change; only where it heard BPDUs at all."""

    changes: int
    roots: tuple[Observation, ...]  # each a tree whose root changed

    @property
    def at_work(self) -> bool:
        """More than a computer that was switched on."""
        return bool(self.roots) or self.changes >= CHANGES_LEAST


def unrest(capture: Capture) -> Unrest | None:
    """What a capture heard of the tree; None where no BPDU reached it."""
    if not capture.count("stp_bpdu_count"):
        return None
    bins = capture.bins("stp_topology_change_per_bin_max")
    gaps = ((later.from_ - sooner.to).total_seconds() for sooner, later in pairwise(bins))
    changes = (1 if bins else 0) + sum(gap >= APART_S for gap in gaps)
    roots = tuple(seen for seen in capture.all("stp_root_change_count") if (number(seen) or 0) > 0)
    return Unrest(changes, roots)


def tree_changes(device: Device) -> int:
    """How often the tree changed over the rounds and since the run before."""
    growth = device.growth("spanning_tree_changes")
    return 0 if growth is None else growth.increase


def _of_device(evidence: Evidence, device: Device) -> Finding | None:
    root, since = device.now("spanning_tree_root"), device.now("spanning_tree_since_change_s")
    before = device.before("spanning_tree_root")
    roots = {one.word("spanning_tree_root") for one in device.rounds} - {None}
    moved = len(roots) > 1 or (
        root is not None and before is not None and before.value != root.value
    )
    changes = tree_changes(device)
    recent_s = None if since is None else number(since)
    where = device.place
    if moved:
        verdict = Verdict.DEMONSTRATED
        was = before.value if before is not None else min(str(each) for each in roots)
        words_ = f"follows another root than before ({root.value if root else was}, after {was})"
    elif changes >= CHANGES_LEAST:
        verdict, words_ = Verdict.DEMONSTRATED, f"saw its tree change {counted(changes, 'time')}"
    elif recent_s is not None and 0 <= recent_s < RECENT_S:
        verdict = Verdict.INSUFFICIENT_DATA
        words_ = f"saw its tree change {recent_s / 60:.0f} minutes ago"
    else:
        return None
    return draft(
        evidence,
        "spanning-tree-change",
        where,
        f"{where.name} {words_}.",
        rounds=device.rounds[-1:],
        seen=[root, since, *device.all_now("spanning_tree_changes_count")],
        verdict=verdict,
        refutations=(
            Refutation(
                "Is the root the one it was?",
                "unknown: nothing was seen before" if before is None and len(roots) < 2
                else "no" if moved else "yes",
            ),
        ),
        missing=("which port changed, from the switch's log",),
        alternatives=("telephones or computers that start at ports that are no edge ports",),
    )  # fmt: skip


def _of_capture(evidence: Evidence, lan: Lan, capture: Capture) -> Finding | None:
    heard = unrest(capture)
    if heard is None or (not heard.roots and not heard.changes):
        return None
    told = lan.happened("spanning-tree-change")
    if heard.roots:
        roots = [root for seen in heard.roots for root in words(seen, "roots")]
        said = f"the root of the spanning tree changed ({listing(roots)})"
    else:
        said = f"the spanning tree changed {counted(heard.changes, 'time')}"
    return draft(
        evidence,
        "spanning-tree-change",
        lan.place,
        f"In a capture at {lan.place.name} {said}.",
        times=[
            *(capture.moment(seen) for seen in heard.roots),
            *(one.from_ for one in capture.bins("stp_topology_change_per_bin_max")),
        ],
        seen=[
            *heard.roots,
            *capture.all("stp_topology_change_count"),
            *capture.all("stp_topology_change_per_bin_max"),
            *told,
        ],
        verdict=Verdict.DEMONSTRATED if heard.at_work else Verdict.INSUFFICIENT_DATA,
        refutations=(
            Refutation("Is the root the one it was?", "no" if heard.roots else "yes"),
            Refutation(
                "Does a switch's log tell of it?",
                f"yes: {counted(len(told), 'message')}" if told else "none stands in the record",
            ),
        ),
        missing=("which port changed, from the switch's log",),
        alternatives=("telephones or computers that start at ports that are no edge ports",),
    )
