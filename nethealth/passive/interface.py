"""Where packets of a capture come from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interface:
    """Where packets were captured; `dropped`: how many the capture lost there, None: not said."""

    link_type: int
    name: str | None = None
    snap_octets: int | None = None
    dropped: int | None = None
