"""`sip` against SIPp: a second real server, and the answer that answers somebody else."""

import asyncio
from pathlib import Path

from nethealth.model.failure import Failure, Outcome
from tests.peers import sipp
from tests.peers.ports import free_port
from tests.probes.sip_runs import ask


def test_an_ordinary_answer(tmp_path: Path) -> None:
    port = free_port()
    with sipp.answering(tmp_path, "127.0.0.1", port, status="486 Busy Here"):
        said = asyncio.run(ask(port, timeout_s=5.0))
    assert said.end == (Outcome.COMPLETED, None)
    assert said["sip_status_code"].value == 486
    assert said["sip_status_code"].method["reason_phrase"] == "Busy Here"
    assert said["sip_server"].value == "lab sipp"


def test_a_foreign_via_is_never_up(tmp_path: Path) -> None:
    port = free_port()
    with sipp.answering(tmp_path, "127.0.0.1", port, via=sipp.FOREIGN_VIA):
        said = asyncio.run(ask(port))
    assert said.end == (Outcome.FAILED, Failure.PROTOCOL)
    assert said["sip_foreign_reply_count"].value == 1
