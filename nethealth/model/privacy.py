"""What a record says of people's names in it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Privacy:
    """How names and numbers stand in this run: as tokens, or revealed for a stated reason."""

    mode: Literal["pseudonyms", "revealed"] = "pseudonyms"
    key_id: str | None = None  # runs with the same one have the same tokens
    key_kept: bool = False  # in a file of the engagement; else it was gone when the run ended
    reason: str | None = None
