"""TFTP: which files telephones fetch, how many at a time, and what they weigh on the link."""

from collections.abc import Iterator

import numpy as np

from nethealth.passive.analysis import Fact, Units
from nethealth.passive.columns import Ints, Keys, mixed
from nethealth.passive.packets import Packets
from nethealth.passive.series import BIN_S, Series, Tallies
from nethealth.wire import tftp
from nethealth.wire.errors import WireError

UNITS: Units = {
    "tftp_request_count": "packets",
    "tftp_request_per_bin_max": "packets",
    "tftp_file_request_count": "packets",
    "tftp_client_count": "clients",
    "tftp_data_packet_count": "packets",
    "tftp_data_octets": "octets",
    "tftp_data_per_bin_max": "packets",
    "tftp_error_count": "packets",
}
_TRANSFERS_MAX = 8192
_FILES_SHOWN = 20
_CLIENTS_SHOWN = 50
_DATA, _ERROR = 3, 5
_HEADER = 4


class TftpAnalysis:
    """A transfer is the port that a request came from: all that goes there belongs to it."""

    def __init__(self, *, bin_s: float = BIN_S) -> None:
        bin_ns = round(bin_s * 1e9)
        self._requests = Series(bin_ns)
        self._data = Series(bin_ns)
        self._files: Tallies[str] = Tallies()
        self._clients: Tallies[str] = Tallies()
        self._servers: Tallies[str] = Tallies()
        self._ends: dict[int, None] = {}  # of transfers, the oldest first
        self._packets = self._octets = self._errors = 0

    def feed(self, packets: Packets) -> None:
        udp = packets.is_udp & (packets.payload_captured >= _HEADER)
        asked = udp & (packets.destination_port == tftp.SERVER_PORT)
        for row in packets.rows(asked):
            self._ask(packets, row)
        if self._ends:
            self._transfer(packets, np.flatnonzero(udp & ~asked))

    def _ask(self, packets: Packets, row: int) -> None:
        try:
            request = tftp.parse(packets.payload(row))
        except WireError:
            return
        if not isinstance(request, tftp.TftpRequest):
            return
        self._requests.add(int(packets.time_ns[row]))
        self._files.add(request.filename)
        self._clients.add(packets.source_text(row))
        self._servers.add(packets.destination_text(row))
        end = int(mixed(packets.source[row : row + 1], packets.source_port[row : row + 1])[0])
        self._ends.pop(end, None)
        self._ends[end] = None
        if len(self._ends) > _TRANSFERS_MAX:
            del self._ends[next(iter(self._ends))]

    def _transfer(self, packets: Packets, rows: Ints) -> None:
        """Data and errors on their way to a client that asked."""
        ends: Keys = np.fromiter(self._ends, np.uint64, len(self._ends))
        operation = packets.octets[packets.payload_at[rows]].astype(np.int64) << 8
        operation |= packets.octets[packets.payload_at[rows] + 1]
        kept = (operation == _DATA) | (operation == _ERROR)
        rows, operation = rows[kept], operation[kept]
        to = mixed(packets.destination[rows], packets.destination_port[rows])
        kept = np.isin(to, ends)
        rows, operation = rows[kept], operation[kept]
        data = rows[operation == _DATA]
        self._errors += len(rows) - len(data)
        self._packets += len(data)
        self._octets += int(packets.payload_octets[data].sum()) - _HEADER * len(data)
        self._data.add_all(packets.time_ns[data])

    def finish(self) -> Iterator[Fact]:
        if not self._files.total:
            return
        yield Fact("tftp_request_count", self._files.total)
        asking, _ = self._clients.top(_CLIENTS_SHOWN)
        asked, _ = self._servers.top(_CLIENTS_SHOWN)
        yield Fact(
            "tftp_client_count",
            len(self._clients.counts),
            method={
                "clients": [client for client, _ in asking],
                "servers": [server for server, _ in asked],
            },
        )
        yield Fact("tftp_data_packet_count", self._packets)
        yield Fact("tftp_data_octets", self._octets, samples=self._packets)
        yield Fact("tftp_error_count", self._errors)
        top, others = self._files.top(_FILES_SHOWN)
        for name, count in top:
            yield Fact(
                "tftp_file_request_count",
                count,
                method={"filename": name, "requests_of_files_not_shown": others},
            )
        yield from self._requests.facts("tftp_request_per_bin_max")
        yield from self._data.facts("tftp_data_per_bin_max")
