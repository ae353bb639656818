"""The RTCP analysis of a capture: what receivers say of the streams that they get."""

from collections.abc import Iterator, Sequence

from nethealth.model.endpoint import Endpoint
from nethealth.model.observation import Passport, Scalar
from nethealth.passive.analysis import Fact
from nethealth.passive.announced import MediaBook, StreamEnds
from nethealth.passive.far_end import SOURCE, voip_facts
from nethealth.passive.gates import rtcp_candidates
from nethealth.passive.packets import Packet, Packets
from nethealth.passive.rtcp_accounts import Account, Passed, Reporter
from nethealth.wire.errors import WireError
from nethealth.wire.rtcp import (
    ExtendedReport,
    ReceiverReport,
    RtcpPacket,
    SenderReport,
    parse_rtcp,
)
from nethealth.wire.rtcp_xr import (
    DelaysSince,
    ReferenceTime,
    StatisticsSummary,
    VoipMetrics,
)

ACCOUNTS_MAX = 20_000
SHOWN_MAX = 200


class RtcpAnalysis:
    """An `Analyser`; it is asked for its results after the RTP analysis."""

    def __init__(self, book: MediaBook) -> None:
        self.packet_count = 0
        self.malformed_count = 0
        self.left_out_count = 0
        self.accounts: dict[Reporter, Account] = {}
        self._book = book
        self._sender_reports = Passed()
        self._reference_times = Passed()

    def feed(self, packets: Packets) -> None:
        """Take the next packets of the timeline."""
        for row in packets.rows(rtcp_candidates(packets)):
            self._datagram(packets.packet(row))

    def finish(self) -> Iterator[Fact]:
        """What the receivers said, the longest told of first."""
        yield Fact("rtcp_packet_count", self.packet_count)
        if self.malformed_count:
            yield Fact("rtcp_malformed_count", self.malformed_count)
        ranked = sorted(self.accounts.items(), key=lambda pair: (-pair[1].count, pair[1].first_ns))
        left_out = self.left_out_count + max(0, len(ranked) - SHOWN_MAX)
        if left_out:
            yield Fact("rtcp_left_out_count", left_out, method={"shown_max": SHOWN_MAX})
        streams = _by_ssrc(self._book.streams())
        for reporter, account in ranked[:SHOWN_MAX]:
            yield from _facts(reporter, account, _stream(reporter, streams))

    def _datagram(self, packet: Packet) -> None:
        try:
            parts = parse_rtcp(packet.payload)
        except WireError:
            # Encrypted control packets (SRTCP) begin alike too; nobody can tell the two apart.
            self.malformed_count += 1
            return
        self.packet_count += 1
        source = Endpoint(packet.source, packet.source_port)
        destination = Endpoint(packet.destination, packet.destination_port)
        for part in parts:
            self._part(part, source, destination, packet.time_ns)

    def _part(
        self, part: RtcpPacket, source: Endpoint, destination: Endpoint, time_ns: int
    ) -> None:
        match part:
            case SenderReport() | ReceiverReport():
                for block in part.reports:
                    if block.ssrc == 0 and block.highest_sequence == 0:
                        continue  # a block that some equipment fills with nothing
                    reporter = Reporter(source, destination, part.ssrc, block.ssrc)
                    account = self._account(reporter, time_ns)
                    if account is None:
                        continue
                    account.take(block, time_ns)
                    passed_ns = self._sender_reports.when(source, destination, block.last_sr)
                    if block.last_sr and passed_ns is not None:
                        account.returned(passed_ns, time_ns, block.delay_since_last_sr)
                if isinstance(part, SenderReport):
                    self._sender_reports.note(source, destination, part.ntp, time_ns)
            case ExtendedReport():
                self._extended(part, source, destination, time_ns)

    def _extended(
        self, part: ExtendedReport, source: Endpoint, destination: Endpoint, time_ns: int
    ) -> None:
        for block in part.blocks:
            match block:
                case VoipMetrics() | StatisticsSummary():
                    reporter = Reporter(source, destination, part.ssrc, block.ssrc)
                    account = self._account(reporter, time_ns)
                    if account is None:
                        continue
                    account.last_ns = max(account.last_ns, time_ns)
                    if isinstance(block, VoipMetrics):
                        account.voip, account.voip_count = block, account.voip_count + 1
                    else:
                        account.summary = block
                case ReferenceTime():
                    self._reference_times.note(source, destination, block.ntp, time_ns)
                case DelaysSince():
                    for delay in block.delays:
                        passed_ns = self._reference_times.when(source, destination, delay.last_rr)
                        if not delay.last_rr or passed_ns is None:
                            continue
                        reporter = Reporter(source, destination, part.ssrc, delay.ssrc)
                        account = self._account(reporter, time_ns)
                        if account is not None:
                            account.returned(passed_ns, time_ns, delay.delay_since_last_rr)

    def _account(self, reporter: Reporter, time_ns: int) -> Account | None:
        account = self.accounts.get(reporter)
        if account is None:
            if len(self.accounts) >= ACCOUNTS_MAX:
                self.left_out_count += 1
                return None
            account = self.accounts[reporter] = Account(time_ns, time_ns)
        return account


def _by_ssrc(streams: Sequence[StreamEnds]) -> dict[int, list[StreamEnds]]:
    found: dict[int, list[StreamEnds]] = {}
    for stream in streams:
        if stream.ssrc is not None:
            found.setdefault(stream.ssrc, []).append(stream)
    return found


def _stream(reporter: Reporter, streams: dict[int, list[StreamEnds]]) -> StreamEnds | None:
    """The stream that a receiver speaks of: its SSRC, on its way to the receiver's address."""
    towards = [
        one
        for one in streams.get(reporter.about, ())
        if one.destination.address == reporter.source.address
    ]
    return max(towards, key=lambda one: one.packets, default=None)


def _facts(reporter: Reporter, account: Account, stream: StreamEnds | None) -> Iterator[Fact]:
    method: dict[str, Scalar] = {
        "source": SOURCE,
        "ssrc": f"0x{reporter.about:08x}",
        "reporter_ssrc": f"0x{reporter.ssrc:08x}",
        "reporter": str(reporter.source),
        "towards": str(reporter.destination),
    }
    if stream is not None:
        method |= _seen(stream)
    at_ns = account.last_ns
    yield Fact("far_end_report_count", account.count + account.voip_count, method=method,
               time_ns=at_ns)  # fmt: skip
    if account.last is not None:
        yield from _report_facts(account, {**method, "reported_by": "RTCP RR"}, stream)
    if account.round_trips_s:
        passport: Passport = {
            **method,
            "between": "the capture point and the reporter",
            "refused": account.round_trip_refused_count,
        }
        count = len(account.round_trips_s)
        yield Fact("rtcp_round_trip_delay_median_s", round(_median(account.round_trips_s), 9),
                   samples=count, method=passport, time_ns=at_ns)  # fmt: skip
        yield Fact("rtcp_round_trip_delay_max_s", round(max(account.round_trips_s), 9),
                   samples=count, method=passport, time_ns=at_ns)  # fmt: skip
    if account.voip is not None:
        yield from voip_facts(account.voip, method, at_ns)


def _seen(stream: StreamEnds) -> dict[str, Scalar]:
    """What we saw of the stream that the far end speaks of, at our own place on its way."""
    seen: dict[str, Scalar] = {
        "stream_source": str(stream.source),
        "stream_destination": str(stream.destination),
        "seen_lost": stream.lost,
        "seen_expected": stream.expected,
        "seen_jitter_mean_s": stream.jitter_mean_s,
    }
    return {key: value for key, value in seen.items() if value is not None}


def _report_facts(
    account: Account, method: dict[str, Scalar], stream: StreamEnds | None
) -> Iterator[Fact]:
    at_ns, last = account.last_ns, account.last
    if last is None:
        return
    signed = {**method, "signed": "duplicates count as received"}
    yield Fact(
        "far_end_cumulative_lost_packets", last.cumulative_lost, samples=account.count,
        method=signed, time_ns=at_ns,
    )  # fmt: skip
    yield Fact(
        "far_end_fraction_lost_max_ratio", account.fraction_max / 256, samples=account.count,
        method={**method, "definition": "of one report's span"}, time_ns=at_ns,
    )  # fmt: skip
    between = account.between
    if between is not None:
        lost, expected = between
        yield Fact(
            "far_end_packet_loss_ratio", round(lost / expected, 9), samples=expected,
            method={**method, "definition": "from the first report to the last"}, time_ns=at_ns,
        )  # fmt: skip
    clock_hz = stream.clock_hz if stream is not None else None
    for word, units in (("median", _median(account.jitters)), ("max", max(account.jitters))):
        yield Fact(
            f"far_end_interarrival_jitter_{word}_s",
            None if not clock_hz else round(units / clock_hz, 9),
            samples=account.count,
            method={**method, "timestamp_units": units, "clock_hz": clock_hz},
            time_ns=at_ns,
        )


def _median(values: Sequence[float]) -> float:
    from statistics import median  # noqa: PLC0415 - few captures have any, and it takes a while

    return median(values)
