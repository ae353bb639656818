"""An office's traffic without a single call: a capture for measuring speed, made by numbers alone.

Web, file and mail traffic over TCP (data, acknowledgements, now and then a segment sent again), DNS
and other UDP, ARP, broadcasts and multicasts; frames of varied size. The seed decides all of it.
"""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

FLOWS = 4000
RUN = 100_000
START_S = 1_718_000_000
PACKETS_PER_S = 12_000
_SIZES = np.array([0, 0, 0, 0, 31, 64, 120, 180, 260, 420, 640, 1460])  # payloads of TCP
_SHARES = np.array([30, 8, 4, 2, 10, 10, 10, 8, 7, 5, 3, 3]) / 100

Octets = npt.NDArray[np.uint8]


def _be(rows: Octets, at: int, width: int, values: npt.NDArray[np.int64]) -> None:
    for place in range(width):
        rows[:, at + place] = values >> (8 * (width - 1 - place)) & 0xFF


class _Office:
    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        make = self.random.integers
        self.client = 0x0A140000 + make(2, 4000, FLOWS)
        self.server = 0x0A1E0000 + make(2, 60, FLOWS)
        self.client_port = make(32_768, 61_000, FLOWS)
        self.server_port = self.random.choice([443, 443, 443, 445, 80, 993, 8443, 3389], FLOWS)
        self.sequence = make(0, 1 << 32, (2, FLOWS))
        self.time_us = START_S * 1_000_000

    def run(self, count: int) -> bytes:
        """The next so many records."""
        random = self.random
        kind = random.choice(6, count, p=[0.86, 0.07, 0.03, 0.015, 0.015, 0.01])
        times = self.time_us + np.cumsum(random.exponential(1e6 / PACKETS_PER_S, count)).astype(int)
        self.time_us = int(times[-1])
        rows = np.zeros((count, 74), np.uint8)
        length = np.zeros(count, np.int64)
        for number, make in enumerate(
            (self._tcp, self._dns, self._arp, self._broadcast, self._multicast, self._ipv6)
        ):
            chosen = np.flatnonzero(kind == number)
            if len(chosen):
                rows[chosen], length[chosen] = make(len(chosen))
        seconds, microseconds = np.divmod(times, 1_000_000)
        head = np.stack([seconds, microseconds, length, length], 1).astype("<u4")
        record = 16 + length
        begin = np.cumsum(record) - record
        data = random.integers(0, 256, int(record.sum()) + 74, dtype=np.uint8)
        for place in range(16):
            data[begin + place] = head.view(np.uint8)[:, place]
        # Where a frame is shorter than the row its rest is written over by the next one.
        for place in range(74):
            here = length > place
            data[begin[here] + 16 + place] = rows[here, place]
        return data[:-74].tobytes()

    def _ethernet(self, count: int, ethertype: int) -> Octets:
        rows = np.zeros((count, 74), np.uint8)
        hosts = self.random.integers(0, 4000, (2, count))
        for end in (0, 1):
            rows[:, 6 * end] = 2
            _be(rows, 6 * end + 2, 4, hosts[end])
        _be(rows, 12, 2, np.full(count, ethertype))
        return rows

    def _ipv4(self, rows: Octets, protocol: int, total: npt.NDArray[np.int64]) -> None:
        rows[:, 14] = 0x45
        _be(rows, 16, 2, total)
        _be(rows, 18, 2, self.random.integers(0, 65_536, len(rows)))
        rows[:, 20], rows[:, 22], rows[:, 23] = 0x40, 64, protocol

    def _tcp(self, count: int) -> tuple[Octets, npt.NDArray[np.int64]]:
        random = self.random
        rows = self._ethernet(count, 0x0800)
        flow = (random.random(count) ** 2 * FLOWS).astype(np.int64)
        back = random.integers(0, 2, count)
        size = random.choice(_SIZES, count, p=_SHARES)
        self._ipv4(rows, 6, size + 40)
        ends = np.where(back, self.server[flow], self.client[flow])
        others = np.where(back, self.client[flow], self.server[flow])
        ports = np.where(back, self.server_port[flow], self.client_port[flow])
        other_ports = np.where(back, self.client_port[flow], self.server_port[flow])
        # Each direction's numbers go on from packet to packet.
        key = flow * 2 + back
        order = np.argsort(key, kind="stable")
        begins = np.flatnonzero(np.diff(key[order], prepend=-1))
        sums = np.cumsum(size[order])
        before = sums - size[order]
        base = np.repeat(before[begins], np.diff(begins, append=count))
        sequence = np.empty(count, np.int64)
        sequence[order] = before - base
        sequence += self.sequence[back, flow]
        again = random.random(count) < 0.002  # the segment before, once more
        _be(rows, 38, 4, (sequence - np.where(again, size, 0)) & 0xFFFFFFFF)
        sent = np.bincount(key, size, 2 * FLOWS).astype(np.int64)
        self.sequence[0] += sent[0::2]
        self.sequence[1] += sent[1::2]
        _be(rows, 42, 4, self.sequence[1 - back, flow] & 0xFFFFFFFF)
        _be(rows, 26, 4, ends)
        _be(rows, 30, 4, others)
        _be(rows, 34, 2, ports)
        _be(rows, 36, 2, other_ports)
        rows[:, 46], rows[:, 47] = 0x50, np.where(size > 0, 0x18, 0x10)
        _be(rows, 48, 2, random.integers(500, 65_536, count))
        return rows, np.maximum(54 + size, 60)

    def _udp(self, ethertype: int, count: int) -> tuple[Octets, npt.NDArray[np.int64]]:
        size = self.random.integers(30, 300, count)
        rows = self._ethernet(count, ethertype)
        if ethertype == 0x0800:
            self._ipv4(rows, 17, size + 28)
            _be(rows, 38, 2, size + 8)
        return rows, 42 + size

    def _dns(self, count: int) -> tuple[Octets, npt.NDArray[np.int64]]:
        rows, length = self._udp(0x0800, count)
        answer = self.random.integers(0, 2, count)
        host = 0x0A140000 + self.random.integers(2, 4000, count)
        port = self.random.integers(32_768, 61_000, count)
        server, at = np.full(count, 0x0A1E0035), np.full(count, 53)
        _be(rows, 26, 4, np.where(answer, server, host))
        _be(rows, 30, 4, np.where(answer, host, server))
        _be(rows, 34, 2, np.where(answer, at, port))
        _be(rows, 36, 2, np.where(answer, port, at))
        _be(rows, 42, 2, self.random.integers(0, 65_536, count))
        return rows, length

    def _arp(self, count: int) -> tuple[Octets, npt.NDArray[np.int64]]:
        rows = self._ethernet(count, 0x0806)
        rows[:, 14:22] = np.frombuffer(struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1), np.uint8)
        rows[:, :6] = 0xFF
        rows[:, 22:28] = rows[:, 6:12]
        host = self.random.integers(2, 4000, count)
        _be(rows, 8, 4, host)
        _be(rows, 24, 4, host)
        _be(rows, 28, 4, 0x0A140000 + host)
        _be(rows, 38, 4, 0x0A140000 + self.random.integers(2, 4000, count))
        return rows, np.full(count, 60)

    def _broadcast(self, count: int) -> tuple[Octets, npt.NDArray[np.int64]]:
        rows, length = self._udp(0x0800, count)
        rows[:, :6] = 0xFF
        _be(rows, 26, 4, 0x0A140000 + self.random.integers(2, 4000, count))
        _be(rows, 30, 4, np.full(count, 0x0A14FFFF))
        _be(rows, 34, 2, np.full(count, 138))
        _be(rows, 36, 2, np.full(count, 138))
        return rows, length

    def _multicast(self, count: int) -> tuple[Octets, npt.NDArray[np.int64]]:
        rows, length = self._broadcast(count)
        rows[:, :6] = np.frombuffer(bytes.fromhex("01005e7ffffa"), np.uint8)
        _be(rows, 30, 4, np.full(count, 0xEFFFFFFA))
        _be(rows, 34, 2, self.random.integers(32_768, 61_000, count))
        _be(rows, 36, 2, np.full(count, 1900))
        return rows, length

    def _ipv6(self, count: int) -> tuple[Octets, npt.NDArray[np.int64]]:
        rows, length = self._udp(0x86DD, count)
        length = np.maximum(length, 80)
        rows[:, 14] = 0x60
        _be(rows, 18, 2, length - 54)
        rows[:, 20], rows[:, 21] = 17, 64
        rows[:, 22], rows[:, 23], rows[:, 38], rows[:, 39] = 0xFE, 0x80, 0xFF, 0x02
        _be(rows, 34, 4, self.random.integers(2, 4000, count))
        rows[:, 53] = 0xFB
        _be(rows, 54, 2, np.full(count, 5353))
        _be(rows, 56, 2, np.full(count, 5353))
        _be(rows, 58, 2, length - 54)
        return rows, length


def write_office(path: Path, packets: int, *, seed: int = 1) -> None:
    """Write a capture of so many packets, about 190 octets each."""
    office = _Office(seed)
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        for begin in range(0, packets, RUN):
            file.write(office.run(min(RUN, packets - begin)))
