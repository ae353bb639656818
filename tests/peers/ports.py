"""Ports that nobody holds, for the peers of one test."""

import socket
from contextlib import ExitStack


def free_port(address: str = "127.0.0.1") -> int:
    """A port of `address` that was free for both TCP and UDP a moment ago."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    while True:
        with ExitStack() as stack:
            stream = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            stream.bind((address, 0))
            port = int(stream.getsockname()[1])
            datagram = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            try:
                datagram.bind((address, port))
            except OSError:
                continue
            return port
