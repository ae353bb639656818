"""Coverage-guided fuzzing of the codecs: python -m tests.fuzz.run COUNT [CODEC …].

Each codec has a process of its own, which atheris ends after COUNT executions, or at the first
exception that is not WireError; the input is then kept in tests/fuzz/found. Ends with a table of
executions, and with status 1 if any codec broke its rule.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOUND = Path(__file__).parent / "found"
LENGTH_MAX = 4096
# Executions of one process; the next one goes on with the inputs that taught the last one.
# atheris keeps what each comparison of arrays gives, 26 kB an execution of `passive.frames`.
PROCESS_MAX = 40_000
_DONE = re.compile(r"Done (\d+) runs in")
_FAILED = re.compile(r"#(\d+)\t(?:NEW|REDUCE|pulse|INITED|RELOAD)")


def main() -> int:
    if len(sys.argv) < 2 or not sys.argv[1].isdecimal():
        print(__doc__, file=sys.stderr)
        return 2
    from tests.fuzz.codecs import codecs

    count, chosen = int(sys.argv[1]), sys.argv[2:]
    names = [name for name in codecs() if not chosen or name in chosen]
    unknown = set(chosen) - set(names)
    if unknown:
        print(f"no such codec: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    total, broken = 0, []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for name in names:
            started = time.monotonic()
            done, output = fuzz(name, count, Path(folder))
            total += done
            took_s = time.monotonic() - started
            print(f"{name:40} {done:>10,} executions {took_s:8.1f} s", flush=True)
            if output:
                broken.append(name)
                print(output, file=sys.stderr)
    print(f"{'all':40} {total:>10,} executions; broken: {', '.join(broken) or 'none'}")
    return 1 if broken else 0


def fuzz(name: str, count: int, folder: Path) -> tuple[int, str]:
    """How many executions one codec had, and what atheris said if it broke its rule."""
    from tests.fuzz.seeds import seeds

    corpus = folder / name
    corpus.mkdir(parents=True)
    for index, seed in enumerate(seeds()):
        (corpus / f"{index:04}").write_bytes(seed[:LENGTH_MAX])
    FOUND.mkdir(exist_ok=True)
    total = 0
    while total < count:
        done, output = _process(name, min(PROCESS_MAX, count - total), corpus)
        total += done
        if output:
            return total, output
    return total, ""


def _process(name: str, count: int, corpus: Path) -> tuple[int, str]:
    command = [
        sys.executable, "-m", "tests.fuzz.one", name, f"-runs={count}", f"-max_len={LENGTH_MAX}",
        f"-artifact_prefix={FOUND}/{name}-", "-timeout=20", "-rss_limit_mb=2048", str(corpus),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ}, check=False
    )
    output = done.stdout + done.stderr
    match = _DONE.search(output)
    if done.returncode == 0 and match is not None:
        return int(match[1]), ""
    ran = _FAILED.findall(output)
    return int(ran[-1]) if ran else 0, output[-4000:]


if __name__ == "__main__":
    sys.exit(main())
