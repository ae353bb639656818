"""`python -m nethealth` is the same as `nethealth`."""

from nethealth.cli import main

main()
