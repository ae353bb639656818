"""One thing to be measured, and the checks that a kind of probe makes of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from nethealth.inventory.addresses import bracketed, check_call_number, parse_sip_uri
from nethealth.inventory.kinds import SNMP_GROUPS, SNMP_GROUPS_ELSE
from nethealth.inventory.loads import LoadLimits
from nethealth.model.check import (
    CALL_OVERHEAD_S,
    NAT_OVERHEAD_S,
    SNMP_OVERHEAD_S,
    CallParameters,
    CaptureParameters,
    Check,
    CoexistenceParameters,
    DnsParameters,
    HttpParameters,
    NatParameters,
    Parameters,
    PathMtuParameters,
    PingParameters,
    ProbeKind,
    RouteParameters,
    SipAlgParameters,
    SipParameters,
    SnmpParameters,
    StampParameters,
    TcpParameters,
    coexistence_s,
)
from nethealth.model.inventory import (
    AssetKind,
    CallOptions,
    CoexistenceOptions,
    DnsOptions,
    HttpOptions,
    NatOptions,
    PingOptions,
    RouteOptions,
    SipAlgOptions,
    SipOptions,
    SnmpOptions,
    StampOptions,
    SweepSettings,
    TcpOptions,
)
from nethealth.plan.coexistence import coexistence

_ROUTE_PORTS = {"udp": 33434, "icmp": 0, "tcp": 443}

_Waiting = TypeVar("_Waiting", TcpParameters, DnsParameters, HttpParameters, SipParameters)


@dataclass(frozen=True, slots=True)
class Subject:
    """An asset, a gateway or a target, with the options of each probe; `name` begins the ids.

    `address` may be null where a URL or URI takes its place. With `detailed`, the ids of tcp and
    dns checks end in their port or name.
    """

    name: str
    address: str | None
    council: str | None = None
    site: str | None = None
    asset: str | None = None
    ping: PingOptions | None = None
    tcp: TcpOptions | None = None
    dns: DnsOptions | None = None
    http: HttpOptions | None = None
    sip: SipOptions | None = None
    call: CallOptions | None = None
    may_be_called: bool = False  # by the inventory, or by the word of the user
    stamp: StampOptions | None = None
    route: RouteOptions | None = None
    coexistence: CoexistenceOptions | None = None
    load_limits: LoadLimits | None = None  # of its site; a target outside the inventory has none
    # called for a load alone, since it looks at every asset of the inventory
    load_guards: Callable[[], tuple[tuple[str, str], ...]] = tuple
    snmp: SnmpOptions | None = None
    kind: AssetKind | None = None
    sip_alg: SipAlgOptions | None = None
    nat: NatOptions | None = None
    detailed: bool = True


def checks_of(
    subject: Subject, kinds: Iterable[ProbeKind], sweep: SweepSettings
) -> Iterator[Check]:
    """The checks of these kinds; one for each port and each name.

    No default wait is longer than the deadline. The subject must have what its kinds need.
    """
    for kind in kinds:
        for detail, target, parameters in _measurements(subject, kind, sweep):
            yield Check(
                id=f"{subject.name}:{kind}{f':{detail}' if detail and subject.detailed else ''}",
                probe=kind,
                council=subject.council,
                site=subject.site,
                asset=subject.asset,
                target=target,
                parameters=parameters,
                deadline_s=sweep.deadline_s,
            )


def seconds_needed(parameters: Parameters) -> float:
    """How long the check takes at its longest, the resolution of names aside."""
    if isinstance(parameters, PingParameters | StampParameters):
        return parameters.count * parameters.interval_s + parameters.timeout_s
    if isinstance(parameters, RouteParameters):
        return parameters.hops_max + parameters.timeout_s  # a silent hop takes a second at most
    if isinstance(parameters, CoexistenceParameters):
        loads = (parameters.download_bps is not None) + (parameters.upload_bps is not None)
        return coexistence_s(parameters.before_s, parameters.load_s, parameters.after_s, loads)
    if isinstance(parameters, CallParameters):
        return parameters.ring_timeout_s + parameters.duration_s + CALL_OVERHEAD_S
    if isinstance(parameters, CaptureParameters):
        return 0.0  # it is as long as its files are
    if isinstance(parameters, SnmpParameters):
        return parameters.interval_s + SNMP_OVERHEAD_S
    if isinstance(parameters, SipAlgParameters):
        return 6 * parameters.timeout_s  # session, connections, requests and sizes, one after other
    if isinstance(parameters, NatParameters):
        return parameters.most_s + NAT_OVERHEAD_S
    return parameters.timeout_s


def with_room(check: Check) -> Check:
    """The check with a deadline that leaves room for what was asked of it."""
    return replace(check, deadline_s=max(check.deadline_s, seconds_needed(check.parameters)))


def _measurements(
    subject: Subject, kind: ProbeKind, sweep: SweepSettings
) -> Iterator[tuple[str, str, Parameters]]:
    """Detail of the id, target in the form that `nethealth check` takes, and parameters."""
    host = subject.address or ""
    if kind == "ping":
        yield "", host, _ping(host, subject.ping or PingOptions(), sweep)
    elif kind == "tcp" and subject.tcp:
        options = subject.tcp
        for port in dict.fromkeys(options.ports):
            tcp = TcpParameters(host, port, family=options.family)
            yield str(port), f"{bracketed(host)}:{port}", _wait(tcp, options.timeout_s, sweep)
    elif kind == "dns" and subject.dns:
        for name in dict.fromkeys(subject.dns.names):
            yield name, *_dns(host, name, subject.dns, sweep)
    elif kind == "http":
        web = subject.http or HttpOptions()
        http = HttpParameters(
            url=web.url or f"https://{bracketed(host)}/",
            expect_status=web.expect_status,
            body_match=web.body_match,
            family=web.family,
        )
        yield "", http.url, _wait(http, web.timeout_s, sweep)
    elif kind == "sip":
        yield "", *_sip(host, subject.sip or SipOptions(), sweep)
    elif kind == "call" and subject.call and subject.may_be_called:
        yield "", subject.call.number, _call(subject.call, subject.sip, host)
    else:
        yield "", *_of_path(subject, kind, host, sweep)


def _of_path(
    subject: Subject, kind: ProbeKind, host: str, sweep: SweepSettings
) -> tuple[str, Parameters]:
    """Target and parameters of what is asked of the path to a host, or of a device on it."""
    if kind == "stamp":
        return _stamp(host, subject.stamp or StampOptions())
    if kind == "route":
        return host, _route(host, subject.route or RouteOptions())
    if kind == "path-mtu":
        return host, PathMtuParameters(host)
    if kind == "sip-alg":
        return host, _sip_alg(host, subject.sip_alg or SipAlgOptions())
    if kind == "nat":
        return host, _nat(host, subject.nat or NatOptions())
    if kind == "coexistence" and subject.load_limits:
        options = subject.coexistence or CoexistenceOptions()
        return coexistence(host, options, subject.load_limits, subject.load_guards())
    if kind == "snmp" and subject.snmp:
        return _snmp(host, subject.snmp, subject.kind, sweep)
    raise AssertionError(f"{subject.name} has nothing to make a {kind} check of")


def _ping(host: str, options: PingOptions, sweep: SweepSettings) -> PingParameters:
    interval_ms = options.interval_ms or sweep.ping_interval_ms
    ping = PingParameters(
        host,
        count=options.count or sweep.ping_count,
        interval_s=interval_ms / 1000,
        dscp=options.dscp,
        family=options.family,
    )
    # The inventory has seen to it that the wait fits into the deadline.
    return replace(ping, timeout_s=options.timeout_ms / 1000) if options.timeout_ms else ping


def _route(host: str, options: RouteOptions) -> RouteParameters:
    usual = _ROUTE_PORTS[options.method]
    return RouteParameters(
        host,
        options.method,
        options.port or usual,
        options.queries,
        options.hops_max,
        options.dscp,
        family=options.family,
    )


def _sip_alg(host: str, options: SipAlgOptions) -> SipAlgParameters:
    return SipAlgParameters(host, options.sip_port, options.control_port, family=options.family)


def _nat(host: str, options: NatOptions) -> NatParameters:
    usual = NatParameters(host)
    return NatParameters(
        host,
        options.control_port,
        min(usual.least_s, options.most_s) if options.least_s is None else options.least_s,
        options.most_s,
        options.bindings,
        family=options.family,
    )


def _stamp(host: str, options: StampOptions) -> tuple[str, StampParameters]:
    at = bracketed(host) if options.port == 862 else f"{bracketed(host)}:{options.port}"
    usual = StampParameters(host)
    return f"stamp:{at}", replace(
        usual,
        port=options.port,
        count=options.count or usual.count,
        interval_s=options.interval_ms / 1000 if options.interval_ms else usual.interval_s,
        timeout_s=options.timeout_ms / 1000 if options.timeout_ms else usual.timeout_s,
        payload_bytes=options.payload_bytes or usual.payload_bytes,
        dscp=options.dscp,
        family=options.family,
    )


def _dns(
    server: str, name: str, options: DnsOptions, sweep: SweepSettings
) -> tuple[str, DnsParameters]:
    at = bracketed(server) if options.port == 53 else f"{bracketed(server)}:{options.port}"
    dns = DnsParameters(
        server,
        name,
        record_type=options.record_type,
        port=options.port,
        expect=options.expect,
        family=options.family,
    )
    return f"dns:{name}@{at}", _wait(dns, options.timeout_s, sweep)


def _sip(host: str, options: SipOptions, sweep: SweepSettings) -> tuple[str, SipParameters]:
    uri = options.uri or f"sip:{bracketed(host)}"
    to = parse_sip_uri(uri, options.transport)
    sip = SipParameters(
        uri,
        to.host,
        to.port,
        to.transport,
        family=options.family,
        username=options.username,
        password_env=options.password_env,
        test_account=options.test_account,
        hops=options.hops,
        old_tls=options.old_tls,
        locate=to.locate if options.uri else None,  # an address is a host, no SIP domain
    )
    return uri, _wait(sip, options.timeout_s, sweep)


def _snmp(
    host: str, options: SnmpOptions, kind: AssetKind | None, sweep: SweepSettings
) -> tuple[str, SnmpParameters]:
    usual = SNMP_GROUPS.get(kind or "", SNMP_GROUPS_ELSE)
    groups = usual if options.groups is None else tuple(dict.fromkeys(options.groups))
    snmp = SnmpParameters(
        host,
        options.version,
        groups,
        port=options.port,
        community_env=options.community_env,
        user_env=options.user_env,
        auth_env=options.auth_env,
        priv_env=options.priv_env,
        auth=options.auth,
        privacy=options.privacy,
        family=options.family,
    )
    # A second reading may not take more of the deadline than is left for the rest.
    interval_s = min(snmp.interval_s, sweep.deadline_s / 2)
    at = bracketed(host) if options.port == 161 else f"{bracketed(host)}:{options.port}"
    return at, replace(
        snmp,
        timeout_s=snmp.timeout_s if options.timeout_s is None else options.timeout_s,
        interval_s=interval_s if options.interval_s is None else options.interval_s,
        repetitions=options.repetitions or snmp.repetitions,
    )


def _call(options: CallOptions, sip: SipOptions | None, address: str) -> CallParameters:
    to = check_call_number(options.number)  # whoever made the options
    account = options.username, options.password_env
    if options.username is None and sip is not None:
        server = parse_sip_uri(sip.uri).host if sip.uri else address
        # credentials are for the server that they were given for, and for no other
        if server.lower() == to.host.lower():
            account = sip.username, sip.password_env
    return CallParameters(
        options.number,
        to.host,
        to.port,
        to.transport,
        duration_s=options.duration_s,
        ring_timeout_s=options.ring_timeout_s,
        codecs=options.codecs,
        dscp=options.dscp,
        family=options.family,
        every_s=options.every_minutes * 60,
        username=account[0],
        password_env=account[1],
    )


def _wait(parameters: _Waiting, timeout_s: float | None, sweep: SweepSettings) -> _Waiting:
    """The parameters with the wait that was asked for, or the default one within the deadline."""
    chosen = min(parameters.timeout_s, sweep.deadline_s) if timeout_s is None else timeout_s
    return replace(parameters, timeout_s=chosen)
