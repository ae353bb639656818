"""What hangs on one thing: said from the inventory and the readings, and never guessed."""

from dataclasses import replace
from datetime import date

import pytest

from nethealth.model.inventory import Asset, Inventory, Line, Site
from nethealth.model.observation import PastValue
from nethealth.model.record import Record
from reports import compose
from reports.document import Bullets, Figure, Section, Table
from reports.resilience import resilience_blocks
from reports.view import View
from tests.reports import examples


def section(record: Record) -> Section:
    [found] = [one for one in compose(record).sections if one.key == "resilience"]
    return found


def told(record: Record, site: str) -> dict[str, tuple[str, str, tuple[str, ...], str]]:
    """By subject: the state, what is known, what it cites, and the lines of the register."""
    [table] = [
        block
        for block in section(record).blocks
        if isinstance(block, Table) and block.caption.startswith(site)
    ]
    return {
        str(what): (
            str(state), str(known), known.cites if isinstance(known, Figure) else (), str(line),
        )
        for what, state, known, line in table.rows
    }  # fmt: skip


def test_a_hall_whose_kit_was_read() -> None:
    hall = told(examples.equipped(), "South Cambridgeshire Hall, in The Civic Centre")
    assert {subject: row[0] for subject, row in hall.items()} == {
        "Way out": "One only",
        "Router": "One only",
        "Switch": "One only",
        "Exchange": "One only",
        "Power when the mains fail": "Not normal",
        "Power to telephones": "Normal",
        "Cooling": "One only",
        "Temperature": "Read",
        "Watched in this run": "All",
        "Owner": "Named",
        "Age": "Up to 22 years",
        "Maker's support": "Over",
        "Public telephone lines": "Not moved",
        "Building": "Shared",
    }
    assert "The Guildhall leaves by it too" in hall["Way out"][1]
    # On battery, whatever the battery's own state: 1920 s are 32 minutes.
    assert "power from battery" in hall["Power when the mains fail"][1]
    assert "would last 32 minutes" in hall["Power when the mains fail"][1]
    # 120 of 370 is 32.4 %
    assert "120 W of 370 W (32.4 %)" in hall["Power to telephones"][1]
    assert "24.5 °C at rack 1, the warmest of 2" in hall["Temperature"][1]
    assert hall["Temperature"][2] == ("hall-dns:snmp/15",)
    # 22 July 2026 to 31 January 2027: 9 + 31 + 30 + 31 + 30 + 31 + 31 days
    assert "31 January 2027, 193 days after this run" in hall["Public telephone lines"][1]
    assert "31 Dec 2018" in hall["Maker's support"][1]


def test_a_hall_of_which_little_is_known() -> None:
    guildhall = told(examples.equipped(), "The Guildhall")
    states = {subject: row[0] for subject, row in guildhall.items()}
    assert states["Way out"] == "Two or more"
    # what is not known takes one row, with the lines that would say it
    assert guildhall["Not known"] == (
        "Not known",
        "Router, switch, age and maker's support: neither the register nor a reading says.",
        (),
        "site guildhall: gateway, not given; asset: none of kind switch here; "
        "asset: installed, not given; asset: end_of_support, not given",
    )
    assert list(states)[-1] == "Not known"
    assert states["Cooling"] == states["Power when the mains fail"] == "None"
    assert guildhall["Temperature"][:2] == (
        "Not read", "guildhall-probe is in the register and gave no reading.",
    )  # fmt: skip
    assert "guildhall-pbx" in guildhall["Owner"][1]
    assert "Power to telephones" not in states  # there is no switch to ask
    assert "Public telephone lines" not in states


def test_an_absent_count_is_not_known_and_a_count_of_none_is_none() -> None:
    record = examples.equipped()
    bare = tuple(replace(site, cooling_units=None, ups=None) for site in record.inventory.site)
    unknown = told(replace(record, inventory=replace(record.inventory, site=bare)), "The Guildhall")
    assert "cooling" in unknown["Not known"][1]
    assert "power when the mains fail" in unknown["Not known"][1]
    assert "site guildhall: cooling_units, not given" in unknown["Not known"][3]
    assert not {"Cooling", "Power when the mains fail"} & set(unknown)


def test_a_thing_or_two_that_are_not_known_keep_their_rows() -> None:
    record = examples.equipped()
    bare = tuple(replace(site, cooling_units=None) for site in record.inventory.site)
    hall = told(replace(record, inventory=replace(record.inventory, site=bare)), "South")
    assert hall["Cooling"][0] == "Not known"
    assert hall["Cooling"][3] == "site hall: cooling_units, not given"


def test_two_ways_out_of_one_provider_are_one() -> None:
    record = examples.equipped()
    sites = (replace(record.inventory.site[0], backup_upstream="provider-a"),)
    state, text, _, _ = told(
        replace(record, inventory=replace(record.inventory, site=sites)), "South Cambridgeshire"
    )["Way out"]
    assert state == "One only"
    assert text.endswith("one provider.")


@pytest.mark.parametrize(("answered", "words"), [(0, "it answered"), (20, "it did not answer")])
def test_a_router_that_was_asked_says_whether_it_answered(answered: int, words: str) -> None:
    draft = examples.Draft()
    draft.ping("198.18.2.1", 2.0 if answered == 0 else None, answered)
    record = replace(draft.record(), inventory=examples.equipped().inventory)
    record = replace(
        record, checks=tuple(replace(one, site="hall", asset=None) for one in record.checks)
    )
    _, text, cites, line = told(record, "South Cambridgeshire")["Router"]
    assert words in text
    assert cites == ("198.18.2.1:ping/1",)
    assert line == "site hall: gateway"


def test_a_room_that_was_read_before_and_not_now_says_when() -> None:
    record = examples.equipped()
    past = PastValue(
        examples.STARTED.replace(day=20, hour=6, minute=30), "guildhall-probe:snmp",
        "guildhall-probe", "temperature_celsius", 23.25, "°C", {"sensor": "rack"},
    )  # fmt: skip
    state, text, _, _ = told(replace(record, past=(past,)), "The Guildhall")["Temperature"]
    assert state == "Not read"
    assert "last seen 23.2 °C" in text
    assert "06:30 UTC on 20 July 2026" in text


def test_several_devices_are_no_promise_that_one_stands_in_for_another() -> None:
    record = examples.equipped()
    second = Asset(id="hall-edge", site="hall", kind="switch", address="198.18.2.3")
    more = replace(record.inventory, asset=(*record.inventory.asset, second))
    state, text, _, _ = told(replace(record, inventory=more), "South Cambridgeshire")["Switch"]
    assert state == "Two or more"
    assert "Whether one stands in for another is not known" in text


def test_support_counts_from_the_day_of_the_run() -> None:
    site = Site(id="s", council="scdc", name="Site")
    assets = tuple(
        Asset(id=key, site="s", kind="server", address="198.18.9.1", end_of_support=end)
        for key, end in (
            ("yesterday", date(2026, 7, 21)), ("today", date(2026, 7, 22)),
            ("in-a-year", date(2027, 7, 22)), ("later", date(2027, 7, 23)),
        )
    )  # fmt: skip
    record = replace(
        examples.equipped(),
        inventory=Inventory(council=examples.COUNCILS, site=(site,), asset=assets),
    )
    _, text, _, _ = told(record, "Site")["Maker's support"]
    over, soon = text.split(". Ends within a year for ")
    assert "yesterday" in over
    assert "today" not in over
    assert "today" in soon
    assert "in-a-year" in soon
    assert "later" not in soon


def test_lines_that_were_moved_and_a_day_that_has_passed() -> None:
    record = examples.equipped()
    moved = Line(id="l", site="hall", kind="isdn2", use="door", migrated=True)
    all_moved = replace(record, inventory=replace(record.inventory, line=(moved,)))
    assert told(all_moved, "South")["Public telephone lines"][0] == "Moved"
    late = replace(record, run=replace(record.run, started=examples.STARTED.replace(year=2027)))
    assert "has closed" in told(late, "South")["Public telephone lines"][1]


def test_the_estate_names_a_provider_that_many_hang_on() -> None:
    record = examples.degraded()
    sites = tuple(replace(site, upstream="provider-a") for site in record.inventory.site[:3])
    record = replace(record, inventory=replace(record.inventory, site=sites))
    bullets = next(block for block in section(record).blocks if isinstance(block, Bullets))
    assert bullets.items[0] == (
        "3 sites leave by provider-a and by nothing else that the register names: Pathfinder "
        "House, South Cambridgeshire Hall and Waterbeach Depot."
    )


@pytest.mark.parametrize("name", ["equipped", "degraded", "with a case", "all-clear"])
def test_every_statement_leads_to_an_observation_or_a_line_of_the_register(name: str) -> None:
    record = examples.ALL[name]()
    inventory = record.inventory
    sites = {site.id: site for site in inventory.site}
    assets = {asset.id: asset for asset in inventory.asset}
    lines = {line.id for line in inventory.line}
    seen = {one.id for one in record.observations}
    for block in section(record).blocks:
        for *_, known, line in block.rows if isinstance(block, Table) else ():
            cites = known.cites if isinstance(known, Figure) else ()
            assert set(cites) <= seen
            assert cites or line != "–", known
            for place in str(line).split("; ") if line != "–" else ():
                what, _, key = place.partition(": ")
                kind, _, id_ = what.partition(" ")
                if not id_:  # "asset: none ...", "... not given": that it is not there is why
                    assert key.startswith("none ") or key.endswith(", not given")
                elif kind == "line":
                    assert id_ in lines
                else:
                    thing = sites[id_] if kind == "site" else assets[id_]
                    field, _, absent = key.partition(", ")
                    if field:
                        value = getattr(thing, field)
                        assert (value is None) == bool(absent) or field == "owner", place


def test_a_check_of_single_targets_has_no_such_section() -> None:
    record = examples.equipped()
    check = replace(record, run=replace(record.run, kind="check"))
    assert resilience_blocks(View(check)) == ()
    assert resilience_blocks(View(examples.one_target())) == ()
