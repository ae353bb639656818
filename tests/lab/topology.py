"""Network namespaces: a vantage, a core router, and three sites of a router and hosts each.

    vantage -- core --+-- hall ----- br0 -- pbx phone server dns
                      +-- depot ---- br0 -- pbx phone server
                      +-- library -- br0 -- pbx phone server

Addresses are of 198.18.0.0/15 (RFC 2544, for benchmarks) and 2001:db8::/32 (RFC 3849, for
documentation); nothing leads out.  A node is named as in the picture: `core`, `hall`, `hall-pbx`.
"""

import ctypes
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

SITES = {"hall": 2, "depot": 3, "library": 4}
_HOSTS = {"pbx": 10, "phone": 20, "server": 30}
_DNS = 53
_NETNS = Path("/run/netns")
_ETC_NETNS = Path("/etc/netns")  # `ip netns exec` mounts what is there over /etc

_SYSCTLS = (
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
    "net.ipv6.conf.all.disable_ipv6=0",
    "net.ipv6.conf.default.disable_ipv6=0",
    # It fills a buffer, as most systems do; bbr would drain it.
    "net.ipv4.tcp_congestion_control=reno",
    # Without these an IPv6 address is of no use for the first second or two.
    "net.ipv6.conf.default.accept_dad=0",
    "net.ipv6.conf.default.accept_ra=0",
    # A pulled link must come back with the addresses that it had.
    "net.ipv6.conf.all.keep_addr_on_down=1",
    "net.ipv6.conf.default.keep_addr_on_down=1",
)
_ROUTER_SYSCTLS = ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")


def hosts(site: str) -> tuple[str, ...]:
    """The nodes on a site's bridge."""
    names = (*_HOSTS, "dns") if site == "hall" else tuple(_HOSTS)
    return tuple(f"{site}-{name}" for name in names)


def _numbers(node: str) -> tuple[int, int]:
    """The network's and the host's number, which both address families share."""
    site, _, host = node.partition("-")
    match node:
        case "vantage":
            return 0, 2
        case "core":
            return 0, 1
        case _:
            return SITES[site], {"": 1, "dns": _DNS, **_HOSTS}[host]


def ipv4(node: str) -> str:
    """A node's address; of a site's router the one on its bridge, of the core the vantage's."""
    network, host = _numbers(node)
    return f"198.18.{network}.{host}"


def ipv6(node: str) -> str:
    """The same for IPv6."""
    network, host = _numbers(node)
    return f"2001:db8:{network}::{host}"


class Lab:
    """The namespaces of one test process, named `nh<pid>-<node>`; made by `build`.

    `name` sets a second topology of the same process apart.
    """

    def __init__(self, name: str = "") -> None:
        self.prefix = f"nh{os.getpid()}-{name}"
        self._restore: dict[str, tuple[str, ...]] = {}  # node -> its addresses and routes

    def namespace(self, node: str) -> str:
        """The namespace's name, as `ip netns` knows it."""
        return self.prefix + node

    def at(self, node: str) -> tuple[str, ...]:
        """What to put before a command so that it runs at `node`."""
        return ("ip", "netns", "exec", self.namespace(node))

    def run(
        self, node: str, command: str, *, timeout_s: float = 60, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line (no shell) at `node` to its end; failing, it shows what it printed."""
        done = subprocess.run(
            (*self.at(node), *shlex.split(command)),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"{node}$ {command}\ngave {done.returncode}: {done.stdout}{done.stderr}"
            )
        return done

    @contextmanager
    def link_down(self, node: str, interface: str) -> Iterator[None]:
        """Take one end of a link down, so that the other loses its carrier; then put it back."""
        _ip_batch(self.namespace(node), f"link set {interface} down")
        try:
            yield
        finally:
            _ip_batch(self.namespace(node), f"link set {interface} up", *self._restore[node])
            self.wait_whole()

    def add(self, node: str, *, router: bool = False) -> None:
        """Make a namespace, forwarding or not, with nothing but its loopback."""
        name = self.namespace(node)
        _ip("netns", "add", name)
        settings = _SYSCTLS + (_ROUTER_SYSCTLS if router else ())
        self.run(node, f"sysctl -qw {' '.join(settings)}")
        _ip("-n", name, "link", "set", "lo", "up")

    def join(self, node: str, interface: str, peer: str, peer_interface: str) -> None:
        """A cable between two nodes, carrying on it only what a wire would carry."""
        _ip(
            *("link", "add", interface, "netns", self.namespace(node), "type", "veth"),
            *("peer", "name", peer_interface, "netns", self.namespace(peer)),
        )
        # Offloads would show captures and queues packets larger than the link's, unchecksummed.
        for end, name in ((node, interface), (peer, peer_interface)):
            self.run(end, f"ethtool -K {name} tx off tso off gso off gro off")

    def configure(self, node: str, *commands: str) -> None:
        """Apply `ip` commands (`addr replace …`, `route replace …`) that a pulled link undoes."""
        self._restore[node] = commands
        _ip_batch(self.namespace(node), *commands)

    def wait_whole(self) -> None:
        """Return as soon as every host answers the vantage in both address families.

        A link that has come up passes nothing until the kernel's link watch has run.
        """
        everyone = [node for site in SITES for node in (site, *hosts(site))]
        addresses = " ".join((*map(ipv4, everyone), *map(ipv6, everyone)))
        self.run("vantage", f"fping -q -r 50 -t 100 -B 1 -i 1 {addresses}")

    def resolver(self, node: str, server: str) -> None:
        """Give a node a resolv.conf of its own."""
        folder = _ETC_NETNS / self.namespace(node)
        folder.mkdir(parents=True)
        (folder / "resolv.conf").write_text(f"nameserver {server}\noptions timeout:1 attempts:1\n")


@contextmanager
def build() -> Iterator[Lab]:
    """The whole lab, up and reachable; every trace of it is removed at the end."""
    if os.geteuid() != 0:
        raise PermissionError(
            "the lab needs root for its network namespaces; run as root: sudo make test"
        )
    _remove_stale()
    lab = Lab()
    with ExitStack() as stack:
        stack.callback(remove, f"nh{os.getpid()}-")
        _build_core(lab)
        for site in SITES:
            _build_site(lab, site)
        lab.resolver("vantage", ipv4("hall-dns"))
        lab.wait_whole()
        yield lab


def _build_core(lab: Lab) -> None:
    lab.add("core", router=True)
    lab.add("vantage")
    lab.run("vantage", "sysctl -qw 'net.ipv4.ping_group_range=0 2147483647'")
    lab.join("vantage", "eth0", "core", "vantage")
    lab.configure("vantage", *_host_commands("vantage", "core"))


def _build_site(lab: Lab, site: str) -> None:
    """A site's router, its link to the core, its bridge and the hosts on it."""
    number = SITES[site]
    lab.add(site, router=True)
    lab.join("core", site, site, "wan")
    bridge = lab.namespace(site)
    _ip("-n", bridge, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
    lab.configure(
        site,
        "link set wan up",
        "link set br0 up",
        f"addr replace {ipv4(site)}/24 dev br0",
        f"addr replace {ipv6(site)}/64 dev br0",
        f"addr replace 198.18.{100 + number}.2/30 dev wan",
        f"addr replace 2001:db8:{100 + number}::2/64 dev wan",
        f"route replace default via 198.18.{100 + number}.1",
        f"route replace ::/0 via 2001:db8:{100 + number}::1",
    )
    lab.configure("core", *_core_commands(sites=list(SITES)[: list(SITES).index(site) + 1]))
    for node in hosts(site):
        lab.add(node)
        port = node.removeprefix(f"{site}-")
        lab.join(node, "eth0", site, port)
        _ip_batch(bridge, f"link set {port} master br0 up")
        lab.configure(node, *_host_commands(node, site))


def _host_commands(node: str, gateway: str) -> tuple[str, ...]:
    return (
        "link set eth0 up",
        f"addr replace {ipv4(node)}/24 dev eth0",
        f"addr replace {ipv6(node)}/64 dev eth0",
        f"route replace default via {ipv4(gateway)}",
        f"route replace ::/0 via {ipv6(gateway)}",
    )


def _core_commands(sites: list[str]) -> Iterator[str]:
    yield "link set vantage up"
    yield f"addr replace {ipv4('core')}/24 dev vantage"
    yield f"addr replace {ipv6('core')}/64 dev vantage"
    for site in sites:
        number = SITES[site]
        link, link6 = f"198.18.{100 + number}", f"2001:db8:{100 + number}:"
        yield f"link set {site} up"
        yield f"addr replace {link}.1/30 dev {site}"
        yield f"addr replace {link6}:1/64 dev {site}"
        yield f"route replace 198.18.{number}.0/24 via {link}.2"
        yield f"route replace 2001:db8:{number}::/64 via {link6}:2"


@contextmanager
def entered(lab: Lab, node: str) -> Iterator[None]:
    """This thread is at `node` while the block runs; sockets that it opens there stay there."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(_NETNS / lab.namespace(node), os.O_RDONLY)
    try:
        _setns(there)
        try:
            yield
        finally:
            _setns(here)
    finally:
        os.close(here)
        os.close(there)


def _setns(handle: int) -> None:
    clone_newnet = 0x40000000
    if ctypes.CDLL(None, use_errno=True).setns(handle, clone_newnet) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> None:
    done = subprocess.run(("ip", *arguments), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"ip {' '.join(arguments)}: {done.stderr}")


def _ip_batch(namespace: str, *commands: str) -> None:
    done = subprocess.run(
        ("ip", "-n", namespace, "-batch", "-"),
        input="\n".join(commands) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"{namespace}: {done.stderr}\n{commands}")


def _remove_stale() -> None:
    """Remove what test processes that are no longer there have left behind."""
    for folder in (_NETNS, _ETC_NETNS):
        for path in folder.glob("nh*-*"):
            owner = re.match(r"nh(\d+)-", path.name)
            if owner and not Path(f"/proc/{owner[1]}").exists():
                remove(owner[0])


def remove(names: str) -> None:
    """Remove every namespace whose name begins with `names`, and what still runs in it."""
    for path in _NETNS.glob(f"{names}*"):
        pids = subprocess.run(
            ("ip", "netns", "pids", path.name), capture_output=True, text=True, check=False
        ).stdout.split()
        for pid in pids:
            subprocess.run(("kill", "-KILL", pid), capture_output=True, check=False)
        _ip("netns", "del", path.name)
    for folder in _ETC_NETNS.glob(f"{names}*"):
        shutil.rmtree(folder)
