"""`nethealth reflect`: answer one's own vantages, tell how SIP arrived, take part in a load."""

import signal
from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import click

from nethealth.cli.durations import duration
from nethealth.cli.exits import usage

if TYPE_CHECKING:
    from nethealth.protocol.reflector_peers import Allowed
    from probes.load_service import LoadService
    from probes.witness_server import WitnessServer

PORT = 862  # RFC 8762 section 4.1
UNPRIVILEGED_PORT = 8620
CONTROL_PORT = 8630  # of nethealth.wire.witness; this and the next


@click.command()
@click.option(
    "--bind",
    "addresses",
    metavar="ADDRESS",
    multiple=True,
    help="An own address to listen at; may be repeated.  [default: 0.0.0.0]",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=None,
    help=f"[default: {PORT}, or {UNPRIVILEGED_PORT} where that needs a privilege]",
)
@click.option(
    "--allow",
    "networks",
    metavar="CIDR",
    multiple=True,
    required=True,
    help="Whom to answer: the network of a vantage; may be repeated.",
)
@click.option(
    "--rate",
    type=click.FloatRange(1, 100_000),
    default=500.0,
    show_default=True,
    help="Packets a second that each peer may send.",
)
@click.option(
    "--load-port",
    type=click.IntRange(1, 65535),
    default=None,
    help="Also take part in the load of `check --probe coexistence`, at this TCP port, such as "
    "8621.  [default: no load]",
)
@click.option(
    "--load-rate",
    type=click.FloatRange(0.01, 1000),
    default=10.0,
    show_default=True,
    help="Mbit/s that a load may have; one at a time, for 20 s at most.",
)
@click.option(
    "--sip-port",
    type=click.IntRange(1, 65535),
    default=None,
    metavar="PORT",
    help="Also witness SIP requests at this port, usually 5060, by UDP and TCP; rings nobody.",
)
@click.option(
    "--control-port",
    type=click.IntRange(1, 65534),
    default=None,
    metavar="PORT",
    help="Where vantages ask the witness; takes this port and the next.  "
    f"[default: {CONTROL_PORT} with --sip-port, else none]",
)
@click.option(
    "--for",
    "for_s",
    metavar="D",
    callback=duration,
    default=None,
    help="End after 90s, 15m, 8h.  [default: only when told to]",
)
def reflect(
    addresses: tuple[str, ...],
    port: int | None,
    networks: tuple[str, ...],
    rate: float,
    load_port: int | None,
    load_rate: float,
    sip_port: int | None,
    control_port: int | None,
    for_s: float | None,
) -> None:
    """Answer the STAMP packets of your own vantages.

    By that (RFC 8762) each direction is measured by itself.

    With --sip-port it also tells them how their SIP requests arrived (probe sip-alg) and speaks to
    the bindings of their address translators (probe nat); give --bind twice for two addresses.

    It answers only the networks of --allow, each peer only up to --rate, and by UDP never with
    more octets than it got. It runs without privilege; `nethealth init --systemd` prints its unit.
    """
    from ipaddress import ip_address, ip_network  # noqa: PLC0415

    from probes.reflector import ReflectorServer  # noqa: PLC0415

    try:
        allow = [ip_network(one, strict=False) for one in networks]
    except ValueError as error:
        usage(f"--allow: {error}; allowed: a network such as 198.18.0.0/24")
    listening = tuple(dict.fromkeys(addresses)) or ("0.0.0.0",)
    for address in listening:
        try:
            ip_address(address.partition("%")[0])
        except ValueError as error:
            usage(f"--bind: {error}")
    if sip_port is not None and control_port is None:
        control_port = CONTROL_PORT
    _apart(port or PORT, sip_port, control_port, load_port)
    start = partial(
        ReflectorServer, listening, allow=allow, rate=rate,
        control_port=control_port, sip_port=sip_port,
    )  # fmt: skip
    try:
        try:
            server = start(port or PORT)
            bound = port or PORT
        except PermissionError:
            if port is not None:
                raise
            click.echo(
                f"nethealth: port {PORT} needs CAP_NET_BIND_SERVICE, which this user lacks: "
                f"listening on port {UNPRIVILEGED_PORT} instead. Name it in the inventory, "
                f"[asset.stamp] port = {UNPRIVILEGED_PORT}, or run the unit of "
                "`nethealth init --systemd`.",
                err=True,
            )
            server = start(UNPRIVILEGED_PORT)
            bound = UNPRIVILEGED_PORT
    except ValueError as error:
        usage(f"--allow: {error}")
    except OSError as error:
        ports = [one for one in (port or PORT, sip_port, control_port) if one is not None]
        usage(
            f"cannot listen at {', '.join(listening)} port {', '.join(map(str, ports))}: "
            f"{error.strerror}"
        )
    load = _load_service(listening, load_port, allow, load_rate)
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    click.echo(
        f"nethealth: reflecting at {', '.join(listening)} port {bound} for "
        f"{', '.join(map(str, allow))}{_witnessing(sip_port, control_port)}",
        err=True,
    )
    try:
        counts = server.serve(lambda: stopped, for_s)
    finally:
        server.close()
        if load is not None:
            _say_load(load)
    refused = ", ".join(f"{count} {why}" for why, count in (counts.refused or {}).items())
    click.echo(
        f"nethealth: {counts.reflected_count} reflected; refused: {refused or 'none'}; "
        f"{counts.overflow_count} dropped at its own sockets; "
        f"{counts.unsendable_count} could not be sent",
        err=True,
    )
    if server.witness is not None:
        _say_witness(server.witness)


def _load_service(
    addresses: Sequence[str], port: int | None, allow: "Sequence[Allowed]", rate_mbps: float
) -> "LoadService | None":
    """The load service, running, if it was asked for."""
    if port is None:
        return None
    from probes.load_service import LoadService  # noqa: PLC0415

    try:
        service = LoadService(addresses, port, allow, rate_mbps * 1e6)
    except OSError as error:
        usage(f"--load-port: cannot listen at TCP port {port}: {error.strerror}")
    service.start()
    click.echo(
        f"nethealth: loads of up to {rate_mbps:g} Mbit/s at TCP port {port}, one at a time",
        err=True,
    )
    return service


def _say_load(service: "LoadService") -> None:
    counts = service.stop()
    refused = ", ".join(f"{count} {why}" for why, count in (counts.refused or {}).items())
    click.echo(
        f"nethealth: {counts.load_count} loads, {counts.taken_octets} octets taken and "
        f"{counts.given_octets} given; refused: {refused or 'none'}",
        err=True,
    )


def _apart(stamp: int, sip: int | None, control: int | None, load: int | None) -> None:
    """Refuse ports that would be one."""
    taken = [one for one in (stamp, sip, load) if one is not None]
    taken += () if control is None else (control, control + 1)
    if len(set(taken)) != len(taken):
        usage(
            f"--port, --sip-port, --load-port and --control-port, which takes the next port too, "
            f"must be different ports; found {', '.join(map(str, taken))}"
        )


def _say_witness(server: "WitnessServer") -> None:
    core = server.core
    refused = ", ".join(f"{count} {why}" for why, count in core.refused.items())
    click.echo(
        f"nethealth: witness: {core.told_count} arrivals told, {core.spoken_count} words spoken; "
        f"refused: {refused or 'none'}; {server.unsendable_count} could not be sent",
        err=True,
    )


def _witnessing(sip: int | None, control: int | None) -> str:
    if control is None:
        return ""
    where = f"; SIP at port {sip}" if sip is not None else ""
    return f"{where}; the witness is asked at port {control} and {control + 1}"
