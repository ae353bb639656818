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


_HEADERS = """[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]SIPpTag[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:echo@[local_ip]:[local_port];transport=[transport]>
Server: lab sipp
"""
_RESPONSE = "<send{retrans}><![CDATA[\nSIP/2.0 {status}\n{headers}{body}]]></send>\n"
_EMPTY = "Content-Length: 0\n\n"
_SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""
_ANSWERED = """<recv request="ACK"/>
<recv request="BYE"/>
"""
_REFUSED = '<recv request="ACK"/>\n'
_CANCELLED = '<recv request="CANCEL"/>\n'


def call_scenario(*, ring_ms: int | None, status: str) -> str:
    """What SIPp is to do with an INVITE: ring for `ring_ms` (None: for ever), then `status`."""

    def respond(status: str, body: str = _EMPTY, retrans: str = "") -> str:
        return _RESPONSE.format(status=status, headers=_HEADERS, body=body, retrans=retrans)

    steps = ['<recv request="INVITE"/>\n', respond("180 Ringing")]
    if ring_ms is None:
        # the response to CANCEL has its own CSeq; the INVITE's own headers are kept by name
        steps = [
            '<recv request="INVITE"><action>'
            '<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>'
            '<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/></action></recv>\n',
            respond("180 Ringing"),
            _CANCELLED,
            respond("200 OK"),
            respond("487 Request Terminated").replace("[last_CSeq:]", "CSeq:[$cseq]"),
            _REFUSED,
            '<Reference variables="via"/>\n',
        ]
    else:
        steps.append(f'<pause milliseconds="{ring_ms}"/>\n')
        if status.startswith("2"):
            steps += [respond(status, _SDP, ' retrans="500"'), _ANSWERED, respond("200 OK")]
        else:
            steps += [respond(status, retrans=' retrans="500"'), _REFUSED]
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="be called">\n'
    return head + "".join(steps) + "</scenario>\n"


@contextmanager
def called(
    folder: Path,
    address: str,
    port: int,
    *,
    media_port: int = 6000,
    ring_ms: int | None = 100,
    status: str = "200 OK",
    echo: bool = True,
    transport: str = "u1",
    prefix: Sequence[str] = (),
) -> Iterator[Process]:
    """Answers calls by one scenario; with `echo` it sends back every RTP packet as it came."""
    scenario = folder / f"sipp-called-{port}.xml"
    scenario.write_text(call_scenario(ring_ms=ring_ms, status=status))
    media = ["-rtp_echo"] if echo else []
    with running(
        ["sipp", "-sf", str(scenario), "-i", address, "-p", str(port), "-nostdin", "-t", transport,
         "-mi", address, "-mp", str(media_port), *media],
        log=folder / f"sipp-called-{port}.log",
        prefix=prefix,
        cwd=folder,
        bound=("udp" if transport == "u1" else "tcp", port),
    ) as process:  # fmt: skip
        yield process
