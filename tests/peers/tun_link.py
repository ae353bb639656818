"""A namespace whose one link is a TUN device with tun_link.c behind it, and pings run inside."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SOURCE = Path(__file__).with_suffix(".c")
_CHILD = Path(__file__).with_name("ping_child.py")
_ROOT = Path(__file__).parents[2]
_numbers = itertools.count()

# The classes of tun_link.c
PROMPT, SILENT, LATE, TWICE, ELSEWHERE, UNREACHABLE, BLEACHED, DAMAGED, CUT = range(1, 10)


def ipv4(kind: int, host: int = 1) -> str:
    """An address of that class."""
    return f"198.18.{kind}.{host}"


def ipv6(kind: int, host: int = 1) -> str:
    return f"2001:db8:0:{kind:x}::{host:x}"


@dataclass
class TunLink:
    """The namespace and its responder."""

    namespace: str
    responder: "subprocess.Popen[str]"

    def run(self, argv: Sequence[str | Path], **options: Any) -> "subprocess.CompletedProcess[str]":
        """Run a command inside; CalledProcessError if it fails."""
        return subprocess.run(
            ("ip", "netns", "exec", self.namespace, *argv),
            check=True, text=True, capture_output=True, cwd=_ROOT, timeout=120, **options,
        )  # fmt: skip

    def ping(
        self, hosts: Sequence[str], *, uvloop: bool = False, unprivileged: bool = False, **more: Any
    ) -> Mapping[str, Any]:
        """Ping all `hosts` at once with our probe in a child process; see ping_child.py."""
        order = {"hosts": hosts, "uvloop": uvloop, "unprivileged": unprivileged, "parameters": more}
        done = self.run((sys.executable, _CHILD), input=json.dumps(order))
        result: Mapping[str, Any] = json.loads(done.stdout)
        return result

    def allow_datagram_sockets(self, allowed: bool) -> None:
        groups = "0 2147483647" if allowed else "1 0"
        self.run(("sysctl", "-qw", f"net.ipv4.ping_group_range={groups}"))

    def passed(self) -> tuple[int, float]:
        """Stop the responder: how many it answered promptly, and the median of what passed."""
        self.responder.terminate()
        count, median_s = self.responder.communicate(timeout=10)[0].split()
        return int(count), float(median_s)


@contextmanager
def tun_link(folder: Path, *, delay_s: float = 0.02, late_s: float = 0.7) -> Iterator[TunLink]:
    """Build the responder in `folder`, and the namespace around it; root only."""
    program = folder / "tun_link"
    if not program.exists():
        subprocess.run(("gcc", "-O2", "-Wall", "-Werror", "-o", program, _SOURCE), check=True)
    namespace = f"nhtun{os.getpid()}-{next(_numbers)}"
    inside = ("ip", "netns", "exec", namespace)
    subprocess.run(("ip", "netns", "add", namespace), check=True)
    try:
        microseconds = (str(round(delay_s * 1e6)), str(round(late_s * 1e6)))
        with subprocess.Popen(
            (*inside, program, "tun0", *microseconds), stdout=subprocess.PIPE, text=True
        ) as responder:
            try:
                if responder.stdout is None or responder.stdout.readline() != "ready\n":
                    raise RuntimeError("the responder did not start")
                for command in (
                    "sysctl -qw net.ipv6.conf.default.accept_dad=0",
                    "ip link set lo up",
                    "ip link set tun0 txqueuelen 5000 up",
                    "ip address add 198.18.0.1/16 dev tun0",
                    "ip address add 2001:db8::1/48 dev tun0 nodad",
                ):
                    subprocess.run((*inside, *command.split()), check=True)
                link = TunLink(namespace, responder)
                link.allow_datagram_sockets(False)
                yield link
            finally:
                responder.terminate()
    finally:
        subprocess.run(("ip", "netns", "delete", namespace), check=True)
