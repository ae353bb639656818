"""One attempt at a time with each account, and none after a refusal: lock-outs are real."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nethealth.model.accounts import Attempt


class RunAccounts:
    """The accounts of one run, its rounds included; for the checks of one event loop."""

    def __init__(self) -> None:
        self._refused: set[str] = set()
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def attempt(self, credentials: str, *also: str) -> AsyncIterator[Attempt | None]:
        """By the protocol `Accounts`; the turn is given back however the block ends."""
        names = {credentials, *also}
        async with self._turns[credentials]:
            if names & self._refused:
                yield None
                return
            attempt = Attempt()
            try:
                yield attempt
            finally:
                if attempt.refused:
                    self._refused |= names
