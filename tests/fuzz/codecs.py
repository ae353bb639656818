"""Every codec as something that octets are thrown at: it parses them, or raises WireError.

Functions `parse` and `parse_…` and classes with `parse` in nethealth.wire are found by themselves,
so that a codec that is added tomorrow is fuzzed tomorrow. Values are looked at too: whatever a
property of a parsed value raises, is held to the same rule.
"""

import importlib
import inspect
import pkgutil
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any, get_type_hints

import numpy as np

import nethealth.wire
from nethealth.model.endpoint import Endpoint
from nethealth.model.pseudonym import Revealed
from nethealth.passive.announced import MediaBook
from nethealth.passive.capture_file import CaptureError
from nethealth.passive.columns import SLACK
from nethealth.passive.fragments import Fragments
from nethealth.passive.packets import Packets
from nethealth.passive.pcap import HEADER_OCTETS, Pcap
from nethealth.passive.rtcp import RtcpAnalysis
from nethealth.passive.sip import SipAnalysis
from nethealth.passive.sip_read import SeenMessage, looks_like_sip, read_datagram
from nethealth.passive.tcp_order import TcpOrder
from nethealth.wire import h245, syslog
from nethealth.wire.errors import WireError
from nethealth.wire.icmp import IpVersion, checksum, parse_icmpv4
from nethealth.wire.numbers import refusal
from nethealth.wire.quotation import flow_numbers, parse_error
from nethealth.wire.sip import parse_message
from nethealth.wire.sip_auth import choose
from nethealth.wire.sip_grammar import parameters, split
from nethealth.wire.sip_resync import SipResyncParser
from nethealth.wire.sip_stream import SipStreamParser
from nethealth.wire.syslog import Years
from probes.capture.analyses import ANALYSES, Shared
from probes.capture.reader import walker_of
from tests.passive.packet_frames import ethernet, ipv4, ipv6, packets, tcp, udp

Codec = Callable[[bytes], None]
_DEPTH_MAX = 4


def looked_at(value: object, depth: int = 0) -> None:
    """Ask a parsed value, and the values in it, for every property."""
    if depth > _DEPTH_MAX:
        return
    if isinstance(value, list | tuple):
        for each in value[:50]:
            looked_at(each, depth + 1)
    elif is_dataclass(value) and not isinstance(value, type):
        for name, member in inspect.getmembers(type(value)):
            if isinstance(member, property) and not name.startswith("_"):
                try:
                    looked_at(getattr(value, name), depth + 1)
                except WireError:
                    continue
        for each in fields(value):
            looked_at(getattr(value, each.name), depth + 1)


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(nethealth.wire.__path__, "nethealth.wire."):
        yield importlib.import_module(found.name)


def _parsers(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The module's own functions `parse` and parse_… and its classes' `parse`, by name."""
    for name, member in vars(module).items():
        if name.startswith("_") or getattr(member, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(member) and (name == "parse" or name.startswith("parse_")):
            yield name, member
        elif inspect.isclass(member):
            parse = getattr(member, "parse", None)
            if callable(parse):
                yield name, parse


def codec_of(parse: Callable[..., Any]) -> Codec | None:
    """A codec of one argument, of octets, text or a number; None for any other."""
    wanted = [
        each for each in inspect.signature(parse).parameters.values()
        if each.default is inspect.Parameter.empty
    ]  # fmt: skip
    if len(wanted) != 1:
        return None
    kind = get_type_hints(parse).get(wanted[0].name)

    def run(data: bytes) -> None:
        argument: object = data
        if kind is str:
            argument = data.decode(errors="surrogateescape")
        elif kind is int:
            argument = int.from_bytes(data[:2], "big")
        try:
            looked_at(parse(argument))
        except WireError:
            return

    return run if kind in (bytes, str, int) else None


def _checked(data: bytes) -> bytes:
    """The message with the checksum that it ought to have: chance would never find it."""
    if len(data) < 4:
        return data
    blank = data[:2] + b"\0\0" + data[4:]
    return data[:2] + checksum(blank).to_bytes(2, "big") + data[4:]


def _icmp(data: bytes) -> None:
    for message in (data, _checked(data)):
        try:
            looked_at(parse_icmpv4(message))
        except WireError:
            continue


def _quotation(data: bytes) -> None:
    versions: tuple[IpVersion, ...] = (4, 6)
    for version in versions:
        try:
            error = parse_error(_checked(data) if version == 4 else data, version)
        except WireError:
            continue
        looked_at(error)
        flow_numbers(error.quoted)


def _numbers(data: bytes) -> None:
    refusal(data.decode(errors="surrogateescape"))


def _grammar(data: bytes) -> None:
    text = data.decode(errors="replace")
    for separator in (",", ";"):
        try:
            parameters(split(text, separator), "fuzz")
        except WireError:
            continue


def _challenges(data: bytes) -> None:
    try:
        choose(parse_message(b"SIP/2.0 401 No\r\nWWW-Authenticate: " + data + b"\r\n\r\n"))
    except WireError:
        return


def _sip_stream(data: bytes) -> None:
    """In two pieces; after a broken message a stream stays broken."""
    parser = SipStreamParser()
    half = len(data) // 2
    for piece in (data[:half], data[half:]):
        try:
            looked_at(parser.feed(piece))
        except WireError:
            continue


def _sip_resync(data: bytes) -> None:
    parser = SipResyncParser()
    half = len(data) // 2
    for found in (parser.feed(data[:half]), parser.feed(data[half:]), parser.gap()):
        looked_at([one for one in found if not isinstance(one, WireError)])


def _tcp_order(data: bytes) -> None:
    """Octets as segments: two of the sequence number, one of length and flag, then the payload."""
    order = TcpOrder()
    position, time_ns, given = 0, 0, 0
    while position + 3 <= len(data):
        sequence = int.from_bytes(data[position : position + 2], "big")
        size = data[position + 2] & 0x3F
        payload = data[position + 3 : position + 3 + size]
        pieces = order.segment(sequence, payload, time_ns, syn=data[position + 2] > 250)
        given += sum(len(piece.data or b"") for piece in pieces)
        position, time_ns = position + 3 + size, time_ns + 50_000_000
    given += sum(len(piece.data or b"") for piece in order.end(time_ns))
    if given > len(data):
        raise AssertionError(f"{given} octets out of {len(data)}")


def _sip_analysis(data: bytes) -> None:
    """Datagrams between two ends, split at a mark: what the whole analysis makes of them."""
    analysis = SipAnalysis(Revealed(), MediaBook())
    ends = Endpoint("198.18.0.1", 5060), Endpoint("198.18.0.2", 5060)
    for index, part in enumerate(data.split(b"\0\0")[:20]):
        if not looks_like_sip(part):
            continue
        message = read_datagram(part, whole=bool(index % 3)).message
        if message is not None:
            source, destination = ends if index % 2 else ends[::-1]
            seen = SeenMessage(index * 1_000_000_000, source, destination, "udp", message)
            analysis.take(seen)
    for fact in analysis.finish():
        str(fact)


def _frames(data: bytes) -> None:
    """The same octets as a frame, a datagram, a segment and fragments through the analyses."""
    frames = [
        data,
        ethernet(data),
        ethernet(ipv4(udp(data, 4001, 4001))),
        ethernet(ipv4(tcp(data, 40000, 5060), 6)),
    ]
    half = len(data) // 16 * 8  # fragments are cut at multiples of eight octets
    frames += [
        ethernet(ipv4(data[:half], flags_offset=0x2000)),
        ethernet(ipv4(data[half:], flags_offset=half // 8)),
        ethernet(ipv6(data, 44), 0x86DD),
    ]
    run = Fragments().joined(packets([frame for frame in frames if frame]))
    book = MediaBook()
    for analysis in (SipAnalysis(Revealed(), book), RtcpAnalysis(book)):
        analysis.feed(run)
        for fact in analysis.finish():
            str(fact)


def _analyses(data: bytes) -> None:
    """Octets as a frame, behind each link and transport, through every analysis."""
    ports = (67, 69, 1719, 2000, 2427, 2944, 4569, 5000, 32512, 1985)
    frames = [data, ethernet(data, 0x88CC), ethernet(data, 0x0806), data[:12] + b"\0\x40" + data]
    frames += [ethernet(ipv4(udp(data, port, port))) for port in ports]
    frames += [ethernet(ipv4(tcp(data, 40000, port), 6)) for port in (1720, 2000, 2944, 5060)]
    frames += [ethernet(ipv4(data, protocol)) for protocol in (1, 2, 47, 112, 132)]
    run = Fragments().joined(packets([frame for frame in frames if frame]))
    shared = Shared(MediaBook(), Revealed())
    analysers = [each.make(shared) for each in ANALYSES]
    for analyser in analysers:
        analyser.feed(run)
    for analyser in reversed(analysers):
        for fact in analyser.finish():
            str(fact)


def _reader(data: bytes) -> None:
    """Octets as a capture file, and behind the beginning of each kind; by scan and one by one."""
    for beginning in _CAPTURES:
        whole = beginning + data
        octets = np.frombuffer(whole + bytes(SLACK), np.uint8)
        try:
            walker, at = walker_of(whole[:HEADER_OCTETS], None)
        except CaptureError:
            continue
        end = len(whole)
        if isinstance(walker, Pcap):
            slowly = walker.walk_slowly(octets[at:], end - at, 10_000)
            scanned = walker.walk(octets[at:], end - at, 10_000)
            if (scanned.used, scanned.fault) != (slowly.used, slowly.fault):
                raise AssertionError(f"{scanned.used} octets by scan, {slowly.used} one by one")
        while at < end:
            found = walker.walk(octets[at:], end - at, 7)
            if len(found.frame_at):
                count = np.arange(len(found.frame_at))
                Packets(
                    octets[at:], found.frame_at, found.captured, found.wire, found.time_ns, count,
                    found.interface, found.link_type,
                ).prepare()  # fmt: skip
            at += found.used
            if found.fault is not None or not found.used:
                break
        walker.interfaces()
        walker.time_digits()


_PCAP = (0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
_SECTION = bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000")
_INTERFACE = bytes.fromhex("010000001400000001000000ffff000014000000")
_CAPTURES = (
    b"", struct.pack("<IHHiIII", *_PCAP), struct.pack(">IHHiIII", *_PCAP),
    _SECTION, _SECTION + _INTERFACE,
)  # fmt: skip


def _syslog(data: bytes) -> None:
    with suppress(WireError):
        looked_at(syslog.parse(data, Years(2026)))


def _h245(data: bytes) -> None:
    for ask in (h245.kind, h245.is_capability_set):
        with suppress(WireError):
            ask(data)


_BY_HAND: dict[str, Codec] = {
    "icmp.parse_icmpv4": _icmp,
    "quotation.parse_error": _quotation,
    "numbers.refusal": _numbers,
    "sip_grammar.split": _grammar,
    "sip_auth.choose": _challenges,
    "sip_stream.SipStreamParser": _sip_stream,
    "sip_resync.SipResyncParser": _sip_resync,
    "tcp_order.TcpOrder": _tcp_order,
    "passive.sip": _sip_analysis,
    "passive.frames": _frames,
    "passive.analyses": _analyses,
    "passive.reader": _reader,
    "syslog.parse": _syslog,
    "h245.kind": _h245,
}


def codecs() -> dict[str, Codec]:
    """All of them by name; a parser that nobody knows how to call is a KeyError."""
    found = dict(_BY_HAND)
    for module in _modules():
        short = module.__name__.removeprefix("nethealth.wire.")
        for name, parse in _parsers(module):
            key = f"{short}.{name}"
            if key in found:
                continue
            codec = codec_of(parse)
            if codec is None:
                raise KeyError(f"{key}: say in _BY_HAND how octets are thrown at it")
            found[key] = codec
    return dict(sorted(found.items()))
