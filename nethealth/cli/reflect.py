"""`nethealth reflect`: answer the STAMP packets of one's own vantages."""

import signal
from types import FrameType

import click

from nethealth.cli.durations import duration
from nethealth.cli.exits import usage

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
    refused = ", ".join(f"{count} {why}" for why, count in (counts.refused or {}).items())
    click.echo(
        f"nethealth: {counts.reflected_count} reflected; refused: {refused or 'none'}; "
        f"{counts.overflow_count} dropped at its own sockets; "
        f"{counts.unsendable_count} could not be sent",
        err=True,
    )
