"""When each check may start: a fixed rate for each site, and a gap for each host."""

import heapq
from collections import defaultdict, deque
from collections.abc import Sequence
from urllib.parse import urlsplit

from nethealth.model.check import CaptureParameters, Check, DnsParameters, HttpParameters

HOST_GAP_S = 0.05  # an old PBX gets its pings and its OPTIONS one after the other


def host_of(check: Check) -> str:
    """The host that the check talks to, in lower case, as written in its parameters."""
    match check.parameters:
        case DnsParameters(server=host):
            return host.lower()
        case HttpParameters(url=url):
            # `hostname` raises ValueError on a malformed IPv6 literal; the probe will report it.
            return url.lower() if "[" in url and "]" not in url else urlsplit(url).hostname or url
        case CaptureParameters():
            return ""  # files: nobody is talked to
        case parameters:
            return parameters.host.lower()


def schedule(
    checks: Sequence[Check], starts_per_s: float, *, spread_s: float = 0.0
) -> tuple[tuple[float, Check], ...]:
    """Each check with its start in seconds from now, in order of starting.

    A site starts at most `starts_per_s` checks a second, or evenly over `spread_s` if that is
    slower. Sites run side by side, their slots shifted against each other, so that a big one
    holds up no other and the vantage itself sends no bursts. Within a site every host has its
    first check before any has its second, and a host's checks start at least HOST_GAP_S apart.
    """
    sites: dict[str | None, list[Check]] = defaultdict(list)
    for check in checks:
        sites[check.site].append(check)
    spacing = [max(1 / starts_per_s, spread_s / len(members)) for members in sites.values()]
    queues = [deque(_hosts_in_turn(members)) for members in sites.values()]
    slots = [(gap * number / len(sites), number) for number, gap in enumerate(spacing)]
    heapq.heapify(slots)
    host_free_s: dict[str, float] = defaultdict(float)
    starts: list[tuple[float, Check]] = []
    while slots:
        slot_s, number = heapq.heappop(slots)
        check = queues[number].popleft()
        host = host_of(check)
        start_s = max(slot_s, host_free_s[host])
        host_free_s[host] = start_s + HOST_GAP_S
        starts.append((start_s, check))
        if queues[number]:
            heapq.heappush(slots, (start_s + spacing[number], number))
    return tuple(sorted(starts, key=lambda start: start[0]))


def _hosts_in_turn(checks: Sequence[Check]) -> list[Check]:
    turns: list[tuple[int, Check]] = []
    seen: dict[str, int] = defaultdict(int)
    for check in checks:
        turns.append((seen[host_of(check)], check))
        seen[host_of(check)] += 1
    return [check for _, check in sorted(turns, key=lambda turn: turn[0])]
