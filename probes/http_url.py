"""A URL as the one request that it asks for."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urljoin, urlsplit

_PORTS: dict[str, int] = {"http": 80, "https": 443}
_SAFE = "/:?#[]@!$&'()*+,;=%-._~"  # RFC 3986 section 2.2 and 2.3, and what is quoted already
URL_MAX = 2048


@dataclass(frozen=True)
class Location:
    """Where a request goes; `url` is without user, password and fragment."""

    url: str
    scheme: Literal["http", "https"]
    host: str
    port: int
    target: str  # origin form (RFC 9112 section 3.2.1)

    @property
    def host_header(self) -> str:
        """RFC 9110 section 7.2: no port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_location(text: str, base: Location | None = None) -> Location:
    """An absolute http or https URL, or one relative to `base`; else ValueError."""
    if len(text) > URL_MAX:
        raise ValueError(f"longer than {URL_MAX} characters")
    absolute = urljoin(base.url, text) if base else text
    parts = urlsplit(absolute)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"not an http or https URL: {absolute[:200]!r}")
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    host = _ascii_host(parts.hostname)
    port = _PORTS[scheme] if parts.port is None else parts.port
    target = quote(parts.path or "/", safe=_SAFE)
    if parts.query:
        target += "?" + quote(parts.query, safe=_SAFE)
    shown = f"[{host}]" if ":" in host else host
    if port != _PORTS[scheme]:
        shown += f":{port}"
    return Location(f"{scheme}://{shown}{target}", scheme, host, port, target)


def _ascii_host(host: str) -> str:
    """What a server and a certificate know the host by (RFC 5890 A-labels)."""
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if any(character <= " " or character == "\x7f" for character in host):
        raise ValueError(f"not a host: {host!r}")
    return host
