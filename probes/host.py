"""What this machine can measure, what it can't, and the cure: the facts behind `doctor`."""

import shutil
import socket
import struct
import subprocess
import tempfile
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from probes.capture.deep import DecodeError, decode_layers, tshark_path
from probes.clock_state import clock_state
from probes.scapy_child import ScapyError, ask

State = Literal["yes", "limited", "no"]
_PING_GROUPS = Path("/proc/sys/net/ipv4/ping_group_range")


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing that a run may need: whether it is there, what was found, and the cure."""

    name: str
    state: State
    found: str
    cure: str | None = None


def abilities(store: Callable[[], str], timezone: str) -> Iterator[Ability]:
    """Every ability in turn; `store` opens the store and returns its place, or raises."""
    yield _echo("ICMP echo, IPv4", socket.AF_INET, socket.IPPROTO_ICMP)
    yield _echo("ICMP echo, IPv6", socket.AF_INET6, socket.IPPROTO_ICMPV6)
    yield _round_trip()
    yield _raw_sockets()
    yield _tshark()
    yield _capture_rights()
    yield _snmp()
    yield _clock()
    yield _resolver()
    yield _timezone(timezone)
    yield _store(store)


def _opens(family: int, kind: int, protocol: int) -> str | None:
    try:
        socket.socket(family, kind, protocol).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _echo(name: str, family: int, protocol: int) -> Ability:
    refusal = _opens(family, socket.SOCK_DGRAM, protocol)
    if refusal is None:
        return Ability(name, "yes", "unprivileged datagram socket")
    if _opens(family, socket.SOCK_RAW, protocol) is None:
        return Ability(name, "yes", "raw socket, by privilege of this user")
    return Ability(
        name,
        "no",
        f"datagram socket: {refusal}; ping_group_range is {_read(_PING_GROUPS)}",
        'sudo sysctl -w net.ipv4.ping_group_range="0 2147483647" '
        "(and the same line in /etc/sysctl.d/90-ping.conf to keep it)",
    )


def _round_trip() -> Ability:
    from ping3 import ping  # noqa: PLC0415  (only the doctor asks it)

    name = "Round trip to 127.0.0.1"
    try:
        delay = ping("127.0.0.1", timeout=2)
    except OSError as error:
        return Ability(name, "no", error.strerror or str(error), "see ICMP echo above")
    # ping3 says None for silence and False for an error.
    if not isinstance(delay, float):
        return Ability(name, "no", "no answer", "check the loopback interface: ip link show lo")
    return Ability(name, "yes", f"{delay * 1000:.3f} ms")


def _raw_sockets() -> Ability:
    name = "Crafted packets (scapy)"
    try:
        reply = ask({"do": "hello"})
    except ScapyError as error:
        return Ability(name, "no", str(error), "reinstall: pipx reinstall nethealth")
    if reply["craft"]:
        return Ability(name, "yes", f"scapy {reply['version']}, raw sockets allowed")
    return Ability(
        name,
        "limited",
        f"scapy {reply['version']}, raw sockets: {reply['refusal']}",
        "run that command with sudo, or under systemd with AmbientCapabilities=CAP_NET_RAW; "
        "no probe of this version needs it",
    )


def _tshark() -> Ability:
    name = "Deep decoding (tshark)"
    try:
        path = tshark_path()
        with tempfile.TemporaryDirectory() as folder:
            capture = Path(folder) / "options.pcap"
            capture.write_bytes(_one_packet_capture())
            layers = decode_layers(capture, display_filter="sip", most=1, timeout_s=30)
    except DecodeError as error:
        return Ability(name, "no", str(error), "sudo apt-get install tshark")
    if layers != ["SIP"]:
        return Ability(name, "no", f"{path} did not see SIP in a SIP packet", "reinstall tshark")
    return Ability(name, "yes", f"{path} decodes SIP")


def _snmp() -> Ability:
    name = "SNMP (pysnmp)"
    try:
        from probes.snmp_engine import self_test  # noqa: PLC0415  (only the doctor asks it)

        found = self_test()
    except Exception as error:  # noqa: BLE001 - whatever a library that is half there may raise
        return Ability(
            name, "no", f"{type(error).__name__}: {error}", "reinstall: pipx reinstall nethealth"
        )
    return Ability(name, "yes", found)


def _one_packet_capture() -> bytes:
    """A capture of one OPTIONS over UDP and raw IPv4 (link type 101)."""
    message = b"OPTIONS sip:192.0.2.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n"
    udp = struct.pack(">HHHH", 5060, 5060, 8 + len(message), 0) + message
    addresses = bytes([192, 0, 2, 2, 192, 0, 2, 1])
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses + udp
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    return header + struct.pack("<IIII", 0, 0, len(ip), len(ip)) + ip


def _capture_rights() -> Ability:
    name = "Capturing (dumpcap)"
    cure = "sudo dpkg-reconfigure wireshark-common && sudo usermod -aG wireshark $USER"
    dumpcap = shutil.which("dumpcap")
    if dumpcap is None:
        return Ability(name, "no", "dumpcap is not installed", "sudo apt-get install tshark")
    try:
        done = subprocess.run(  # noqa: S603  (an absolute path, no user input)
            [dumpcap, "-D"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Ability(name, "no", f"{dumpcap}: {error}", cure)
    interfaces = done.stdout.splitlines()
    if done.returncode != 0 or not interfaces:
        return Ability(name, "no", f"{dumpcap} may not see any interface", cure)
    return Ability(name, "yes", f"{len(interfaces)} interfaces")


def _clock() -> Ability:
    state = clock_state()
    if state.synchronised:
        return Ability("Clock", "yes", f"synchronised, error at most {state.error_s:.3f} s")
    found = "not synchronised" if state.synchronised is False else "the kernel does not say"
    return Ability(
        "Clock",
        "limited",
        f"{found}: delays are right, the dates of reports may not be",
        "sudo apt-get install systemd-timesyncd",
    )


def _resolver() -> Ability:
    servers = [
        words[1]
        for line in _read(Path("/etc/resolv.conf")).splitlines()
        if len(words := line.split()) > 1 and words[0] == "nameserver"
    ]
    try:
        socket.getaddrinfo("localhost", None)
    except OSError as error:
        return Ability(
            "Resolver", "no", f"localhost: {error}", "mend /etc/nsswitch.conf, /etc/hosts"
        )
    if not servers:
        return Ability(
            "Resolver",
            "limited",
            "no name server in /etc/resolv.conf",
            "add one, or give addresses in the inventory",
        )
    return Ability("Resolver", "yes", ", ".join(servers))


def _timezone(name: str) -> Ability:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return Ability("Time zone", "no", f"{name!r} is not known", "sudo apt-get install tzdata")
    return Ability("Time zone", "yes", name)


def _store(store: Callable[[], str]) -> Ability:
    try:
        place = store()
    except (OSError, ValueError, RuntimeError) as error:
        return Ability("Store", "no", str(error), "give a writable place: --store sqlite:///PATH")
    return Ability("Store", "yes", place)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
