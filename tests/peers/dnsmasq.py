"""dnsmasq as a name server that knows what it is told and nothing else."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.peers.process import Process, running


@contextmanager
def serving(
    folder: Path,
    address: str,
    port: int,
    records: Sequence[str],
    *,
    prefix: Sequence[str] = (),
) -> Iterator[Process]:
    """`records` are lines of dnsmasq.conf, such as `host-record=portal.example,198.18.2.10`.

    `local=/example/` makes the rest of a domain NXDOMAIN; a name of no known domain is REFUSED.
    """
    config = folder / f"dnsmasq-{port}.conf"
    lines = (
        "no-resolv",
        "no-hosts",
        "bind-interfaces",
        "keep-in-foreground",
        "user=",
        f"pid-file={folder}/dnsmasq-{port}.pid",
        f"listen-address={address}",
        f"port={port}",
        "log-facility=-",
        *records,
    )
    config.write_text("\n".join(lines) + "\n")
    argv = ("dnsmasq", f"--conf-file={config}")
    log = folder / f"dnsmasq-{port}.log"
    with running(argv, log=log, prefix=prefix, bound=("udp", port)) as process:
        process.wait_bound("tcp", port)
        yield process
