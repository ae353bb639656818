"""Ping beside fping in the same run: whole sweep, engine alone, a link of 20 ms, silent hosts.

Root only (namespaces, a TUN device). Prints a line for each limit; exit status 1 if one is missed.
"""

import compileall
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.priority import go_first  # noqa: E402 - after the path to it
from tests.peers import tun_link as link_of  # noqa: E402 - after the path to it
from tests.peers.tun_link import TunLink, tun_link  # noqa: E402 - likewise

HOSTS = [f"127.0.{1 + n // 250}.{1 + n % 250}" for n in range(1000)]
COUNT = 5
PACE_S = 0.001
INTERVAL_S = 1.0  # fping's own between two packets to one host
WALL_LIMIT = 1.10
ROUNDS = 3
DELAY_LIMIT_S = 0.00005
# `nethealth` of this environment, as a user would type it.
SWEEP = [str(Path(sys.executable).with_name("nethealth")), "sweep"]
CHILD = [sys.executable, str(ROOT / "tests/peers/ping_child.py")]

INVENTORY = f"""
[sweep]
ping_count = {COUNT}
ping_interval_ms = {round(INTERVAL_S * 1000)}
site_packets_per_s = {1 / PACE_S:g}
site_starts_per_s = {1 / PACE_S:g}

[[council]]
id = "bench"
name = "Bench"

[[site]]
id = "loopback"
council = "bench"
name = "Loopback"
"""
ASSET = """
[[asset]]
id = "host-{number}"
site = "loopback"
kind = "server"
owner = "bench"
address = "{address}"
checks = ["ping"]
"""

missed: list[str] = []


def judge(line: str, held: bool) -> None:
    print(f"{line} {'ok' if held else 'MISSED'}", flush=True)
    if not held:
        missed.append(line)


def fping(hosts: list[str], link: TunLink | None = None) -> tuple[float, dict[str, list[float]]]:
    """Wall time, and the delays in seconds that fping saw of each host."""
    argv = ["fping", "-i", f"{PACE_S * 1000:g}", "-c", str(COUNT), "-C", str(COUNT), "-q"]
    prefix = ("ip", "netns", "exec", link.namespace) if link else ()
    began_s = time.monotonic()
    done = subprocess.run(
        (*prefix, *argv), input="\n".join(hosts), capture_output=True, text=True, check=False
    )
    took_s = time.monotonic() - began_s
    delays = {}
    for line in done.stderr.splitlines():
        host, _, values = line.partition(" : ")
        delays[host.strip()] = [float(one) / 1000 for one in values.split() if one != "-"]
    return took_s, delays


def whole_command(folder: Path) -> float:
    """The command and fping in turn, ROUNDS times; fping's median time in seconds."""
    for package in ("nethealth", "probes", "reports"):  # as an installer leaves them
        compileall.compile_dir(ROOT / package, quiet=1)
    inventory = folder / "sites.toml"
    assets = (ASSET.format(number=n, address=host) for n, host in enumerate(HOSTS))
    inventory.write_text(INVENTORY + "".join(assets))
    argv = [*SWEEP, "-i", str(inventory), "--store", f"sqlite:///{folder / 'history.db'}",
            "--format", "json", "--quiet", "--fail-on", "never", "-o", str(folder)]  # fmt: skip
    pairs = []
    for _ in range(ROUNDS):
        for path in folder.glob("nethealth-*.json"):
            path.unlink()
        began_s = time.monotonic()
        done = subprocess.run(argv, capture_output=True, text=True, cwd=folder, check=False)
        pairs.append((time.monotonic() - began_s, fping(HOSTS)[0]))
        if done.returncode:
            print(done.stderr[-2000:])
    ours_s = median(ours for ours, _ in pairs)
    fping_s: float = median(theirs for _, theirs in pairs)
    ratio = median(ours / theirs for ours, theirs in pairs)
    judge(
        f"ping 1000x5, whole command, {ROUNDS} rounds: nethealth {ours_s:.2f} s, "
        f"fping {fping_s:.2f} s, ratio {ratio:.2f} (limit {WALL_LIMIT:.2f})",
        done.returncode == 0 and ratio <= WALL_LIMIT,
    )
    (path,) = folder.glob("nethealth-*.json")
    record = json.loads(path.read_text())
    target = {check["id"]: check["target"] for check in record["checks"]}
    received = {
        target[seen["check"]]: seen["value"]
        for seen in record["observations"]
        if seen["name"] == "packets_received_count"
    }
    wrong = [host for host in HOSTS if received.get(host) != COUNT]
    extra = sum(
        seen["value"]
        for seen in record["observations"]
        if seen["name"] in ("duplicate_count", "late_reply_count")
    )
    judge(
        f"ping 1000x5, whole command: {len(wrong)} hosts with a reply lost, "
        f"{extra} replies mismatched (limit 0)",
        not wrong and not extra,
    )
    return fping_s


def engine_alone(fping_s: float) -> None:
    parameters = {"count": COUNT, "interval_s": INTERVAL_S, "pace_s": PACE_S}
    order = {"hosts": HOSTS, "uvloop": False, "unprivileged": False, "parameters": parameters}
    began_s = time.monotonic()
    done = subprocess.run(
        CHILD, input=json.dumps(order), capture_output=True, text=True, check=True, cwd=ROOT
    )
    took_s = time.monotonic() - began_s
    result = json.loads(done.stdout)
    received = sum(one["values"]["packets_received_count"] for one in result["hosts"].values())
    medians = [one["values"]["round_trip_delay_median_s"] for one in result["hosts"].values()]
    judge(
        f"ping 1000x5, probe alone: nethealth {took_s:.2f} s "
        f"({result['cpu_s']:.2f} s of processor, median {median(medians) * 1e6:.0f} us), "
        f"fping {fping_s:.2f} s, "
        f"ratio {took_s / fping_s:.2f} (limit {WALL_LIMIT:.2f})",
        took_s <= WALL_LIMIT * fping_s,
    )
    judge(
        f"ping 1000x5, probe alone: {len(HOSTS) * COUNT - received} replies lost (limit 0)",
        received == len(HOSTS) * COUNT and result["overflow"] == 0,
    )


def link_of_20_ms(folder: Path) -> None:
    hosts = [link_of.ipv4(link_of.PROMPT, n) for n in range(1, 255)]
    for name, way in (("raw", {}), ("datagram", {"unprivileged": True})):
        with tun_link(folder) as link:
            link.allow_datagram_sockets(bool(way))
            result = link.ping(hosts, count=COUNT, interval_s=0.3, pace_s=PACE_S, **way)
            answered, truth_s = link.passed()
        with tun_link(folder) as link:
            _, peer = fping(hosts, link)
            _, peer_truth_s = link.passed()
        values = [one["values"] for one in result["hosts"].values()]
        seen_s = median(one["round_trip_delay_median_s"] for one in values)
        peer_s = median(delay_s for delays in peer.values() for delay_s in delays)
        judge(
            f"ping over 20 ms, {name}: {answered} answers, truth {truth_s * 1000:.3f} ms, "
            f"nethealth {seen_s * 1000:.3f} ms, off by {(seen_s - truth_s) * 1e6:.0f} us "
            f"(limit {DELAY_LIMIT_S * 1e6:.0f}); fping, which prints tenths of a ms here: "
            f"{peer_s * 1000:.1f} ms for {peer_truth_s * 1000:.3f} ms",
            answered == len(hosts) * COUNT and abs(seen_s - truth_s) <= DELAY_LIMIT_S,
        )


def silent_after_late(folder: Path) -> None:
    late = [link_of.ipv4(link_of.LATE, n) for n in range(1, 251)]
    silent = [link_of.ipv4(link_of.SILENT, n) for n in range(1, 251)]
    both = [host for pair in zip(late, silent, strict=True) for host in pair]
    for name, way in (("raw", {}), ("datagram", {"unprivileged": True})):
        with tun_link(folder) as link:
            link.allow_datagram_sockets(bool(way))
            result = link.ping(
                both, count=COUNT, interval_s=0.5, timeout_s=0.5, pace_s=PACE_S, **way
            )
        values = {host: one["values"] for host, one in result["hosts"].items()}
        alive = sum(values[host]["packets_received_count"] > 0 for host in both)
        haunted = sum(values[host]["late_reply_count"] > 0 for host in silent)
        came = sum(values[host]["late_reply_count"] for host in late)
        judge(
            f"silent after late, {name}: {came} late replies, {alive} of {len(both)} hosts falsely "
            f"alive, {haunted} credited with a neighbour's reply (limit 0)",
            alive == 0 and haunted == 0 and came > 0,
        )


def main() -> int:
    go_first()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine_alone(whole_command(folder))
        link_of_20_ms(folder)
        silent_after_late(folder)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
