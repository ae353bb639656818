"""The one classifier: what the kernel said of a socket, as one of the closed list of failures."""

import errno
import os
import ssl

from nethealth.model.failure import Failure
from nethealth.model.ports import NetworkFailure

_BY_ERRNO = {
    errno.ECONNREFUSED: Failure.REFUSED,
    errno.ECONNRESET: Failure.RESET,
    errno.EPIPE: Failure.RESET,
    errno.ECONNABORTED: Failure.RESET,
    errno.ETIMEDOUT: Failure.TIMEOUT,
}

# this machine is short of something: no fact about the network
_OWN_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)


def classify(error: OSError) -> Failure:
    """The failure that `error` stands for.

    What is not told apart above (no route, host down, prohibited by a filter, no local address of
    that family, message too long) has one thing in common: nothing gets there from here.
    """
    if isinstance(error, ssl.SSLError):
        return Failure.TLS
    if isinstance(error, TimeoutError):
        return Failure.TIMEOUT
    return _BY_ERRNO.get(error.errno or 0, Failure.UNREACHABLE)


def network_failure(error: OSError, doing: str) -> NetworkFailure:
    """`error` as the one exception that crosses the network port; `doing` opens its reason.

    An error that says only that this machine is short of descriptors or memory is raised as it
    is: the check could not run, and no host is to be blamed for it.
    """
    if error.errno in _OWN_SHORTAGES:
        raise error
    if isinstance(error, ssl.SSLError):
        # `reason` stands only on those that OpenSSL raised
        said = (getattr(error, "reason", None) or str(error)).replace("_", " ").lower()
    elif error.errno and error.errno > 0:  # getaddrinfo's own codes are negative
        said = os.strerror(error.errno)
    else:
        said = str(error) or type(error).__name__
    return NetworkFailure(classify(error), f"{doing}: {said}")
