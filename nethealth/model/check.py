"""What is planned: one check is one probe of one target, with every parameter resolved."""

from dataclasses import dataclass, fields
from typing import Literal

from nethealth.model.failure import Failure, Outcome

ProbeKind = Literal[
    "ping", "tcp", "dns", "http", "sip", "call", "stamp", "route",
    "path-mtu", "sip-alg", "nat", "coexistence", "snmp", "capture",
]  # fmt: skip

SipTransport = Literal["udp", "tcp", "tls"]
CallCodec = Literal["PCMA", "PCMU", "G722", "G729"]
CALL_OVERHEAD_S = 4.0  # beyond ringing and talking: the last packets, and the answer to BYE
LOAD_SHARE_MAX = 0.5  # of a line's declared rate that a load may have
LOAD_S_MAX = 15  # of one direction
LOAD_SETTLE_S = 2.0  # to connect before a load, and to drain after it
COEXISTENCE_OVERHEAD_S = 3.5  # the question to the load service, and the last answers
SNMP_OVERHEAD_S = 20.0  # beyond the wait between two readings: some hundred requests
NAT_OVERHEAD_S = 12.0  # beyond the longest silence: mapping and filtering, and the last words
Family = Literal[4, 6]
ProbeMethod = Literal["udp", "icmp", "tcp"]
SnmpAuth = Literal["SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]
# AES-192 and AES-256 are in no RFC: "-C" is the key extension that Cisco's devices have.
SnmpPrivacy = Literal["AES-128", "AES-192", "AES-256", "AES-192-C", "AES-256-C"]
SnmpGroup = Literal[
    "interfaces", "ethernet", "spanning-tree", "forwarding", "arp", "neighbours", "poe", "e1",
    "ups", "sensors",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PingParameters:
    """`count` echo requests to `host`, one every `interval_s`, each awaited for `timeout_s`."""

    host: str
    count: int = 20
    interval_s: float = 0.2
    timeout_s: float = 2.0
    dscp: int = 0
    payload_bytes: int = 56
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class TcpParameters:
    """One TCP connection to `host`:`port`, closed as soon as it is open."""

    host: str
    port: int
    timeout_s: float = 5.0
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class DnsParameters:
    """One question put to one server, over UDP and, only if truncated, over TCP."""

    server: str
    name: str
    record_type: str = "A"
    port: int = 53
    expect: tuple[str, ...] = ()  # any answer outside this set is a wrong answer
    timeout_s: float = 3.0
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class HttpParameters:
    """One GET of `url`; redirects are followed and listed, up to `redirects_max`."""

    url: str
    expect_status: int | None = None
    body_match: str | None = None
    redirects_max: int = 5
    timeout_s: float = 10.0
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class SipParameters:
    """One OPTIONS to `uri` by `transport`; timers of RFC 3261 section 17.1.2 up to `timeout_s`.

    `locate`: ask the name servers where the domain is served (RFC 3263), from NAPTR on or, where
    the transport is settled, from SRV on; `host` and `port` are where it is if they know nothing.
    """

    uri: str
    host: str
    port: int
    transport: SipTransport = "udp"
    timeout_s: float = 32.0  # 64 * T1
    family: Family | None = None
    username: str | None = None
    password_env: str | None = None
    test_account: bool = False  # only then is it registered
    hops: bool = False
    old_tls: bool = False
    locate: Literal["naptr", "srv"] | None = None


@dataclass(frozen=True, slots=True)
class RouteParameters:
    """`queries` packets to each hop on the way to `host`, at most `hops_max` hops.

    `port` is the destination's, for UDP and TCP. An answer counts within `timeout_s`: a router may
    take three seconds to find that a host is not there.
    """

    host: str
    method: ProbeMethod = "udp"
    port: int = 33434
    queries: int = 3
    hops_max: int = 30
    dscp: int = 0
    timeout_s: float = 3.5
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class PathMtuParameters:
    """A search for the largest packet that reaches `host` whole, by echo requests.

    Each size is given up after `copies` packets; none is awaited longer than `timeout_s`.
    """

    host: str
    copies: int = 3
    timeout_s: float = 2.0
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class CallParameters:
    """One call to `uri`, held for `duration_s` once it is answered; hung up if it rings too long.

    `codecs` are offered in this order; RTP and RTCP are marked with `dscp`. A steady stream calls
    at most once in `every_s`. With `username` and `password_env` a challenge is answered once.
    """

    uri: str
    host: str
    port: int
    transport: SipTransport = "udp"
    duration_s: float = 10.0
    ring_timeout_s: float = 20.0
    codecs: tuple[CallCodec, ...] = ("PCMA", "PCMU")
    dscp: int = 46
    family: Family | None = None
    every_s: float = 900.0
    username: str | None = None
    password_env: str | None = None


@dataclass(frozen=True, slots=True)
class StampParameters:
    """`count` STAMP packets to the reflector at `host`:`port`, one every `interval_s`.

    By default those of a call: G.711 in packets of 20 ms is 160 octets of speech after the 12 of
    the RTP header, marked EF. Each answer is awaited for `timeout_s`.
    """

    host: str
    port: int = 862
    count: int = 500
    interval_s: float = 0.02
    timeout_s: float = 2.0
    dscp: int = 46
    payload_bytes: int = 172
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class CaptureParameters:
    """Captures to read as one timeline: files, folders of them, or `-` for standard input."""

    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoexistenceParameters:
    """Two streams like calls, marked `dscp` and unmarked, beside a load of each direction in turn.

    `download_bps` flows to the site and `upload_bps` from it, in bits on the wire, for `load_s`
    each; null leaves that direction alone. Neither is above LOAD_SHARE_MAX of what is declared.
    `guards` (name and host) are pinged meanwhile. A load ends at once when more packets than the
    guard allows are not back within `guard_delay_s` above their usual time.
    """

    host: str
    declared_down_bps: float
    declared_up_bps: float
    port: int = 862
    load_port: int = 8621
    download_bps: float | None = None
    upload_bps: float | None = None
    before_s: float = 5.0
    load_s: float = 5.0
    after_s: float = 3.0
    guard_delay_s: float = 0.15
    guard_loss_ratio: float = 0.05
    guards: tuple[tuple[str, str], ...] = ()
    dscp: int = 46
    timeout_s: float = 1.0
    family: Family | None = None


def coexistence_s(before_s: float, load_s: float, after_s: float, loads: int) -> float:
    """How long a check of coexistence takes with so many loads, the resolution of names aside."""
    return before_s + loads * (load_s + LOAD_SETTLE_S) + after_s + COEXISTENCE_OVERHEAD_S


@dataclass(frozen=True, slots=True)
class SnmpParameters:
    """The tables of `groups` at `host`, one request at a time; counters twice, `interval_s` apart.

    Version 2 (v2c) with the community in `community_env`; version 3 with the user's name and both
    passwords in the other three. `tables_due` is false where forwarding tables and ARP were read
    less than an hour ago.
    """

    host: str
    version: Literal[2, 3]
    groups: tuple[SnmpGroup, ...]
    port: int = 161
    community_env: str | None = None
    user_env: str | None = None
    auth_env: str | None = None
    priv_env: str | None = None
    auth: SnmpAuth = "SHA-1"
    privacy: SnmpPrivacy = "AES-128"
    timeout_s: float = 2.0
    retries: int = 1
    repetitions: int = 16
    rows_most: int = 512
    interval_s: float = 10.0
    tables_due: bool = True
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class SipAlgParameters:
    """The same SIP requests to `sip_port` and to `control_port` of our own reflector at `host`.

    Each is sent up to `copies` times within `timeout_s`. OPTIONS of `sizes_bytes` follow.
    """

    host: str
    sip_port: int = 5060
    control_port: int = 8630
    copies: int = 3
    timeout_s: float = 2.0
    sizes_bytes: tuple[int, ...] = (1200, 1300, 1400, 1472, 1600, 2800)
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class NatParameters:
    """Silences of `least_s` to `most_s`, after each of which the reflector at `host` speaks.

    Each silence is kept by `bindings` bindings, all of them at once.
    """

    host: str
    control_port: int = 8630
    least_s: float = 15.0
    most_s: float = 150.0
    bindings: int = 2
    timeout_s: float = 2.0
    family: Family | None = None


Parameters = (
    PingParameters
    | TcpParameters
    | DnsParameters
    | HttpParameters
    | SipParameters
    | RouteParameters
    | PathMtuParameters
    | StampParameters
    | CallParameters
    | CaptureParameters
    | CoexistenceParameters
    | SnmpParameters
    | SipAlgParameters
    | NatParameters
)


@dataclass(frozen=True, slots=True)
class Check:
    """One planned measurement; `id` is stable from run to run, so that history can follow it."""

    id: str
    probe: ProbeKind
    council: str | None
    site: str | None
    asset: str | None
    target: str
    parameters: Parameters
    deadline_s: float = 35.0


def secret_names(parameters: Parameters) -> tuple[str, ...]:
    """The environment variables that a check's secrets stand in: what its `*_env` fields name."""
    named = (getattr(parameters, each.name) for each in fields(parameters)
             if each.name.endswith("_env"))  # fmt: skip
    return tuple(dict.fromkeys(name for name in named if name is not None))


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check as it stands in the record: what was to be done, and how it ended."""

    id: str
    probe: ProbeKind
    council: str | None
    site: str | None
    asset: str | None
    target: str
    outcome: Outcome
    failure: Failure | None = None
    reason: str | None = None  # plain words, for a person; always given unless completed
    started_s: float | None = None  # seconds since run.started; null if nothing was sent
    finished_s: float | None = None
