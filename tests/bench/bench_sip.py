"""The SIP OPTIONS engine beside SIPp, against the same Kamailio, in the same run.

The engine is `nethealth.wire` and `nethealth.protocol` as the `sip` probe uses them: each OPTIONS
is built, sent, timed by timers E and F, and its answer parsed and matched in full. Like SIPp it
has 64 in flight on one socket, which is the probe's own datagram channel, under asyncio and, with
the extra `fast`, under uvloop. Ratios are medians of interleaved rounds.

SIPp opens calls when the kernel's tick wakes it, so 64 in flight are 16,000/s at most where that
is 4 ms, however fast the machine; more in flight make it slower, by calls that it has to repeat.
"""

import asyncio
import contextlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import uvloop

from nethealth.model.check import Check, SipParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.ports import DatagramChannel
from nethealth.model.probe import Env
from nethealth.protocol.sip_options import Options
from nethealth.protocol.sip_transaction import ClientTransaction
from nethealth.wire.errors import WireError
from nethealth.wire.sip import parse_message
from probes.net import SystemClock, SystemNetwork
from probes.sip import SIP
from tests.bench.priority import go_first
from tests.peers.kamailio import Kamailio
from tests.peers.ports import free_port

IN_FLIGHT = 64
CALLS = 10_000
ROUNDS = 9
PROBES = 1000
PACED_PER_S = 2000
PACED_CALLS = 4000
RATE_LIMIT, FAST_LIMIT, DELAY_LIMIT_S, HOSTILE_LIMIT_S = 0.8, 1.5, 0.0001, 0.02

# Only to find the transaction, which then matches the whole Via by the rules.
BRANCH = re.compile(r"branch=([^;,]+)")

SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="OPTIONS">
<send retrans="500"><![CDATA[
OPTIONS sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:nethealth@[local_ip]>;tag=[call_number]
To: <sip:[remote_ip]>
Call-ID: [call_id]
CSeq: 1 OPTIONS
Contact: <sip:nethealth@[local_ip]:[local_port]>
Accept: application/sdp
User-Agent: nethealth
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""


class Engine:
    """Transactions by their branch, on whatever socket `send` writes to."""

    def __init__(self, options: Options, send: Callable[[bytes], float], wanted: int) -> None:
        self.delays_s: dict[str, float] = {}
        self.retransmitted = 0
        self.finished = asyncio.Event()
        self._options = options
        self._send = send
        self._wanted = wanted
        self._begun = 0
        self._open: dict[str, ClientTransaction] = {}
        self._timers: deque[tuple[float, str]] = deque()  # first copies fall due in this order

    def begin(self) -> None:
        transaction = self._options.transaction()
        self._begun += 1
        self._open[transaction.branch] = transaction
        self._transmit(transaction, time.monotonic())

    def _transmit(self, transaction: ClientTransaction, now: float) -> None:
        copy = transaction.due(now)
        if copy is None:
            raise SystemExit("a transaction timed out: the server does not answer")
        transaction.transmitted(self._send(copy))
        deadline_s = transaction.next_deadline_s
        assert deadline_s is not None
        self._timers.append((deadline_s, transaction.branch))

    def take(self, data: bytes, at_s: float) -> None:
        message = parse_message(data)
        branch = BRANCH.search(message.value("via") or "")
        transaction = self._open.get(branch[1].lower()) if branch else None
        if transaction is None:
            return  # the second answer to one that was sent twice
        transaction.receive(message, at_s, data)
        if transaction.is_open or transaction.first_sent_s is None:
            return
        del self._open[transaction.branch]
        if transaction.first_transmission_answered:
            self.delays_s[transaction.branch] = at_s - transaction.first_sent_s
        else:
            self.retransmitted += 1
        if self._begun == self._wanted and not self._open:
            self.finished.set()

    async def keep_time(self) -> None:
        while True:
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                _, branch = self._timers.popleft()
                if branch in self._open:
                    self._transmit(self._open[branch], now)
            await asyncio.sleep(0.05)


class Crowd(Engine):
    """Keeps up to `IN_FLIGHT` transactions open until all have been.

    New ones are begun by the batch, as SIPp does: one by one, each would wake the server anew.
    """

    def take(self, data: bytes, at_s: float) -> None:
        super().take(data, at_s)
        if len(self._open) <= IN_FLIGHT // 2:
            self.fill()

    def fill(self) -> None:
        while len(self._open) < IN_FLIGHT and self._begun < self._wanted:
            self.begin()


def options_for(port: int, local: Endpoint) -> Options:
    return Options(f"sip:127.0.0.1:{port}", "udp", local, Random(port).getrandbits)


async def read_from(channel: DatagramChannel, engine: Engine) -> None:
    while True:
        datagram = await channel.receive()
        engine.take(datagram.data, datagram.received_s)


async def engine_rate(port: int) -> float:
    network = SystemNetwork(SystemClock())
    channel = await network.open_datagram(Endpoint("127.0.0.1", port))
    crowd = Crowd(options_for(port, channel.local), channel.send, CALLS)
    tasks = [
        asyncio.create_task(read_from(channel, crowd)),
        asyncio.create_task(crowd.keep_time()),
    ]
    started_s = time.perf_counter()
    crowd.fill()
    await crowd.finished.wait()
    took_s = time.perf_counter() - started_s
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    channel.close()
    await network.close()
    return CALLS / took_s


def rate_of_sipp(port: int, folder: Path) -> float:
    scenario = folder / "options.xml"
    scenario.write_text(SCENARIO)
    command = [
        *("sipp", f"127.0.0.1:{port}", "-sf", str(scenario), "-i", "127.0.0.1"),
        *("-p", str(free_port()), "-r", "20000", "-l", str(IN_FLIGHT), "-m", str(CALLS)),
        "-nostdin",
    ]
    started_s = time.perf_counter()
    subprocess.run(
        command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return CALLS / (time.perf_counter() - started_s)


@dataclass(frozen=True, slots=True)
class Speed:
    rate: float  # OPTIONS answered in a second
    cpu_s: float  # of our processor time for each; 0 for SIPp


def one_round(port: int, folder: Path) -> dict[str, Speed]:
    speeds = {"sipp": Speed(rate_of_sipp(port, folder), 0.0)}
    for who, run in (("asyncio", asyncio.run), ("uvloop", uvloop.run)):
        before_s = time.process_time()
        rate = run(engine_rate(port))
        speeds[who] = Speed(rate, (time.process_time() - before_s) / CALLS)
    return speeds


async def rate_of_whole_probes(port: int) -> float:
    class NoPacer:
        async def wait(self, packets: int = 1) -> None:
            return

    clock = SystemClock()
    env = Env(clock, SystemNetwork(clock), Random(1), NoPacer(), clock.monotonic_s())
    parameters = SipParameters(f"sip:127.0.0.1:{port}", "127.0.0.1", port)
    check = Check("pbx:sip", "sip", None, None, None, parameters.uri, parameters)
    todo = iter(range(PROBES))

    async def work() -> None:
        for _ in todo:
            async for _ in SIP.run(check, env):
                pass

    started_s = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    took_s = time.perf_counter() - started_s
    await env.network.close()
    return PROBES / took_s


async def paced_delays(port: int) -> dict[str, float]:
    network = SystemNetwork(SystemClock())
    channel = await network.open_datagram(Endpoint("127.0.0.1", port))
    engine = Engine(options_for(port, channel.local), channel.send, PACED_CALLS)
    tasks = [
        asyncio.create_task(read_from(channel, engine)),
        asyncio.create_task(engine.keep_time()),
    ]
    started_s = time.monotonic()
    for number in range(PACED_CALLS):
        await asyncio.sleep(max(0.0, started_s + number / PACED_PER_S - time.monotonic()))
        engine.begin()
    await engine.finished.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    channel.close()
    await network.close()
    return engine.delays_s


def captured_delays(file: Path, port: int) -> dict[str, float]:
    """From each first request to its answer, by branch, as the capture dates them."""
    fields = ("frame.time_epoch", "udp.dstport", "sip.Via.branch")
    command = ["tshark", "-n", "-r", str(file), "-d", f"udp.port=={port},sip", "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    asked_s: dict[str, float] = {}
    delays_s: dict[str, float] = {}
    for line in lines:
        epoch, destination, branch = line.split("\t")
        if int(destination) == port:
            asked_s.setdefault(branch.lower(), float(epoch))
        elif branch.lower() in asked_s:
            delays_s.setdefault(branch.lower(), float(epoch) - asked_s[branch.lower()])
    return delays_s


def paced_beside_capture(port: int, folder: Path) -> tuple[float, float, int]:
    """Medians by the engine and by the capture, over the transactions that both saw whole."""
    file = folder / "paced.pcap"
    capture = subprocess.Popen(
        ["tcpdump", "-i", "lo", "-n", "-U", "-B", "16384", "-w", str(file), f"udp port {port}"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert capture.stderr is not None
    while "listening on" not in capture.stderr.readline():
        if capture.poll() is not None:
            raise SystemExit("tcpdump did not start: capturing needs root")
    ours = asyncio.run(paced_delays(port))
    time.sleep(0.5)  # for tcpdump to have read what the kernel holds
    capture.terminate()
    capture.communicate()
    theirs = captured_delays(file, port)
    both = ours.keys() & theirs.keys()
    if len(both) < PACED_CALLS * 0.99:
        raise SystemExit(f"only {len(both)} of {PACED_CALLS} transactions are in both")
    return (
        statistics.median(ours[branch] for branch in both),
        statistics.median(theirs[branch] for branch in both),
        len(both),
    )


def hostile_datagrams() -> list[bytes]:
    """The greatest that a datagram holds: of headers, and of each field's worst case."""
    fields = [
        b'"' * 8000, b'"' + b"\\" * 8000, b"<" * 8000, b" " * 8000 + b'"<', b"," * 8000,
        b'"a"' + b" " * 8000 + b"x", b"SIP/2.0/UDP " + b" " * 7000 + b";", b"a;" * 4000,
    ]  # fmt: skip
    names = (b"Via", b"To", b"Contact", b"Allow", b"CSeq", b"Retry-After", b"Content-Length")
    many = [b"SIP/2.0 200 OK\r\n" + b"A: bcdefg\r\n" * 5900 + b"\r\n"]
    return many + [
        b"SIP/2.0 200 OK\r\n" + (name + b": " + field + b"\r\n") * 8 + b"\r\n"
        for name in names
        for field in fields
    ]


def longest_read_s() -> float:
    """The most that any of them takes to be read, with every field, or refused."""
    taken_s = []
    for octets in hostile_datagrams():
        started_s = time.process_time()
        with contextlib.suppress(WireError):
            message = parse_message(octets)
            for field in ("via", "to", "contact", "allow", "cseq", "retry_after_s"):
                with contextlib.suppress(WireError):
                    getattr(message, field)
        taken_s.append(time.process_time() - started_s)
    return max(taken_s)


def judged(text: str, *, held: bool) -> bool:
    print(f"{text} {'ok' if held else 'MISSED'}", flush=True)
    return held


def main() -> int:
    go_first()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        with Kamailio(folder, [f"udp:127.0.0.1:{port}"], children=2):
            rounds = [one_round(port, folder) for _ in range(ROUNDS)]
            whole = asyncio.run(rate_of_whole_probes(port))
            ours_s, theirs_s, count = paced_beside_capture(port, folder)
    held = []
    sipp = statistics.median(one["sipp"].rate for one in rounds)
    for who, limit in (("asyncio", RATE_LIMIT), ("uvloop", FAST_LIMIT)):
        ratio = statistics.median(one[who].rate / one["sipp"].rate for one in rounds)
        rate = statistics.median(one[who].rate for one in rounds)
        cpu_s = statistics.median(one[who].cpu_s for one in rounds)
        text = (
            f"sip OPTIONS engine on {who}: {rate:,.0f}/s ({cpu_s * 1e6:.0f} us of processor each) "
            f"beside SIPp {sipp:,.0f}/s, {IN_FLIGHT} in flight each: ratio {ratio:.2f} "
            f"(limit {limit:.2f})"
        )
        held.append(judged(text, held=ratio >= limit))
    apart_s = abs(ours_s - theirs_s)
    text = (
        f"sip paced at {PACED_PER_S}/s: median delay {ours_s * 1e3:.3f} ms beside a capture's "
        f"{theirs_s * 1e3:.3f} ms over {count}: apart {apart_s * 1e3:.3f} ms "
        f"(limit {DELAY_LIMIT_S * 1e3:.3f})"
    )
    held.append(judged(text, held=apart_s <= DELAY_LIMIT_S))
    hostile_s = longest_read_s()
    text = (
        f"sip hostile datagrams of 60 kB: at most {hostile_s * 1e3:.1f} ms each "
        f"(limit {HOSTILE_LIMIT_S * 1e3:.0f})"
    )
    held.append(judged(text, held=hostile_s <= HOSTILE_LIMIT_S))
    print(f"sip, for information: {whole:,.0f} whole checks/s, a socket and all facts each")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
