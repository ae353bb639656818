"""The compiled loops beside numpy: the same columns, to the last bit."""

from collections.abc import Callable
from dataclasses import fields, replace
from inspect import signature
from pathlib import Path
from random import Random

import numpy as np
import pytest

from nethealth.model.pseudonym import Revealed
from nethealth.passive.announced import MediaBook
from nethealth.passive.columns import SLACK
from nethealth.passive.compiled import Compiled
from nethealth.passive.compiled_call import SIGNATURES
from nethealth.passive.compiled_code import MachineCode, packed, unpacked
from nethealth.passive.compiled_columns import columns, plain_rows, records
from nethealth.passive.compiled_follow import follow
from nethealth.passive.compiled_known import known
from nethealth.passive.packets import Packets
from nethealth.passive.pcap import HEADER_OCTETS, Pcap
from nethealth.passive.rtp import Rtp
from probes.capture import loops, read
from probes.capture.loops import compiled_engine
from probes.capture.read import read_captures
from probes.capture.reader import Reader
from probes.capture.sources import SourceError
from tests import captures
from tests.passive.compiled_engine import CODE, ENGINE
from tests.passive.packet_frames import packets, pcap
from tests.passive.rtp_script import run_of, speech
from tests.passive.test_capture_formats import mixed_frames
from tests.passive.test_packets import link_frames

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


@pytest.mark.parametrize("loop", [records, plain_rows, columns, known, follow])
def test_every_parameter_of_a_loop_has_its_kind(loop: Callable[..., None]) -> None:
    """A number stands where an `int` is asked for, an array of that type everywhere else."""
    kinds = SIGNATURES[loop.__name__]
    parameters = list(signature(loop).parameters.values())
    assert len(kinds) == len(parameters)
    for kind, parameter in zip(kinds, parameters, strict=True):
        if kind.dtype is None:
            assert parameter.annotation in (int, bool), parameter
        else:
            assert f"dtype[{kind.dtype.type.__module__}.{kind.dtype.name}" in str(
                parameter.annotation
            ), parameter


def test_machine_code_is_made_once_and_again_when_it_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def machine_code() -> dict[str, MachineCode]:
        made.append("once")
        return CODE

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("nethealth.passive.compiled_entries.machine_code", machine_code)
    assert isinstance(compiled_engine(), Compiled)
    (file,) = (tmp_path / "nethealth").iterdir()
    whole = file.read_bytes()
    assert isinstance(compiled_engine(), Compiled)
    assert made == ["once"]
    for damaged in (b"", whole[:-1], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]):
        made.clear()
        file.write_bytes(damaged)
        assert isinstance(compiled_engine(), Compiled)
        assert made == ["once"]
        assert file.read_bytes() == whole


def test_machine_code_comes_back_as_it_was_packed() -> None:
    assert unpacked(packed(CODE)) == CODE


def test_other_loops_or_another_processor_have_machine_code_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "loop.py"
    file.write_text("one")
    name = loops._name("one processor", tmp_path)
    assert loops._name("one processor", tmp_path) == name
    assert loops._name("another", tmp_path) != name
    file.write_text("other")
    assert loops._name("one processor", tmp_path) != name


def test_what_is_no_array_of_its_kind_is_kept_from_a_loop() -> None:
    octets, column = np.zeros(200, np.uint8), np.zeros(1, np.int64)
    with pytest.raises(TypeError, match="float64"):
        ENGINE.plain(octets, column.astype(np.float64), column, column, column)
    with pytest.raises(TypeError, match="8, 8"):
        ENGINE.plain(octets, column.reshape(1, 1), column, column, column)
    plain, _ = ENGINE.plain(octets, np.zeros(6, np.int64)[::3], *[np.zeros(2, np.int64)] * 3)
    assert not plain.any()


def test_without_a_place_for_machine_code_numpy_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "one.pcap"
    file.write_bytes(pcap([(0, link_frames()[0][1])]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    with pytest.raises(SourceError, match="XDG_CACHE_HOME"):
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
