"""Receivers that close their window: how often, and how long until they open it."""

from collections.abc import Iterator

import numpy as np

from nethealth.passive.analysis import Fact
from nethealth.passive.columns import Ints, Octets
from nethealth.passive.packets import Packets

OPEN_MAX = 65_536
_FIN, _SYN, _RST = 0x01, 0x02, 0x04


class Windows:
    """An episode begins with a window of zero and ends with the next that is not."""

    def __init__(self) -> None:
        self._closed: dict[int, int] = {}  # flow -> since when
        self._segments = 0
        self._episodes = 0
        self._longest_ns = 0
        self._longest_at: int | None = None
        self._longest: str | None = None

    def feed(self, packets: Packets, tcp: Ints, flags: Octets) -> None:
        """`flags` of the rows `tcp`. A window in SYN, FIN or RST closes nothing (as in tshark)."""
        plain = (flags & (_FIN | _SYN | _RST)) == 0
        zero = plain & (packets.tcp_window[tcp] == 0)
        self._segments += int(zero.sum())
        if not zero.any() and not self._closed:
            return
        flow = packets.flow[tcp]
        concerned = np.concatenate(
            (np.unique(flow[zero]), np.fromiter(self._closed, np.uint64, len(self._closed)))
        )
        for place in np.flatnonzero(plain & np.isin(flow, concerned)).tolist():
            self._see(packets, int(tcp[place]), int(flow[place]), bool(zero[place]))

    def _see(self, packets: Packets, row: int, flow: int, zero: bool) -> None:
        time_ns = int(packets.time_ns[row])
        since = self._closed.get(flow)
        if zero and since is None:
            if len(self._closed) < OPEN_MAX:
                self._closed[flow] = time_ns
            self._episodes += 1
        elif not zero and since is not None:
            del self._closed[flow]
            if time_ns - since > self._longest_ns:
                self._longest_ns, self._longest_at = time_ns - since, since
                self._longest = packets.source_text(row)

    def facts(self) -> Iterator[Fact]:
        yield Fact("tcp_zero_window_count", self._segments)
        yield Fact(
            "tcp_zero_window_episode_count",
            self._episodes,
            method={"never_opened": len(self._closed)},
        )
        if self._longest is not None:
            yield Fact(
                "tcp_zero_window_max_s",
                self._longest_ns / 1e9,
                samples=self._episodes - len(self._closed),
                method={"receiver": self._longest},
                time_ns=self._longest_at,
            )
