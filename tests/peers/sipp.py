"""SIPp as a SIP server that plays one scenario: an ordinary answer, or one with a foreign Via."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.peers.process import Process, running

OWN_VIA = "[last_Via:]"
FOREIGN_VIA = "Via: SIP/2.0/UDP 203.0.113.77:5060;branch=z9hG4bKnobodyasked"

_SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="answer OPTIONS">
<recv request="OPTIONS"/>
<send><![CDATA[
SIP/2.0 {status}
{via}
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Server: lab sipp
Content-Length: 0

]]></send>
</scenario>
"""


@contextmanager
def answering(
    folder: Path,
    address: str,
    port: int,
    *,
    status: str = "200 OK",
    via: str = OWN_VIA,
    prefix: Sequence[str] = (),
) -> Iterator[Process]:
    """Answers every OPTIONS over UDP for the length of a block."""
    scenario = folder / "sipp-answer.xml"
    scenario.write_text(_SCENARIO.format(status=status, via=via))
    with running(
        ["sipp", "-sf", str(scenario), "-i", address, "-p", str(port), "-nostdin"],
        log=folder / "sipp.log",
        prefix=prefix,
        cwd=folder,
        bound=("udp", port),
    ) as process:
        yield process
