"""STAMP at 50 packets/s to 100 reflectors, beside a capture; and a stream side by side with irtt.

Root only (a namespace, a capture). Prints a line for each limit; exit status 1 if one is missed.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from nethealth.wire.stamp import ReflectedPacket, nanoseconds  # noqa: E402 - after the path to it
from tests.peers import irtt, reflector  # noqa: E402 - likewise
from tests.peers.process import running  # noqa: E402 - likewise

NETHEALTH = (sys.executable, "-P", "-m", "nethealth")
PORT = 862
HOSTS = [f"127.0.2.{n}" for n in range(1, 101)]
COUNT, INTERVAL_MS = 500, 20
ROUNDS, ROUND_COUNT = 3, 200
TIMER_LIMIT_S = 0.0005
DELAY_LIMIT_S = 0.0001
ETHERNET, UDP_AT = 14, 14 + 20

missed: list[str] = []


def judge(line: str, held: bool) -> None:
    print(f"{line} {'ok' if held else 'MISSED'}", flush=True)
    if not held:
        missed.append(line)


@contextmanager
def namespace() -> Iterator[Sequence[str]]:
    """A namespace with a loopback of its own; what to put before a command to run inside."""
    name = f"nhstamp{os.getpid()}"
    subprocess.run(("ip", "netns", "add", name), check=True)
    try:
        subprocess.run(("ip", "-n", name, "link", "set", "lo", "up"), check=True)
        yield ("ip", "netns", "exec", name)
    finally:
        subprocess.run(("ip", "netns", "delete", name), check=True)


def inventory(count: int) -> str:
    assets = "".join(
        f'[[asset]]\nid = "r{n}"\nsite = "s{n}"\nkind = "reflector"\nowner = "bench"\n'
        f'address = "{host}"\nchecks = ["stamp"]\nstamp.count = {count}\n'
        for n, host in enumerate(HOSTS)
    )
    sites = "".join(f'[[site]]\nid = "s{n}"\ncouncil = "c"\nname = "S{n}"\n' for n in range(100))
    return f'[[council]]\nid = "c"\nname = "C"\n{sites}{assets}'


def nethealth(folder: Path, prefix: Sequence[str], *arguments: str) -> dict[str, Any]:
    store = f"sqlite:///{folder / 'history.db'}"
    done = subprocess.run(
        (*prefix, *NETHEALTH, *arguments, "--store", store, "--format", "json",
         "--quiet", "--fail-on", "never"),
        capture_output=True, text=True, cwd=folder, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if done.returncode:
        print(done.stderr[-2000:])
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def values(record: dict[str, Any], name: str, direction: str | None = None) -> list[Any]:
    return [
        seen["value"]
        for seen in record["observations"]
        if seen["name"] == name and seen["method"].get("direction") == direction
    ]


def captured_delays_s(capture: Path) -> dict[str, list[float]]:
    """Each host's round trips as the capture has them, less what the reflector says it took."""
    data = capture.read_bytes()
    (magic,) = struct.unpack_from("<I", data)
    scale = 1e-9 if magic == 0xA1B23C4D else 1e-6
    sent: dict[tuple[str, int, int], float] = {}
    delays: dict[str, list[float]] = {}
    at = 24
    while at < len(data):
        seconds, fraction, length, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16 : at + 16 + length]
        at += 16 + length
        source, target = (".".join(map(str, frame[o : o + 4])) for o in (26, 30))
        from_port, to_port = struct.unpack_from(">HH", frame, UDP_AT)
        payload = frame[UDP_AT + 8 :]
        if to_port == PORT:
            number = int.from_bytes(payload[:4], "big")
            sent[target, from_port, number] = seconds + fraction * scale
        else:
            answer = ReflectedPacket.parse(payload)
            began = sent[source, to_port, answer.sender_sequence_number]
            own_ns = nanoseconds(answer.timestamp, answer.error_estimate) - nanoseconds(
                answer.receive_timestamp, answer.error_estimate
            )
            delay = seconds + fraction * scale - began - own_ns / 1e9
            delays.setdefault(source, []).append(delay)
    return delays


def hundred_reflectors(folder: Path, prefix: Sequence[str]) -> None:
    (folder / "sites.toml").write_text(inventory(COUNT))
    capture = folder / "lo.pcap"
    argv = ("tcpdump", "-i", "lo", "-w", str(capture), "-B", "16384", "-s", "256", "-U",
            "--time-stamp-precision=nano", "-Z", "root", f"udp port {PORT}")  # fmt: skip
    # The sender asks for its priority by itself. Without one the far end of it, on a busy machine,
    # would lose what is taken for the instrument's loss.
    peers = (*prefix, "chrt", "--rr", "1")
    with (
        reflector.serving(folder, "0.0.0.0", PORT, "127.0.0.0/8", prefix=peers),
        running(argv, log=folder / "tcpdump.log", prefix=peers) as tcpdump,
    ):
        tcpdump.wait_until(lambda: "listening on" in tcpdump.output())
        record = nethealth(folder, prefix, "sweep")
        tcpdump.stop()
    sent = sum(values(record, "packets_sent_count"))
    received = sum(values(record, "packets_received_count"))
    judge(
        f"stamp to {len(HOSTS)} reflectors, {sent} packets: {sent - received} lost by the "
        f"instrument (limit 0)",
        sent == received == len(HOSTS) * COUNT,
    )
    timers = sorted(values(record, "send_timer_error_p99_s"))
    judge(
        f"stamp send timer, p99 of each stream: median {median(timers) * 1e3:.3f} ms, worst "
        f"{timers[-1] * 1e3:.3f} ms (limit of the median {TIMER_LIMIT_S * 1e3:.1f})",
        median(timers) < TIMER_LIMIT_S,
    )
    targets = {check["id"]: check["target"].partition(":")[2] for check in record["checks"]}
    truth = captured_delays_s(capture)
    off = [
        abs(seen["value"] - median(truth[targets[seen["check"]]]))
        for seen in record["observations"]
        if seen["name"] == "round_trip_delay_median_s"
    ]
    judge(
        f"stamp delay beside a capture: off by {median(off) * 1e6:.0f} us, worst stream "
        f"{max(off) * 1e6:.0f} us (limit {DELAY_LIMIT_S * 1e6:.0f})",
        len(off) == len(HOSTS) and max(off) <= DELAY_LIMIT_S,
    )


def median_delays_s(folder: Path, prefix: Sequence[str], host: str) -> tuple[float, float]:
    """Ours and irtt's, which counts how long both of its ends took to wake up."""
    ours = nethealth(folder, prefix, "check", f"stamp:{host}", "--option", f"count={ROUND_COUNT}")
    theirs = irtt.measure(host, count=ROUND_COUNT, interval_s=INTERVAL_MS / 1000, prefix=prefix)
    (own_s,) = values(ours, "round_trip_delay_median_s")
    return own_s, median(theirs.round_trip_delays_s)


def beside_irtt(folder: Path, prefix: Sequence[str]) -> None:
    host, every = "127.0.0.1", 10
    rules = [
        f"iptables -w -A INPUT -p udp --dport {port} -m statistic --mode nth --every {every} "
        "--packet 5 -j DROP"
        for port in (PORT, irtt.PORT)
    ]
    with (
        reflector.serving(folder, host, PORT, "127.0.0.0/8", prefix=prefix),
        irtt.server(host, folder / "irtt.log", prefix=prefix),
    ):
        pairs = [median_delays_s(folder, prefix, host) for _ in range(ROUNDS)]
        for rule in rules:
            subprocess.run((*prefix, *rule.split()), check=True)
        lossy = nethealth(folder, prefix, "check", f"stamp:{host}")
        peer = irtt.measure(host, count=COUNT, interval_s=INTERVAL_MS / 1000, prefix=prefix)
    own_s, peer_s = (median(column) for column in zip(*pairs, strict=True))
    apart_s = median(abs(own_s - peer_s) for own_s, peer_s in pairs)
    judge(
        f"stamp beside irtt, median delay, {ROUNDS} rounds: nethealth {own_s * 1e6:.0f} us, irtt "
        f"{peer_s * 1e6:.0f} us, apart {apart_s * 1e6:.0f} (limit {DELAY_LIMIT_S * 1e6:.0f})",
        apart_s <= DELAY_LIMIT_S,
    )
    (own_ratio,) = values(lossy, "packet_loss_ratio", "forward")
    (back_ratio,) = values(lossy, "packet_loss_ratio", "return")
    # irtt's handshake takes part in the counting of its rule: one packet more or less.
    judge(
        f"stamp beside irtt, every {every}th packet dropped on the way there: nethealth "
        f"{own_ratio:.4f} there and {back_ratio:.4f} back, irtt {peer.loss_up:.4f} and "
        f"{peer.loss_down:.4f}",
        abs(own_ratio - peer.loss_up) <= 2 / COUNT and back_ratio == peer.loss_down == 0,
    )


def main() -> int:
    with tempfile.TemporaryDirectory() as name, namespace() as prefix:
        folder = Path(name)
        hundred_reflectors(folder, prefix)
        beside_irtt(folder, prefix)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
