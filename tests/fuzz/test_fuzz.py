"""The one rule of every codec, on real messages and on what becomes of them by chance.

A short run; `make fuzz` is the long one, led by coverage.
"""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.codecs import codec_of, codecs
from tests.fuzz.seeds import FOUND, seeds

SEEDS = [seed[:2048] for seed in seeds()][:60]
MUTANTS = 40


def mutants(seed: bytes, rng: random.Random) -> list[bytes]:
    """The seed cut, doubled, with octets changed, dropped, or taken from another seed."""
    found = [seed, seed[: len(seed) // 2], seed + seed]
    for _ in range(MUTANTS):
        octets = bytearray(seed or b"x")
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(octets))
            octets[at : at + rng.randint(0, 3)] = rng.choice(
                (rng.randbytes(1), b"", b"\r\n", b"\xff\xff", b'"', b"<", rng.choice(SEEDS)[:30])
            )
            octets = octets or bytearray(b"x")
        found.append(bytes(octets))
    return found


@pytest.mark.parametrize("name", sorted(codecs()))
def test_it_parses_or_raises_wire_error(name: str) -> None:
    codec = codecs()[name]
    rng = random.Random(name)
    slow = name.startswith("passive")
    for seed in SEEDS[:: 6 if slow else 1]:
        for data in mutants(seed, rng)[:: 4 if slow else 1]:
            codec(data)


def test_what_was_found_once() -> None:
    """Inputs that broke the rule are kept, under the codec's name; most days there are none."""
    for path in sorted(FOUND.glob("*")):
        codecs()[path.name.partition("-")[0]](path.read_bytes())


def test_another_exception_is_not_swallowed() -> None:
    def broken(data: bytes) -> int:
        known: dict[bytes, int] = {}
        return known[data]

    codec = codec_of(broken)
    assert codec is not None
    with pytest.raises(KeyError):
        codec(b"x")


def test_the_long_run_works() -> None:
    """A run of atheris itself, short: it counts, and ends with status 0."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", "2000", "rtp.parse_rtp"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "rtp.parse_rtp" in done.stdout
    assert "2,000 executions" in done.stdout
