"""Loads on a site's own network, each bounded in packets and in time: paging, a backup, a loop."""

import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.lab.topology import Lab, entered, ipv4
from tests.peers.process import running

PAGED = "239.192.0.1"  # of the organisation's own scope (RFC 2365 section 6.2)
STREAMS, EVERY_S = 16, 0.02  # 800 packets a second
LONGEST_S = 40.0
_SPEECH = bytes([0xD5]) * 160  # 20 ms of silence in G.711 A-law


def rtp(stream: int, number: int) -> bytes:
    """A packet of G.711 (RFC 3550 section 5.1)."""
    head = (0x80, 8, number & 0xFFFF, 160 * number & 0xFFFFFFFF, 0x1000 + stream)
    return struct.pack("!BBHII", *head) + _SPEECH


def piece(stream: int, number: int) -> bytes:
    """As long a piece of a file; with this first octet it can be no RTP."""
    return struct.pack("!BBHQ", 0x01, stream, number & 0xFFFF, number) + _SPEECH


@contextmanager
def streams(
    lab: Lab, node: str, to: str = PAGED, packet: Callable[[int, int], bytes] = rtp
) -> Iterator[Callable[[], int]]:
    """A node sends 16 streams of 50 packets a second, for the block or `LONGEST_S` at the most.

    The handle says how many packets were sent so far.
    """
    stop, sent = threading.Event(), 0
    with ExitStack() as stack:
        with entered(lab, node):
            socks = [
                stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                for _ in range(STREAMS)
            ]
        for sock in socks:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(ipv4(node)))

        def run() -> None:
            nonlocal sent
            begun_s = time.monotonic()
            # In step with the pings of a sweep, a full queue would lose all of them or none.
            chance = random.Random(1)
            for place in range(round(LONGEST_S / EVERY_S) * STREAMS):
                number, stream = divmod(place, STREAMS)
                due_s = begun_s + (place + chance.uniform(0, 4)) * EVERY_S / STREAMS
                # Four at a time: to wait for each by itself would cost more than to send it.
                if place % 4 == 0 and stop.wait(max(0.0, due_s - time.monotonic())):
                    return
                socks[stream].sendto(packet(stream, number), (to, 5000 + 2 * stream))
                sent += 1

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield lambda: sent
        finally:
            stop.set()
            thread.join()


@contextmanager
def narrow_ports(lab: Lab, site: str, *hosts: str, rate_kbit: int = 1000) -> Iterator[None]:
    """The bridge's ports to these hosts are slow, with a queue of 50 packets however long."""
    with ExitStack() as stack:
        for port in hosts:
            shape = f"tbf rate {rate_kbit}kbit burst 4kb limit 1mb"
            lab.run(site, f"tc qdisc add dev {port} root handle 1: {shape}")
            stack.callback(lab.run, site, f"tc qdisc del dev {port} root")
            lab.run(site, f"tc qdisc add dev {port} parent 1:1 pfifo limit 50")
        yield


LOOP = ("loop0", "loop1")


@contextmanager
def looped(lab: Lab, site: str, log: Path, *, rate_kbit: int = 500) -> Iterator[None]:
    """Two of the bridge's ports are patched to each other, and no spanning tree is at work.

    Both ends are so slow that a storm stays small. It ends with the block, and by itself after
    `LONGEST_S`, whatever becomes of us.
    """
    one, other = LOOP
    lab.run(site, f"ip link add {one} type veth peer name {other}")
    cut = f"sleep {LONGEST_S}; ip link del {one}"
    try:
        with running(("sh", "-c", cut), log=log, prefix=lab.at(site)):
            for end in LOOP:
                shape = f"tbf rate {rate_kbit}kbit burst 4kb limit 8kb"
                lab.run(site, f"tc qdisc add dev {end} root {shape}")
                lab.run(site, f"ip link set {end} master br0 up")
            yield
    finally:
        lab.run(site, f"ip link del {one}", check=False)
