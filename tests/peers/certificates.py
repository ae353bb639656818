"""A certificate authority for tests: any names, any dates, with and without an intermediate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

KeyType = Literal["ec", "rsa"]
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_AGES = timedelta(days=20 * 365)


@dataclass(frozen=True)
class Pair:
    """PEM files as servers take them: the chain, leaf first, and the key."""

    certificate: Path
    key: Path


class Authority:
    """Signs in memory, writes into `folder`; `ca_file` is the root that clients are to trust."""

    def __init__(
        self,
        folder: Path,
        name: str = "Lab Root",
        *,
        parent: "Authority | None" = None,
        is_ca: bool = True,
    ) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        signer = parent or self
        now = datetime.now(UTC)
        subject = _name(name)
        self.certificate: x509.Certificate = _signed(
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(parent.certificate.subject if parent else subject)
            .not_valid_before(now - _AGES)
            .not_valid_after(now + _AGES)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(_KEY_CERT_SIGN, critical=True),
            public=self._key,
            by=signer._key,
        )
        self._sent: tuple[x509.Certificate, ...] = (self.certificate,) if parent else ()
        if parent is None:
            self.ca_file = folder / f"{name.replace(' ', '-').lower()}.pem"
            self.ca_file.write_bytes(_pem(self.certificate))
        else:
            self.ca_file = parent.ca_file

    def intermediate(self, name: str = "Lab Issuing CA", *, is_ca: bool = True) -> "Authority":
        """An authority below this one; what it issues is sent with its own certificate.

        With `is_ca` false it has no right to issue, and does so all the same.
        """
        return Authority(self._folder, name, parent=self, is_ca=is_ca)

    def issue(
        self,
        file_name: str,
        names: Sequence[str],
        *,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        key_type: KeyType = "ec",
        with_intermediate: bool = True,
        common_name: str | None = None,
    ) -> Pair:
        """A server's certificate; an address among `names` becomes an iPAddress name."""
        key = _new_key(key_type)
        leaf = _signed(
            _leaf(names, not_before, not_after, common_name).issuer_name(self.certificate.subject),
            public=key,
            by=self._key,
        )
        chain = (leaf, *self._sent) if with_intermediate else (leaf,)
        return _written(self._folder, file_name, chain, key)


def self_signed(
    folder: Path, file_name: str, names: Sequence[str], *, not_after: datetime | None = None
) -> Pair:
    """A server's certificate that vouches for itself."""
    key = _new_key("ec")
    builder = _leaf(names, None, not_after, None)
    leaf = _signed(builder.issuer_name(_name(names[0])), public=key, by=key)
    return _written(folder, file_name, (leaf,), key)


_KEY_CERT_SIGN = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _new_key(key_type: KeyType) -> PrivateKey:
    if key_type == "rsa":
        return rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _leaf(
    names: Sequence[str],
    not_before: datetime | None,
    not_after: datetime | None,
    common_name: str | None,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name or names[0]))
        .not_valid_before(not_before or min(now, not_after or now) - timedelta(days=1))
        .not_valid_after(not_after or now + timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if not names:
        return builder
    return builder.add_extension(
        x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _signed(
    builder: x509.CertificateBuilder, *, public: PrivateKey, by: PrivateKey
) -> x509.Certificate:
    return (
        builder.public_key(public.public_key())
        .serial_number(x509.random_serial_number())
        .sign(by, hashes.SHA256())
    )


def _pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def _written(
    folder: Path, file_name: str, chain: Sequence[x509.Certificate], key: PrivateKey
) -> Pair:
    pair = Pair(folder / f"{file_name}.pem", folder / f"{file_name}.key")
    pair.certificate.write_bytes(_pem(*chain))
    pair.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pair
