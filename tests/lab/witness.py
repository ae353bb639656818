"""Second tools that say what a fault does, none of them ours: fping, socat, dig, curl, openssl."""

from dataclasses import dataclass
from uuid import uuid4

from tests.lab.topology import Lab, ipv4


@dataclass(frozen=True)
class Echoes:
    """What fping saw of one address: delays in seconds, in the order sent, of what came back."""

    sent_count: int
    delays_s: tuple[float, ...]

    @property
    def lost_count(self) -> int:
        return self.sent_count - len(self.delays_s)


def fping(
    lab: Lab, address: str, *, count: int = 20, interval_ms: float = 5, dscp: int = 0
) -> Echoes:
    """`count` echoes from the vantage, each awaited for two seconds."""
    timing = f"-C {count} -p {interval_ms} -i 1 -t 2000 -O {dscp << 2}"
    done = lab.run("vantage", f"fping -q {timing} {address}", check=False)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith(address)]
    words = line.partition(" : ")[2].split()
    return Echoes(len(words), tuple(float(word) / 1000 for word in words if word != "-"))


def sip_options(lab: Lab, site: str, *, wait_s: float | None = None) -> str:
    """What an OPTIONS over UDP brings back, or socat's words if it was refused.

    With `wait_s` one is sent, and that is all the time that it has; without, another is sent where
    a busy machine left one without an answer.
    """
    if wait_s is not None:
        return _sip_options(lab, site, wait_s)
    for _ in range(10):
        if answer := _sip_options(lab, site, 0.3):
            break
    return answer


def _sip_options(lab: Lab, site: str, wait_s: float) -> str:
    pbx, vantage = ipv4(f"{site}-pbx"), ipv4("vantage")
    lines = (
        f"OPTIONS sip:{pbx} SIP/2.0",
        f"Via: SIP/2.0/UDP {vantage}:5062;branch=z9hG4bK{uuid4().hex};rport",
        "Max-Forwards: 70",
        f"From: <sip:witness@{vantage}>;tag=1",
        f"To: <sip:{pbx}>",
        f"Call-ID: {uuid4().hex}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
        "",
        "",
    )
    request = r"\r\n".join(lines)
    command = f"printf '%b' '{request}' | socat -t{wait_s} -T{wait_s} - UDP:{pbx}:5060"
    done = lab.run("vantage", f'sh -c "{command}"', check=False)
    return done.stdout + done.stderr


def web(lab: Lab, site: str, ca_file: str) -> str:
    """The status code that curl got from the site's server over verified TLS, or curl's error."""
    page = f"https://{ipv4(f'{site}-server')}/"
    done = lab.run(
        "vantage",
        f"curl -sS -o /dev/null -w '%{{http_code}}' --cacert {ca_file} {page}",
        check=False,
    )
    return done.stdout + done.stderr


def expires_within(lab: Lab, site: str, *, days: int) -> bool:
    """Whether openssl finds that the certificate of the site's server ends within `days`."""
    connect = f"openssl s_client -connect {ipv4(f'{site}-server')}:443 </dev/null"
    check = f"openssl x509 -noout -checkend {days * 86400}"
    done = lab.run("vantage", f'sh -c "{connect} 2>&1 | {check}"', check=False)
    assert "Certificate will" in done.stdout, done
    return "will expire" in done.stdout


def resolve(lab: Lab, name: str) -> str:
    """The IPv4 address that dig finds by the vantage's own resolver, or dig's words on why not."""
    done = lab.run("vantage", f"dig +short +tries=1 +time=1 {name} A", check=False)
    return done.stdout.strip()
