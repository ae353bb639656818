"""The short-lived child process that alone imports scapy (`python -m probes.scapy_worker`).

It reads one JSON object a line and answers one a line: `{"do": "hello"}` gives scapy's version and
whether this process may craft packets. Keeping scapy here keeps its licence (GPL-2.0-only), its
import time and its privilege apart from the rest of the program.
"""

import json
import socket
import sys
from typing import Any


def _hello() -> dict[str, Any]:
    import scapy  # noqa: PLC0415  (this process exists for it)

    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
        refusal = None
    except OSError as error:
        refusal = error.strerror
    return {"version": str(scapy.VERSION), "craft": refusal is None, "refusal": refusal}


def answer(request: Any) -> dict[str, Any]:
    """The answer to one request; an unknown or broken one gives `{"error": …}`."""
    match request:
        case {"do": "hello"}:
            return _hello()
        case _:
            return {"error": 'expected {"do": "hello"}'}


def main() -> None:
    """Serve requests from standard input until it ends."""
    for line in sys.stdin:
        try:
            request = json.loads(line)
        except ValueError as error:
            reply: dict[str, Any] = {"error": f"not JSON: {error}"}
        else:
            reply = answer(request)
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
