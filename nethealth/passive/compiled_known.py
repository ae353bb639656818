"""The loop that tells packets by their headers: `known_headers` for all rows of a run at once.

It is plain Python over arrays and may be run as such.
"""

import numpy as np

from nethealth.passive.columns import Ints, Keys, Octets
from nethealth.passive.compiled_octets import big16, big32, little64, mixed
from nethealth.passive.grouping import MULTIPLIER
from nethealth.passive.known_headers import (
    BEFORE_IP,
    WORD_0,
    WORD_1,
    WORD_3,
    WORD_4,
)
from nethealth.passive.layer_walk import IPV4_TYPE, TAG_TYPE

_SIXTEEN = np.uint64(16)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_FREE, _ONE = np.uint64(0), np.uint64(1)


def known(
    octets: Octets,
    frame_at: Ints,
    captured: Ints,
    wire: Ints,
    time_ns: Ints,
    link_type: Ints,
    slots: Keys,
    numbers: Ints,
    shift: int,
    columns: Ints,
    counts: Ints,
) -> None:
    """As `Engine.known` says, column by column; `counts`: of rows, and of all others."""
    count = len(frame_at)
    rows, others, places = columns[0], columns[1], columns[2]
    numbered, seconds, lengths = columns[3], columns[4], columns[5]
    earliest, latest = 0, 0
    for row in range(count):
        if time_ns[row] < time_ns[earliest]:
            earliest = row
        if time_ns[row] > time_ns[latest]:
            latest = row
    last_slot, found, other = len(slots) - 1, 0, 0
    for row in range(count):
        at = frame_at[row]
        ethertype, second = big16(octets, at + 12), little64(octets, at + 8)
        tagged = ethertype == TAG_TYPE
        begin = 18 if tagged else 14
        network = at + begin
        total, length = big16(octets, network + 2), big16(octets, network + 24)
        sound = big16(octets, network - 2) == IPV4_TYPE and total - length == 20 and length >= 20
        place = np.int64(-1)
        if (
            sound and begin + total <= wire[row] and captured[row] >= begin + 40
            and link_type[row] == 1 and 0 < row < count - 1 and row not in (earliest, latest)
        ):  # fmt: skip
            word_0, word_1 = little64(octets, network), little64(octets, network + 8)
            word_3, word_4 = little64(octets, network + 24), little64(octets, network + 32)
            key = mixed(
                mixed(_FREE, little64(octets, at)), second & (_ALL if tagged else BEFORE_IP)
            )
            key = mixed(key, word_0 & WORD_0 | (word_4 & WORD_4) >> _SIXTEEN)
            key = mixed(key, word_1 & WORD_1 | (word_3 & WORD_3) >> _SIXTEEN)
            key = max(mixed(key, little64(octets, network + 16)), _ONE)
            slot = np.int64(key * MULTIPLIER >> np.uint64(shift))
            while slots[slot] != _FREE and slots[slot] != key:
                slot = (slot + 1) & last_slot
            if slots[slot] == key:
                place = numbers[slot]
        if place < 0:
            others[other] = row
            other += 1
            continue
        rows[found], places[found] = row, place
        numbered[found] = big16(octets, network + 30) << 32 | big32(octets, network + 32)
        seconds[found], lengths[found] = big16(octets, network + 28) & 0xFF, length - 20
        found += 1
    counts[0], counts[1] = found, other
