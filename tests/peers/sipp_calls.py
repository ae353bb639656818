"""Calls that SIPp takes by longer scenarios: early media, PRACK, re-INVITE, timers, codecs."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.process import Process, running

_HEAD = """[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]SIPpTag[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:echo@[local_ip]:[local_port];transport=[transport]>
Server: lab sipp
"""
_SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 {version} IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP {formats}
a=sendrecv
"""
_EMPTY = "Content-Length: 0\n\n"
# Requests of the callee's own within the dialog: To and From change sides. The tag of the
# callee is the one that [pid] and [call_number] make; SIPp's reader of XML takes no > in a value.
_TAKE = """<recv request="INVITE"><action>
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
<ereg regexp="sip:[A-Za-z0-9@.:]*" search_in="hdr" header="Contact:" assign_to="contact"/>
<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>
</action></recv>
<Reference variables="from,to,contact,via,cseq"/>
"""
_REQUEST = """{method} [$contact] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: [$to];tag=[pid]SIPpTag[call_number]
To: [$from]
[last_Call-ID:]
CSeq: {number} {method}
Contact: <sip:echo@[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70
{more}"""

INVITE = _TAKE
ACK = '<recv request="ACK"/>\n'


def send(text: str, *, again: bool = False) -> str:
    """A step that sends a message, and sends it again until the next one comes."""
    how = ' retrans="500"' if again else ""
    return f"<send{how}><![CDATA[\n{text}]]></send>\n"


def answer(status: str, *more: str, formats: str | None = None, again: bool = False) -> str:
    """A response to the INVITE, with a description of these payload types."""
    head = _HEAD.replace("[last_Via:]", "Via: [$via]").replace("[last_CSeq:]", "CSeq: [$cseq]")
    head = head.replace("[last_From:]", "From: [$from]").replace("[last_To:]", "To: [$to]")
    lines = "".join(f"{line}\n" for line in more)
    body = _EMPTY if formats is None else _SDP.format(version=1, formats=formats)
    return send(f"SIP/2.0 {status}\n{head}{lines}{body}", again=again)


def reply(status: str) -> str:
    """A response to the latest request, which is another."""
    head = _HEAD.replace(";tag=[pid]SIPpTag[call_number]", "")
    return send(f"SIP/2.0 {status}\n{head}{_EMPTY}")


def request(method: str, number: int, *more: str, formats: str | None = None) -> str:
    """A request of the callee's own within the call."""
    body = _EMPTY if formats is None else _SDP.format(version=number + 1, formats=formats)
    lines = "".join(f"{line}\n" for line in more)
    return send(_REQUEST.format(method=method, number=number, more=lines) + body,
                again=method != "ACK")  # fmt: skip


BYE = '<recv request="BYE"/>\n' + reply("200 OK")


def wait(milliseconds: int) -> str:
    return f'<pause milliseconds="{milliseconds}"/>\n'


def receive(what: str) -> str:
    """A request by its method, or a response by its code."""
    kind = "response" if what.isdigit() else "request"
    return f'<recv {kind}="{what}"/>\n'


def play(capture: Path) -> str:
    """Send the RTP of a capture from the media port."""
    return f'<nop><action><exec play_pcap_audio="{capture}"/></action></nop>\n'


@contextmanager
def playing(
    folder: Path, port: int, *steps: str, media_port: int, address: str = "127.0.0.1"
) -> Iterator[Process]:
    """SIPp taking calls by these steps; every RTP packet is sent back."""
    scenario = folder / "sipp-call.xml"
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="be called">\n'
    scenario.write_text(head + "".join(steps) + "</scenario>\n")
    with running(
        ["sipp", "-sf", str(scenario), "-i", address, "-p", str(port), "-nostdin", "-t", "u1",
         "-mi", address, "-mp", str(media_port), "-rtp_echo", "-trace_err"],
        log=folder / "sipp-call.log",
        cwd=folder,
        bound=("udp", port),
    ) as process:  # fmt: skip
        yield process


def rtp_capture(place: Path, packets: int, *, payload_type: int = 8, ssrc: int = 0x1234) -> Path:
    """A capture of one RTP stream, a packet every 20 ms, as `play` reads it."""
    records: list[bytes] = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for number in range(packets):
        rtp = struct.pack("!BBHII", 0x80, payload_type, number, number * 160, ssrc) + bytes(160)
        udp = struct.pack("!HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
        ip = struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0, bytes(4), bytes(4)
        )
        frame = bytes(12) + b"\x08\x00" + ip + udp
        micros = number * 20_000
        header = struct.pack(
            "<IIII", 1 + micros // 1_000_000, micros % 1_000_000, len(frame), len(frame)
        )
        records.append(header + frame)
    place.write_bytes(b"".join(records))
    return place
