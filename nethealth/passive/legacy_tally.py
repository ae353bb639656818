"""Legacy signalling counted by pair of endpoints, and believed once a pair has proved itself.

One datagram seldom proves a protocol. What looks like one is counted for its pair of endpoints,
and only pairs of which at least one packet could be nothing else are reported. Bounded: beyond
`PAIRS_MAX` pairs new ones are counted as one.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from nethealth.passive.analysis import Fact
from nethealth.passive.series import Series

PAIRS_MAX = 50_000
ENDPOINTS_SHOWN = 50
GAPS_SHOWN = 20

Endpoint = tuple[str, int]


@dataclass(slots=True)
class Pair:
    """What two endpoints said to each other in one protocol; `one` sorts before `other`."""

    one: Endpoint
    other: Endpoint
    certain: bool = False
    from_one: int = 0
    from_other: int = 0
    last_ns: int | None = None
    gap_ns: int = 0
    gap_from_ns: int | None = None
    early: Series | None = None  # over time, only until the pair is certain

    @property
    def packets(self) -> int:
        return self.from_one + self.from_other


class Tally:
    """All pairs of all protocols, and what they add up to."""

    def __init__(self, bin_ns: int) -> None:
        self.bin_ns = bin_ns
        self._pairs: dict[str, dict[tuple[Endpoint, Endpoint], Pair]] = {}
        self._series: dict[str, Series] = {}
        self._dropped: Counter[str] = Counter()  # packets of pairs that were one too many

    def add(
        self,
        protocol: str,
        source: Endpoint,
        destination: Endpoint,
        time_ns: int,
        *,
        certain: bool,
        count: int = 1,
    ) -> None:
        """`count` packets of `protocol`, the last at `time_ns`; `certain`: one proves it."""
        pair = self._pair(protocol, source, destination)
        if pair is None:
            self._dropped[protocol] += count
            return
        if pair.one == source:
            pair.from_one += count
        else:
            pair.from_other += count
        if pair.last_ns is not None and time_ns - pair.last_ns > pair.gap_ns:
            pair.gap_ns, pair.gap_from_ns = time_ns - pair.last_ns, pair.last_ns
        pair.last_ns = time_ns
        pair.certain |= certain
        if pair.certain:
            series = self._of(protocol)
            if pair.early is not None:
                series.merge(pair.early)
                pair.early = None
        else:
            if pair.early is None:
                pair.early = Series(self.bin_ns)
            series = pair.early
        series.add(time_ns, count)

    def facts(self) -> Iterator[Fact]:
        for protocol in sorted(self._pairs):
            pairs = self._believed(protocol)
            if pairs:
                yield from self._facts_of(protocol, pairs)

    def _believed(self, protocol: str) -> list[Pair]:
        """Pairs that have proved themselves, and those with an end that did so elsewhere.

        A server's keep-alives to a silent telephone look like nothing by themselves.
        """
        pairs = self._pairs[protocol].values()
        proved = {end for pair in pairs if pair.certain for end in (pair.one, pair.other)}
        believed = [pair for pair in pairs if pair.one in proved or pair.other in proved]
        for pair in believed:
            if pair.early is not None:
                self._of(protocol).merge(pair.early)
                pair.early = None
        return believed

    def _facts_of(self, protocol: str, pairs: list[Pair]) -> Iterator[Fact]:
        total = sum(pair.packets for pair in pairs)
        yield Fact(
            "legacy_signalling_packet_count",
            total,
            samples=total,
            method={
                "protocol": protocol,
                "pairs": len(pairs),
                "packets_of_pairs_beyond_limit": self._dropped[protocol],
            },
        )
        sent: Counter[str] = Counter()
        received: Counter[str] = Counter()
        for pair in pairs:
            for (address, _), count in ((pair.one, pair.from_one), (pair.other, pair.from_other)):
                sent[address] += count
            received[pair.one[0]] += pair.from_other
            received[pair.other[0]] += pair.from_one
        addresses = sorted(sent, key=lambda each: (-sent[each] - received[each], each))
        for address in addresses[:ENDPOINTS_SHOWN]:
            yield Fact(
                "legacy_signalling_endpoint_packet_count",
                sent[address] + received[address],
                method={
                    "protocol": protocol,
                    "address": address,
                    "packets_sent": sent[address],
                    "packets_received": received[address],
                    "endpoints": len(addresses),
                },
            )
        for pair in sorted(pairs, key=lambda each: -each.gap_ns)[:GAPS_SHOWN]:
            if pair.gap_from_ns is not None:
                yield Fact(
                    "legacy_signalling_gap_max_s",
                    pair.gap_ns / 1e9,
                    samples=pair.packets - 1,
                    method={
                        "protocol": protocol,
                        "endpoints": [
                            f"{each[0]} port {each[1]}" for each in (pair.one, pair.other)
                        ],
                    },
                    time_ns=pair.gap_from_ns,
                )
        yield from self._of(protocol).facts("legacy_signalling_per_bin_max", {"protocol": protocol})

    def _of(self, protocol: str) -> Series:
        series = self._series.get(protocol)
        if series is None:
            series = self._series[protocol] = Series(self.bin_ns)
        return series

    def _pair(self, protocol: str, source: Endpoint, destination: Endpoint) -> Pair | None:
        pairs = self._pairs.setdefault(protocol, {})
        key = _key(source, destination)
        pair = pairs.get(key)
        if pair is None and len(pairs) < PAIRS_MAX:
            pair = pairs[key] = Pair(*key)
        return pair


def _key(source: Endpoint, destination: Endpoint) -> tuple[Endpoint, Endpoint]:
    return (source, destination) if source <= destination else (destination, source)
