"""Voice quality reports that telephones publish, as SIP brings them (RFC 6035)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nethealth.model.observation import Scalar
from nethealth.passive.analysis import Fact
from nethealth.passive.far_end import report_facts
from nethealth.passive.sip_read import SeenMessage
from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipRequest
from nethealth.wire.vq_report import VqAddress, VqReport, parse_vq_report

REPORTS_MAX = 200
_KNOWN_MAX = 10_000
_METHODS = frozenset({"PUBLISH", "NOTIFY"})
_TYPE = "application/vq-rtcpxr"


@dataclass(frozen=True, slots=True)
class _Told:
    time_ns: int
    reporter: str
    report: VqReport


class VqReports:
    """Takes SIP messages, keeps the reports in them; copies of one count once."""

    def __init__(self) -> None:
        self.count = 0
        self.malformed_count = 0
        self._told: list[_Told] = []
        self._known: set[int] = set()

    def take(self, seen: SeenMessage) -> None:
        """Look into one message."""
        message = seen.message
        if not isinstance(message, SipRequest) or message.method not in _METHODS:
            return
        kind = (message.value("content-type") or "").partition(";")[0].strip().lower()
        if kind != _TYPE or not message.body:
            return
        try:
            report = parse_vq_report(message.body)
        except WireError:
            self.malformed_count += 1
            return
        # The same body passes each hop, and is sent again with credentials after a challenge.
        key = hash(message.body)
        if key in self._known:
            return
        if len(self._known) < _KNOWN_MAX:
            self._known.add(key)
        self.count += 1
        if len(self._told) < REPORTS_MAX:
            self._told.append(_Told(seen.time_ns, str(seen.source), report))

    def facts(self, calls: Mapping[str, int]) -> Iterator[Fact]:
        """`calls`: the number of each Call-ID that the capture shows."""
        if not self.count and not self.malformed_count:
            return
        yield Fact(
            "voice_quality_report_count", self.count,
            method={"malformed": self.malformed_count, "told": len(self._told)},
        )  # fmt: skip
        for told in self._told:
            report = told.report
            method: dict[str, Scalar] = {
                "reporter": told.reporter,
                "kind": report.kind,
                "call": _call(report, calls),
            }
            for side, metrics, address in (
                ("local", report.local, report.local_address),
                ("remote", report.remote, report.remote_address),
            ):
                if metrics is not None:
                    yield from report_facts(
                        metrics, {**method, "side": side, **_place(address)}, told.time_ns
                    )


def _call(report: VqReport, calls: Mapping[str, int]) -> int | None:
    """The call that a report is of: its CallID, else what DialogID begins with."""
    dialog = (report.dialog_id or "").partition(";")[0].strip()
    return calls.get(report.call_id or "", calls.get(dialog))


def _place(address: VqAddress) -> dict[str, Scalar]:
    place: dict[str, Scalar] = {"address": address.ip, "port": address.port}
    if address.ssrc is not None:
        place["ssrc"] = f"0x{address.ssrc:08x}"
    return {key: value for key, value in place.items() if value is not None}
