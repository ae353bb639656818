"""Every cause of this world by its name, as tables and benches ask for it."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.scenarios.causes import plant, switching, wide

Cause = Callable[..., None]  # of a world, a site, and options of its own
_FAMILIES: tuple[Any, ...] = (switching, wide, plant)
CAUSES: Mapping[str, Cause] = {
    name: found
    for family in _FAMILIES
    for name, found in vars(family).items()
    if callable(found) and not name.startswith("_") and found.__module__ == family.__name__
}
