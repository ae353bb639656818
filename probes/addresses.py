"""Numeric addresses to and from what the socket calls take; no resolver is ever asked here."""

import socket
from ipaddress import ip_address
from typing import Any

from nethealth.model.check import Family
from nethealth.model.endpoint import Endpoint

SocketAddress = tuple[Any, ...]  # (host, port) or (host, port, flow, scope)


def ip_version(address: str) -> Family:
    """4 or 6; ValueError if `address` is no numeric address."""
    return 6 if ip_address(address).version == 6 else 4


def socket_address(endpoint: Endpoint) -> tuple[socket.AddressFamily, SocketAddress]:
    """The address family, and the address with its scope resolved to an interface number."""
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    family, _, _, _, address = socket.getaddrinfo(
        endpoint.address, endpoint.port, type=socket.SOCK_DGRAM, flags=flags
    )[0]
    return family, address


def endpoint_of(address: SocketAddress) -> Endpoint:
    """What a socket call returned; a link-local address keeps its interface (`fe80::1%eth0`)."""
    host, port = str(address[0]), int(address[1])
    scope = int(address[3]) if len(address) == 4 else 0
    if scope and "%" not in host:
        host = f"{host}%{socket.if_indextoname(scope)}"
    return Endpoint(host, port)


def set_dscp(sock: socket.socket, family: socket.AddressFamily, dscp: int) -> None:
    """Mark what `sock` sends; the code point stands in the upper six bits (RFC 2474 section 3)."""
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
