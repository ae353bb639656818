"""The name servers that the system asks: the one place that reads /etc/resolv.conf."""

from ipaddress import ip_address
from pathlib import Path

from nethealth.model.endpoint import Endpoint

RESOLV_CONF = Path("/etc/resolv.conf")
_DNS_PORT = 53
_SERVERS_MAX = 3  # MAXNS of resolv.conf(5): further lines are ignored there too
_DEFAULT = (Endpoint("127.0.0.1", _DNS_PORT),)  # what resolv.conf(5) says of a file that names none


def system_name_servers(file: Path = RESOLV_CONF) -> tuple[Endpoint, ...]:
    """Its `nameserver` lines in order, numeric addresses alone."""
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return _DEFAULT
    found = []
    for line in lines:
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                ip_address(words[1])
            except ValueError:
                continue
            found.append(Endpoint(words[1], _DNS_PORT))
    return tuple(found[:_SERVERS_MAX]) or _DEFAULT
