"""A million RTP packets of 200 streams against the truth that their generator wrote down."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nethealth.passive.announced import MediaBook
from nethealth.passive.rtp import Rtp
from probes.capture.reader import Reader
from tests import captures

pytestmark = pytest.mark.captures


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with rtp_1m.pcap and its truth, made by the captures' own script."""
    folder = tmp_path_factory.mktemp("big")
    script = folder / "make_rtp_capture.py"
    shutil.copyfile(captures.folder() / "big" / script.name, script)
    subprocess.run([sys.executable, script], check=True, capture_output=True, timeout=250)
    return folder


def test_every_count_of_every_stream_is_the_truth(big: Path) -> None:
    truth: dict[str, Any] = json.loads((big / "rtp_1m.truth.json").read_text())
    of_ssrc = {stream["ssrc"]: stream for stream in truth["streams"]}
    analysis = Rtp(MediaBook())
    for packets in Reader([str(big / "rtp_1m.pcap")]):
        analysis.feed(packets)
    list(analysis.finish())
    (big / "rtp_1m.pcap").unlink()
    assert len(analysis.streams) == 200
    for stream in analysis.streams:
        true = of_ssrc.pop(f"0x{stream.ends.ssrc:08x}")
        assert (
            stream.ends.source, stream.ends.source_port,
            stream.ends.destination, stream.ends.destination_port,
        ) == (true["src"], true["sport"], true["dst"], true["dport"])  # fmt: skip
        assert (
            stream.expected, stream.received, stream.duplicated, stream.reordered,
            stream.loss.lost, stream.loss.run_count, stream.loss.run_max, stream.silences,
        ) == (
            true["sent"], true["captured"], true["duplicates"], true["reordered"],
            true["lost"], true["loss_run_count"], true["longest_loss_run"], true["silence_gaps"],
        ), true["kind"]  # fmt: skip
        assert stream.codec == true["codec"]
        assert stream.dscps == {true["dscp"]: 5000}
        assert stream.vlans == {-1 if true["vlan"] is None else true["vlan"]: 5000}
        jitter = true["jitter_rfc3550"]["all_packets"]
        assert stream.jitter_mean_s is not None and stream.jitter_max_s is not None
        assert stream.jitter_mean_s * 1000 == pytest.approx(jitter["mean_ms"], abs=1e-6)
        assert stream.jitter_max_s * 1000 == pytest.approx(jitter["max_ms"], abs=1e-6)
        assert stream.delta_max_s is not None
        assert stream.delta_max_s * 1000 == pytest.approx(true["delta_ms"]["max"], abs=6e-4)
        if true["kind"] == "drift":
            # The generator stretches the sender's clock: slow by the parts per million it names.
            assert stream.clock_error_ppm == pytest.approx(true["clock_error_ppm"], abs=0.2)
    assert of_ssrc == {}
