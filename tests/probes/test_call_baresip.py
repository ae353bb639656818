"""`call` to baresip, a real telephone that answers by itself and sends a stream of its own."""

import asyncio
from pathlib import Path

import pytest

from nethealth.model.check import CallCodec, SipTransport
from nethealth.model.failure import Outcome
from tests.peers import baresip
from tests.peers.certificates import Authority
from tests.peers.ports import free_port
from tests.probes.call_runs import parameters, place


@pytest.mark.parametrize(
    ("host", "transport", "codec"),
    [("127.0.0.1", "udp", "PCMA"), ("::1", "udp", "PCMU"), ("127.0.0.1", "tcp", "PCMU")],
)
def test_a_telephone_answers(
    tmp_path: Path, host: str, transport: SipTransport, codec: CallCodec
) -> None:
    port, media_port = free_port(host), free_port(host) & ~1
    asked = parameters(port, host=host, transport=transport, codecs=(codec, "G729"))
    with baresip.telephone(tmp_path, host, port, media_port=media_port) as phone:
        said = asyncio.run(place(asked))
        counted = phone.statistics()
    assert said.end == (Outcome.COMPLETED, None)
    assert str(said.value("sip_server")).startswith("baresip")
    assert said.value("call_ended_by") == "us"
    assert said.value("sip_bye_status_code") == 200
    assert said.value("media_address_matched") is True
    assert said.one("rtp_packets_received", direction="return").method["codec"] == codec
    sent = said.value("rtp_packets_sent", direction="forward")
    far_sent, far_received = counted["packets"]
    # one or two it may still send once it has answered our BYE
    assert 0 <= far_sent - said.number("rtp_packets_received", direction="return") <= 2
    assert far_received == sent
    assert counted["lost"] == (0, 0)
    assert sent == 50
    assert said.value("rtp_packets_lost", direction="return") == 0


def test_its_reports_are_read_and_it_reads_ours(tmp_path: Path) -> None:
    """It reports every five seconds: a call of eleven gives two, of which the second knows ours."""
    port, media_port = free_port(), free_port() & ~1
    with baresip.telephone(tmp_path, "127.0.0.1", port, media_port=media_port) as phone:
        said = asyncio.run(place(parameters(port, duration_s=11.0)))
        counted = phone.statistics()
    assert said.number("rtcp_packets_received") >= 1
    assert said.number("rtp_packets_sent", direction="return", source="RTCP") > 200
    assert said.value("rtp_packets_lost", direction="forward") == 0
    assert said.number("rtp_packets_received", direction="forward") > 200
    assert said.number("round_trip_delay_min_s", source="RTCP") < 1
    assert said.number("r_factor", direction="forward") > 70
    assert counted["packets"][1] == said.value("rtp_packets_sent", direction="forward")


def test_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("phone", ["127.0.0.1"])
    both = tmp_path / "phone-both.pem"
    both.write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())
    port, media_port = free_port(), free_port() & ~1
    with baresip.telephone(
        tmp_path, "127.0.0.1", port, media_port=media_port, certificate=both
    ) as phone:
        asked = parameters(port + 1, transport="tls")
        said = asyncio.run(place(asked, ca_file=authority.ca_file))
        counted = phone.statistics()
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("tls_chain_verified") is True
    assert said.number("tls_handshake_time_s") > 0
    assert counted["packets"][1] == said.value("rtp_packets_sent", direction="forward") == 50
