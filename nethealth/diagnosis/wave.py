"""Telephones that fetch their firmware all at once by TFTP, over a line that has not the room.

A file of some megabytes for each of many telephones fills a narrow line for as long as they take
(RFC 1350: one block of 512 octets at a time). Computers that start from the network fetch by TFTP
too, and a server at the site loads no line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from nethealth.diagnosis.capture import Bin, Capture, words
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, number
from nethealth.diagnosis.lan import Lan, surest
from nethealth.diagnosis.text import counted, listing, percent
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Event, Observation

CLIENTS_LEAST = 5  # fewer are a telephone or two that were switched on
WITHIN = timedelta(minutes=10)  # of a wave, by a server's log
OF_LINE = 0.5
OF_FRAMES = 0.5
MOST = 0.5  # of clients, or of files, that make a wave one of telephones
FRAME_OCTETS = 50  # Ethernet 18 with its check, IP 20, UDP 8, TFTP 4
# What telephones alone ask for: Cisco, Avaya, Aastra, snom. Access points too ask for a MAC address
# with .cfg.
_OF_PHONES = re.compile(
    r"(SEP|CTLSEP|ITLSEP|SIP)[0-9A-F]{12}|XMLDefault\.cnf|46xxsettings|aastra\.cfg|snom\d"
    r"|\.(loads|sbn)\Z",
    re.IGNORECASE,
)
_OF_COMPUTERS = re.compile(
    r"pxelinux|undionly|ipxe|bootmgr|wdsnbp|\.efi|grub|pxeboot|startrom|initrd|vmlinuz|\.wim|\.n12",
    re.IGNORECASE,
)


def firmware_waves(places: Sequence[Lan]) -> Iterator[Finding]:
    """One `firmware-wave` for each network where many clients fetch files at once."""
    yield from surest(_all(places))


def _all(places: Sequence[Lan]) -> Iterator[Finding]:
    for lan in places:
        evidence = lan.evidence
        captured = [
            wave
            for capture in lan.captures
            if (wave := _Wave(lan, capture)).clients >= CLIENTS_LEAST and wave.busiest is not None
        ]
        for wave in captured:
            yield _finding(evidence, lan, wave)
        if not captured and (loads := _logged(lan)):
            yield _of_log(evidence, lan, loads)


@dataclass(frozen=True, eq=False)
class _Wave:
    """The TFTP of one capture."""

    lan: Lan
    capture: Capture

    @property
    def clients(self) -> int:
        return int(self.capture.count("tftp_client_count") or 0)

    def _listed(self, key: str) -> tuple[str, ...]:
        return tuple(
            one for seen in self.capture.all("tftp_client_count") for one in words(seen, key)
        )

    @cached_property
    def telephones(self) -> list[str]:
        return [each for each in self._listed("clients") if self.lan.telephones.why(each)]

    def _files(self, pattern: re.Pattern[str]) -> float:
        """The share of the requests shown that are for files of this pattern."""
        files = self.capture.all("tftp_file_request_count")
        total = sum(number(seen) or 0 for seen in files)
        of_them = sum(
            number(seen) or 0 for seen in files if pattern.search(str(seen.method.get("filename")))
        )
        return of_them / max(total, 1)

    @property
    def phone_files(self) -> float:
        return self._files(_OF_PHONES)

    @property
    def computer_files(self) -> float:
        return self._files(_OF_COMPUTERS)

    @property
    def of_telephones(self) -> bool:
        known = len(self.telephones) >= MOST * max(len(self._listed("clients")), 1)
        return (known or self.phone_files >= MOST) and self.computer_files < MOST

    @cached_property
    def busiest(self) -> Bin | None:
        bins = self.capture.bins("tftp_data_per_bin_max")
        return max(bins, key=lambda one: one.count) if bins else None

    @cached_property
    def bps(self) -> float:
        """On the wire, in the busiest bin."""
        packets = self.capture.count("tftp_data_packet_count") or 0
        octets = self.capture.count("tftp_data_octets") or 0
        if self.busiest is None or not packets:
            return 0.0
        return self.busiest.per_s * (octets / packets + FRAME_OCTETS) * 8

    @property
    def of_line(self) -> float | None:
        """Of the rate that the inventory declares for the site, on the way to it."""
        site = self.lan.site
        rate_mbps = None if site is None else site.wan_down_mbps
        return None if rate_mbps is None else self.bps / (rate_mbps * 1e6)

    @property
    def of_frames(self) -> float | None:
        """Blocks and their acknowledgements, of all frames in the busiest bin."""
        frames = self.capture.bins("link_packet_per_bin_max")
        busiest = self.busiest
        if busiest is None:
            return None
        there = [one.count for one in frames if one.from_ == busiest.from_]
        return min(2 * busiest.count / max(there), 1.0) if there else None

    @property
    def near(self) -> str | None:
        """The server, where it is at the site itself."""
        for server in self._listed("servers"):
            asset = self.lan.telephones.asset_at(server)
            if asset is not None and asset.site == self.lan.place.site:
                return asset.id
        return None

    @property
    def span(self) -> tuple[datetime, ...]:
        bins = self.capture.bins("tftp_data_per_bin_max")
        return (bins[0].from_, bins[-1].to) if bins else self.capture.span


def _finding(evidence: Evidence, lan: Lan, wave: _Wave) -> Finding:
    verdict, direction = _judged(wave)
    files = [str(seen.method.get("filename"))[:40] for seen in _files(wave)]
    line = f", {percent(wave.of_line)} of the site's line" if wave.of_line is not None else ""
    return draft(
        evidence,
        "firmware-wave",
        lan.place,
        f"{counted(wave.clients, 'client')} at {lan.place.name} fetched files by TFTP together, at "
        f"up to {wave.bps / 1e6:.1f} Mbit/s{line}; most wanted {listing(files, 3)}.",
        times=wave.span,
        seen=[
            *(
                wave.capture.first(name)
                for name in (
                    "tftp_client_count", "tftp_data_per_bin_max", "tftp_data_packet_count",
                    "tftp_data_octets", "link_packet_per_bin_max",
                )
            ),
            *_files(wave),
        ],
        verdict=verdict,
        direction=direction,
        refutations=(
            Refutation("Are they computers that start from the network?", _whose(wave)),
            Refutation(
                "Does something else load the line at that time?",
                "unknown: the capture does not count frames over time" if wave.of_frames is None
                else f"TFTP is {percent(wave.of_frames)} of the frames in its busiest "
                "stretch",
            ),
            Refutation(
                "Is the server at the site, so that the line carries none of it?",
                f"yes: {wave.near}" if wave.near else "no asset of the site is that server",
            ),
        ),
        missing=(
            *(() if wave.of_line is not None else ("the rate of the site's line",)),
            "whether it ends when TFTP is held back for a while",
        ),
        alternatives=("a wave of files that the line carries without harm",),
    )  # fmt: skip


def _files(wave: _Wave) -> Sequence[Observation]:
    return wave.capture.all("tftp_file_request_count")[:5]


def _judged(wave: _Wave) -> tuple[Verdict, Direction]:
    if wave.near is not None:
        return Verdict.CONTRADICTED, Direction.UNDETERMINED
    full = wave.of_line is not None and wave.of_line >= OF_LINE
    alone = wave.of_frames is None or wave.of_frames >= OF_FRAMES
    if wave.of_line is not None and not full:
        return Verdict.CONTRADICTED, Direction.UNDETERMINED
    if not full or not alone:
        return Verdict.SUGGESTIVE, Direction.UNDETERMINED
    if wave.computer_files >= MOST and not wave.telephones:
        return Verdict.SUPPORTED, Direction.NOT_TELEPHONY
    if wave.of_telephones:
        return Verdict.SUPPORTED, Direction.TELEPHONY_TO_NETWORK
    return Verdict.SUGGESTIVE, Direction.UNDETERMINED


def _whose(wave: _Wave) -> str:
    if wave.computer_files >= MOST:
        return f"yes: {percent(wave.computer_files)} of the requests are for files of such"
    if wave.of_telephones:
        return (
            f"no: {percent(wave.phone_files)} of the requests are for files of telephones, and "
            f"{counted(len(wave.telephones), 'client')} is known for one"
        )
    return "unknown: neither files nor clients tell"


def _logged(lan: Lan) -> list[Event]:
    """The most requests that a server wrote down within ten minutes; none where they are few."""
    loads = lan.happened("tftp-load")
    best: list[Event] = []
    begin = 0
    for end, event in enumerate(loads):
        while event.time - loads[begin].time > WITHIN:
            begin += 1
        if end + 1 - begin > len(best):
            best = list(loads[begin : end + 1])
    return best if len(best) >= 2 * CLIENTS_LEAST else []


def _of_log(evidence: Evidence, lan: Lan, loads: Sequence[Event]) -> Finding:
    return draft(
        evidence,
        "firmware-wave",
        lan.place,
        f"{counted(len(loads), 'file')} were asked for by TFTP at {lan.place.name} within "
        f"{(loads[-1].time - loads[0].time).total_seconds() / 60:.0f} minutes, by a server's log.",
        times=[event.time for event in loads],
        seen=loads,
        verdict=Verdict.SUGGESTIVE,
        direction=Direction.UNDETERMINED,
        refutations=(
            Refutation("Are they computers that start from the network?", "the log does not say"),
        ),
        missing=("a capture of it: who asks, for what, and what share of the line it takes",),
        alternatives=("computers that start from the network",),
    )  # fmt: skip
