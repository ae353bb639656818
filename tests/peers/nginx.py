"""nginx as a web server of every kind: good, bad certificate, old TLS, redirects, errors."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers.certificates import Pair
from tests.peers.process import Process, running

PAGE = "the page of a healthy server"
LARGE_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True)
class Site:
    """One listening socket; with `pair` it speaks TLS.

    It answers `/` with PAGE, `/large` with LARGE_BYTES, `/broken` with 500, `/unavailable` with
    503, `/loop` with a redirect to itself, each key of `redirects` with 302 to its value, and
    anything else with 404.
    """

    address: str
    port: int
    pair: Pair | None = None
    protocols: str = "TLSv1.2 TLSv1.3"
    ciphers: str = "DEFAULT"
    redirects: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def serving(
    folder: Path, sites: Sequence[Site], *, prefix: Sequence[str] = ()
) -> Iterator[Process]:
    """All `sites` in one nginx, whose files all stand in `folder`."""
    (folder / "large").write_bytes(b"x" * LARGE_BYTES)
    config = folder / "nginx.conf"
    config.write_text(_config(folder, sites))
    argv = ("nginx", "-e", "stderr", "-p", str(folder), "-c", str(config))
    with running(argv, log=folder / "nginx.log", prefix=prefix) as process:
        for site in sites:
            process.wait_bound("tcp", site.port)
        yield process


def _config(folder: Path, sites: Sequence[Site]) -> str:
    temporary = "\n".join(
        f"    {kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    servers = "\n".join(_server(folder, site) for site in sites)
    return f"""
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
{temporary}
    access_log {folder}/access.log;
    default_type text/plain;
{servers}
}}
"""


def _server(folder: Path, site: Site) -> str:
    host = f"[{site.address}]" if ":" in site.address else site.address
    tls = ""
    if site.pair is not None:
        tls = f"""
        ssl_certificate {site.pair.certificate};
        ssl_certificate_key {site.pair.key};
        ssl_protocols {site.protocols};
        ssl_ciphers {site.ciphers};"""
    redirects = "\n".join(
        f"        location = {path} {{ return 302 {target}; }}"
        for path, target in site.redirects.items()
    )
    return f"""
    server {{
        listen {host}:{site.port}{" ssl" if tls else ""};{tls}
        location = / {{ return 200 "{PAGE}\\n"; }}
        location = /large {{ alias {folder}/large; }}
        location = /broken {{ return 500; }}
        location = /unavailable {{ return 503; }}
        location = /loop {{ return 302 /loop; }}
{redirects}
        location / {{ return 404; }}
    }}"""
