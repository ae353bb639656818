"""Ports that nobody holds, for the peers of one test."""

import socket
from contextlib import ExitStack
from random import randrange

_BELOW_EPHEMERAL = (20_000, 32_000)  # what connects meanwhile takes none of these


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


def free_row(count: int) -> int:
    """The first of so many ports in a row that nobody held at any address, by TCP or UDP."""
    while True:
        first = randrange(*_BELOW_EPHEMERAL)
        try:
            with ExitStack() as stack:
                for port in range(first, first + count):
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        for family, address in (
                            (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"),
                        ):  # fmt: skip
                            sock = stack.enter_context(socket.socket(family, kind))
                            if family == socket.AF_INET6:
                                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                            sock.bind((address, port))
        except OSError:
            continue
        return first
