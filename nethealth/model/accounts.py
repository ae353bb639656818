"""The accounts of a run, which must not be locked out by being tried too often."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class Attempt:
    """One turn with an account; whoever holds it says how it went."""

    refused: bool = False


class Accounts(Protocol):
    """Shared by all checks of a run: one at a time uses an account, and after a refusal none."""

    def attempt(self, credentials: str, *also: str) -> AbstractAsyncContextManager[Attempt | None]:
        """Wait for a turn with `credentials`; None if it, or any of `also`, was refused before.

        Where the attempt ends as refused, all of these names count as refused from then on.
        """
        ...
