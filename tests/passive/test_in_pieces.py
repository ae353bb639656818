"""However a capture is cut into runs of packets, every analysis finds the same."""

import pytest

from nethealth.model.pseudonym import Revealed
from nethealth.passive.analysis import Fact
from nethealth.passive.announced import MediaBook
from probes.capture.analyses import ANALYSES, Shared, all_units
from probes.capture.reader import Reader
from tests import captures
from tests.passive import oracle

pytestmark = pytest.mark.captures
_OURS = ("legacy", "lan_")


def facts(name: str, most: int) -> list[Fact]:
    shared = Shared(MediaBook(), Revealed())
    analysers = [each.make(shared) for each in ANALYSES]
    for packets in Reader([str(captures.folder() / name)], packets_most=most):
        for analyser in analysers:
            analyser.feed(packets)
    return [
        fact
        for analyser in analysers
        if type(analyser).__module__.rpartition(".")[2].startswith(_OURS)
        for fact in analyser.finish()
    ]


@pytest.mark.parametrize("name", oracle.names())
def test_runs_of_packets_leave_no_seam(name: str) -> None:
    whole = facts(name, 100_000)
    assert {fact.name for fact in whole} <= all_units().keys()
    assert whole == facts(name, 37)
