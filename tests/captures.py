"""Where the shared captures are: `NETHEALTH_CAPTURES`, by default `../shared/captures`."""

import os
from pathlib import Path


def folder() -> Path:
    """The folder; whoever has none must not ask (conftest leaves such tests out)."""
    default = Path(__file__).resolve().parents[2] / "shared" / "captures"
    return Path(os.environ.get("NETHEALTH_CAPTURES") or default)


def present() -> bool:
    return (folder() / "MANIFEST.tsv").is_file()
