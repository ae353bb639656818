"""A watch as lines of text for a window of any size: a pure function, and no verdict in it.

Every text that came off the wire is spelt out (`reports.escape.visible`) before it is laid out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import set_cell_size

from nethealth.quality.emodel import Quality
from nethealth.watch.view import Delay, HopLine, SipLine, View, WayLine
from reports.escape import clip, visible

Style = Literal["plain", "head", "dim"]
NO_DATA = "–"
KEYS = "p pause   r reset   q quit"
KEYS_PAUSED = "p go on   r reset   q quit"
NO_MARKS = "The mark at a hop is seen only by root, or with CAP_NET_RAW."
_MARK_NAMES = {46: "EF", 34: "AF41", 26: "AF31", 24: "CS3", 0: "none"}
_WAYS = {"forward": "forward", "return": "return", "round-trip": "both ways"}
_STREAMS = {"ping": "Echoes", "stamp": "Streams"}
_HOPS_LEAST = 5  # lines: heading, first hop, what is hidden, last hop, and an empty one
_ADDRESS_MIN, _ADDRESS_MAX = 15, 39


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the window; `style` carries no meaning that the text has not."""

    text: str
    style: Style = "plain"


def render(view: View, width: int, height: int) -> list[Line]:
    """Exactly `height` lines of `width` cells each.

    What does not fit is left out: hops in the middle first, and a line says how many.
    """
    top = [*_head(view, width), Line("")]
    bottom = [*_stream(view), *_sip(view.sip), *_notes(view)]
    room = height - len(top) - len(bottom) - 1
    body = [*_hops(view, width, max(_HOPS_LEAST, room)), *bottom]
    keys = Line(f" {KEYS_PAUSED if view.paused else KEYS}", "head")
    lines = [*top, *body][: max(0, height - 1)]
    lines += [Line("")] * (height - 1 - len(lines))
    lines.append(keys)
    return [Line(set_cell_size(line.text, width), line.style) for line in lines[:height]]


def _head(view: View, width: int) -> list[Line]:
    target = visible(view.target)
    if view.address and view.address not in target:
        target += f" ({visible(view.address)})"
    clock = _clock(view.elapsed_s)
    left = f" nethealth watch  {clip(target, max(8, width - 28))}"
    title = set_cell_size(left, max(0, width - len(clock) - 1)) + clock
    since = f"; counts since {_clock(view.elapsed_s - view.since_reset_s)}"
    began_anew = since if view.since_reset_s < view.elapsed_s else ""
    rounds = f"{view.path_rounds} trace{'' if view.path_rounds == 1 else 's'}"
    every = f"one every {max(view.interval_s, 1.0):g} s"
    mark = f"marked {_mark(view.dscp)}" if view.dscp is not None else ""
    state = "PAUSED, nothing is sent" if view.paused else "Running"
    settings = () if view.paused else (every, mark)
    facts = ", ".join(filter(None, (rounds, *settings)))
    return [Line(title, "head"), Line(f" {state}: {facts}{began_anew}")]


def _hops(view: View, width: int, room: int) -> list[Line]:
    """The table of hops in at most `room` lines, an empty one at its end."""
    addresses = [visible(address) for hop in view.hops for address in hop.addresses[:1]]
    columns = _columns(width, max(map(len, addresses), default=0))
    head = _row(columns, {}, heading=True)
    if not view.hops:
        waiting = "no answer from any hop yet" if view.path_rounds else "the first trace is awaited"
        return [Line(head, "head"), Line(f"     {waiting}"), Line("")]
    unreached = [] if view.path_reached else [Line("     the target itself has not answered")]
    fit = max(1, room - 2 - len(unreached))
    lines = [Line(_row(columns, _hop(hop, view.dscp))) for hop in view.hops]
    if len(lines) > fit:
        left = max(0, fit - 2)
        words = (
            f"   … {len(lines) - left - 1} hops are not shown: a taller window has room for them"
        )
        lines = [*lines[:left], *([Line(words, "dim")] if fit > 1 else []), lines[-1]]
    return [Line(head, "head"), *lines, *unreached, Line("")]


def _columns(width: int, address: int) -> dict[str, int]:
    """The columns that there is room for, with their widths; negative: to the right.

    So that an `address` of that length is whole, the least telling columns give way.
    """
    columns = {"Hop": -4, "Address": _ADDRESS_MIN, "Answered": -9, "Lost %": -6, "95 %": -10,
               "Last ms": -7, "Median": -6, "95th": -5, " Mark": 10}  # fmt: skip
    wanted = min(max(address, _ADDRESS_MIN), _ADDRESS_MAX)
    for name in ("95th", "Answered"):
        if _cells(columns) - _ADDRESS_MIN + wanted > width:
            del columns[name]
    columns["Address"] += min(_ADDRESS_MAX - _ADDRESS_MIN, max(0, width - _cells(columns)))
    return columns


def _cells(columns: Mapping[str, int]) -> int:
    return sum(abs(cells) + 1 for cells in columns.values()) - 1


def _row(columns: Mapping[str, int], values: Mapping[str, str], *, heading: bool = False) -> str:
    cells = []
    for name, width in columns.items():
        text = name if heading else values[name]
        # the end of an address is what tells it from its neighbours
        long = name == "Address" and len(text) > width
        text = "…" + text[1 - width :] if long else clip(text, abs(width))
        cells.append(set_cell_size(text, width) if width > 0 else text.rjust(-width))
    return " ".join(cells)


def _hop(hop: HopLine, sent: int | None) -> dict[str, str]:
    address = visible(hop.addresses[0]) if hop.addresses else "no answer"
    if len(hop.addresses) > 1:
        more = f" +{len(hop.addresses) - 1}"
        address = clip(address, _ADDRESS_MAX - len(more)) + more
    delay = hop.delay
    return {
        "Hop": str(hop.number),
        "Address": address,
        "Answered": f"{hop.answered}/{hop.rounds}",
        "Lost %": NO_DATA if hop.loss_ratio is None else _percent(hop.loss_ratio),
        "95 %": NO_DATA if hop.loss_interval is None else _between(hop.loss_interval),
        "Last ms": _ms(delay.last_s) if delay else NO_DATA,
        "Median": _ms(delay.median_s) if delay else NO_DATA,
        "95th": _ms(delay.p95_s) if delay else NO_DATA,
        " Mark": f" {_marks(hop.marks, sent)}",
    }


def _stream(view: View) -> list[Line]:
    if view.stream is None:
        return []
    name = _STREAMS[view.stream]
    if not view.ways or all(way.loss is None for way in view.ways):
        return [Line(f" {name}: none is over yet"), Line("")]
    lines = []
    for way in view.ways:
        lines += _way(way, view) if len(view.ways) > 1 else _echoes(way, view, name)
    if len(view.ways) > 1:
        asked = f"marked {_mark(view.sent_dscp)}" if view.sent_dscp is not None else ""
        head = f" {name}: {view.stream_rounds} rounds, {asked}"
        columns = (
            f"   {'Direction':<9} {'Lost':>9} {'Lost %':>6} {'95 %':>10} {'pdv95':>6} {'pdv99':>6} "
            f"{'MOS':>5} {'R':>4}  Mark"
        )
        lines = [Line(head), Line(columns, "head"), *lines, *_round_trip(view.delay, None)]
        lines += _passport(
            next((way.quality for way in view.ways if way.quality), None), scored=False
        )
    return [*lines, Line("")]


def _echoes(way: WayLine, view: View, name: str) -> list[Line]:
    loss = way.loss
    if loss is None:
        return []
    answer = f", back {_marks(way.marks, None)}" if way.marks else ""
    mark = "" if view.sent_dscp is None else f"; mark {view.sent_dscp}{answer}"
    interval = _between(loss.interval)
    lines = [
        Line(
            f" {name}: {loss.sent} sent, {loss.lost} lost, {_percent(loss.ratio)} % "
            f"(95 %: {interval}){mark}"
        ),
        *_round_trip(view.delay, way),
    ]
    return [*lines, *_passport(way.quality)]


def _way(way: WayLine, view: View) -> list[Line]:
    name = _WAYS[way.direction]
    if way.loss is None:
        note = visible(way.note or "no packet was answered yet")
        return [Line(f"   {name:<9} not known: {note}")]
    loss, quality = way.loss, way.quality
    mos = NO_DATA if quality is None or quality.mos_cqe is None else f"{quality.mos_cqe:.2f}"
    factor = NO_DATA if quality is None or quality.r_factor is None else f"{quality.r_factor:.1f}"
    lost = f"{loss.lost}/{loss.sent}"
    return [
        Line(
            f"   {name:<9} {lost:>9} {_percent(loss.ratio):>6} {_between(loss.interval):>10} "
            f"{_ms(way.pdv_p95_s):>6} {_ms(way.pdv_p99_s):>6} {mos:>5} {factor:>4}  "
            f"{_marks(way.marks, view.sent_dscp)}"
        )
    ]


def _round_trip(delay: Delay | None, way: WayLine | None) -> list[Line]:
    if delay is None:
        return [Line("   Round trip: nothing was answered")]
    pdv = ""
    if way is not None:
        pdv = f"; pdv 95th {_ms(way.pdv_p95_s)}, 99th {_ms(way.pdv_p99_s)}"
    return [
        Line(
            f"   Round trip in ms: last {_ms(delay.last_s)}, median {_ms(delay.median_s)}, "
            f"95th {_ms(delay.p95_s)}{pdv}"
        )
    ]


def _passport(quality: Quality | None, *, scored: bool = True) -> list[Line]:
    """What a score rests on, as short as it can be said; with `scored` the score itself too."""
    if quality is None:
        return [Line("   MOS: too few packets to say")]
    if quality.r_factor is None or quality.mos_cqe is None:
        return [Line(f"   MOS: not computable: {visible(quality.reason or 'no reason given')}")]
    of = quality.passport
    one_way, buffer = of.get("one_way_delay_s"), of.get("jitter_buffer_s")
    one_way_s = one_way if isinstance(one_way, float) else None
    buffer_s = buffer if isinstance(buffer, float) else None
    assumed = f"{of.get('codec')}, {_ms(one_way_s)} ms a way, buffer {_whole_ms(buffer_s)} ms"
    if not scored:
        return [Line(f"   By G.107: {assumed}")]
    score = f"MOS {quality.mos_cqe:.2f}, R {quality.r_factor:.1f} by G.107"
    return [Line(f"   {score}: {assumed}, BurstR {_plain(of, 'burst_r')}")]


def _sip(sip: SipLine | None) -> list[Line]:
    if sip is None:
        return []
    said = "no answer" if sip.code is None else f"{sip.code} {clip(visible(sip.phrase), 32)}"
    others = [code for code in sip.codes if code != sip.code]
    also = f" (also {', '.join(map(str, others[:4]))})" if others else ""
    lines = [Line(f" OPTIONS: {said.rstrip()}{also}; {sip.answered} of {sip.asked} answered")]
    delay = sip.delay
    if delay is not None:
        lines.append(
            Line(
                f"   Answered in ms: last {_ms(delay.last_s)}, median {_ms(delay.median_s)}, "
                f"95th {_ms(delay.p95_s)}"
            )
        )
    if sip.server:
        lines.append(Line(f"   by {clip(visible(sip.server), 70)}"))
    return [*lines, Line("")]


def _notes(view: View) -> list[Line]:
    lines = [Line(f" Not measured: {visible(fault)}") for fault in view.faults]
    if len(view.path_lengths) > 1:
        listed = ", ".join(map(str, view.path_lengths))
        lines.append(Line(f" The path changed its length: {listed} hops were seen."))
    if view.dscp and view.hops and not any(hop.marks for hop in view.hops):
        lines.append(Line(f" {NO_MARKS}", "dim"))
    return lines


def _marks(marks: Sequence[int], sent: int | None) -> str:
    """The latest that was seen; where that is not what was sent, or has changed, it says so."""
    if not marks:
        return NO_DATA
    latest = str(marks[0])
    if sent is not None and marks[0] != sent:
        return f"{latest}, was {sent}"
    return latest if len(marks) == 1 else f"{latest}, had {marks[1]}"


def _mark(dscp: int | None) -> str:
    name = _MARK_NAMES.get(dscp or 0)
    return f"DSCP {dscp} ({name})" if name else f"DSCP {dscp}"


def _ms(seconds: float | None) -> str:
    """Milliseconds with three figures or so, without the unit."""
    if seconds is None:
        return NO_DATA
    value = seconds * 1000
    if value < 9.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def _whole_ms(seconds: float | None) -> str:
    return NO_DATA if seconds is None else f"{seconds * 1000:.0f}"


def _percent(ratio: float) -> str:
    """Per cent without the sign; a little is never shown as none, nor nearly all as all."""
    value = ratio * 100
    if 0 < value < 0.05:
        return "<0.1"
    if 99.95 <= value < 100:
        return ">99.9"
    return f"{value:.1f}"


def _between(interval: tuple[float, float]) -> str:
    low, high = (100 * end for end in interval)
    return f"{low:.1f}-{high:.1f}"


def _plain(passport: object, key: str) -> str:
    value = passport.get(key) if isinstance(passport, dict) else None
    return f"{value:.1f}" if isinstance(value, int | float) else NO_DATA


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
