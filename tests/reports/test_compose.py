"""The same record gives the same document, and its first page says the right thing."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

import reports
from nethealth.model import codec
from nethealth.model.finding import Effect, FindingCode, Severity, Verdict
from nethealth.model.inventory import Inventory, Vantage
from nethealth.model.observation import Passport
from nethealth.model.record import Pacing, Record
from reports.document import Document, FindingBlock, IntervalChart, SeriesChart, Summary, Table
from tests.reports import examples


def words(summary: Summary) -> list[str]:
    parts = [text for title, sentences in summary.parts for text in (title, *sentences)]
    return " ".join(["Summary", summary.mark.word, summary.answer, *parts]).split()


def said(record: Record) -> str:
    return " ".join(words(reports.compose(record).summary))


def blocks(document: Document, key: str) -> tuple[object, ...]:
    return next((each.blocks for each in document.sections if each.key == key), ())


@pytest.fixture
def elsewhere() -> Iterator[None]:
    """Another time zone, as on another machine."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Pacific/Auckland"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize("name", examples.ALL)
def test_summary_stays_under_200_words(name: str) -> None:
    assert 30 < len(words(reports.compose(examples.ALL[name]()).summary)) < 200


def test_a_record_read_back_elsewhere_gives_the_same_files(elsewhere: None) -> None:
    here = examples.degraded()
    there = codec.load(codec.dump(here))
    for renderer in reports.RENDERERS.values():
        first = renderer.render(reports.compose(here))
        assert first == renderer.render(reports.compose(there))
        assert b"Auckland" not in first


def test_digest_is_that_of_the_json_file() -> None:
    document = reports.compose(examples.degraded())
    digest = hashlib.sha256(reports.RENDERERS["json"].render(document)).hexdigest()
    assert document.sha256 == digest
    for name in ("text", "html"):
        assert digest.encode() in reports.RENDERERS[name].render(document)


def test_times_are_utc_and_local_with_offset() -> None:
    facts = dict(reports.compose(examples.degraded()).facts)
    assert facts["Started"] == ("22 July 2026, 19:03:55 UTC (20:03:55 UTC+01:00, Europe/London)")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "\x00"])
def test_an_unknown_time_zone_leaves_utc(zone: str) -> None:
    record = examples.degraded()
    inventory = replace(record.inventory, vantage=Vantage(timezone=zone))
    facts = dict(reports.compose(replace(record, inventory=inventory)).facts)
    assert facts["Started"] == "22 July 2026, 19:03:55 UTC"


def test_time_of_making_is_stated_only_when_given() -> None:
    record = examples.degraded()
    assert "Made" not in dict(reports.compose(record).facts)
    made = datetime(2026, 8, 1, 9, 0, tzinfo=UTC)
    assert dict(reports.compose(record, rendered=made).facts)["Made"].startswith("1 August 2026")


def test_degraded_estate_is_counted_and_acted_on() -> None:
    text = said(examples.degraded())
    assert "1 with a critical fault, 3 with a warning, 2 with no fault found" in text
    assert "2 not measured" in text
    assert "885 staff" in text  # 95 + 320 + 60 + 410
    assert "Eastfield House Depot: ask whether there is power, then test the line" in text
    assert "Whole site not answering: Eastfield House Depot." in text
    assert "Telephone service overloaded: hall-pbx, South Cambridgeshire Hall." in text


def test_faults_of_one_kind_at_one_site_take_one_sentence() -> None:
    record = examples.degraded()
    outage, overload, *_ = record.findings
    phones = tuple(
        replace(overload, id=f"host-down:phone-{n}", code="host-down", asset=f"phone-{n}")
        for n in (10, 9, 11)
    )
    document = reports.compose(replace(record, findings=(*phones, outage)))
    text = " ".join(words(document.summary))
    assert "Device not answering: 3 at South Cambridgeshire Hall." in text
    assert "All 4 findings are demonstrated" in text
    assert "check the power and the network ports of 3 devices." in text


def test_like_findings_are_one_block_in_natural_order_with_twenty_told() -> None:
    block = blocks(reports.compose(examples.many_alike()), "findings")[0]
    assert isinstance(block, FindingBlock)
    assert (block.title, block.place) == (
        "Device not answering",
        "25 at South Cambridgeshire Hall",
    )
    assert [one.text.split()[0] for one in block.statements] == [f"phone-{n}" for n in range(1, 21)]
    assert block.statements[0].evidence == (
        "packet loss 100 % of 20 (83.9 % to 100 %) [eastfield-switch:ping/1]"
    )
    assert block.left == 5
    more = dict(block.more)
    assert more["Other explanations"] == ("a host that is switched off on purpose",)
    assert more["Still missing"] == (
        "any probe of it other than ping (phone-2, phone-3, phone-4 and 21 more)",
    )


def test_what_differs_in_severity_verdict_action_or_site_is_not_told_as_one() -> None:
    record = examples.many_alike(2)
    one, other, *_ = record.findings
    for changed in (
        replace(other, severity=Severity.WARNING),
        replace(other, verdict=Verdict.SUPPORTED),
        replace(other, action="Wait."),
        replace(other, site="mandela"),
        replace(other, site=None),
    ):
        document = reports.compose(replace(record, findings=(one, changed)))
        assert len(blocks(document, "findings")) == 2


def test_a_site_row_counts_what_is_alike() -> None:
    tables = blocks(reports.compose(examples.many_alike(4)), "sites")
    rows = {row[0]: row[2] for table in tables if isinstance(table, Table) for row in table.rows}
    assert rows["South Cambridgeshire Hall"] == "Device not answering (4) and 1 more"
    assert rows["One Leisure St Ives"] == "Packet loss"
    assert rows["The Guildhall"] == "–"


def test_a_site_row_shows_the_line_and_not_what_a_load_made_of_it() -> None:
    draft = examples.Draft()
    delay: Passport = {"direction": "round-trip"}
    draft.check("hall-pbx", "ping", "198.18.2.10", [
        ("packet_loss_ratio", 0.0, "1", {}), ("round_trip_delay_median_s", 0.02, "s", delay),
    ])  # fmt: skip
    draft.check("hall-dns", "coexistence", "stamp:198.18.2.53", [
        ("packet_loss_ratio", 0.3, "1", {"phase": "upload"}),
        ("round_trip_delay_median_s", 0.4, "s", {"phase": "upload", **delay}),
    ])  # fmt: skip
    tables = blocks(reports.compose(draft.record()), "sites")
    rows = {row[0]: row for table in tables if isinstance(table, Table) for row in table.rows}
    assert tuple(map(str, rows["South Cambridgeshire Hall"][-2:])) == ("0 %", "20.0 ms")


@pytest.mark.parametrize("name", examples.ALL)
def test_no_sentence_of_the_summary_is_cut(name: str) -> None:
    assert "…" not in said(examples.ALL[name]())


@pytest.mark.parametrize(
    ("code", "estimate", "sentence"),
    [
        ("packet-loss", 0.1175, "Packet loss at One Leisure St Ives: 11.8 %."),
        ("high-delay", 0.18, "High delay at One Leisure St Ives: 180 ms one way."),
        ("poor-voice-quality", 58.2, "Poor voice quality at One Leisure St Ives: R 58."),
        ("packet-loss", float("nan"), "Packet loss: One Leisure St Ives."),
        ("provider-loss", 0.5, "Loss in the provider's network: One Leisure St Ives."),
    ],
)
def test_a_fault_has_its_size_in_the_summary(
    code: FindingCode, estimate: float, sentence: str
) -> None:
    record = examples.degraded()
    finding = replace(record.findings[2], code=code, effect=Effect(estimate))
    assert sentence in said(replace(record, findings=(finding,)))


def test_an_expiring_certificate_has_its_days_in_the_summary() -> None:
    record = examples.degraded()
    for days, words_ in ((9.7, "runs out in 9 days"), (1.2, "runs out in 1 day"),
                         (-3.5, "ran out 3 days ago")):  # fmt: skip
        finding = replace(record.findings[3], effect=Effect(days))
        assert f"at pathfinder-web, Pathfinder House: {words_}." in said(
            replace(record, findings=(finding,))
        )


def test_next_steps_name_the_places_of_each_kind_of_fault() -> None:
    record = examples.many_alike(4)
    assert "South Cambridgeshire Hall: check the power and the network ports of 4 devices." in said(
        record
    )
    alone = record.findings[0]
    for finding, step in (
        (alone, "South Cambridgeshire Hall: check the power and the network port of phone-4."),
        (replace(alone, site=None), "Check the power and the network port of phone-4."),
        (
            replace(alone, code="overheating", action="Mend the fan."),
            "South Cambridgeshire Hall: Mend the fan.",
        ),
        (
            replace(alone, code="overheating", action="word " * 90),
            "South Cambridgeshire Hall: see “Overheating” below.",
        ),
    ):
        assert step in said(replace(record, findings=(finding,)))


def test_what_the_summary_has_no_room_for_is_counted() -> None:
    record = examples.degraded()
    loss = replace(record.findings[2], effect=Effect(0.15))
    findings = tuple(
        replace(loss, id=f"packet-loss:{site.id}", site=site.id) for site in examples.SITES
    )
    text = said(replace(record, findings=findings))
    # Of 50 words 9 say what was not tested and 5 what is left; 7, 8, 7 and 8 fit, 9 more do not.
    assert text.count("Packet loss at ") == 4
    assert "And 4 further findings, below." in text


def test_long_names_give_way_to_ids_in_the_summary() -> None:
    record = examples.degraded()
    long = "The long and winding name of a site that nobody would ever print on a card"
    sites = tuple(replace(each, name=long) for each in record.inventory.site)
    text = said(replace(record, inventory=replace(record.inventory, site=sites)))
    assert "Whole site not answering: eastfield." in text
    assert long not in text


def test_what_another_finding_explains_is_not_counted_twice() -> None:
    record = examples.degraded()
    outage, overload, *_ = record.findings
    outage = replace(outage, symptoms=(overload.id, "packet-loss:eastfield"))
    document = reports.compose(replace(record, findings=(overload, outage)))
    assert "The one finding is demonstrated" in " ".join(words(document.summary))
    block = blocks(document, "findings")[0]
    assert isinstance(block, FindingBlock)
    assert dict(block.more)["This explains"] == (overload.statement, "Packet loss: eastfield.")


def test_an_effect_is_given_where_a_test_was_made() -> None:
    record = examples.acquitted()
    for effect, shown in (
        (Effect(0.15, (0.05, 0.36)), None),
        (
            Effect(0.15, (0.05, 0.36), 0.012, 0.02),
            "0.15, 95 % interval 0.05 to 0.36, p 0.012, "
            "smallest effect that could have been seen 0.02",
        ),
    ):
        finding = replace(record.findings[0], effect=effect)
        block = blocks(reports.compose(replace(record, findings=(finding,))), "findings")[0]
        assert isinstance(block, FindingBlock)
        assert dict(block.more).get("Size of the effect", (None,)) == (shown,)
        assert dict(block.more)["Direction"] == ("The telephony is not the cause.",)


def test_all_clear_does_not_promise_health() -> None:
    text = said(examples.all_clear())
    assert "None of the 7 sites showed a fault" in text
    assert "A fault at another time would not have been seen." in text
    assert "healthy" not in text


def test_acquitted_telephony_is_said_to_be_innocent() -> None:
    assert "The telephony is not the cause." in said(examples.acquitted())


def test_cut_off_vantage_blames_no_site() -> None:
    document = reports.compose(examples.cut_off())
    assert "says nothing about the sites" in document.summary.answer
    states = [str(row[1]) for table in blocks(document, "sites") if isinstance(table, Table)
              for row in table.rows]  # fmt: skip
    assert set(states) == {"Not measured"}


def test_councils_and_sites_stand_worst_first() -> None:
    tables = list(blocks(reports.compose(examples.degraded()), "sites"))
    captions = [each.caption for each in tables if isinstance(each, Table)]
    assert captions[0] == "Huntingdonshire District Council"
    assert captions[-1] == "Cambridge City Council"
    first = tables[0]
    assert isinstance(first, Table)
    assert [str(row[1]) for row in first.rows] == ["Critical", "Warning", "Warning"]


def test_findings_carry_their_observations_with_values() -> None:
    found = blocks(reports.compose(examples.degraded()), "findings")
    full = [each for each in found if isinstance(each, FindingBlock)]
    assert [each.mark.kind for each in full] == ["critical", *["warning"] * 3]
    assert full[0].evidence is not None
    assert [tuple(map(str, row)) for row in full[0].evidence.rows] == [
        ("eastfield-switch:ping/1", "packet loss", "100 %", "20", "83.9 % to 100 %", "198.18.5.2"),
    ]
    folded = [each for each in found if isinstance(each, Table)]
    assert {each.caption for each in folded} == {"1 note on the register", "Judged and not found"}


def test_evidence_that_is_not_in_the_record_is_said_to_be_absent() -> None:
    record = examples.degraded()
    findings = (replace(record.findings[0], evidence=("nowhere/1",)),)
    block = blocks(reports.compose(replace(record, findings=findings)), "findings")[0]
    assert isinstance(block, FindingBlock)
    assert block.evidence is not None
    assert block.evidence.rows[0][:2] == ("nowhere/1", "not in this record")


def test_charts_show_the_worst_host_of_each_site_and_their_figures() -> None:
    charts = blocks(reports.compose(examples.degraded()), "charts")
    delay, loss = (each for each in charts if isinstance(each, IntervalChart))
    assert "No reply from Eastfield House Depot" in delay.description
    assert len(delay.rows) == len(delay.table.rows) == 5
    assert loss.rows[0].middle == 100
    assert (loss.rows[1].low, loss.rows[1].high) == pytest.approx((5.24, 36.04))
    assert loss.limit == pytest.approx(1.0)


def test_a_run_of_rounds_is_drawn_over_time_with_its_gaps() -> None:
    document = reports.compose(examples.rounds())
    series = [each for each in blocks(document, "charts") if isinstance(each, SeriesChart)]
    assert len(series) == 4  # delay and loss of two sites
    delay = next(each for each in series if "hall-pbx" in each.title and each.unit == "ms")
    assert len(delay.points) == 10
    assert [y for _, y in delay.points].count(None) == 1
    assert "1 without a value" in delay.description


def test_changes_have_a_section_only_with_a_run_before() -> None:
    record = examples.degraded()
    assert not blocks(reports.compose(record), "changes")
    assert blocks(reports.compose(record, previous=record.findings), "changes")
    (bullets,) = blocks(reports.compose(record, previous=()), "changes")
    assert len(bullets.items) == len(record.findings)  # type: ignore[attr-defined]


def test_a_killed_run_and_an_empty_record_still_report() -> None:
    record = examples.degraded()
    killed = replace(record, run=replace(record.run, finished=None, pacing=Pacing()))
    empty = replace(killed, checks=(), observations=(), findings=(), inventory=Inventory())
    for each in (killed, empty):
        for renderer in reports.RENDERERS.values():
            assert renderer.render(reports.compose(each))
    assert "Nothing could be measured" in said(empty)


def test_file_names_sort_by_time() -> None:
    started = examples.STARTED
    assert reports.filename("sweep", started, "html") == "nethealth-sweep-20260722T190355Z.html"
    extensions = [renderer.extension for renderer in reports.RENDERERS.values()]
    assert len(set(extensions)) == len(extensions)


def test_importing_reports_loads_no_heavy_library() -> None:
    code = "import sys, reports; print(sorted({'jinja2', 'rich', 'markupsafe'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_json_alone_is_the_json_beside_a_layout() -> None:
    record = examples.degraded()
    assert reports.render(record, ("json",)) == reports.render(record, ("json", "text"))[:1]
