"""A call that was recorded by `capture record` loses what the prober and the telephone lost."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.command import environment
from tests.lab import faults
from tests.lab.program import nethealth
from tests.lab.servers import Servers
from tests.lab.test_call import AFTER_BYE, INVENTORY, RTP_ONLY, value
from tests.lab.topology import Lab, ipv4
from tests.peers import baresip

SIP, MEDIA = 5070, 16000
TOLD = ("--authority", "the lab's owner", "--purpose", "a test", "--operator", "the test")


@contextmanager
def recording(lab: Lab, node: str, folder: Path, *, whole: bool = True) -> Iterator[None]:
    """`capture record` at a node while the block runs; `whole`: it may have dropped nothing."""
    command = (
        *lab.at(node), sys.executable, "-m", "nethealth", "capture", "record", "-I", "eth0",
        "-o", str(folder), *TOLD, "--for", "100s", "--port", str(SIP),
    )  # fmt: skip
    with subprocess.Popen(
        command, env=environment(folder.parent), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as popen:  # fmt: skip
        assert popen.stderr is not None
        first = popen.stderr.readline()
        assert "recording eth0" in first, first + popen.stderr.read()
        try:
            yield
            time.sleep(1)
        finally:
            popen.send_signal(signal.SIGINT)
            out, err = popen.communicate(timeout=60)
        assert popen.returncode == 0, err
        assert not whole or out.count(" 0 dropped") == 2, out


def read(folder: Path, home: Path) -> list[dict[str, Any]]:
    """The observations of what was recorded there."""
    command = (
        sys.executable, "-m", "nethealth", "capture", "read", str(folder), "--format", "json",
        "--fail-on", "never",
    )  # fmt: skip
    done = subprocess.run(
        command, env=environment(home), capture_output=True, text=True, check=True, timeout=100
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)["observations"]
    return found


def stream(seen: list[dict[str, Any]], name: str, source: str) -> int:
    """The one value of this name for the stream that came from an address."""
    [one] = [
        each
        for each in seen
        if each["name"] == name and str(each["method"].get("source", "")).startswith(source)
    ]
    return int(one["value"])


def test_a_recording_loses_what_both_ends_lost(
    lab: Lab, lab_servers: Servers, tmp_path: Path
) -> None:
    (tmp_path / "sites.toml").write_text(INVENTORY)
    random = f"-p udp {RTP_ONLY} -m statistic --mode random --probability 0.2 -j DROP"
    there, here = tmp_path / "there", tmp_path / "here"
    with (
        baresip.telephone(
            tmp_path, ipv4("hall-phone"), SIP, media_port=MEDIA, folder_name="hall",
            prefix=lab.at("hall-phone"),
        ) as phone,
        recording(lab, "hall-phone", there),
        recording(lab, "vantage", here),
        faults.rule(lab, "core", random, where="FORWARD -o hall"),
        faults.rule(lab, "core", random, where="FORWARD -i hall"),
    ):  # fmt: skip
        ran = nethealth(
            lab, tmp_path, "check", "hall-phone", "--probe", "call", "--format", "json",
            ca_file=lab_servers.authority.ca_file,
        )  # fmt: skip
        dropped = faults.DropCounter(lab).dropped("-o hall")
        (_, heard), _ = phone.statistics().values()
    assert dropped > 20
    # At the telephone's door: what it says that it heard, and all that was not dropped.
    seen = read(there, tmp_path)
    assert [one["value"] for one in seen if one["name"] == "call_count"] == [1]
    received = stream(seen, "rtp_packets_received", ipv4("vantage"))
    assert received == heard == 350 - dropped
    lost = stream(seen, "rtp_packets_lost", ipv4("vantage"))
    assert dropped - 12 <= lost <= dropped, "all but what was lost at either end"
    # At the prober's: what the prober itself heard and missed.
    seen = read(here, tmp_path)
    assert [one["value"] for one in seen if one["name"] == "call_count"] == [1]
    for name in ("rtp_packets_received", "rtp_packets_lost"):
        ours = value(ran, "hall", name, "return")
        theirs = stream(seen, name, ipv4("hall-phone"))
        assert 0 <= theirs - ours <= AFTER_BYE, name
    headers = [*there.glob("*-headers_*.pcapng"), *here.glob("*-headers_*.pcapng")]
    assert {file.parent for file in headers} == {there, here}
    assert all(b"\xd5\xd5\xd5" not in file.read_bytes() for file in headers)
