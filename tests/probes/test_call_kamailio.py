"""`call` through a proxy that asks who calls and stays on the path, to what stands behind it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from nethealth.model.check import CallParameters, SipTransport
from nethealth.model.failure import Failure, Outcome
from tests.peers import baresip, sipp
from tests.peers.call_proxy import CALLER, PASSWORD, CallProxy
from tests.peers.certificates import Authority
from tests.peers.ports import free_port
from tests.probes.call_runs import parameters, place


@contextmanager
def proxy(
    folder: Path, host: str, *, challenges_bye: bool = False, behind: int | None = None
) -> Iterator[
    tuple[CallProxy, dict[SipTransport, int], Path]
]:  # fmt: skip
    """A proxy over UDP, TCP and TLS at `host`, with its ports and the trust in it."""
    authority = Authority(folder)
    pair = authority.issue("proxy", [host])
    name = f"[{host}]" if ":" in host else host
    port = free_port(host)
    ports: dict[SipTransport, int] = {"udp": port, "tcp": port, "tls": free_port(host)}
    home = folder / "proxy"
    home.mkdir()
    with CallProxy(
        home, [f"{kind}:{name}:{number}" for kind, number in ports.items()],
        certificate=pair.certificate, key=pair.key, challenges_bye=challenges_bye,
        behind=f"sip:echo@{name}:{behind}" if behind else None,
    ) as running:  # fmt: skip
        assert isinstance(running, CallProxy)
        yield running, ports, authority.ca_file


def asked(port: int, host: str, transport: SipTransport, **more: float) -> CallParameters:
    to = parameters(port, host=host, transport=transport, username=CALLER)
    return replace(to, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_telephone_that_is_registered(tmp_path: Path, host: str, transport: SipTransport) -> None:
    """Every request within the call comes by the route set, over whichever transport."""
    port, media_port = free_port(host), free_port(host) & ~1
    with proxy(tmp_path, host) as (kamailio, ports, trust):
        name = f"[{host}]" if ":" in host else host
        at = f"{name}:{ports['udp']}"
        with baresip.telephone(
            tmp_path, host, port, media_port=media_port, registrar=(at, PASSWORD)
        ) as phone:
            said = asyncio.run(
                place(asked(ports[transport], host, transport), password=PASSWORD, ca_file=trust)
            )
            counted = phone.statistics()
            routed = kamailio.routed()
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_authenticated") is True
    assert said.one("sip_authenticated").method["realm"] == "lab"
    assert said.value("sip_status_code") == 200
    assert str(said.value("sip_server")).startswith("baresip")
    assert said.value("sip_bye_status_code") == 200
    assert routed[0] == "by ACK"
    assert "by BYE" in routed
    assert not [line for line in routed if line.startswith("past ")]
    far_sent, far_received = counted["packets"]
    assert far_received == said.value("rtp_packets_sent", direction="forward") == 50
    assert 0 <= far_sent - said.number("rtp_packets_received", direction="return") <= 2
    assert counted["lost"] == (0, 0)
    assert said.value("rtp_packets_lost", direction="return") == 0


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_echo_that_stands_behind_it(tmp_path: Path, transport: SipTransport) -> None:
    port, media_port = free_port(), free_port()
    with (
        proxy(tmp_path, "127.0.0.1", behind=port) as (kamailio, ports, _),
        sipp.called(tmp_path, "127.0.0.1", port, media_port=media_port),
    ):
        said = asyncio.run(
            place(asked(ports[transport], "127.0.0.1", transport), password=PASSWORD)
        )
        routed = kamailio.routed()
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_server") == "lab sipp"
    assert said.value("rtp_packets_lost", direction="round-trip") == 0
    assert said.value("rtp_packets_sent", direction="forward") == 50
    assert routed == ["by ACK", "by BYE"]


def test_a_proxy_that_asks_within_the_call_too(tmp_path: Path) -> None:
    port = free_port()
    with (
        proxy(tmp_path, "127.0.0.1", challenges_bye=True, behind=port) as (_, ports, _),
        sipp.called(tmp_path, "127.0.0.1", port, media_port=free_port()),
    ):
        said = asyncio.run(place(asked(ports["udp"], "127.0.0.1", "udp"), password=PASSWORD))
    assert said.end == (Outcome.COMPLETED, None)
    assert said.value("sip_bye_status_code") == 200


def test_a_wrong_password_and_nobody_there(tmp_path: Path) -> None:
    with proxy(tmp_path, "127.0.0.1") as (_, ports, _):
        to = asked(ports["udp"], "127.0.0.1", "udp")
        wrong = asyncio.run(place(to, password="not-the-one"))
        gone = asyncio.run(place(to, password=PASSWORD))
    assert wrong.end == (Outcome.FAILED, Failure.AUTH)
    assert wrong.value("sip_status_code") == 407
    assert gone.end == (Outcome.COMPLETED, None)
    assert gone.value("sip_status_code") == 404
    assert gone.value("sip_authenticated") is True


def test_it_rings_behind_the_proxy_and_is_given_up(tmp_path: Path) -> None:
    """CANCEL is of the INVITE with credentials, and finds its way."""
    port, media_port = free_port(), free_port() & ~1
    with proxy(tmp_path, "127.0.0.1") as (_, ports, _):
        registrar = (f"127.0.0.1:{ports['udp']}", PASSWORD)
        with baresip.telephone(
            tmp_path, "127.0.0.1", port, media_port=media_port, registrar=registrar, answers=False
        ):
            to = asked(ports["udp"], "127.0.0.1", "udp", ring_timeout_s=0.7)
            said = asyncio.run(place(to, password=PASSWORD))
    assert said.end == (Outcome.FAILED, Failure.TIMEOUT)
    assert "180" in str(said.value("sip_provisional_codes"))
    assert said.value("sip_status_code") == 487
