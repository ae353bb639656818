"""The RTP streams of a capture, the worst first."""

from collections.abc import Mapping, Sequence

from nethealth.model.observation import Observation
from reports.citing import figure
from reports.document import Block, Cell, Column, Paragraph, Table
from reports.escape import clip
from reports.view import View
from reports.words import count, number, observed, percent

ROWS_MAX = 200
STREAMS_TELLING = 20  # rows that a terminal shows
_END_MAX = 60

Key = tuple[str, str, str]
Seen = Mapping[str, Sequence[Observation]]
_COLUMNS = (
    Column("From"),
    Column("To"),
    Column("Source", optional=True),
    Column("Codec"),
    Column("Packets", numeric=True),
    Column("Lost", numeric=True),
    Column("Longest run", numeric=True, optional=True),
    Column("Doubled", numeric=True, optional=True),
    Column("Reordered", numeric=True, optional=True),
    Column("Jitter mean", numeric=True),
    Column("Jitter most", numeric=True),
    Column("MOS", numeric=True),
    Column("The other way", numeric=True, optional=True),
)


def stream_blocks(view: View) -> tuple[Block, ...]:
    """Nothing where no capture was read, or none that holds RTP."""
    blocks: list[Block] = []
    for check in view.record.checks:
        if check.probe == "capture":
            blocks += _streams(view.seen(check.id))
    return tuple(blocks)


def _streams(seen: Seen) -> list[Block]:
    by_key: dict[str, dict[Key, Observation]] = {
        name: {_key(one): one for one in seen.get(name, ())}
        for name in (
            "rtp_packets_received", "packet_loss_ratio", "rtp_loss_run_max_packets",
            "rtp_packets_duplicated", "rtp_packets_reordered", "interarrival_jitter_mean_s",
            "interarrival_jitter_max_s", "mos_cqe", "rtp_reverse_packets_received",
        )
    }  # fmt: skip
    streams = list(by_key["rtp_packets_received"])
    if not streams:
        return []
    worst = sorted(
        streams,
        key=lambda key: (
            -_value(by_key["packet_loss_ratio"].get(key)),
            -_value(by_key["interarrival_jitter_max_s"].get(key)),
            key,
        ),
    )
    lossy = sum(_value(one) > 0 for one in by_key["packet_loss_ratio"].values())
    text = f"{count(len(streams), 'stream')}; packets were lost in {number(lossy)} of them."
    if len(streams) > ROWS_MAX:
        text += f" The table has the worst {ROWS_MAX}."
    rows = tuple(_row(by_key, key) for key in worst[:ROWS_MAX])
    hidden = len(rows) - STREAMS_TELLING
    table = Table(
        "RTP streams, those with most loss first",
        _COLUMNS,
        rows,
        telling=STREAMS_TELLING,
        rest=f"{count(hidden, 'more stream')} in the other formats" if hidden > 0 else "",
    )
    return [Paragraph(text), table]


def _row(by_key: Mapping[str, Mapping[Key, Observation]], key: Key) -> tuple[Cell, ...]:
    def said(name: str) -> Cell:
        one = by_key[name].get(key)
        return figure(_said(one), [one])

    received = by_key["rtp_packets_received"][key]
    loss = by_key["packet_loss_ratio"].get(key)
    lost = percent(_value(loss)) if loss is not None and loss.value is not None else "–"
    source, destination, ssrc = key
    return (
        source,
        destination,
        ssrc,
        clip(str(received.method.get("codec", "–")), _END_MAX),
        said("rtp_packets_received"),
        figure(lost, [loss]),
        *(
            said(name)
            for name in (
                "rtp_loss_run_max_packets", "rtp_packets_duplicated", "rtp_packets_reordered",
                "interarrival_jitter_mean_s", "interarrival_jitter_max_s", "mos_cqe",
                "rtp_reverse_packets_received",
            )
        ),
    )  # fmt: skip


def _key(one: Observation) -> Key:
    source, destination, ssrc = (
        clip(str(one.method.get(name, "–")), _END_MAX) for name in ("source", "destination", "ssrc")
    )
    return source, destination, ssrc


def _value(one: Observation | None) -> float:
    """0 for what is not there, or no number in a record that somebody made by hand."""
    return float(one.value) if one is not None and isinstance(one.value, int | float) else 0.0


def _said(one: Observation | None) -> str:
    if one is None or one.value is None:
        return "–"
    return number(_value(one)) if one.unit == "packets" else observed(one)
