"""The rows of a run on their way through the headers of their packets, many at once.

A worklist in place of a parser: each step takes the rows that stand before one kind of header,
notes what it says and hands them on to the next kind. What is cut short by the capture ends there
unjudged; what contradicts itself or runs over the frame's own end is malformed.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nethealth.passive.columns import Flags, Ints, Octets

# Fragments
FRAGMENT_NONE, FRAGMENT_FIRST, FRAGMENT_LATER = 0, 1, 2

# Bits of `tunnel`
PPPOE, GRE, IP_IN_IP, VXLAN, ERSPAN, MPLS = 1, 2, 4, 8, 16, 32

IPV4_TYPE, IPV6_TYPE, TAG_TYPE = 0x0800, 0x86DD, 0x8100
STEPS_MAX = 24  # headers one in another; beyond, a packet is only there to cost time


@dataclass(frozen=True, eq=False, slots=True)
class Layers:
    """One value a row; -1 for what a packet has not got. Meanings stand at `Packets`."""

    ethernet_at: Ints
    vlan: Ints
    vlan_inner: Ints
    ethertype: Ints
    network_at: Ints
    ip_version: Ints
    protocol: Ints
    fragment: Ints
    transport_at: Ints
    transport_octets: Ints
    tunnel: Ints
    malformed: Flags


Step = Callable[["Walk", Ints, Ints], None]


class Walk:
    """The rows on their way through the headers, and what was noted of them."""

    def __init__(
        self,
        octets: Octets,
        layers: Layers,
        end: Ints,
        wire_end: Ints,
        types: Mapping[int, Step],
    ) -> None:
        """`types`: what follows an EtherType."""
        self.octets = octets
        self.types = types
        self.layers = layers
        self.end = end
        self.wire_end = wire_end
        self._waiting: deque[tuple[Step, Ints, Ints]] = deque()

    def then(self, step: Step, rows: Ints, at: Ints) -> None:
        """These rows stand before such a header, at these offsets."""
        if len(rows):
            self._waiting.append((step, rows, at))

    def run(self) -> None:
        for _ in range(STEPS_MAX):
            # One generation at a time, so that the bound counts headers and not subsets.
            generation = list(self._waiting)
            self._waiting.clear()
            for step, rows, at in generation:
                step(self, rows, at)
            if not self._waiting:
                return

    def whole(self, rows: Ints, at: Ints, length: int | Ints) -> Flags:
        """Whether so many octets were captured; malformed, if the frame never had them."""
        needed = at + length
        self.layers.malformed[rows[needed > self.wire_end[rows]]] = True
        held: Flags = needed <= self.end[rows]
        return held
