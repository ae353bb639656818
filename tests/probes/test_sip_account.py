"""Logging in and registering at a real server, over every transport and both address families."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from nethealth.model.check import SipTransport
from nethealth.model.failure import Failure, Outcome
from nethealth.sweep import RunAccounts
from tests.peers.certificates import Authority
from tests.peers.kamailio import ACCOUNT, Kamailio
from tests.peers.ports import free_port
from tests.probes.sip_runs import Said, ask

PASSWORD = ACCOUNT[1]


class Peer:
    def __init__(self, folder: Path, algorithm: str) -> None:
        self.authority = Authority(folder)
        pair = self.authority.issue("pbx", ["127.0.0.1", "::1"])
        self.port, self.tls_port = free_port(), free_port()
        listen = [
            f"{transport}:{address}:{port}"
            for address in ("127.0.0.1", "[::1]")
            for transport, port in (
                ("udp", self.port), ("tcp", self.port), ("tls", self.tls_port)
            )
        ]  # fmt: skip
        self.kamailio = Kamailio(
            folder, listen, algorithm=algorithm, certificate=pair.certificate, key=pair.key
        )

    def port_of(self, transport: SipTransport) -> int:
        return self.tls_port if transport == "tls" else self.port


@pytest.fixture(scope="module", params=["MD5", "SHA-256"])
def peer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    peer = Peer(tmp_path_factory.mktemp("registrar"), request.param)
    with peer.kamailio:
        yield peer


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_logged_in_and_registered_and_gone_again(
    peer: Peer, transport: SipTransport, host: str
) -> None:
    peer.kamailio.behave("auth")
    said = asyncio.run(
        ask(
            peer.port_of(transport), host=host, transport=transport, timeout_s=5.0,
            ca_file=peer.authority.ca_file, password=PASSWORD, test_account=True,
        )
    )  # fmt: skip
    assert said.end == (Outcome.COMPLETED, None)
    assert [one.value for one in said.all("sip_status_code")] == [401, 200]
    login = said["sip_authenticated"]
    assert login.value is True
    assert login.method["qop"] == "auth"
    only_md5 = login.method["algorithm"] == "MD5"
    assert login.method["downgrade"] == ("the server offers MD5 alone" if only_md5 else None)
    assert said["sip_registration_status_code"].value == 200
    delay = said["registration_request_delay_s"].value
    assert isinstance(delay, float)
    assert 0 < delay < 5
    assert said["sip_registration_expires_s"].value == 60
    assert said["sip_registration_expires_s"].method["binding_count"] == 1
    assert said["sip_registration_removed"].value is True
    assert "nethealth" not in peer.kamailio.bindings()


def test_without_qop_as_rfc_2069_had_it(peer: Peer) -> None:
    peer.kamailio.behave("auth-old")
    said = asyncio.run(ask(peer.port, timeout_s=5.0, password=PASSWORD))
    assert said["sip_authenticated"].value is True
    assert said["sip_authenticated"].method["qop"] is None


def test_only_a_test_account_is_registered(peer: Peer) -> None:
    peer.kamailio.behave("auth")
    said = asyncio.run(ask(peer.port, timeout_s=5.0, password=PASSWORD))
    assert said["sip_authenticated"].value is True
    assert not [name for name in said.names if "registration" in name]
    said = asyncio.run(ask(peer.port, timeout_s=5.0, test_account=True))
    assert not [name for name in said.names if "registration" in name]


def test_without_credentials_a_challenge_is_only_told(peer: Peer) -> None:
    peer.kamailio.behave("auth")
    said = asyncio.run(ask(peer.port, timeout_s=5.0))
    assert said.end == (Outcome.COMPLETED, None)
    assert said["sip_status_code"].value == 401
    assert said["sip_authenticated"].value is None
    assert said["sip_authenticated"].method["reason"] == "no credentials are configured"


def test_a_refused_account_is_not_tried_again_in_the_run(peer: Peer) -> None:
    peer.kamailio.behave("auth")
    accounts = RunAccounts()

    async def scene() -> None:
        async def one(transport: SipTransport) -> Said:
            return await ask(
                peer.port, transport=transport, timeout_s=5.0, password="not-it",
                accounts=accounts, test_account=True,
            )  # fmt: skip

        first, second = await asyncio.gather(one("udp"), one("tcp"))
        tried, spared = sorted(
            (first, second), key=lambda said: said["sip_authenticated"].value is None
        )
        assert tried["sip_authenticated"].value is False
        assert tried.end == (Outcome.FAILED, Failure.AUTH)
        assert "not-it" not in repr((tried, spared))
        assert spared.end == (Outcome.COMPLETED, None)
        assert "refused before in this run" in str(spared["sip_authenticated"].method["reason"])
        for said in (tried, spared):
            assert not [name for name in said.names if "registration" in name]

    asyncio.run(scene())
    said = asyncio.run(ask(peer.port, timeout_s=5.0, password=PASSWORD, accounts=accounts))
    assert said["sip_authenticated"].value is None, "the same account at the same server"
