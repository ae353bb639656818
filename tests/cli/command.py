"""Runs the command as a user would: a process of its own, with a home of its own."""

import os
import subprocess
import sys
from pathlib import Path


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return {**kept, "HOME": str(home), "NO_COLOR": "1"}


def nethealth(
    *arguments: str, home: Path, check: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `nethealth` in the folder `home`; `check` is the exit status to insist on."""
    done = subprocess.run(
        [sys.executable, "-m", "nethealth", *arguments],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    if check is not None:
        assert done.returncode == check, (done.returncode, done.stdout, done.stderr)
    return done
