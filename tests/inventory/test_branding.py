"""`report.toml` reads, and everything wrong with it is said at once, each with its line."""

import pytest

from nethealth.inventory import InventoryError
from nethealth.inventory.branding import EXAMPLE, parse_branding
from nethealth.model.look import Branding
from tests.inventory.test_pictures import PLAIN


def never(name: str) -> bytes:
    raise AssertionError(name)


def plain(name: str) -> bytes:
    assert name == "logo.svg"
    return PLAIN.encode()


def test_the_example_reads_and_shows_every_key() -> None:
    look = parse_branding(EXAMPLE, plain)
    assert look.logo is not None
    assert look.logo.kind == "svg"
    assert look.branding.marking == "OFFICIAL"
    assert all(getattr(look.branding, name) for name in Branding.__dataclass_fields__)


def test_an_empty_file_changes_nothing() -> None:
    look = parse_branding("", never)
    assert (look.branding, look.logo) == (Branding(), None)


def test_all_faults_come_at_once_with_their_lines() -> None:
    def missing(_: str) -> bytes:
        raise ValueError("No such file or directory")

    text = 'marking = ""\nnmae = "x"\nlogo = "arms.svg"\nname = "two\\nlines"\ncontact = 7\n'
    with pytest.raises(InventoryError) as caught:
        parse_branding(text, missing)
    faults = {(fault.line, fault.key): fault for fault in caught.value.faults}
    assert set(faults) == {
        (1, "marking"), (2, "nmae"), (3, "logo"), (4, "name"), (5, "contact"),
    }  # fmt: skip
    assert faults[2, "nmae"].found == 'the unknown key "nmae" (did you mean "name"?)'
    assert faults[3, "logo"].found == '"arms.svg" (No such file or directory)'
    assert faults[3, "logo"].allowed.startswith("a PNG or SVG of at most 512 KiB")
    assert faults[1, "marking"].allowed == "text of 1 to 60 characters"


def test_a_logo_is_never_fetched() -> None:
    with pytest.raises(InventoryError, match="never fetched"):
        parse_branding('logo = "https://council.example/logo.svg"', never)


def test_a_hostile_logo_is_refused_with_its_line() -> None:
    def hostile(_: str) -> bytes:
        return PLAIN.replace("<rect", "<script/><rect").encode()

    with pytest.raises(InventoryError, match=r"report.toml:2: logo: found .*<script>"):
        parse_branding('name = "x"\nlogo = "a.svg"', hostile)
