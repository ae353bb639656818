"""When many telephones of a site started again at once: by logs, DHCP, and files they fetch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nethealth.diagnosis.capture import Capture
from nethealth.diagnosis.lan import Lan
from nethealth.model.observation import Event, Observation

TOGETHER_S = 120.0
LEAST = 3  # telephones
CLOCK_UNKNOWN_S = 30.0  # how far a log's clock may be off, where nobody says
_TELEPHONES = frozenset({"phone", "ata"})
_LOGGED = ("registration-lost", "tftp-load", "restart")
# Series of a capture that a telephone's start shows in, with what counts the telephones among them.
_SERIES = (("dhcp_message_per_bin_max", "DHCP"), ("tftp_request_per_bin_max", "TFTP"))


@dataclass(frozen=True)
class Resets:
    """Telephones that started again within two minutes; times may be off by `clock_s`."""

    from_: datetime
    to: datetime
    count: int
    by: str
    clock_s: float
    seen: tuple[Observation | Event, ...]


def resets_of(lan: Lan | None, taken: Sequence[Capture]) -> tuple[Resets, ...]:
    """Every time at which three telephones or more started again, in the order of time."""
    found = [*(_logged(lan) if lan is not None else ()), *_captured(taken)]
    return tuple(sorted(found, key=lambda one: (one.from_, one.by)))


def _logged(lan: Lan) -> Iterator[Resets]:
    events = [event for event in lan.happened(*_LOGGED) if _of_telephone(lan, event)]
    group: list[Event] = []
    for event in events:
        if group and (event.time - group[0].time).total_seconds() > TOGETHER_S:
            yield from _grouped(group)
            group = []
        group.append(event)
    yield from _grouped(group)


def _of_telephone(lan: Lan, event: Event) -> bool:
    """A restart counts of what is known for a telephone; the others are of telephones alone."""
    asset = lan.evidence.assets.get(event.asset or "")
    if event.kind == "restart":
        return asset is not None and asset.kind in _TELEPHONES
    return asset is None or asset.kind in _TELEPHONES


def _grouped(group: Sequence[Event]) -> Iterator[Resets]:
    if len(group) < LEAST:
        return
    errors = [
        CLOCK_UNKNOWN_S if event.clock_error_s is None else abs(event.clock_error_s)
        for event in group
    ]
    kinds = ", ".join(sorted({event.kind for event in group}))
    yield Resets(
        group[0].time, group[-1].time, len(group), f"logs ({kinds})", max(errors), tuple(group)
    )


def _captured(taken: Sequence[Capture]) -> Iterator[Resets]:
    for capture in taken:
        telephones = int(capture.count("dhcp_phone_client_count") or 0)
        clients = {"DHCP": telephones, "TFTP": int(capture.count("tftp_client_count") or 0)}
        for name, by in _SERIES:
            bins = capture.bins(name)
            if clients[by] < LEAST or not bins:
                continue
            most = max(one.count for one in bins)
            high = [one for one in bins if one.count >= max(LEAST, 0.2 * most)]
            if not high:
                continue
            first = high[0]
            until = first.from_ + timedelta(seconds=TOGETHER_S)
            last = max(one.to for one in high if one.from_ <= until)
            width_s = (first.to - first.from_).total_seconds()
            seen = (*capture.all(name), *capture.all("dhcp_phone_client_count"))
            yield Resets(first.from_, last, clients[by], by, width_s, seen)
