"""SIPS: whom a certificate speaks for (RFC 5922), and which old versions are still let in."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from probes.sip_identity import sip_name_matches, sip_names
from tests.peers.certificates import Authority
from tests.peers.kamailio import Kamailio
from tests.peers.ports import free_port
from tests.probes.sip_runs import Said, ask


def certificate(common: str, names: list[x509.GeneralName]) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256())


def uri(text: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(text)


@pytest.mark.parametrize(
    ("names", "domain", "matched"),
    [
        ([uri("sip:example.com")], "example.com", True),
        ([uri("sip:EXAMPLE.com")], "Example.COM.", True),
        # a URI of the right kind makes the DNS names void
        ([uri("sip:example.com"), x509.DNSName("other.example")], "other.example", False),
        # neither another scheme nor a user part is a domain's identity
        ([uri("sips:example.com"), x509.DNSName("example.com")], "example.com", True),
        ([uri("sips:example.com")], "example.com", False),
        ([uri("sip:alice@example.com")], "example.com", False),
        ([uri("https://example.com/")], "example.com", False),
        ([x509.DNSName("example.com")], "example.com", True),
        ([x509.DNSName("*.example.com")], "sip.example.com", False),
        # the common name counts only where there is no subjectAltName
        ([], "common.example", True),
        ([x509.DNSName("example.com")], "common.example", False),
    ],
)
def test_the_rules_of_rfc_5922_sections_7_1_and_7_2(
    names: list[x509.GeneralName], domain: str, matched: bool
) -> None:
    found = sip_names(certificate("common.example", names))
    assert sip_name_matches(found, domain) is matched


@pytest.mark.parametrize("old_tls", [True, False])
def test_old_versions(tmp_path: Path, *, old_tls: bool) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("pbx", ["127.0.0.1"], key_type="rsa")
    port = free_port()

    def said(old_tls: bool) -> Said:
        return asyncio.run(
            ask(
                port, transport="tls", timeout_s=5.0, ca_file=authority.ca_file, old_tls=old_tls
            )
        )  # fmt: skip

    with Kamailio(
        tmp_path, [f"tls:127.0.0.1:{port}"], certificate=pair.certificate, key=pair.key,
        old_tls=old_tls,
    ):  # fmt: skip
        asked, not_asked = said(True), said(False)
    accepted = asked["tls_versions_accepted"]
    old = "TLSv1, TLSv1.1, " if old_tls else ""
    assert accepted.value == f"{old}TLSv1.3"
    assert accepted.method["undetermined"] == ()
    assert asked["sip_status_code"].value == 200
    assert asked["tls_name_matched"].value is True
    assert "RFC 5922" in str(asked["tls_name_matched"].method["rule"])
    assert "tls_versions_accepted" not in not_asked.names
