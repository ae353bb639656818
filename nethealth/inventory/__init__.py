"""Text to councils, sites, assets and lines, with every error and the line it stands on."""

from nethealth.inventory.example import example
from nethealth.inventory.faults import Fault, InventoryError
from nethealth.inventory.parsing import decode, parse

__all__ = ["Fault", "InventoryError", "decode", "example", "parse"]
