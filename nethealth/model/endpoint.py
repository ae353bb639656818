"""An address and a port: what a datagram comes from and goes to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A numeric address and a port."""

    address: str
    port: int

    def __str__(self) -> str:
        return (
            f"[{self.address}]:{self.port}"
            if ":" in self.address
            else f"{self.address}:{self.port}"
        )
