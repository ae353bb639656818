"""Asks the scapy child process one thing and lets it go."""

import json
import subprocess
import sys
from typing import Any


class ScapyError(RuntimeError):
    """The child did not answer; the message says what it said instead."""


def ask(request: dict[str, Any], *, timeout_s: float = 20.0) -> dict[str, Any]:
    """One request, one answer; ScapyError when the child fails or is silent for `timeout_s`."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "probes.scapy_worker"],
            input=json.dumps(request) + "\n",
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ScapyError(f"the scapy process was silent for {timeout_s:g} s") from None
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        last = done.stderr.strip().splitlines()[-1:] or ["no output"]
        raise ScapyError(f"the scapy process ended with {done.returncode}: {last[0]}")
    reply: dict[str, Any] = json.loads(lines[-1])
    return reply
