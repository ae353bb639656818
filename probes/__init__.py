"""The probes: one module per kind, and the catalogue that names them."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nethealth.model.check import ProbeKind
    from nethealth.model.probe import Catalogue, Probe

_MODULES: "dict[ProbeKind, str]" = {
    "ping": "probes.ping:PING",
    "tcp": "probes.tcp:TCP",
    "dns": "probes.dns:DNS",
    "http": "probes.http:HTTP",
    "sip": "probes.sip:SIP",
    "call": "probes.call:CALL",
    "stamp": "probes.stamp:STAMP",
    "route": "probes.route:ROUTE",
    "path-mtu": "probes.path_mtu:PATH_MTU",
    "capture": "probes.capture.probe:CAPTURE",
    "coexistence": "probes.coexistence:COEXISTENCE",
    "snmp": "probes.snmp:SNMP",
    "sip-alg": "probes.sip_alg:SIP_ALG",
    "nat": "probes.nat:NAT",
}


class _OnFirstUse(Mapping["ProbeKind", "Probe"]):
    """Imports a kind's module when it is asked for: a ping pays for no DNS or TLS library."""

    def __getitem__(self, kind: "ProbeKind") -> "Probe":
        module, name = _MODULES[kind].split(":")
        probe: Probe = getattr(import_module(module), name)
        return probe

    def __iter__(self) -> "Iterator[ProbeKind]":
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


CATALOG: "Catalogue" = _OnFirstUse()
