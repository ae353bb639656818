"""Any text in any field of a record: every format stays what it is."""

import csv
import unicodedata
from dataclasses import replace
from io import StringIO

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

import reports
from nethealth.model.finding import Refutation
from nethealth.model.observation import Observation, Scalar
from nethealth.model.record import Record, Source
from reports.rows import COLUMNS
from tests.reports import examples
from tests.reports.pages import TAGS, Page
from tests.reports.test_compose import words

NASTY = (
    "<script>alert(1)</script>",
    "</style></title><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[2J\x1b]0;owned\x07",
    "invoice\u202egnp.exe",
    "a|b\nc\r\nd",
    "=HYPERLINK(1)",
    "[bold red]markup[/]",
    "word " * 300,
    "unbroken" * 200,
    "\x00",
)
PRINT = {"pdf", "docx", "xlsx"}  # read back in test_print
texts = st.sampled_from(NASTY) | st.text(min_size=1, max_size=60)


def spoilt(record: Record, text: str) -> Record:
    """The record with the text in every field that may hold free text, ids kept apart."""

    def place(key: str | None) -> str | None:
        return None if key is None else f"{text}{key}"

    def passport(value: Scalar) -> Scalar:
        return text if isinstance(value, str) else value

    def observation(seen: Observation) -> Observation:
        method = {f"{text}{key}": text for key in seen.method}
        given = dict.fromkeys(("reason_phrase", "codec", "source", "answers", "error"), text)
        return replace(
            seen, id=f"{text}{seen.id}", check=f"{text}{seen.check}", value=passport(seen.value),
            unit=place(seen.unit) if seen.unit == "packets" else seen.unit,
            method={**method, **given},
        )  # fmt: skip

    inventory = record.inventory
    return replace(
        record,
        tool=replace(record.tool, version=text),
        run=replace(
            record.run, id=text, vantage=text, title=text,
            clock=replace(record.run.clock, source=text),
            instrument=replace(record.run.instrument, notes=(text,)),
        ),
        sources=(Source(text, text),),
        inventory=replace(
            inventory,
            vantage=replace(inventory.vantage, id=text, timezone=text),
            council=tuple(
                replace(each, id=f"{text}{each.id}", name=text) for each in inventory.council
            ),
            site=tuple(
                replace(each, id=f"{text}{each.id}", council=f"{text}{each.council}", name=text)
                for each in inventory.site
            ),
            asset=tuple(
                replace(
                    each, id=f"{text}{each.id}", site=f"{text}{each.site}", name=text, owner=text
                )
                for each in inventory.asset
            ),
        ),
        checks=tuple(
            replace(
                check, id=f"{text}{check.id}", council=place(check.council), site=place(check.site),
                asset=place(check.asset), target=text, reason=text,
            )
            for check in record.checks
        ),
        observations=tuple(map(observation, record.observations)),
        findings=tuple(
            replace(
                finding, id=f"{text}{finding.id}", council=place(finding.council),
                site=place(finding.site), asset=place(finding.asset), statement=text, action=text,
                symptoms=(text,), missing=(text,), alternatives=(text,),
                refutations=(Refutation(text, text),),
                evidence=(text, *(f"{text}{key}" for key in finding.evidence)),
            )
            for finding in record.findings
        ),
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(text=texts)
def test_every_format_holds(text: str) -> None:
    document = reports.compose(spoilt(examples.degraded(), text), previous=())
    made = {
        name: each.render(document).decode()
        for name, each in reports.RENDERERS.items()
        if name not in PRINT
    }
    assert len(words(document.summary)) < 200
    assert "…" in text or "…" not in " ".join(words(document.summary))
    for name in ("text", "html", "csv", "nagios", "prometheus"):
        hidden = {
            one for one in made[name] if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")
        }
        assert hidden <= ({"\r", "\n"} if name == "csv" else {"\n"})
    page = Page(made["html"].encode())
    assert set(page.tags) <= TAGS
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert all(value.startswith("#") for value in page.values("href"))
    assert made["nagios"].count("\n") == made["nagios"].count("|") == 1
    assert list(text_string_to_metric_families(made["prometheus"]))
    rows = list(csv.reader(StringIO(made["csv"], newline=""), strict=True))
    assert {len(row) for row in rows} == {len(COLUMNS)}


def test_markup_is_read_as_the_text_it_is() -> None:
    script = NASTY[0]
    document = reports.compose(spoilt(examples.degraded(), script))
    html = reports.RENDERERS["html"].render(document)
    assert script in " ".join(Page(html).words)
    assert "[bold red]markup[/]" in reports.render_text(
        reports.compose(spoilt(examples.one_target(), "[bold red]markup[/]"))
    )


def test_rounds_of_a_hostile_record_still_draw() -> None:
    document = reports.compose(spoilt(examples.rounds(), NASTY[1]))
    assert set(Page(reports.RENDERERS["html"].render(document)).tags) <= TAGS
