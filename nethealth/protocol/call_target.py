"""Where a far end may send us: its word in SDP or Contact decides whom our packets hit.

Media legitimately comes from another host than the signalling, so that a third address is no
fault. But nobody's description can aim our stream at a group, at this machine, or at a service.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address

from nethealth.model.endpoint import Endpoint

PORT_MIN = 1024  # below stand services, and no telephone's media
_THIS_NETWORK = 8  # bits: 0.0.0.0/8 (RFC 1122 section 3.2.1.3)
_RESERVED = IPv4Address("240.0.0.0")  # with the limited broadcast at its end (RFC 1112 section 4)

_Address = IPv4Address | IPv6Address


def unfit_address(address: str, peer: str, own: str) -> str | None:
    """Why no packet goes to this numeric address, in words; None if it may.

    `peer` is the address that was asked, `own` the one that we ask from: only of a call within
    this machine do its own addresses make sense.
    """
    found, asked = _plain(address), _plain(peer)
    if found.is_multicast:
        return f"{found} is a group of hosts"
    if isinstance(found, IPv4Address):
        if found >= _RESERVED:
            return f"{found} is reserved, or everybody's"
        if int(found) >> (32 - _THIS_NETWORK) == 0:
            return f"{found} is no address of a host"
    elif found.is_unspecified:
        return f"{found} is no address of a host"
    if found.is_loopback and not asked.is_loopback:
        return f"{found} is this machine itself"
    if found == _plain(own) and asked != found:
        return f"{found} is our own address"
    if found.is_link_local and not asked.is_link_local:
        return f"{found} is of this link alone"
    return None


def unfit_media(rtp: Endpoint, rtcp: Endpoint, peer: str, own: str) -> str | None:
    """Why no media goes there; the ports of services are as closed to it as those addresses."""
    for port in (rtp.port, rtcp.port):
        if port < PORT_MIN:
            return f"port {port} is that of a service"
    return unfit_address(rtp.address, peer, own)


def _plain(address: str) -> _Address:
    """Without a zone, and the IPv4 address within an IPv6 one (RFC 4291 section 2.5.5.2)."""
    found = ip_address(address.partition("%")[0])
    inner = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return inner or found
