"""History: every run appended, whole checks or nothing."""

from collections.abc import Mapping
from pathlib import Path

from nethealth.store.base import Point, RunMark, RunSummary, Store, StoreError
from nethealth.store.ledger import Registration
from nethealth.store.past import last_tables, past_of
from nethealth.store.spans import Found, Span
from nethealth.store.sqlite import SqliteStore
from nethealth.store.trend import Cell, Period, TrendRow, sparkline, trend

__all__ = [
    "Cell",
    "Found",
    "Period",
    "Point",
    "Registration",
    "RunMark",
    "RunSummary",
    "Span",
    "Store",
    "StoreError",
    "TrendRow",
    "default_url",
    "last_tables",
    "open_store",
    "past_of",
    "sparkline",
    "trend",
]


def open_store(url: str) -> Store:
    """Open the store at `sqlite:///PATH` (`sqlite:////PATH` if absolute), made if not there.

    Raises StoreError where the URL, the file or its folder will not do.
    """
    scheme, _, rest = url.partition("://")
    if scheme in ("postgresql", "postgres"):
        # Not echoed: it may hold a password.
        raise StoreError("PostgreSQL is not available in this version; use sqlite:///PATH")
    if scheme != "sqlite" or not rest.startswith("/") or len(rest) < 2 or rest.endswith("/"):
        raise StoreError("a store is named sqlite:///PATH, or sqlite:////PATH if it is absolute")
    if "\0" in rest:
        raise StoreError("the path of a store cannot hold a NUL character")
    return SqliteStore(Path(rest[1:]))


def default_url(environ: Mapping[str, str]) -> str:
    """The store in the XDG data home; a relative XDG_DATA_HOME counts as unset (XDG 0.8)."""
    given = Path(environ.get("XDG_DATA_HOME", ""))
    home = given if given.is_absolute() else Path(environ.get("HOME", "~")) / ".local/share"
    return f"sqlite:///{home.expanduser() / 'nethealth' / 'history.db'}"
