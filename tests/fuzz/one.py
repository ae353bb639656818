"""One codec under atheris, in a process of its own: python -m tests.fuzz.one CODEC [-runs=N …]."""

import sys

import atheris

with atheris.instrument_imports(include=["nethealth"]):
    from tests.fuzz.codecs import codecs

    CODECS = codecs()  # which imports what is left to import


def main() -> None:
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, CODECS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
