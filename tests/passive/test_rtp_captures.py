"""RTP in every open capture beside what tshark says of it; each difference is named, with reason.

tshark lists streams that it knows by signalling, and those that its heuristic takes for RTP. It
leaves marked packets, and those whose time stamp goes back, out of its mean and greatest jitter,
and has no jitter at all where it knows no clock.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nethealth.model.pseudonym import Revealed
from nethealth.passive.announced import MediaBook
from nethealth.passive.rtp import Rtp
from nethealth.passive.rtp_evidence import PACKETS_MIN
from nethealth.passive.rtp_stream import RtpStream
from nethealth.passive.sip import SipAnalysis
from nethealth.passive.skinny_media import SkinnyMediaAnalysis
from probes.capture.reader import Reader
from tests import captures

pytestmark = pytest.mark.captures

Ends = tuple[str, int, str, int, int]
ROW = re.compile(
    r"\s*\S+\s+\S+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+0x([0-9A-F]{8})\s+.*?\s(\d+)\s+(-?\d+) "
    r"\(.*?%\)\s+\S+\s+\S+\s+\S+\s+\S+\s+(\S+)\s+(\S+)"
)
JITTER_MS = 0.0011  # tshark prints three digits

OTHER_FORMATS = {
    "wswiki__c07-sip-r2.cap": "Microsoft Network Monitor 2",
    "wswiki__tcp-syn-attack.cap": "Network General Sniffer",
}
NOT_OURS = {
    ("wswiki__SIP_CALL_RTP_G711", 11837): "six packets, announced by what is not SIP",
    ("ndpi__stun_google_meet.pcapng", 0): "SSRC 0: probes for bandwidth, no clock in them",
}
COUNTS_DIFFER = {
    ("wswiki__FAX-Call-t38-CA-TDM-SIP-FB-1.pcap", 246353583): (
        "tshark takes 2,010 packets of the stream for T.38 once SDP has offered it, and says of "
        "each that it is malformed: it goes on as RTP"
    ),
}
MARKED = "the marked packets, and those at one time stamp, are left out of tshark's figures"
JITTER_DIFFERS = {
    ("wswiki__SIP_DTMF2.cap", 1460780932): f"telephone events; {MARKED}",
    ("wswiki__h263-over-rtp.pcap", 1417866464): f"video; {MARKED}",
    ("wswiki__FAX-Call-t38-CA-TDM-SIP-FB-1.pcap", 400097588): MARKED,
    ("wswiki__FAX-Call-t38-CA-TDM-SIP-FB-1.pcap", 246353583): "other packets, see above",
    ("wswiki__testing.ext.pcap", 2532148528): "times of capture years apart: no jitter of ours",
    ("wswiki__testing.ext.pcap", 2409257338): "times of capture years apart: no jitter of ours",
    ("sipnab__sip-over-tcp.pcap", 1513316787): f"telephone events; {MARKED}",
    ("sipnab__sip-over-tcp.pcap", 1123300308): f"telephone events; {MARKED}",
    ("ndpi__rtp.pcapng", 5702): f"video; {MARKED}",
    ("snort3__SIP_Eyebeam2Eyebeam_Video_Audio.pcap", 4215298092): f"video; {MARKED}",
    ("snort3__SIP_Eyebeam2Eyebeam_Video_Audio.pcap", 3355164674): f"video; {MARKED}",
    ("markofu__Forensic_challenge_4.pcap", 2723471383): MARKED,
}
NONE_AT_ALL = (
    "ndpi__gnutella.pcap", "ndpi__false_positives.pcapng", "wswiki__SkypeIRC.cap",
    "ndpi__raknet.pcap", "ndpi__telegram_videocall.pcapng", "wswiki__MagicJack_pwr_up.pcap",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """A stream as tshark lists it; several lines of the same ends are one."""

    packets: int
    lost: int
    jitter_mean_ms: float
    jitter_max_ms: float
    lines: int


def listed(oracle: str, title: str) -> dict[Ends, Listed]:
    section = re.search(rf"^## {re.escape(title)}.*?$(.*?)(?=^## |\Z)", oracle, re.M | re.S)
    assert section, title
    found: dict[Ends, Listed] = {}
    for row in section[1].splitlines():
        match = ROW.match(row)
        if match is None:
            continue
        source, source_port, to, to_port, ssrc, packets, lost, mean, most = match.groups()
        ends = (source, int(source_port), to, int(to_port), int(ssrc, 16))
        before = found.get(ends, Listed(0, 0, 0.0, 0.0, 0))
        found[ends] = Listed(
            before.packets + int(packets),
            before.lost + int(lost),
            float(mean),
            float(most),
            before.lines + 1,
        )
    return found


def streams_of(path: Path) -> tuple[int, dict[Ends, RtpStream]]:
    """How many packets, and the streams, by SIP, by Skinny and by themselves."""
    book = MediaBook()
    analyses = (SipAnalysis(Revealed(), book), SkinnyMediaAnalysis(book), Rtp(book))
    packets_read = 0
    for packets in Reader([str(path)]):
        packets_read += len(packets)
        for analysis in analyses:
            analysis.feed(packets)
    list(analyses[-1].finish())
    return packets_read, {
        (
            stream.ends.source, stream.ends.source_port,
            stream.ends.destination, stream.ends.destination_port, stream.ends.ssrc,
        ): stream
        for stream in analyses[-1].streams
    }  # fmt: skip


def manifest() -> Iterator[tuple[str, str]]:
    with (captures.folder() / "MANIFEST.tsv").open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            yield row["file"], row["packets"]


def files() -> list[str]:
    if not captures.present():
        return []
    folder = captures.folder()
    return [
        name
        for name, _ in manifest()
        if (folder / name).is_file() and (folder / "oracle" / f"{name}.tshark.txt").is_file()
    ]


@pytest.mark.parametrize("name", files())
def test_streams_are_those_of_tshark_but_for_named_differences(name: str) -> None:
    oracle = (captures.folder() / "oracle" / f"{name}.tshark.txt").read_text(errors="replace")
    packets, ours = streams_of(captures.folder() / name)
    if name in OTHER_FORMATS:
        assert packets == 0
        return
    counted = re.search(r"^Number of packets:\s+(\d+)", oracle, re.M)
    assert counted is None or packets == int(counted[1])
    signalled = listed(oracle, "tshark -q -z rtp,streams")
    theirs = {**listed(oracle, "tshark -q -o rtp.heuristic_rtp:TRUE -z rtp,streams"), **signalled}
    if name in NONE_AT_ALL:
        assert ours == {}
        return
    assert set(ours) <= set(theirs)
    for ends, their in theirs.items():
        stream = ours.get(ends)
        if stream is None:
            few = their.packets < PACKETS_MIN and ends not in signalled
            assert few or (name, ends[4]) in NOT_OURS, (ends, their)
            continue
        if (name, ends[4]) not in COUNTS_DIFFER:
            assert stream.received == their.packets, ends
            assert stream.expected - stream.received == their.lost, ends
        if (name, ends[4]) in JITTER_DIFFERS or their.lines > 1:
            continue
        if stream.received == 1:
            continue  # a jitter of 0 to tshark, none to us
        if their.jitter_max_ms == 0 and stream.payload_type >= 96:
            continue  # no clock is known to tshark of a dynamic type without SDP
        assert stream.jitter_mean_s is not None and stream.jitter_max_s is not None
        assert abs(stream.jitter_mean_s * 1000 - their.jitter_mean_ms) <= JITTER_MS, ends
        assert abs(stream.jitter_max_s * 1000 - their.jitter_max_ms) <= JITTER_MS, ends


def test_no_difference_is_named_that_is_none() -> None:
    known = set(files())
    for named in (NOT_OURS, COUNTS_DIFFER, JITTER_DIFFERS):
        assert {name for name, _ in named} <= known
    assert set(NONE_AT_ALL) | set(OTHER_FORMATS) <= known
