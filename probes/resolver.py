"""Names to addresses by the system's own resolver, bounded in threads and in time."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

from nethealth.model.check import Family
from nethealth.model.failure import Failure
from nethealth.model.ports import NetworkFailure
from probes.addresses import ip_version

_Found = list[tuple[Any, ...]]

WAIT_MAX_S = 10.0
_THREADS_MAX = 32

_FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}
_REASONS = {
    socket.EAI_NONAME: "no such name",
    socket.EAI_AGAIN: "temporary failure: no name server answered",
    socket.EAI_FAIL: "the name server refused or failed",
    socket.EAI_NODATA: "the name has no address",
    socket.EAI_ADDRFAMILY: "the name has no address of that family",
}


class Resolver:
    """getaddrinfo in threads that an exit need not wait for."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_THREADS_MAX)

    async def resolve(self, host: str, family: Family | None) -> tuple[str, ...]:
        """Numeric addresses in the resolver's order; NetworkFailure(RESOLVE) if there is none."""
        try:
            version = ip_version(host)
        except ValueError:
            return await self._ask(host, family)
        if family not in (None, version):
            raise NetworkFailure(Failure.RESOLVE, f"{host} is not an IPv{family} address")
        return (host,)

    async def _ask(self, host: str, family: Family | None) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(WAIT_MAX_S):
                found = await self._in_thread(
                    lambda: socket.getaddrinfo(
                        host, None, family=_FAMILIES[family], type=socket.SOCK_STREAM
                    )
                )
        except socket.gaierror as error:
            reason = _REASONS.get(error.errno or 0, str(error.strerror))
            raise NetworkFailure(Failure.RESOLVE, f"{host}: {reason}") from None
        except TimeoutError:
            reason = f"{host}: the resolver gave no answer in {WAIT_MAX_S:g} s"
            raise NetworkFailure(Failure.RESOLVE, reason) from None
        except (ValueError, OSError) as error:  # a label too long, a NUL
            raise NetworkFailure(Failure.RESOLVE, f"{host!r}: not a name: {error}") from None
        return tuple(dict.fromkeys(str(address[0]) for *_, address in found))

    async def _in_thread(self, ask: Callable[[], _Found]) -> _Found:
        """`ask()` in a daemon thread; its slot is held until it ends, waited for or not."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Found] = loop.create_future()

        def settle(found: _Found | None, error: Exception | None) -> None:
            self._slots.release()
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            elif found is not None:
                answer.set_result(found)

        def work() -> None:
            found, failed = None, None
            try:
                found = ask()
            except (OSError, ValueError) as error:
                failed = error
            with contextlib.suppress(RuntimeError):  # the run is over, its loop closed
                loop.call_soon_threadsafe(settle, found, failed)

        await self._slots.acquire()
        threading.Thread(target=work, name="resolve", daemon=True).start()
        return await answer
