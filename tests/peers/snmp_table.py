"""A pass_persist script of snmpd (snmpd.conf(5)): serves `OID type value` lines of a file.

The file is read anew for each question, so that a test may change what a device says. A value of
type `boot` is the time when the device started, and is told as timeticks since then.
"""

import sys
import time
from pathlib import Path


def entries(path: Path) -> list[tuple[tuple[int, ...], str, str]]:
    found = []
    for line in path.read_text().splitlines():
        oid, kind, *value = line.split(" ", 2)
        found.append((numbers(oid), kind, value[0] if value else ""))
    return sorted(found)


def numbers(oid: str) -> tuple[int, ...]:
    return tuple(int(part) for part in oid.strip().strip(".").split("."))


def main(path: Path) -> None:
    while command := sys.stdin.readline().strip():
        if command == "PING":
            print("PONG", flush=True)
            continue
        asked = numbers(sys.stdin.readline())
        fits = (
            each
            for each in entries(path)
            if (each[0] > asked if command == "getnext" else each[0] == asked)
        )
        found = next(fits, None)
        if found is None:
            print("NONE", flush=True)
        else:
            oid, kind, value = found
            if kind == "boot":  # of a device whose uptime runs on: when it started
                kind, value = "timeticks", str(round((time.time() - float(value)) * 100) % 2**32)
            print("." + ".".join(map(str, oid)), kind, value, sep="\n", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
