"""`nethealth reflect`: answer the STAMP packets of one's own vantages, and take part in a load."""

import signal
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

import click

from nethealth.cli.durations import duration
from nethealth.cli.exits import usage

if TYPE_CHECKING:
    from nethealth.protocol.stamp_reflector import Allowed
    from probes.load_service import LoadService

PORT = 862  # RFC 8762 section 4.1
UNPRIVILEGED_PORT = 8620


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
    for_s: float | None,
) -> None:
    """Answer the STAMP packets of your own vantages.

    By that (RFC 8762) each direction is measured by itself.

    It answers only the networks of --allow, each peer only up to --rate, and never with more
    octets than it got. It runs without privilege; `nethealth init --systemd` prints its unit.
    """
    from ipaddress import ip_address, ip_network  # noqa: PLC0415

    from probes.reflector import ReflectorServer  # noqa: PLC0415

    try:
        allow = [ip_network(one, strict=False) for one in networks]
    except ValueError as error:
        usage(f"--allow: {error}; allowed: a network such as 198.18.0.0/24")
    listening = addresses or ("0.0.0.0",)
    for address in listening:
        try:
            ip_address(address.partition("%")[0])
        except ValueError as error:
            usage(f"--bind: {error}")
    try:
        try:
            server = ReflectorServer(listening, port or PORT, allow, rate)
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
            server = ReflectorServer(listening, UNPRIVILEGED_PORT, allow, rate)
            bound = UNPRIVILEGED_PORT
    except ValueError as error:
        usage(f"--allow: {error}")
    except OSError as error:
        usage(f"cannot listen at {', '.join(listening)} port {port or PORT}: {error.strerror}")
    load = _load_service(listening, load_port, allow, load_rate)
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    click.echo(
        f"nethealth: reflecting at {', '.join(listening)} port {bound} for "
        f"{', '.join(map(str, allow))}",
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
