"""net-snmp's snmpd, with tables that a test writes into a file and may change at any moment."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.peers.process import Process, running

COMMUNITY = "lab-community"
USER, AUTH, PRIVACY = "watcher", "an authentication word", "a word for privacy"
SECRETS = {"COMMUNITY": COMMUNITY, "USER": USER, "AUTH": AUTH, "PRIVACY": PRIVACY}
Entry = tuple[str, str]  # type as snmpd.conf(5) names it under pass_persist, and value as text
# Those that snmpd registers below the roots that a test may give, so that no priority helps.
_OWN_TABLES = "-dot3StatsTable,ip,at,inetNetToMediaTable"
_TABLE = Path(__file__).with_name("snmp_table.py")


def write_table(path: Path, entries: Mapping[str, Entry]) -> None:
    """Have the agent serve these values (by dotted OID) from its next answer on."""
    lines = [f"{oid} {kind} {value}" for oid, (kind, value) in entries.items()]
    fresh = path.with_suffix(".new")
    fresh.write_text("\n".join(lines) + "\n")
    fresh.replace(path)


@contextmanager
def serving(
    folder: Path,
    address: str,
    port: int,
    *,
    tables: Mapping[str, Path] | None = None,
    user: tuple[str, str] = ("SHA-256", "AES"),
    more: Sequence[str] = (),
    prefix: Sequence[str] = (),
    kind: str = "udp",
) -> Iterator[Process]:
    """An agent for COMMUNITY (v2c) and USER (v3, authPriv); `tables`: file by root of a subtree.

    What stands in a file goes before what snmpd knows of the machine itself.
    """
    state = folder / f"state-{port}"
    state.mkdir(exist_ok=True)
    config = folder / f"snmpd-{port}.conf"
    auth, privacy = user
    lines = [
        f"agentaddress {kind}:{address}:{port}",
        f"rocommunity {COMMUNITY}",
        f"rocommunity6 {COMMUNITY}",
        f'createUser {USER} {auth} "{AUTH}" {privacy} "{PRIVACY}"',
        f"rouser {USER} priv",
        "sysName lab-agent",
        *(
            f"pass_persist -p 10 {root} {sys.executable} {_TABLE} {path}"
            for root, path in (tables or {}).items()
        ),
        *more,
    ]
    config.write_text("\n".join(lines) + "\n")
    argv = ["snmpd", "-f", "-Lo", "-C", "-c", str(config), "-p", str(folder / f"snmpd-{port}.pid")]
    if tables:
        argv += ["-I", _OWN_TABLES]
    env = {"SNMP_PERSISTENT_DIR": str(state), "SNMPCONFPATH": str(state), "MIBS": ""}
    log = folder / f"snmpd-{port}.log"
    with running(argv, log=log, prefix=prefix, bound=("udp", port), env=env) as process:
        yield process
