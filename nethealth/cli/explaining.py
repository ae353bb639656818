"""`diagnose --explain CODE`: the page of a finding, from the installed program itself."""

from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from nethealth.cli.exits import usage

if TYPE_CHECKING:
    from collections.abc import Collection
    from importlib.resources.abc import Traversable

_NEAREST = 5


def explained(code: str) -> str:
    """The page of docs/findings for a code; an unknown one ends the command with 2."""
    pages = _pages()
    if code not in pages:
        _refuse(code, pages)
    return pages[code].read_text(encoding="utf-8")


def _refuse(code: str, pages: "Collection[str]") -> NoReturn:
    near = get_close_matches(code.lower(), pages, _NEAREST, 0.4)
    near += [name for name in sorted(pages) if code.lower() in name and name not in near]
    allowed = ", ".join(near[:_NEAREST] or sorted(pages))
    usage(f"--explain: found {code[:60]!r}; {'nearest' if near else 'allowed'}: {allowed}")


def _pages() -> "dict[str, Traversable]":
    """The pages by code: in a wheel inside the package, in a clone beside it."""
    folder: Traversable = files("nethealth") / "docs" / "findings"
    if not folder.is_dir():
        folder = Path(str(files("nethealth"))).parent / "docs" / "findings"
    if not folder.is_dir():
        usage("--explain: the pages are missing from this installation; install it again")
    return {
        page.name.removesuffix(".md"): page
        for page in folder.iterdir()
        if page.name.endswith(".md")
    }
