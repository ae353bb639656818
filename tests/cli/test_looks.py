"""`report --branding` and `--templates`, as a user runs them."""

from pathlib import Path

import pytest

from nethealth.model import codec
from tests.cli.command import nethealth
from tests.inventory.test_pictures import PLAIN
from tests.reports import examples


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a record, and with the branding of a council in another."""
    (tmp_path / "record.json").write_bytes(codec.dump(examples.all_clear()))
    (tmp_path / "brand").mkdir()
    nethealth("init", "--branding", "-o", "brand/report.toml", home=tmp_path, check=0)
    (tmp_path / "brand" / "logo.svg").write_text(PLAIN)
    return tmp_path


def test_a_branded_report_is_made_and_verified(home: Path) -> None:
    branded = ("--branding", "brand/report.toml")
    nethealth("report", "--record", "record.json", *branded, "--format", "html,text", "-o", "out",
              home=home, check=0)  # fmt: skip
    [page] = (home / "out").glob("*.html")
    assert '<p class="marking"><strong>OFFICIAL</strong></p>' in page.read_text()
    name = str(page.relative_to(home))
    done = nethealth("report", "verify", name, "--record", "record.json", *branded, home=home)
    assert "agrees with run" in done.stdout
    done = nethealth("report", "verify", name, "--record", "record.json", home=home)
    assert "OFFICIAL" in done.stdout  # without its branding it says more than its data give


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('logo = "logo.svg"', 'logo = "none.svg"',
         'report.toml:4: logo: found "none.svg" (No such file or directory)'),
        ('marking = "OFFICIAL"', 'marking = 5', "report.toml:3: marking: found 5"),
        ("name =", "nmae =", 'did you mean "name"?'),
    ],
)  # fmt: skip
def test_a_branding_that_does_not_fit_is_refused(home: Path, old: str, new: str, says: str) -> None:
    file = home / "brand" / "report.toml"
    file.write_text(file.read_text().replace(old, new, 1))
    done = nethealth(
        "report", "--record", "record.json", "--branding", "brand/report.toml", home=home, check=2
    )
    assert says in done.stderr
    assert done.stdout == ""


def test_templates_of_a_folder_are_used_and_their_faults_named(home: Path) -> None:
    folder = home / "ours"
    folder.mkdir()
    arguments = ("report", "--record", "record.json", "--templates", "ours", "--format", "html")
    done = nethealth(*arguments, home=home, check=2)
    assert "no template in it; allowed: report.html.j2 and report.css" in done.stderr
    (folder / "report.html.j2").write_text("<p>{{ document.title }}</p>")
    assert nethealth(*arguments, home=home, check=0).stdout.startswith("<p>Network and telephony")
    (folder / "report.html.j2").write_text("<p>\n{{ document.titel }}</p>")
    done = nethealth(*arguments, home=home, check=2)
    assert "--templates: report.html.j2:2: UndefinedError" in done.stderr
    assert "Traceback" not in done.stderr
