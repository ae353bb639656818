"""Would a careful client trust this chain? Judged after the handshake, never part of it."""

import base64
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from probes.tls import (
    NAME_MISMATCH,
    UNREADABLE,
    certificate_names,
    certificate_of,
    name_matches,
)

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----")


@dataclass(frozen=True)
class TrustStore:
    """The trust anchors; `lack` says why there are none."""

    anchors: tuple[x509.Certificate, ...]
    lack: str | None = None

    @classmethod
    def load(cls, ca_file: str | None = None) -> "TrustStore":
        """From `ca_file`, or where OpenSSL looks (SSL_CERT_FILE and SSL_CERT_DIR honoured)."""
        files = [Path(ca_file)] if ca_file else _system_files()
        anchors: list[x509.Certificate] = []
        for file in files:
            try:
                anchors.extend(_certificates_in(file.read_bytes()))
            except OSError as error:
                return cls((), f"the trust store cannot be read: {error}")
        if not anchors:
            return cls((), "this machine has no trust store")
        return cls(tuple(anchors))

    @cached_property
    def _store(self) -> Store:
        return Store(list(self.anchors))

    def verify_error(
        self, certificates: Sequence[bytes], server_name: str, now: datetime | None = None
    ) -> str | None:
        """Why `certificates` (DER, leaf first) do not vouch for `server_name`; None if they do.

        The chain is judged first; a reason that begins with NAME_MISMATCH means that the chain
        itself holds. Revocation is not asked about.
        """
        if not certificates:
            return "the server sent no certificate"
        try:
            leaf, *others = map(certificate_of, certificates)
            names = certificate_names(leaf)
            error = self._chain_error(leaf, others, now or datetime.now(UTC))
        except UNREADABLE as fault:
            return f"the certificate cannot be read: {fault}"
        if error is None and not name_matches(names, server_name):
            return f"{NAME_MISMATCH}: {server_name} is not among {', '.join(names) or 'no names'}"
        return error

    def _chain_error(
        self,
        leaf: x509.Certificate,
        others: Sequence[x509.Certificate],
        now: datetime,
    ) -> str | None:
        if now > leaf.not_valid_after_utc:
            return f"certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}"
        if now < leaf.not_valid_before_utc:
            return f"certificate is not valid before {leaf.not_valid_before_utc:%Y-%m-%d}"
        if self.lack is not None:
            return self.lack
        if leaf in self.anchors:
            return None
        if leaf.issuer == leaf.subject:
            return "self-signed certificate that is not in the trust store"
        policy = (
            PolicyBuilder()
            .store(self._store)
            .time(now)
            .extension_policies(ca_policy=_CA_POLICY, ee_policy=ExtensionPolicy.permit_all())
        )
        try:
            policy.build_client_verifier().verify(leaf, list(others))
        except VerificationError as error:
            top = _last_issuer(leaf, others)
            if all(top != anchor.subject for anchor in self.anchors):
                return f"unknown issuer: {top.rfc4514_string()}"
            return f"the chain does not lead to a trusted issuer: {error}"
        return None


def _last_issuer(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> x509.Name:
    """Where the chain as sent ends: the issuer that it names and does not hold."""
    issuers = {other.subject: other.issuer for other in others}
    name = leaf.issuer
    while name in issuers:
        name, before = issuers.pop(name), name
        if name == before:
            break
    return name


def _must_be_ca(_: Policy, __: x509.Certificate, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError("the issuer is not a certificate authority")


def _must_sign_certificates(
    _: Policy, __: x509.Certificate, extension: x509.KeyUsage | None
) -> None:
    if extension is not None and not extension.key_cert_sign:
        raise ValueError("the issuer's key is not for signing certificates")


# What RFC 5280 section 6.1.4 (k) and (n) asks of an issuer. The stricter rules of the web's
# authorities would refuse private ones that every operating system accepts.
_CA_POLICY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _must_be_ca)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _must_sign_certificates)
)


def _system_files() -> list[Path]:
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return [Path(paths.cafile)]
    if not paths.capath:
        return []
    bundle = Path(paths.capath) / "ca-certificates.crt"  # Debian's; its folder has each one too
    return [bundle] if bundle.is_file() else sorted(Path(paths.capath).glob("*.[0-9]"))


def _certificates_in(pem: bytes) -> list[x509.Certificate]:
    """One by one: a system's bundle may hold an old one that the parser refuses."""
    found = []
    for block in _PEM.findall(pem):
        try:
            found.append(certificate_of(base64.b64decode(block)))
        except UNREADABLE:
            continue
    return found
