"""Keys and rows of columns as people write them."""

from nethealth.passive.packets import Packets


def mac_text(key: int) -> str:
    """A MAC address out of its number."""
    return key.to_bytes(6, "big").hex(":")


def flow_text(packets: Packets, row: int) -> str:
    """A direction of a conversation in words."""
    source, destination = packets.source_text(row), packets.destination_text(row)
    ports = packets.source_port[row], packets.destination_port[row]
    kind = "TCP" if packets.is_tcp[row] else "UDP" if packets.is_udp[row] else "IP"
    return f"{kind} {source} port {ports[0]} to {destination} port {ports[1]}"
