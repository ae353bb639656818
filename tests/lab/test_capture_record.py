"""What `capture record` writes of a live wire: tshark finds the signalling whole and no media."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.command import environment
from tests.lab.program import NO_RAW_SOCKETS
from tests.lab.topology import Lab, entered, remove
from tests.passive.frames import DIGIT, RTCP, RTP, SIP, ethernet, ipv4, ipv6, udp

TOLD = ("--authority", "the lab's owner", "--purpose", "a test", "--operator", "the test")


@pytest.fixture(scope="module")
def wire() -> Iterator[Lab]:
    """Two hosts and a cable."""
    lab = Lab("record")
    try:
        for node in ("left", "right"):
            lab.add(node)
        lab.join("left", "eth0", "right", "eth0")
        for node in ("left", "right"):
            lab.configure(node, "link set eth0 up")
        yield lab
    finally:
        remove(lab.prefix)


def record(wire: Lab, folder: Path, *more: str, before: Sequence[str] = ()) -> Sequence[str]:
    return (
        *wire.at("right"), *before, sys.executable, "-m", "nethealth", "capture", "record",
        "-I", "eth0", "-o", str(folder), *TOLD, *more,
    )  # fmt: skip


@contextmanager
def recording(wire: Lab, folder: Path, *more: str) -> Iterator["subprocess.Popen[str]"]:
    """The command, once it captures."""
    with subprocess.Popen(
        record(wire, folder, *more),
        env=environment(folder.parent), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as popen:  # fmt: skip
        assert popen.stderr is not None
        first = popen.stderr.readline()
        assert "recording eth0" in first, first + popen.stderr.read()
        yield popen


def send(wire: Lab, frames: Sequence[bytes], node: str = "left") -> None:
    """Put frames on the wire as they are."""
    with entered(wire, node), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("eth0", 0))
        for frame in frames:
            sock.send(frame)


def fields(folder: Path, part: str, *names: str) -> list[list[str]]:
    """Fields of every recorded packet of a part, by tshark."""
    rows = []
    for file in sorted(folder.glob(f"*-{part}_*.pcapng")):
        command = ["tshark", "-n", "-r", str(file), "-T", "fields", "-E", "separator=|"]
        for name in names:
            command += ["-e", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows += [line.split("|") for line in done.stdout.splitlines()]
    return rows


def octets(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("*.pcapng"))


FRAMES = [
    ethernet(packet, tag=tag)
    for tag in (False, True)
    for packet in (
        ipv4(17, udp(16384, 16386, RTP)),
        ipv6(17, udp(16384, 16386, RTP)),
        ipv4(17, udp(5060, 5060, RTP)),
        ipv4(17, udp(16384, 16386, DIGIT)),
        ipv4(17, udp(16385, 16387, RTCP)),
        ipv4(17, udp(5060, 5060, SIP)),
    )
]


def test_the_signalling_is_whole_and_no_media_is_written(wire: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "rec"
    with recording(wire, folder, "--for", "60s") as popen:
        for _ in range(10):
            send(wire, FRAMES)
        time.sleep(1)
        popen.send_signal(signal.SIGINT)
        out, err = popen.communicate(timeout=60)
    assert popen.returncode == 0, err

    whole = fields(folder, "signalling", "frame.len", "frame.cap_len", "vlan.id", "udp.dstport")
    ours = [row for row in whole if row[3]]
    assert all(length == kept for length, kept, _, _ in ours)
    # 2 of 6 frames are signalling: the SIP message and the RTCP report
    assert sorted(row[2:] for row in ours) == sorted(
        [[tag, port] for tag in ("", "120") for port in ("5060", "16387")] * 10
    )
    cut = fields(folder, "headers", "frame.cap_len", "vlan.id", "udp.dstport", "ip.version")
    ours = [row for row in cut if row[2]]
    # the end of the RTP header: 14 + 20 + 8 + 12, tagged 4 more, IPv6 20 more
    assert sorted(map(tuple, ours)) == sorted(
        [("54", "", "16386", "4")] * 20 + [("54", "", "5060", "4")] * 10
        + [("58", "120", "16386", "4")] * 20 + [("58", "120", "5060", "4")] * 10
        + [("74", "", "16386", "6")] * 10 + [("78", "120", "16386", "6")] * 10
    )  # fmt: skip
    written = octets(folder)
    assert b"\xd5\xd5" not in written
    assert DIGIT[12:] not in written

    [paper] = folder.glob("*.recording.json")
    assert paper.stat().st_mode & 0o777 == 0o600
    told = json.loads(paper.read_text())
    assert [told[key] for key in ("authority", "purpose", "operator")] == list(TOLD[1::2])
    for part in told["parts"]:
        assert part["fault"] is None
        assert sum(source["dropped_count"] for source in part["sources"]) == 0
        for file in part["files"]:
            digest = subprocess.run(
                ["sha256sum", str(folder / file["name"])],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.split()[0]
            assert digest == file["sha256"]
    assert "0 dropped" in out


def test_a_ring_is_bounded_and_says_what_had_to_go(wire: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "rec"
    speech = [ethernet(ipv4(17, udp(16384, 16386, RTP)))] * 4000
    with recording(wire, folder, "--for", "60s", "--files", "2", "--megabytes", "1") as popen:
        for _ in range(10):
            send(wire, speech)
            time.sleep(0.1)
        time.sleep(1)
        popen.send_signal(signal.SIGTERM)
        out, err = popen.communicate(timeout=60)
    assert popen.returncode == 0, err
    headers = sorted(folder.glob("*-headers_*.pcapng"))
    assert len(headers) == 2
    assert all(file.stat().st_size < 1_100_000 for file in headers)
    assert "older files had to go" in out


def test_purge_deletes_packets_whose_time_is_over_and_nothing_else(
    wire: Lab, tmp_path: Path
) -> None:
    folder = tmp_path / "rec"
    with recording(wire, folder, "--for", "2s", "--keep", "1s") as popen:
        popen.communicate(timeout=60)
    assert popen.returncode == 0
    (folder / "mine.pcapng").write_bytes(b"not a recording")
    time.sleep(1.2)
    purge = [sys.executable, "-m", "nethealth", "capture", "purge", str(folder)]
    done = subprocess.run(
        purge, env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert "2 files of packets deleted" in done.stdout
    assert [file.name for file in folder.glob("*.pcapng")] == ["mine.pcapng"]
    assert len(list(folder.glob("*.recording.json"))) == 1


@pytest.mark.parametrize(
    ("more", "before", "code", "says"),
    [
        ((), NO_RAW_SOCKETS, 3, "this user may not capture"),
        (("-I", "nosuch0"), (), 3, "nosuch0: dumpcap says"),
        (("--purpose", " "), (), 2, "--purpose: found none"),
    ],
)
def test_what_cannot_be_recorded_is_said(
    more: Sequence[str], before: Sequence[str], code: int, says: str, wire: Lab, tmp_path: Path
) -> None:
    done = subprocess.run(
        record(wire, tmp_path / "rec", *more, before=before), env=environment(tmp_path),
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "rec").glob("*")) if (tmp_path / "rec").exists() else True
