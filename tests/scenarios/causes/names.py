"""Every cause of this world by its name, as tables and benches ask for it."""

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from tests.scenarios.causes import called, plant, spoken, switching, taped, wide

Cause = Callable[..., None]  # of a world, a site, and options of its own
_FAMILIES: tuple[Any, ...] = (switching, wide, plant, taped, spoken, called)
CAUSES: Mapping[str, Cause] = {
    name: found
    for family in _FAMILIES
    for name, found in vars(family).items()
    if isinstance(found, FunctionType) and not name.startswith("_")
    if found.__module__ == family.__name__
}
