"""`sip` against a real server, whose behaviour is switched while it runs."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from nethealth.model.check import SipTransport
from nethealth.model.failure import Failure, Outcome
from tests.peers.kamailio import Kamailio
from tests.peers.ports import free_port
from tests.probes.sip_runs import ask


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kamailio, int]]:
    port = free_port()
    listen = [f"{name}:{port}" for name in ("udp:127.0.0.1", "tcp:127.0.0.1", "udp:[::1]")]
    folder: Path = tmp_path_factory.mktemp("kamailio")
    with Kamailio(folder, listen) as kamailio:
        yield kamailio, port


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("code", [200, 401, 404, 503])
def test_status_codes(server: tuple[Kamailio, int], transport: SipTransport, code: int) -> None:
    kamailio, port = server
    kamailio.behave("ok" if code == 200 else str(code))
    said = asyncio.run(ask(port, transport=transport, timeout_s=5.0))
    assert said.end == (Outcome.COMPLETED, None)
    assert said["sip_status_code"].value == code
    assert said["sip_server"].value == "lab kamailio"
    assert said["sip_received_address"].value == said["sip_received_address"].method["local"]
    assert ("sip_retry_after_s" in said.names) is (code == 503)
    assert ("sip_allow" in said.names) is (code == 200)


def test_ipv6(server: tuple[Kamailio, int]) -> None:
    kamailio, port = server
    kamailio.behave("ok")
    said = asyncio.run(ask(port, host="::1", timeout_s=5.0))
    assert said.end == (Outcome.COMPLETED, None)
    assert str(said["sip_received_address"].value).startswith("[::1]:")


def test_silent(server: tuple[Kamailio, int]) -> None:
    kamailio, port = server
    kamailio.behave("silent")
    assert asyncio.run(ask(port)).end == (Outcome.FAILED, Failure.TIMEOUT)


def test_slow(server: tuple[Kamailio, int]) -> None:
    """200 ms later than T1: answered, after a second copy, so with no known delay."""
    kamailio, port = server
    kamailio.behave("slow")
    said = asyncio.run(ask(port, timeout_s=10.0))
    assert said.end == (Outcome.COMPLETED, None)
    assert said["sip_transmission_count"].value == 2
    assert said["sip_response_delay_s"].value is None
