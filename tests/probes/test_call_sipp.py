"""`call` against SIPp, which answers and sends every RTP packet back."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from nethealth.model.check import SipTransport
from nethealth.model.failure import Failure, Outcome
from tests.peers import sipp
from tests.peers.ports import free_port
from tests.peers.process import running
from tests.probes.call_runs import parameters, place


@pytest.mark.parametrize(
    ("host", "transport"), [("127.0.0.1", "udp"), ("::1", "udp"), ("127.0.0.1", "tcp")]
)
def test_a_call_to_an_echo(tmp_path: Path, host: str, transport: SipTransport) -> None:
    port, media_port = free_port(host), free_port(host)
    kind = "u1" if transport == "udp" else "t1"
    with sipp.called(tmp_path, host, port, media_port=media_port, transport=kind):
        said = asyncio.run(place(parameters(port, host=host, transport=transport)))
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_status_code") == 200
    assert said.value("sip_server") == "lab sipp"
    assert said.value("sip_provisional_codes") == "180"
    assert said.one("session_request_delay_s").method["status_code"] == 180
    assert said.number("answer_delay_s") >= 0.1 > said.number("session_request_delay_s")
    assert said.value("sip_bye_status_code") == 200
    assert said.value("media_address_matched") is True
    assert said.value("rtp_packets_sent", direction="forward") == 50
    assert said.value("rtp_packets_received", direction="round-trip") == 50
    assert said.value("rtp_packets_lost", direction="round-trip") == 0
    assert said.value("round_trip_delay_min_s", source="echoed RTP") is not None
    assert said.number("r_factor", direction="round-trip") > 85
    assert (said.find("tcp_connect_time_s") != []) is (transport == "tcp")


@pytest.mark.parametrize("status", ["486 Busy Here", "503 Service Unavailable"])
def test_a_refusal(tmp_path: Path, status: str) -> None:
    port = free_port()
    with sipp.called(tmp_path, "127.0.0.1", port, status=status, echo=False):
        said = asyncio.run(place(parameters(port)))
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_status_code") == int(status[:3])
    assert said.one("sip_status_code").method["reason_phrase"] == status[4:]


def test_a_telephone_that_rings_for_ever_is_given_up(tmp_path: Path) -> None:
    port = free_port()
    with sipp.called(tmp_path, "127.0.0.1", port, ring_ms=None, echo=False):
        said = asyncio.run(place(parameters(port, ring_timeout_s=0.5)))
    assert said.end == (Outcome.FAILED, Failure.TIMEOUT)
    assert said.value("sip_status_code") == 487, "it answered our CANCEL"
    assert said.completion is not None
    assert said.completion.reason == "it rang for 0.5 s and nobody answered"


def test_what_we_send_as_tshark_reads_it(tmp_path: Path) -> None:
    """The far oracle: SIP, SDP, RTP and RTCP whole and well-formed, marked EF."""
    port, media_port = free_port(), free_port()
    capture = tmp_path / "call.pcap"
    watched = f"udp port {port} or udp port {media_port} or udp port {media_port + 1}"
    with running(
        ("tcpdump", "-i", "lo", "-U", "-w", str(capture), "--immediate-mode", watched),
        log=tmp_path / "tcpdump.log",
    ) as tcpdump:
        tcpdump.wait_until(lambda: "listening on" in tcpdump.output())
        with sipp.called(tmp_path, "127.0.0.1", port, media_port=media_port):
            said = asyncio.run(place(parameters(port, duration_s=1.4)))
    assert said.end == (Outcome.COMPLETED, None)
    fields = (
        "sip.Method", "sdp.media", "rtp.p_type", "rtp.marker", "rtcp.pt", "ip.dsfield.dscp",
        "udp.dstport", "_ws.malformed", "rtp.seq", "rtcp.sender.packetcount",
    )  # fmt: skip
    done = subprocess.run(
        ["tshark", "-r", capture, "-T", "json", "-o", "rtp.heuristic_rtp:TRUE",
         "-d", f"udp.port=={port},sip", "-d", f"udp.port=={media_port},rtp",
         "-d", f"udp.port=={media_port + 1},rtcp", *(f"-e{name}" for name in fields)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    packets = [one["_source"]["layers"] for one in json.loads(done.stdout)]
    assert not [one for one in packets if "_ws.malformed" in one]
    assert [one["sip.Method"][0] for one in packets if "sip.Method" in one] == [
        "INVITE", "ACK", "BYE",
    ]  # fmt: skip
    ours = [one for one in packets if one["udp.dstport"] == [str(media_port)]]
    assert len(ours) == 70 == len({one["rtp.seq"][0] for one in ours})
    assert {one["rtp.p_type"][0] for one in ours} == {"8"}
    assert [index for index, one in enumerate(ours) if one["rtp.marker"][0] in ("1", "True")] == [0]
    reports = [one for one in packets if one["udp.dstport"] == [str(media_port + 1)]]
    assert [one["rtcp.pt"] for one in reports] == [["200", "202"], ["200", "202", "203"]]
    assert reports[-1]["rtcp.sender.packetcount"] == ["70"]
    assert {one["ip.dsfield.dscp"][0] for one in (*ours, *reports)} == {"46"}
