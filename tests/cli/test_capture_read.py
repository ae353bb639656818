"""`nethealth capture read` as a user runs it: whole files, damaged files, no files."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.command import environment, nethealth
from tests.passive.packet_frames import ethernet, ipv4, pcap, udp

START_NS = 1_700_000_000_000_000_000
FRAMES = [(START_NS + n * 20_000_000, ethernet(ipv4(udp(bytes(20))))) for n in range(50)]


def values(record: dict[str, Any], name: str) -> list[Any]:
    return [each["value"] for each in record["observations"] if each["name"] == name]


def test_a_capture_becomes_a_record(tmp_path: Path) -> None:
    (tmp_path / "one.pcap").write_bytes(pcap(FRAMES))
    done = nethealth("capture", "read", "one.pcap", "--format", "json", home=tmp_path, check=0)
    record = json.loads(done.stdout)
    assert record["run"]["kind"] == "capture"
    assert [check["outcome"] for check in record["checks"]] == ["completed"]
    assert values(record, "packet_count") == [50]
    assert values(record, "capture_duration_s") == [0.98]
    assert (
        record["observations"][0]["method"]["capture_started"] == "2023-11-14T22:13:20.000000000Z"
    )


def test_what_is_whole_of_a_damaged_file_is_read(tmp_path: Path) -> None:
    data = pcap(FRAMES)
    (tmp_path / "cut.pcap").write_bytes(data[:-5])
    (tmp_path / "packed.pcap.gz").write_bytes(gzip.compress(data)[:-20])
    (tmp_path / "mad.pcap").write_bytes(data[: 24 + 10 * (16 + 62)] + b"\xff" * 200)
    done = nethealth("capture", "read", "cut.pcap", "--format", "json", home=tmp_path, check=0)
    (check,) = json.loads(done.stdout)["checks"]
    assert check["outcome"] == "failed"
    assert "read up to octet 3846, packet 49" in check["reason"]
    assert "73 octets are no whole record" in done.stderr
    done = nethealth("capture", "read", "mad.pcap", "--format", "json", home=tmp_path, check=0)
    record = json.loads(done.stdout)
    assert values(record, "packet_count") == [10]
    assert "octet 804, packet 10" in record["checks"][0]["reason"]
    done = nethealth("capture", "read", "packed.pcap.gz", "--format", "json", home=tmp_path)
    assert "reading failed" in json.loads(done.stdout)["checks"][0]["reason"]


def test_what_cannot_be_read_is_said_and_ends_with_its_code(tmp_path: Path) -> None:
    (tmp_path / "empty.pcap").write_bytes(b"")
    (tmp_path / "none.pcap").write_bytes(pcap([]))
    (tmp_path / "text.pcap").write_bytes(b"no capture at all, but some text")
    for name, reason in (
        ("empty.pcap", "the file is empty"),
        ("none.pcap", "no packet"),
        ("text.pcap", "no capture: it begins with"),
    ):
        done = nethealth("capture", "read", name, "--format", "json", home=tmp_path, check=3)
        (check,) = json.loads(done.stdout)["checks"]
        assert check["outcome"] == "not_run"
        assert reason in check["reason"]
    done = nethealth("capture", "read", "absent.pcap", home=tmp_path, check=2)
    assert "absent.pcap: No such file" in done.stderr
    done = nethealth("capture", "read", "none.pcap", "./none.pcap", home=tmp_path, check=2)
    assert "the same file as none.pcap" in done.stderr


def test_both_engines_write_the_same_observations(tmp_path: Path) -> None:
    (tmp_path / "one.pcap").write_bytes(pcap(FRAMES))
    records = [
        json.loads(
            nethealth(
                "capture", "read", "one.pcap", "--engine", engine, "--format", "json",
                home=tmp_path, check=0,
            ).stdout
        )
        for engine in ("numpy", "numba")
    ]  # fmt: skip
    assert records[0]["observations"] == records[1]["observations"]


def test_standard_input_is_read_as_it_comes(tmp_path: Path) -> None:
    data = pcap(FRAMES)
    done = subprocess.run(
        [sys.executable, "-m", "nethealth", "capture", "read", "-", "--format", "json"],
        input=gzip.compress(data),
        capture_output=True,
        cwd=tmp_path,
        env=environment(tmp_path),
        timeout=120,
        check=True,
    )
    assert values(json.loads(done.stdout), "packet_count") == [50]
    (tmp_path / "one.pcap").write_bytes(data)
    both = nethealth("capture", "read", "-", "one.pcap", home=tmp_path, check=2)
    assert "read it alone" in both.stderr


def test_series_have_the_width_that_was_asked_for(tmp_path: Path) -> None:
    # 1.02 s apart; the first bin of 30 s has been under way for 20 s when the capture begins.
    frames = [(time + number * 1_000_000_000, frame) for number, (time, frame) in enumerate(FRAMES)]
    (tmp_path / "one.pcap").write_bytes(pcap(frames))
    read = ("capture", "read", "one.pcap", "--format", "json")
    widths: tuple[tuple[tuple[str, ...], list[int]], ...] = (
        (("--bin", "30s"), [10, 30, 10]),
        ((), [10] * 5),
    )
    for asked, counts in widths:
        done = nethealth(*read, *asked, home=tmp_path, check=0)
        (series,) = [
            each
            for each in json.loads(done.stdout)["observations"]
            if each["name"] == "link_packet_per_bin_max"
        ]
        assert series["method"]["bin_counts"] == counts
        assert series["value"] == max(counts)
    done = nethealth(*read, "--bin", "0.2s", home=tmp_path, check=2)
    assert "allowed: 1s to 1d" in done.stderr


def test_where_a_capture_was_taken_is_a_site_of_the_inventory(tmp_path: Path) -> None:
    (tmp_path / "one.pcap").write_bytes(pcap(FRAMES))
    (tmp_path / "sites.toml").write_text(
        '[[council]]\nid = "scdc"\nname = "South Cambridgeshire"\n'
        + "".join(
            f'[[site]]\nid = "{site}"\ncouncil = "scdc"\nname = "{site.title()}"\n'
            for site in ("hall", "depot")
        ),
        encoding="utf-8",
    )
    asked = ("capture", "read", "one.pcap", "-i", "sites.toml", "--format", "json", "--site")
    done = nethealth(*asked, "depot", home=tmp_path, check=0)
    (check,) = json.loads(done.stdout)["checks"]
    assert (check["council"], check["site"], check["target"]) == ("scdc", "depot", "one.pcap")
    done = nethealth(*asked, "mill", home=tmp_path, check=2)
    assert "--site mill: the inventory has hall, depot" in done.stderr
    assert "Traceback" not in done.stderr
