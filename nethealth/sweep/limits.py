"""How many checks may run at once before the process runs out of file descriptors."""

import resource

_RESERVED = 64  # standard streams, the store, the event loop, libraries
_PER_CHECK = 2  # a resolver's socket beside the probe's own
_WANTED = 16_384


def sockets_allowed() -> int:
    """Raise the soft limit of open files as far as allowed; how many checks fit below it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    limit = _WANTED if soft == resource.RLIM_INFINITY else soft
    return max(1, (limit - _RESERVED) // _PER_CHECK)
