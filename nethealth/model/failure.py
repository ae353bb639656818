"""The closed lists: how a check ended, and why a step of it did not succeed."""

from enum import StrEnum


class Outcome(StrEnum):
    """How one check ended; a network failure is a result, not an error of the program."""

    COMPLETED = "completed"  # ran to its end, total loss included
    FAILED = "failed"  # a step stopped the later ones
    NOT_RUN = "not_run"  # nothing was sent


class Failure(StrEnum):
    """Why a step gave no value; one classifier maps every exception and packet to one of these."""

    RESOLVE = "resolve"  # the name gave no address
    REFUSED = "refused"  # TCP RST, or ICMP port unreachable
    UNREACHABLE = "unreachable"  # ICMP or the local kernel said: no way there
    TIMEOUT = "timeout"  # silence until the stated wait was over
    RESET = "reset"  # an open connection was torn down by the peer
    TLS = "tls"  # the handshake did not succeed
    PROTOCOL = "protocol"  # an answer came and breaks its protocol
    WRONG_SOURCE = "wrong_source"  # an answer came, from somebody else
    AUTH = "auth"  # credentials were refused
    INTERRUPTED = "interrupted"  # stopped by the user or by the run's deadline
