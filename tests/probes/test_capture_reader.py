"""The reader of capture files: one timeline out of several, whatever they are packed in."""

import gzip
from pathlib import Path
from random import Random

import pytest

from probes.capture.reader import Reader
from probes.capture.sources import SourceError
from tests.passive.packet_frames import ethernet, ipv4, pcap, udp

START_NS = 1_700_000_000_000_000_000


def frame(number: int) -> bytes:
    return ethernet(ipv4(udp(number.to_bytes(4, "big") + bytes(number % 50))))


def times_read(names: list[str], most: int = 65_536) -> list[tuple[int, bytes]]:
    found = []
    expected = 1
    for packets in Reader(names, packets_most=most):
        assert packets.number.tolist() == list(range(expected, expected + len(packets)))
        expected += len(packets)
        found += [(int(packets.time_ns[row]), packets.payload(row)) for row in range(len(packets))]
    return found


def write(path: Path, numbers: list[int]) -> str:
    path.write_bytes(pcap([(START_NS + n * 1_000_000, frame(n)) for n in numbers]))
    return str(path)


@pytest.mark.parametrize("most", [65_536, 13])
def test_files_that_overlap_become_one_timeline(tmp_path: Path, most: int) -> None:
    generator = Random(1)
    everything = list(range(2000))
    of_file = [generator.randrange(3) for _ in everything]
    names = [
        write(tmp_path / f"{file}.pcap", [n for n in everything if of_file[n] == file])
        for file in range(3)
    ]
    later = write(tmp_path / "later.pcap", list(range(2000, 2500)))
    got = times_read([later, *names], most)
    assert [int.from_bytes(payload[:4], "big") for _, payload in got] == list(range(2500))
    assert [payload for _, payload in got] == [frame(n)[42:] for n in range(2500)]


def test_a_files_own_order_stays_where_its_times_go_back(tmp_path: Path) -> None:
    one = write(tmp_path / "one.pcap", [0, 50, 10, 60])
    two = write(tmp_path / "two.pcap", [5, 55])
    numbers = [int.from_bytes(payload[:4], "big") for _, payload in times_read([one, two])]
    assert [n for n in numbers if n in (0, 50, 10, 60)] == [0, 50, 10, 60]
    assert numbers.index(5) < numbers.index(50) <= numbers.index(55)


def test_folders_and_packed_files(tmp_path: Path) -> None:
    folder = tmp_path / "ring"
    folder.mkdir()
    write(folder / "b.pcap", [0, 1])
    plain = Path(write(tmp_path / "c", [2, 3])).read_bytes()
    (folder / "a.pcap.gz").write_bytes(gzip.compress(plain[:50]) + gzip.compress(plain[50:]))
    (folder / "notes.txt").write_text("no capture")
    numbers = [int.from_bytes(payload[:4], "big") for _, payload in times_read([str(folder)])]
    assert numbers == [0, 1, 2, 3]


def test_the_same_file_twice_is_refused_by_whatever_name(tmp_path: Path) -> None:
    name = write(tmp_path / "one.pcap", [0])
    (tmp_path / "two.pcap").symlink_to(name)
    with pytest.raises(SourceError, match="it would count twice"):
        Reader([name, str(tmp_path / "two.pcap")])
    with pytest.raises(SourceError, match="no capture in this folder"):
        (tmp_path / "empty").mkdir()
        Reader([str(tmp_path / "empty")])


def test_a_bad_file_among_good_ones_is_said_and_costs_only_itself(tmp_path: Path) -> None:
    good = write(tmp_path / "good.pcap", [0, 1])
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"nothing of the kind")
    reader = Reader([good, str(bad)])
    assert sum(len(packets) for packets in reader) == 2
    assert [file.packets for file in reader.files] == [2, 0]
    assert reader.files[0].reason is None
    assert "no capture" in (reader.files[1].reason or "")


def test_a_file_larger_than_the_buffers_is_read_whole(tmp_path: Path) -> None:
    big = [(START_NS + n * 1000, ethernet(ipv4(udp(bytes(60_000))))) for n in range(700)]
    (tmp_path / "big.pcap").write_bytes(pcap(big))
    reader = Reader([str(tmp_path / "big.pcap")])
    assert sum(len(packets) for packets in reader) == 700
    assert reader.files[0].octets == (tmp_path / "big.pcap").stat().st_size
