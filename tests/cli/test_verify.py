"""`report verify`: an untouched report passes, and a changed observation or word is named."""

import json
from pathlib import Path

import pytest

from nethealth.case.example import example
from nethealth.diagnosis import judge
from nethealth.model import codec
from tests.cli.command import nethealth
from tests.reports import examples


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report of a judged record in every format, its record beside them."""
    from dataclasses import replace

    folder = tmp_path_factory.mktemp("verify")
    record = examples.degraded()
    judged = replace(record, findings=judge(record))
    (folder / "given.json").write_bytes(codec.dump(judged))
    (folder / "case.toml").write_text(example())
    nethealth(
        "report", "--record", "given.json", "--case", "case.toml", "--fail-on", "never",
        "--format", "html,text,csv,json,pdf,docx,xlsx", "-o", "out", home=folder, check=0,
    )  # fmt: skip
    return folder


def one(home: Path, suffix: str) -> Path:
    [file] = (home / "out").glob(f"*.{suffix}")
    return file


def test_an_untouched_report_passes_in_every_format(home: Path) -> None:
    files = [str(one(home, suffix)) for suffix in ("html", "txt", "csv", "pdf", "docx", "xlsx")]
    done = nethealth("report", "verify", *files, home=home, check=0)
    assert done.stdout.count("agrees with run") == 6


def test_a_changed_observation_is_named_by_what_rests_on_it(home: Path) -> None:
    record = json.loads(one(home, "json").read_text())
    seen = next(each for each in record["observations"]
                if each["name"] == "packet_loss_ratio" and each["value"] == 0)  # fmt: skip
    seen["value"] = 0.5
    (home / "changed.json").write_text(json.dumps(record))
    html = str(one(home, "html"))
    done = nethealth("report", "verify", html, "--record", "changed.json", home=home, check=1)
    assert "SHA-256" in done.stdout
    assert "50.0 %" in done.stdout or "50 %" in done.stdout


def test_a_finding_and_a_figure_that_do_not_follow_are_named(home: Path) -> None:
    record = json.loads(one(home, "json").read_text())
    record["findings"][0]["verdict"] = "suggestive"
    record["case"]["options"][2]["net_gbp"] += 1000
    (home / "forged.json").write_text(json.dumps(record))
    csv = str(one(home, "csv"))
    done = nethealth("report", "verify", csv, "--record", "forged.json", home=home, check=1)
    assert f"finding {record['findings'][0]['id']}.verdict: the record says suggestive" in (
        done.stdout
    )
    assert "case.options[3].net_gbp: the record says" in done.stdout


@pytest.mark.parametrize("suffix", ["html", "txt", "csv"])
def test_a_changed_word_in_a_report_is_shown(home: Path, suffix: str) -> None:
    file = one(home, suffix)
    touched = home / f"touched.{suffix}"
    touched.write_text(file.read_text().replace("Eastfield", "Westfield").replace(
        "eastfield", "westfield"))  # fmt: skip
    done = nethealth(
        "report", "verify", str(touched), "--record", str(one(home, "json")), home=home, check=1
    )
    assert "the report says" in done.stdout
    assert "estfield" in done.stdout


def test_a_changed_pdf_is_told(home: Path) -> None:
    data = one(home, "pdf").read_bytes()
    (home / "touched.pdf").write_bytes(data + b"\n%")
    done = nethealth(
        "report", "verify", "touched.pdf", "--record", str(one(home, "json")), home=home, check=1
    )
    assert "its octets are not those" in done.stdout


def test_what_cannot_be_verified_is_refused(home: Path) -> None:
    (home / "report.odt").write_text("x")
    arguments = ("report", "verify", "report.odt", "--record", str(one(home, "json")))
    assert "allowed: .html" in nethealth(*arguments, home=home, check=2).stderr
