"""Every bench in turn, each in a process of its own: ratios against peers measured in the same run.

Each bench prints lines ending in `ok` or `MISSED` and exits with 1 if a limit was missed.
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main() -> int:
    missed = []
    for bench in sorted(FOLDER.glob("bench_*.py")):
        print(f"== {bench.stem}", flush=True)
        if subprocess.run([sys.executable, bench], cwd=FOLDER.parents[1], check=False).returncode:
            missed.append(bench.stem)
    print(f"missed: {', '.join(missed)}" if missed else "every limit held")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
