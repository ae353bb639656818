"""For whom a certificate speaks in SIP (RFC 5922 section 7), which is not how it is on the web."""

from collections.abc import Sequence
from ipaddress import ip_address

from cryptography import x509
from cryptography.x509.oid import NameOID

from nethealth.wire.errors import WireError
from nethealth.wire.sip_uri import parse_uri
from probes.tls import Identity


def sip_names(leaf: x509.Certificate) -> tuple[str, ...]:
    """The SIP domain identities (section 7.1), and the addresses beside them.

    `sip:` URIs without a user part; only if there is none, the DNS names; only if there is no
    subjectAltName at all, the common name.
    """
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return tuple(str(each.value) for each in common)
    addresses = tuple(str(each) for each in names.get_values_for_type(x509.IPAddress))
    domains = []
    for text in names.get_values_for_type(x509.UniformResourceIdentifier):
        try:
            uri = parse_uri(text)
        except WireError:
            continue
        if uri.scheme == "sip" and uri.user is None:
            domains.append(uri.host)
    return (*(domains or names.get_values_for_type(x509.DNSName)), *addresses)


def sip_name_matches(names: Sequence[str], domain: str) -> bool:
    """Section 7.2: the whole name, without case; no wildcard stands for anything."""
    wanted = _plain(domain)
    return any(_plain(name) == wanted for name in names)


def _plain(name: str) -> str:
    try:
        return str(ip_address(name))
    except ValueError:
        return name.lower().rstrip(".")


SIP_IDENTITY = Identity(
    sip_names,
    sip_name_matches,
    "sip URI of the subjectAltName, else DNS name, no wildcard (RFC 5922 section 7)",
)
