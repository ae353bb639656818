"""irtt: round trips of UDP datagrams measured by another program, each direction apart."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.process import Process, running

PORT = 2112


@dataclass(frozen=True)
class Reading:
    """What one irtt client saw.

    The losses are ratios.  The delays, in seconds, are those of the packets that came back, in
    the order sent; the one-way ones compare the wall clocks of the two ends.
    """

    sent_count: int
    received_count: int
    loss_up: float
    loss_down: float
    round_trip_delays_s: tuple[float, ...]
    delays_up_s: tuple[float, ...]
    delays_down_s: tuple[float, ...]


@contextmanager
def server(
    address: str, log: Path, *, port: int = PORT, prefix: Sequence[str] = ()
) -> Iterator[Process]:
    """A server that accepts any rate.

    With a minimum interval it discards packets that a queue has bunched, as if they were lost.
    """
    argv = ("irtt", "server", "-b", f"{_host(address)}:{port}", "-i", "0")
    with running(argv, log=log, prefix=prefix, bound=("udp", port)) as process:
        yield process


def measure(
    address: str,
    *,
    count: int,
    interval_s: float,
    port: int = PORT,
    dscp: int = 0,
    prefix: Sequence[str] = (),
) -> Reading:
    """Send about `count` packets, one every `interval_s`, and read what came of them.

    The server marks its answers as the requests are marked.
    """
    pace = f"-d {round(count * interval_s * 1e6)}us -i {round(interval_s * 1e6)}us"
    command = f"irtt client -Q {pace} --wait=2s --dscp={dscp << 2} -o -"
    argv = [*prefix, *command.split(), f"{_host(address)}:{port}"]
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=count * interval_s + 30, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"{argv} gave {done.returncode}: {done.stdout}{done.stderr}")
    document = json.loads(done.stdout)
    stats = document["stats"]
    back = [trip["delay"] for trip in document["round_trips"] if trip["lost"] == "false"]
    return Reading(
        sent_count=stats["packets_sent"],
        received_count=stats["packets_received"],
        loss_up=stats["upstream_loss_percent"] / 100,
        loss_down=stats["downstream_loss_percent"] / 100,
        round_trip_delays_s=tuple(delay["rtt"] / 1e9 for delay in back),
        delays_up_s=tuple(delay["send"] / 1e9 for delay in back),
        delays_down_s=tuple(delay["receive"] / 1e9 for delay in back),
    )


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
