"""How soon after `nethealth check` is started its first packet is on the wire, by kind of check.

A packet socket on loopback sees the packet and the kernel dates it; nobody answers there. Root
only, for that socket. Beside it, a bare import of click: the least that such a command takes.
"""

import compileall
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.priority import go_first

ROOT = Path(__file__).parents[2]
LIMIT_S = 0.5
ROUNDS = 7
PATIENCE_S = 10.0

# Each to an address of its own, so that no packet of another is taken for its first.
KINDS = {
    "ping": ("127.0.9.1", ("127.0.9.1", "--probe", "ping")),
    "tcp": ("127.0.9.2", ("127.0.9.2:5061",)),
    "dns": ("127.0.9.3", ("dns:portal.example@127.0.9.3",)),
    "https": ("127.0.9.4", ("https://127.0.9.4/",)),
    "sip": ("127.0.9.5", ("sip:127.0.9.5",)),
    "sips": ("127.0.9.6", ("sips:127.0.9.6", "--probe", "sip")),
    "stamp": ("127.0.9.7", ("stamp:127.0.9.7",)),
    "call": (
        "127.0.9.8",
        ("sip:echo@127.0.9.8", "--probe", "call", "--option", "test-number=true"),
    ),
    "route": ("127.0.9.9", ("127.0.9.9", "--probe", "route")),
}

_ETH_P_ALL = 0x0003
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@qq")
_ETHERNET = 14
_DESTINATION = slice(_ETHERNET + 16, _ETHERNET + 20)


def seconds_to_first_packet(command: list[str], address: str, folder: Path) -> float:
    """From just before the command is executed to the kernel's stamp of its first packet."""
    wanted = socket.inet_aton(address)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)) as wire:
        wire.bind(("lo", 0))
        wire.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        wire.settimeout(PATIENCE_S)
        began_s = time.time()
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        try:
            while True:
                frame, ancillary, _, _ = wire.recvmsg(256, 256)
                if frame[_DESTINATION] == wanted:
                    seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
                    return float(seconds + nanoseconds / 1e9 - began_s)
                if time.time() - began_s > PATIENCE_S:
                    raise TimeoutError
        except TimeoutError:
            raise SystemExit(f"{command} sent nothing to {address}") from None
        finally:
            process.kill()
            process.communicate()


def seconds_of_click() -> float:
    began_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import click"], check=True)
    return time.perf_counter() - began_s


def main() -> int:
    go_first()
    for package in ("nethealth", "probes", "reports"):  # as an installer leaves them
        compileall.compile_dir(ROOT / package, quiet=1)
    nethealth = str(Path(sys.executable).with_name("nethealth"))
    missed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = f"sqlite:///{folder / 'history.db'}"
        rounds = []
        for _ in range(ROUNDS + 1):  # the first of them only fills the machine's caches
            peer_s = seconds_of_click()
            taken_s = {
                kind: seconds_to_first_packet(
                    [nethealth, "check", *arguments, "--store", store], address, folder
                )
                for kind, (address, arguments) in KINDS.items()
            }
            rounds.append((peer_s, taken_s))
    peer_s = statistics.median(peer for peer, _ in rounds[1:])
    for kind in KINDS:
        took_s = statistics.median(taken_s[kind] for _, taken_s in rounds[1:])
        ratio = statistics.median(taken_s[kind] / peer for peer, taken_s in rounds[1:])
        held = took_s <= LIMIT_S
        missed |= not held
        print(
            f"first packet of check, {kind}: {took_s * 1000:.0f} ms (limit {LIMIT_S * 1000:.0f}), "
            f"{ratio:.1f} times a bare import of click of {peer_s * 1000:.0f} ms "
            f"{'ok' if held else 'MISSED'}",
            flush=True,
        )
    return missed


if __name__ == "__main__":
    sys.exit(main())
