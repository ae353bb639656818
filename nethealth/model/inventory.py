"""What the councils have: sites, assets, lines, and the limits under which they are measured.

The shapes are those of `sites.toml`; `nethealth.inventory` reads the text and reports every error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import Field

from nethealth.model.check import (
    LOAD_S_MAX,
    CallCodec,
    Family,
    ProbeKind,
    ProbeMethod,
    SipTransport,
    SnmpAuth,
    SnmpGroup,
    SnmpPrivacy,
)
from nethealth.model.finding import FindingCode, Severity

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Dscp = Annotated[int, Field(ge=0, le=63)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Text = Annotated[str, Field(min_length=1, max_length=500)]
ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
MacAddress = Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$")]
Units = Annotated[int, Field(ge=0, le=1000)]

AssetKind = Literal[
    "pbx", "sbc", "gateway", "phone", "ata", "router", "switch", "server", "service",
    "sensor", "reflector",
]  # fmt: skip
ASSET_KINDS: tuple[str, ...] = get_args(AssetKind)
PSTN_CLOSES = date(2027, 1, 31)  # the analogue network and ISDN in the United Kingdom

_FORBID = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vantage:
    """Where the measuring machine stands."""

    id: Identifier = "local"
    site: str | None = None
    timezone: str = "UTC"
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSettings:
    """The caps in force; they are printed in every report."""

    ping_count: Annotated[int, Field(ge=1, le=10_000)] = 20
    ping_interval_ms: Annotated[int, Field(ge=1, le=60_000)] = 200
    site_packets_per_s: Annotated[float, Field(gt=0, le=100_000)] = 1000
    site_starts_per_s: Annotated[float, Field(gt=0, le=10_000)] = 50
    deadline_s: Annotated[float, Field(gt=0, le=3600)] = 35
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Above these a measured value becomes a finding; `r_factor` is a floor, as are the days."""

    loss: Share = 0.01
    delay_one_way_s: Positive = 0.15
    pdv_p99_s: Positive = 0.03
    r_factor: Annotated[float, Field(ge=0, le=100)] = 70
    certificate_days: Annotated[int, Field(ge=0, le=3650)] = 30
    temperature_c: Annotated[float, Field(ge=-20, le=100)] = 30
    temperature_high_c: Annotated[float, Field(ge=-20, le=100)] = 40
    temperature_rise_c_per_hour: Positive = 5
    broadcast_packets_per_s: Positive = 500
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Council:
    """One authority."""

    id: Identifier
    name: Text
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One building or campus of one council.

    `cooling_units` and `ups` count those of the room that the site's equipment stands in: 0 is
    none, null is not known.
    """

    id: Identifier
    council: str
    name: Text
    gateway: str | None = None  # address of the site's router, pinged to tell site from host
    upstream: str | None = None  # sites with the same upstream share a provider
    backup_upstream: Text | None = None  # the way out when the first one fails
    building: Text | None = None  # sites may share one
    cooling_units: Units | None = None
    ups: Units | None = None
    wan_down_mbps: Positive | None = None
    wan_up_mbps: Positive | None = None
    staff: Annotated[int, Field(ge=0)] | None = None
    extensions: Annotated[int, Field(ge=0)] | None = None
    devices: Annotated[int, Field(ge=0)] | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Blackout:
    """Hours in which nothing is sent to a site (vantage's time zone); `to` may pass midnight."""

    site: str
    days: Text  # "mon-fri", "sat,sun", "daily"
    from_: Annotated[ClockTime, Field(alias="from")]
    to: ClockTime
    __pydantic_config__ = {**_FORBID, "populate_by_name": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class PingOptions:
    count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    interval_ms: Annotated[int, Field(ge=1, le=60_000)] | None = None
    timeout_ms: Annotated[int, Field(ge=1, le=60_000)] | None = None
    dscp: Dscp = 0
    family: Family | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class SipOptions:
    uri: str | None = None
    transport: SipTransport | None = None
    username: str | None = None
    password_env: EnvName | None = None
    test_account: bool = False
    hops: bool = False  # count the proxies on the way
    old_tls: bool = False  # try which old versions of TLS are still accepted
    timeout_s: Annotated[float, Field(gt=0, le=64)] | None = None
    family: Family | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    url: str | None = None
    expect_status: Annotated[int, Field(ge=100, le=599)] | None = None
    body_match: str | None = None
    timeout_s: Annotated[float, Field(gt=0, le=60)] | None = None
    family: Family | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpOptions:
    ports: Annotated[tuple[Port, ...], Field(min_length=1)]
    timeout_s: Annotated[float, Field(gt=0, le=60)] | None = None
    family: Family | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsOptions:
    names: Annotated[tuple[Text, ...], Field(min_length=1)]
    record_type: Text = "A"  # A AAAA SRV NAPTR PTR MX TXT CNAME NS SOA
    port: Port = 53
    expect: tuple[Text, ...] = ()
    timeout_s: Annotated[float, Field(gt=0, le=60)] | None = None
    family: Family | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """A number that is there to be called; the codecs are offered in their order.

    A sweep calls it only if the asset's `checks` say `call`, and a steady stream at most once in
    `every_minutes`. The account is that of `[asset.sip]` where the call goes to the same host.
    """

    number: Text
    duration_s: Annotated[float, Field(gt=0, le=60)] = 10
    ring_timeout_s: Annotated[float, Field(gt=0, le=60)] = 20
    codecs: Annotated[tuple[CallCodec, ...], Field(min_length=1)] = ("PCMA", "PCMU")
    dscp: Dscp = 46
    every_minutes: Annotated[float, Field(ge=1, le=10_080)] = 15
    username: str | None = None
    password_env: EnvName | None = None
    family: Family | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class StampOptions:
    port: Port = 862
    count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    interval_ms: Annotated[int, Field(ge=5, le=60_000)] | None = None
    timeout_ms: Annotated[int, Field(ge=1, le=60_000)] | None = None
    payload_bytes: Annotated[int, Field(ge=56, le=1400)] | None = None  # of UDP; 172: G.711, 20 ms
    dscp: Dscp = 46
    family: Family | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class CoexistenceOptions:
    """A load beside voice; rates are Mbit/s on the wire, by default half of the declared ones."""

    port: Port = 862
    load_port: Port = 8621
    direction: Literal["both", "download", "upload"] = "both"  # as the site's users see it
    download_mbps: Positive | None = None
    upload_mbps: Positive | None = None
    before_s: Annotated[float, Field(ge=2, le=30)] = 5
    load_s: Annotated[float, Field(ge=1, le=LOAD_S_MAX)] = 5
    after_s: Annotated[float, Field(ge=2, le=30)] = 3
    guard_delay_ms: Annotated[float, Field(ge=20, le=400)] = 150
    guard_loss: Annotated[float, Field(ge=0.01, le=0.2)] = 0.05
    dscp: Annotated[int, Field(ge=1, le=63)] = 46
    family: Family | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOptions:
    method: ProbeMethod = "udp"
    port: Port | None = None  # of the destination; default 33434 for udp, 443 for tcp
    queries: Annotated[int, Field(ge=1, le=10)] = 3
    hops_max: Annotated[int, Field(ge=1, le=64)] = 30
    dscp: Dscp = 0
    family: Family | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class SipAlgOptions:
    """Ports of our own reflector (`nethealth reflect --sip-port`)."""

    sip_port: Port = 5060
    control_port: Port = 8630
    family: Family | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class NatOptions:
    """The silences that are tried, from the shortest to the longest; all of them at once."""

    control_port: Port = 8630
    least_s: Annotated[float, Field(ge=1, le=600)] | None = None  # 15, or most_s if that is less
    most_s: Annotated[float, Field(ge=1, le=600)] = 150
    bindings: Annotated[int, Field(ge=1, le=4)] = 2  # for each silence
    family: Family | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class SnmpOptions:
    """Version 2 (v2c) sends its community in clear text; version 3 signs and encrypts."""

    version: Literal[2, 3]
    community_env: EnvName | None = None
    user_env: EnvName | None = None
    auth_env: EnvName | None = None
    priv_env: EnvName | None = None
    auth: SnmpAuth = "SHA-1"
    privacy: SnmpPrivacy = "AES-128"
    port: Port = 161
    groups: Annotated[tuple[SnmpGroup, ...], Field(min_length=1)] | None = None  # null: by kind
    timeout_s: Annotated[float, Field(gt=0, le=30)] | None = None  # of each request
    interval_s: Annotated[float, Field(ge=0, le=300)] | None = None  # between two readings; 0: one
    repetitions: Annotated[int, Field(ge=1, le=50)] | None = None
    family: Family | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One thing that can be asked something; without an owner it is itself a finding."""

    id: Identifier
    site: str
    kind: AssetKind
    address: Text | None = None
    mac: MacAddress | None = None
    name: Text | None = None
    legacy: bool = False  # a label for reports; never evidence
    owner: Text | None = None
    model: Text | None = None
    vendor: Text | None = None
    installed: Annotated[int, Field(ge=1950, le=2100)] | None = None
    end_of_support: date | None = None
    checks: tuple[ProbeKind, ...] | None = None  # null: by kind
    ping: PingOptions | None = None
    tcp: TcpOptions | None = None
    dns: DnsOptions | None = None
    http: HttpOptions | None = None
    sip: SipOptions | None = None
    call: CallOptions | None = None
    stamp: StampOptions | None = None
    route: RouteOptions | None = None
    coexistence: CoexistenceOptions | None = None
    sip_alg: Annotated[SipAlgOptions | None, Field(alias="sip-alg")] = None
    nat: NatOptions | None = None
    snmp: SnmpOptions | None = None
    __pydantic_config__ = {**_FORBID, "populate_by_name": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line that still hangs on the public switched telephone network."""

    id: Identifier
    site: str
    kind: Literal["analogue", "isdn2", "isdn30"]
    use: Text
    migrated: bool = False
    owner: Text | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The whole file."""

    vantage: Vantage = Vantage()
    sweep: SweepSettings = SweepSettings()
    thresholds: Thresholds = Thresholds()
    severity: Mapping[FindingCode, Severity] = field(default_factory=dict)  # overrides
    council: tuple[Council, ...] = ()
    site: tuple[Site, ...] = ()
    blackout: tuple[Blackout, ...] = ()
    asset: tuple[Asset, ...] = ()
    line: tuple[Line, ...] = ()
    __pydantic_config__ = _FORBID
