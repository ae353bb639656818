"""Chains, names and dates, with OpenSSL's own tools as the second opinion."""

import asyncio
import socket
import ssl
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from nethealth.model.check import Check, TcpParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.observation import Observation
from nethealth.model.ports import NetworkFailure, TlsFacts
from nethealth.model.probe import Env, Observer
from probes.net import SystemClock, SystemNetwork
from probes.tls import NAME_MISMATCH, TLS_UNITS, name_matches, tls_observations
from probes.trust import TrustStore
from tests.peers.certificates import Authority, Pair, self_signed
from tests.probes.driver import NoPacing
from tests.probes.hostile import stream_server

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def root(folder: Path) -> Authority:
    return Authority(folder)


def chain_of(pair: Pair) -> tuple[bytes, ...]:
    certificates = x509.load_pem_x509_certificates(pair.certificate.read_bytes())
    return tuple(each.public_bytes(Encoding.DER) for each in certificates)


def observe(facts: TlsFacts, name: str, now: datetime = NOW) -> dict[str, Observation]:
    clock = SystemClock()
    env = Env(clock, SystemNetwork(clock), Random(1), NoPacing(), clock.monotonic_s())
    check = Check("a:b", "tcp", None, None, None, "t", TcpParameters("h", 1))
    seen = list(tls_observations(Observer(check, env, TLS_UNITS), facts, name, now, {"port": 443}))
    assert [each.name for each in seen] == list(TLS_UNITS)
    assert all(each.method["port"] == 443 for each in seen)
    return {each.name: each for each in seen}


# --- chains ---------------------------------------------------------------------------------------


def openssl_verifies(pair: Pair, ca_file: Path) -> bool:
    done = subprocess.run(
        (
            *("openssl", "verify", "-purpose", "sslserver", "-CAfile", str(ca_file)),
            *("-untrusted", str(pair.certificate), str(pair.certificate)),
        ),
        capture_output=True,
        check=False,
        timeout=30,
    )
    return done.returncode == 0


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("direct", None),
        ("below an intermediate", None),
        ("rsa", None),
        ("missing intermediate", "unknown issuer: CN=Lab Issuing CA"),
        ("of another root", "unknown issuer: CN=Another Root"),
        ("expired", "certificate expired on 20"),
        ("not yet valid", "certificate is not valid before 20"),
        ("self-signed", "self-signed certificate"),
        ("signed by a leaf", "chain does not lead"),
    ],
)
def test_chains_as_openssl_judges_them(
    folder: Path, tmp_path: Path, root: Authority, kind: str, said: str | None
) -> None:
    name = "portal.example"
    below = root.intermediate()
    pair = {
        "direct": lambda: root.issue(kind, [name]),
        "below an intermediate": lambda: below.issue(kind, [name]),
        "rsa": lambda: root.issue(kind, [name], key_type="rsa"),
        "missing intermediate": lambda: below.issue(kind, [name], with_intermediate=False),
        "of another root": lambda: Authority(tmp_path, "Another Root").issue(kind, [name]),
        "expired": lambda: root.issue(kind, [name], not_after=NOW - timedelta(days=1)),
        "not yet valid": lambda: root.issue(kind, [name], not_before=NOW + timedelta(days=1)),
        "self-signed": lambda: self_signed(folder, kind, [name]),
        "signed by a leaf": lambda: root.intermediate(is_ca=False).issue(kind, [name]),
    }[kind]()
    error = TrustStore.load(str(root.ca_file)).verify_error(chain_of(pair), name)
    assert (error is None) is openssl_verifies(pair, root.ca_file)
    assert (error is None) is (said is None)
    assert said is None or said in str(error)


def test_a_self_signed_certificate_that_the_machine_trusts_holds(folder: Path) -> None:
    pair = self_signed(folder, "trusted", ["pbx.example"])
    store = TrustStore.load(str(pair.certificate))
    assert store.verify_error(chain_of(pair), "pbx.example") is None


def test_the_chain_is_judged_before_the_name(root: Authority) -> None:
    store = TrustStore.load(str(root.ca_file))
    good = chain_of(root.issue("named", ["portal.example"]))
    error = store.verify_error(good, "other.example")
    assert error == f"{NAME_MISMATCH}: other.example is not among portal.example"
    expired = root.issue("both", ["portal.example"], not_after=NOW - timedelta(days=1))
    assert "expired" in str(store.verify_error(chain_of(expired), "other.example"))


def test_the_systems_trust_store_is_found(monkeypatch: pytest.MonkeyPatch, root: Authority) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(root.ca_file))
    assert len(TrustStore.load().anchors) == 1
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    paths = ssl.get_default_verify_paths()
    store = TrustStore.load()
    assert (store.lack is None) is (Path(paths.openssl_capath).exists())


def test_a_store_that_cannot_be_read_says_so(tmp_path: Path, root: Authority) -> None:
    chain = chain_of(root.issue("unread", ["portal.example"]))
    absent = TrustStore.load(str(tmp_path / "absent.pem"))
    assert "cannot be read" in str(absent.verify_error(chain, "portal.example"))
    (tmp_path / "empty.pem").write_text(
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    )
    empty = TrustStore.load(str(tmp_path / "empty.pem"))
    assert empty.verify_error(chain, "portal.example") == "this machine has no trust store"


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern", ["portal.example.org", "*.example.org", "192.0.2.7", "2001:db8::7"]
)
@pytest.mark.parametrize(
    "name",
    [
        "portal.example.org",
        "PORTAL.Example.ORG",
        "a.portal.example.org",
        "example.org",
        "portal.example.com",
        "192.0.2.7",
        "192.0.2.8",
        "2001:db8::7",
        "2001:db8:0:0::7",
    ],
)
def test_names_match_as_openssl_matches_them(root: Authority, pattern: str, name: str) -> None:
    pair = root.issue("match", [pattern])
    option = "-checkip" if name[0].isdigit() else "-checkhost"
    done = subprocess.run(
        ["openssl", "x509", "-noout", "-in", pair.certificate, option, name],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert name_matches([pattern], name) is ("does match certificate" in done.stdout)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("portal.example.org.", "portal.example.org", True),  # a root dot is no label
        ("portal.example.org", "portal.example.org.", True),
        ("p*.example.org", "portal.example.org", False),  # RFC 9525 section 6.3: whole labels
        ("*.*.org", "portal.example.org", False),
        ("*", "localhost", False),
        ("*.org", "example.org", False),  # not below one label
        ("xn--bcher-kva.example.org", "bücher.example.org", True),
        ("192.0.2.7", "portal.example.org", False),
        ("*.0.2.7", "192.0.2.7", False),
        ("", "", True),
    ],
)
def test_names_by_the_rule(pattern: str, name: str, matches: bool) -> None:
    assert name_matches([pattern], name) is matches


def test_a_common_name_does_not_count(root: Authority) -> None:
    chain = chain_of(root.issue("common", [], common_name="portal.example"))
    seen = observe(TlsFacts("TLSv1.3", "c", chain, NAME_MISMATCH), "portal.example")
    assert seen["tls_name_matched"].value is False
    assert seen["tls_name_matched"].method["names"] == ()


# --- observations ---------------------------------------------------------------------------------


def test_days_to_expiry_are_counted_from_the_given_time(root: Authority) -> None:
    ends = datetime(2031, 5, 1, 12, tzinfo=UTC)
    chain = chain_of(root.issue("dated", ["portal.example"], not_after=ends))
    facts = TlsFacts("TLSv1.2", "c", chain, None)
    for now, days in [
        (datetime(2031, 4, 1, 12, tzinfo=UTC), 30),
        (datetime(2031, 5, 1, tzinfo=UTC), 0.5),
        (datetime(2031, 5, 3, 12, tzinfo=UTC), -2),
    ]:
        seen = observe(facts, "portal.example", now)["certificate_days_to_expiry"]
        assert seen.value == days
        assert seen.method["not_after"] == "2031-05-01T12:00:00+00:00"


def test_the_certificate_is_described_as_openssl_describes_it(root: Authority) -> None:
    pair = root.issue("described", ["portal.example"], key_type="rsa")
    method = observe(TlsFacts("TLSv1.2", "c", chain_of(pair), None), "x")[
        "certificate_days_to_expiry"
    ].method
    done = subprocess.run(
        (
            *("openssl", "x509", "-noout", "-serial", "-subject", "-issuer", "-text"),
            *("-nameopt", "RFC2253", "-in", str(pair.certificate)),
        ),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    said = done.stdout
    assert f"serial={method['serial']}".upper() in said.replace("=0", "=").upper()
    assert f"subject={method['subject']}" in said
    assert f"issuer={method['issuer']}" in said
    assert f"Public-Key: ({method['key_bits']} bit)" in said
    assert method["signature_algorithm"] == "1.2.840.10045.4.3.2"  # ecdsa-with-SHA256, RFC 5758


@pytest.mark.parametrize("chain", [(), (b"",), (b"garbage",), (b"\x30\x82\xff\xff" * 100,)])
def test_no_readable_certificate_gives_no_value(chain: tuple[bytes, ...]) -> None:
    error = TrustStore(()).verify_error(chain, "portal.example")
    assert error
    seen = observe(TlsFacts("TLSv1.2", "c", chain, error), "portal.example")
    assert seen["tls_chain_verified"].value is False
    for name in ("tls_name_matched", "certificate_days_to_expiry"):
        assert seen[name].value is None
        assert seen[name].failure is Failure.TLS


@given(
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=6)
)
def test_no_certificate_makes_anything_raise(
    root: Authority, changes: list[tuple[int, int]]
) -> None:
    octets = bytearray(root.certificate.public_bytes(Encoding.DER))
    for position, value in changes:
        octets[position % len(octets)] = value
    chain = (bytes(octets),)
    error = TrustStore((root.certificate,)).verify_error(chain, "portal.example")
    assert error != ""
    observe(TlsFacts("TLSv1.2", "c", chain, error), "portal.example")


# --- handshakes -----------------------------------------------------------------------------------


def server_context(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


def test_octets_pass_through_tls_and_its_end_is_seen(root: Authority) -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def case() -> None:
        pair = root.intermediate().issue("shout", ["localhost"])
        network = SystemNetwork(SystemClock(), str(root.ca_file))
        async with stream_server(shout, tls=server_context(pair)) as port:
            channel = await network.open_stream(Endpoint("127.0.0.1", port))
            facts = await channel.start_tls("localhost")
            assert facts == replace(facts, verify_error=None, certificates=chain_of(pair))
            assert len(facts.certificates) == 2  # as sent: without the root
            await channel.write(b"hello\n")
            assert await channel.read(3) == b"HEL"
            assert await channel.read(100) == b"LO\n"
            assert await channel.read(100) == b""
            await channel.close()
        await network.close()

    asyncio.run(case())


@pytest.mark.parametrize("name", ["a..b", "x" * 300, ".example", "nul\0.example"])
def test_a_name_that_tls_cannot_carry_fails_the_handshake(root: Authority, name: str) -> None:
    async def case() -> None:
        network = SystemNetwork(SystemClock(), str(root.ca_file))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            channel = await network.open_stream(Endpoint(*listener.getsockname()))
            with pytest.raises(NetworkFailure) as seen:
                await channel.start_tls(name)
            assert seen.value.failure is Failure.TLS
            await channel.close()
        await network.close()

    asyncio.run(case())
