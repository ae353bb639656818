"""The table of a capture's RTP streams."""

from dataclasses import replace

import reports
from nethealth.model.check import CheckResult
from nethealth.model.failure import Outcome
from nethealth.model.observation import Observation, Scalar
from reports.compose import compose
from reports.document import Table
from reports.streams import ROWS_MAX
from tests.reports import examples
from tests.reports.test_hostile import NASTY

NAMES = {
    "rtp_packets_received": "packets",
    "packet_loss_ratio": "1",
    "rtp_loss_run_max_packets": "packets",
    "interarrival_jitter_mean_s": "s",
    "interarrival_jitter_max_s": "s",
    "mos_cqe": "1",
}


def stream(number: int, **values: Scalar) -> list[Observation]:
    method = {
        "source": f"198.18.0.{number}:5000",
        "destination": "198.18.1.1:6000",
        "ssrc": f"0x{number:08x}",
        "codec": "PCMA",
    }
    return [
        Observation(f"{number}/{name}", "capture", name, value, NAMES[name], method=method)
        for name, value in values.items()
    ]


def table_of(*observations: Observation) -> Table:
    record = examples.captured()
    check = CheckResult("capture", "capture", None, None, None, "x.pcap", Outcome.COMPLETED)
    record = replace(record, checks=(check,), observations=observations, findings=())
    (section,) = (each for each in compose(record).sections if each.key == "streams")
    assert reports.render(record, ("text", "html", "csv"))
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    return table


def test_the_worst_stream_stands_first_and_nothing_is_no_zero() -> None:
    good = stream(1, rtp_packets_received=500, packet_loss_ratio=0.0, mos_cqe=4.2,
                  interarrival_jitter_mean_s=0.001, interarrival_jitter_max_s=0.002)  # fmt: skip
    bad = stream(2, rtp_packets_received=480, packet_loss_ratio=0.04, rtp_loss_run_max_packets=5,
                 interarrival_jitter_mean_s=None, mos_cqe=None)  # fmt: skip
    table = table_of(*good, *bad)
    titles = [column.title for column in table.columns]
    first, second = (dict(zip(titles, map(str, row), strict=True)) for row in table.rows)
    assert (first["From"], first["Lost"], first["Longest run"]) == ("198.18.0.2:5000", "4.0 %", "5")
    assert (first["Jitter mean"], first["Jitter most"], first["MOS"]) == ("–", "–", "–")
    assert (second["Jitter mean"], second["Jitter most"]) == ("1.00 ms", "2.00 ms")
    assert second["Packets"] == "500"


def test_a_thousand_streams_make_a_bounded_table() -> None:
    many = [one for n in range(1000) for one in stream(n, rtp_packets_received=n)]
    assert len(table_of(*many).rows) == ROWS_MAX


def test_what_came_off_the_wire_is_clipped_and_escaped() -> None:
    one = stream(1, rtp_packets_received=5)
    nasty = [replace(each, method={**each.method, "codec": NASTY, "source": NASTY}) for each in one]
    table_of(*nasty)
