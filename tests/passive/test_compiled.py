"""The compiled loops beside numpy: the same columns, to the last bit."""

import sys
from dataclasses import fields, replace
from pathlib import Path
from random import Random

import numba
import numpy as np
import pytest

from nethealth.model.pseudonym import Revealed
from nethealth.passive.announced import MediaBook
from nethealth.passive.columns import SLACK
from nethealth.passive.compiled import Compiled
from nethealth.passive.engine import compiled_engine
from nethealth.passive.packets import Packets
from nethealth.passive.pcap import HEADER_OCTETS, Pcap
from nethealth.passive.rtp import Rtp
from probes.capture import read
from probes.capture.read import read_captures
from probes.capture.reader import Reader
from probes.capture.sources import SourceError
from tests import captures
from tests.passive.packet_frames import packets, pcap
from tests.passive.rtp_script import run_of, speech
from tests.passive.test_capture_formats import mixed_frames
from tests.passive.test_packets import link_frames

ENGINE = Compiled()
COLUMNS = (
    "source", "destination", "ethernet_source", "ethernet_destination", "flow", "traffic_class",
    "tcp_flags", "tcp_sequence", "tcp_window", "has_ports", "is_udp", "is_tcp", "transport_end",
    "source_port",
    "destination_port", "payload_at", "payload_octets", "payload_captured",
)  # fmt: skip


def compared(plain: Packets) -> None:
    """Every column of the same packets by either way."""
    fast = replace(plain, engine=ENGINE)
    fast.prepare()
    for each in fields(plain.layers):
        column = getattr(fast.layers, each.name)
        other = getattr(plain.layers, each.name)
        assert column.dtype == other.dtype
        assert np.array_equal(column, other), each.name
    for name in COLUMNS:
        column, other = getattr(fast, name), getattr(plain, name)
        assert column.dtype == other.dtype, name
        assert np.array_equal(column, other), name


def test_numba_is_there_for_these_tests() -> None:
    assert isinstance(compiled_engine(), Compiled)


def test_without_a_place_for_machine_code_numpy_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locator(*_: object, **__: object) -> None:
        raise RuntimeError("cannot cache function 'follow': no locator available")

    file = tmp_path / "one.pcap"
    file.write_bytes(pcap([(0, link_frames()[0][1])]))
    monkeypatch.setattr(numba, "njit", no_locator)
    for name in [name for name in sys.modules if name.startswith("nethealth.passive.compiled")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(SourceError, match="NUMBA_CACHE_DIR"):
        read_captures("capture", [str(file)], Revealed(), "numba")
    monkeypatch.setattr(read, "COMPILED_OCTETS_MIN", 0)
    (found,) = read_captures("capture", [str(file)], Revealed(), "auto").files
    assert found.packets == 1


def test_columns_of_all_kinds_of_frames_whole_broken_and_cut() -> None:
    generator = Random(6)
    frames = [frame for link_type, frame in link_frames() if link_type == 1]
    cut, wire = [], []
    for _ in range(4000):
        frame = bytearray(generator.choice(frames))
        for _ in range(generator.choice((0, 0, 1, 3))):
            frame[generator.randrange(len(frame))] = generator.randrange(256)
        wire.append(len(frame))
        cut.append(bytes(frame[: generator.choice((len(frame), generator.randrange(70)))]))
    compared(packets(cut, wire=wire))
    for link_type, whole in link_frames():
        compared(packets([whole], link_type=link_type))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("most", [10**6, 100])
def test_records_of_a_file(order: str, most: int) -> None:
    whole = pcap(mixed_frames(Random(8), 2000, hostile=True), order=order)
    data = whole[HEADER_OCTETS:-7]
    octets = np.frombuffer(data + bytes(SLACK), np.uint8)
    fast = Pcap(whole[:HEADER_OCTETS], ENGINE).walk(octets, len(data), most)
    slow = Pcap(whole[:HEADER_OCTETS]).walk_slowly(octets, len(data), most)
    for each in fields(fast):
        column, other = getattr(fast, each.name), getattr(slow, each.name)
        assert np.array_equal(column, other), each.name
    bad = np.frombuffer(data[: int(fast.frame_at[50]) - 8] + b"\xff" * 200, np.uint8)
    fast = Pcap(whole[:HEADER_OCTETS], ENGINE).walk(bad, len(bad) - SLACK, most)
    slow = Pcap(whole[:HEADER_OCTETS]).walk_slowly(bad, len(bad) - SLACK, most)
    assert (fast.used, fast.fault) == (slow.used, slow.fault)
    assert fast.fault is not None


def test_streams_come_out_the_same() -> None:
    sent = [packet for n, packet in enumerate(speech(500)) if n % 50 != 7]
    found = []
    for engine in (None, ENGINE):
        analysis = Rtp(MediaBook())
        run = replace(run_of(sent), engine=engine)
        run.prepare()
        analysis.feed(run)
        found.append(list(analysis.finish()))
    assert found[0] == found[1]
    assert found[0]


@pytest.mark.captures
def test_every_open_capture() -> None:
    for path in sorted(captures.folder().glob("*")):
        if not path.is_file() or not path.name.lower().endswith(("pcap", "cap", "pcapng")):
            continue
        readers = (Reader([str(path)], packets_most=10_000, engine=each) for each in (None, ENGINE))
        pairs = zip(*readers, strict=True)
        for plain, fast in pairs:
            assert np.array_equal(plain.time_ns, fast.time_ns)
            compared(plain)
