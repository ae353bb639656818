"""What a TLS handshake showed, as observations: version, chain, names, days to expiry."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from nethealth.model.failure import Failure
from nethealth.model.observation import Observation, Passport
from nethealth.model.ports import TlsFacts
from nethealth.model.probe import Observer

TLS_UNITS: dict[str, str | None] = {
    "tls_version": None,
    "tls_chain_verified": None,
    "tls_name_matched": None,
    "certificate_days_to_expiry": "d",
}

NAME_MISMATCH = "name mismatch"  # opens a verify_error whose chain holds all the same

# all that reading a hostile certificate can raise
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

_NAMES_MAX = 100
_TEXT_MAX = 256
_DAY_S = 86_400


def tls_observations(
    observe: Observer,
    facts: TlsFacts,
    server_name: str,
    now_utc: datetime,
    method: Passport,
    identity: "Identity | None" = None,
) -> Iterator[Observation]:
    """The four facts of a finished handshake; `method` is the passport that they share.

    `identity` says whom a certificate speaks for, in protocols that have rules of their own.
    """
    identity = identity or WEB_IDENTITY
    yield observe(
        "tls_version", facts.version, method={**method, "cipher": facts.cipher, "alpn": facts.alpn}
    )
    error = facts.verify_error
    held = error is None or error.startswith(NAME_MISMATCH)
    if held and identity is not WEB_IDENTITY:
        error = None  # the mismatch is one by the rules of the web
    yield observe(
        "tls_chain_verified",
        held,
        method={
            **method,
            "error": error[: 2 * _TEXT_MAX] if error else None,
            "chain_length": len(facts.certificates),
            "revocation": "not checked",
        },
    )
    try:
        if not facts.certificates:
            raise ValueError("the server sent no certificate")
        leaf = certificate_of(facts.certificates[0])
        names = identity.names(leaf)
        matched = identity.matches(names, server_name)
        days = (leaf.not_valid_after_utc - now_utc).total_seconds() / _DAY_S
        described = _described(leaf)
    except UNREADABLE as fault:
        unread = {**method, "error": str(fault)[:_TEXT_MAX]}
        yield observe("tls_name_matched", None, failure=Failure.TLS, method=unread)
        yield observe("certificate_days_to_expiry", None, failure=Failure.TLS, method=unread)
        return
    yield observe(
        "tls_name_matched",
        matched,
        method={
            **method,
            "server_name": server_name,
            "names": tuple(name[:_TEXT_MAX] for name in names[:_NAMES_MAX]),
            "rule": identity.rule,
        },
    )
    yield observe(
        "certificate_days_to_expiry",
        round(days, 3),
        method={**method, **described, "chain_length": len(facts.certificates)},
    )


def certificate_of(der: bytes) -> x509.Certificate:
    """Parse, without the library's warnings of what it means to refuse one day."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return x509.load_der_x509_certificate(der)


def certificate_names(leaf: x509.Certificate) -> tuple[str, ...]:
    """The DNS names and addresses of the subjectAltName; empty without one."""
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    names = extension.value
    return (
        *names.get_values_for_type(x509.DNSName),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    )


def name_matches(names: Sequence[str], server_name: str) -> bool:
    """RFC 9525 section 6.3: whole labels, without case; `*` stands for one whole leftmost label.

    An address matches only as an address.
    """
    try:
        wanted = ip_address(server_name)
    except ValueError:
        return any(_dns_name_matches(name, server_name) for name in names)
    return any(_same_address(name, wanted) for name in names)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a certificate speaks for, by the rules of one protocol."""

    names: Callable[[x509.Certificate], tuple[str, ...]]
    matches: Callable[[Sequence[str], str], bool]
    rule: str


WEB_IDENTITY = Identity(
    certificate_names,
    name_matches,
    "subjectAltName only; the common name does not count (RFC 9525 section 6.3)",
)


def _same_address(name: str, wanted: object) -> bool:
    try:
        return ip_address(name) == wanted
    except ValueError:
        return False


def _dns_name_matches(pattern: str, server_name: str) -> bool:
    pattern_labels = pattern.lower().rstrip(".").split(".")
    labels = _ascii(server_name).lower().rstrip(".").split(".")
    if pattern_labels[0] == "*" and len(pattern_labels) > 2:
        return len(labels) == len(pattern_labels) and labels[1:] == pattern_labels[1:]
    return labels == pattern_labels


def _ascii(name: str) -> str:
    """The A-label form, in which certificates hold names (RFC 9525 section 6.3)."""
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def _described(leaf: x509.Certificate) -> dict[str, str | int | None]:
    key_type, key_bits = _key_of(leaf)
    return {
        "subject": leaf.subject.rfc4514_string()[:_TEXT_MAX],
        "issuer": leaf.issuer.rfc4514_string()[:_TEXT_MAX],
        "not_before": leaf.not_valid_before_utc.isoformat(),
        "not_after": leaf.not_valid_after_utc.isoformat(),
        "serial": f"{leaf.serial_number:x}"[:_TEXT_MAX],
        "key_type": key_type,
        "key_bits": key_bits,
        "signature_algorithm": leaf.signature_algorithm_oid.dotted_string[:_TEXT_MAX],
    }


def _key_of(leaf: x509.Certificate) -> tuple[str | None, int | None]:
    try:
        key = leaf.public_key()
    except UNREADABLE:
        return None, None  # a kind that the library does not know: the rest still stands
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}", key.key_size
    if isinstance(key, dsa.DSAPublicKey):
        return "DSA", key.key_size
    return type(key).__name__.removesuffix("PublicKey").lstrip("_"), None
