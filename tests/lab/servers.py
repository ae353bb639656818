"""The real servers of the lab's sites, and the faults of each, switched for a `with` block.

Every site has Kamailio at its pbx (UDP and TCP on 5060, TLS on 5061) and nginx at its server
(443); the hall has dnsmasq at `hall-dns` as well.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.lab.topology import SITES, Lab, ipv4, ipv6
from tests.peers import dnsmasq, nginx
from tests.peers.certificates import Authority, Pair
from tests.peers.kamailio import Kamailio
from tests.peers.process import running

PORTAL = "portal.example"
VOICE = "voice.example"
_FOREIGN_VIA = Path(__file__).with_name("foreign_via.xml")


class Servers:
    """All of them, running from `start` to `stop`."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.authority = Authority(folder)
        self._folder = folder
        self._sip: dict[str, Kamailio] = {}
        self._running: dict[str, ExitStack] = {}  # node -> its nginx or dnsmasq

    def start(self) -> None:
        """Start every server; each is bound when this returns."""
        for site in SITES:
            pbx = f"{site}-pbx"
            pair = self._certificate(pbx)
            self._sip[site] = Kamailio(
                self._own_folder(pbx),
                [
                    f"{transport}:{address}:{port}"
                    for address in (ipv4(pbx), f"[{ipv6(pbx)}]")
                    for transport, port in (("udp", 5060), ("tcp", 5060), ("tls", 5061))
                ],
                certificate=pair.certificate,
                key=pair.key,
                prefix=self.lab.at(pbx),
            )
            self._sip[site].start()
            self._start_web(site, self._certificate(f"{site}-server"))
        self._start_dns()

    def stop(self) -> None:
        """Stop whatever runs."""
        for kamailio in self._sip.values():
            kamailio.stop()
        for stack in self._running.values():
            stack.close()

    @contextmanager
    def sip_behaving(self, site: str, behaviour: str) -> Iterator[None]:
        """Kamailio stays up and is `silent`, `slow` (700 ms), asks everybody to log in (`auth`),
        or answers a status code.
        """
        self._sip[site].behave(behaviour)
        try:
            yield
        finally:
            self._sip[site].behave("ok")

    def sip_bindings(self, site: str) -> str:
        """What the registrar of a site holds."""
        return self._sip[site].bindings()

    @contextmanager
    def sip_down(self, site: str) -> Iterator[None]:
        """Nothing listens at the pbx: its kernel answers with ICMP port unreachable, or RST."""
        self._sip[site].stop()
        try:
            yield
        finally:
            self._sip[site].start()

    @contextmanager
    def sip_garbage(self, site: str) -> Iterator[None]:
        """Every datagram to the pbx is answered with 300 random octets."""
        argv = ("socat", "UDP-LISTEN:5060,fork", "SYSTEM:head -c 300 /dev/urandom")
        with self._sip_replaced(site, argv):
            yield

    @contextmanager
    def sip_foreign_via(self, site: str) -> Iterator[None]:
        """Every OPTIONS to the pbx is answered with 200 and the Via of somebody else."""
        argv = (
            "sipp",
            "-sf",
            str(_FOREIGN_VIA),
            "-i",
            ipv4(f"{site}-pbx"),
            "-p",
            "5060",
            "-nostdin",
        )
        with self._sip_replaced(site, argv):
            yield

    @contextmanager
    def web_down(self, site: str) -> Iterator[None]:
        """Nothing listens at the site's server."""
        self._running.pop(f"{site}-server").close()
        try:
            yield
        finally:
            self._start_web(site, self._certificate(f"{site}-server"))

    @contextmanager
    def certificate_expiring(self, site: str, *, days: int) -> Iterator[None]:
        """The site's server shows a good certificate that has `days` days left."""
        not_after = datetime.now(UTC) + timedelta(days=days)
        self._running.pop(f"{site}-server").close()
        self._start_web(site, self._certificate(f"{site}-server", not_after))
        try:
            yield
        finally:
            self._running.pop(f"{site}-server").close()
            self._start_web(site, self._certificate(f"{site}-server"))

    @contextmanager
    def dns_down(self) -> Iterator[None]:
        """Nothing listens at the name server."""
        self._running.pop("hall-dns").close()
        try:
            yield
        finally:
            self._start_dns()

    @contextmanager
    def _sip_replaced(self, site: str, argv: tuple[str, ...]) -> Iterator[None]:
        pbx = f"{site}-pbx"
        log = self._own_folder(pbx) / f"{argv[0]}.log"
        with (
            self.sip_down(site),
            running(argv, log=log, prefix=self.lab.at(pbx), bound=("udp", 5060), cwd=log.parent),
        ):
            yield

    def _start_web(self, site: str, pair: Pair) -> None:
        node = f"{site}-server"
        sites = [nginx.Site(address, 443, pair) for address in (ipv4(node), ipv6(node))]
        stack = self._running[node] = ExitStack()
        prefix = self.lab.at(node)
        stack.enter_context(nginx.serving(self._own_folder(node), sites, prefix=prefix))

    def _start_dns(self) -> None:
        node = "hall-dns"
        portal = f"host-record={PORTAL},{ipv4('hall-server')},{ipv6('hall-server')}"
        # A SIP domain: the hall's pbx serves it, the depot's stands by; by TCP the hall's alone.
        voice = (
            f"naptr-record={VOICE},10,5,s,SIP+D2U,,_sip._udp.{VOICE}",
            f"naptr-record={VOICE},20,5,s,SIP+D2T,,_sip._tcp.{VOICE}",
            f"srv-host=_sip._udp.{VOICE},hall.{VOICE},5060,0,1",
            f"srv-host=_sip._udp.{VOICE},depot.{VOICE},5060,10,1",
            f"srv-host=_sip._tcp.{VOICE},hall.{VOICE},5060,0,1",
            *(f"host-record={site}.{VOICE},{ipv4(f'{site}-pbx')}" for site in ("hall", "depot")),
        )
        records = (portal, *voice, "local=/example/", f"listen-address={ipv6(node)}")
        stack = self._running[node] = ExitStack()
        stack.enter_context(
            dnsmasq.serving(
                self._own_folder(node), ipv4(node), 53, records, prefix=self.lab.at(node)
            )
        )

    def _certificate(self, node: str, not_after: datetime | None = None) -> Pair:
        names = [ipv4(node), ipv6(node), *([PORTAL] if node == "hall-server" else [])]
        return self.authority.issue(node, names, not_after=not_after)

    def _own_folder(self, node: str) -> Path:
        folder = self._folder / node
        folder.mkdir(exist_ok=True)
        return folder


@contextmanager
def serving(lab: Lab, folder: Path) -> Iterator[Servers]:
    """All servers for the length of a block."""
    servers = Servers(lab, folder)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()
