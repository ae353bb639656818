"""The text of `sites.toml` to an Inventory, or to every error that it holds."""

from nethealth.inventory.consistency import inconsistencies
from nethealth.inventory.toml import MAX_BYTES, TomlFile, decode
from nethealth.model.inventory import Inventory

__all__ = ["MAX_BYTES", "SITES", "decode", "parse"]

SITES = TomlFile(Inventory, inconsistencies)


def parse(text: str, *, name: str = "sites.toml") -> Inventory:
    """Read an inventory; raises InventoryError with every fault, each with its line."""
    return SITES.parse(text, name=name)
