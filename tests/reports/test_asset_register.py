"""The register beside what was seen: matched by rule, and silent about what cannot be told."""

import csv
import io
from dataclasses import replace

import openpyxl
import pytest

from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import Asset, Inventory
from nethealth.model.observation import Passport
from nethealth.model.record import Record
from reports import compose, render
from reports.asset_register import COLUMNS, register_blocks, register_rows
from reports.document import Figure, KeyValues, Table
from reports.reconciled import plain_name, reconcile
from reports.registers import render_register
from reports.sightings import mac_of
from reports.view import View
from tests.reports import examples


def tables(record: Record) -> dict[str, Table]:
    return {
        block.caption.rpartition(":")[0]: block
        for block in register_blocks(View(record))
        if isinstance(block, Table)
    }


def with_register(record: Record, *assets: Asset) -> Record:
    return replace(record, inventory=replace(record.inventory, asset=assets))


def test_who_is_in_one_alone_and_who_in_both() -> None:
    found = reconcile(View(examples.equipped()))
    assert [one.asset.id for one in found.both] == ["hall-pbx"]
    assert [(seen.name, seen.mac, seen.telephone) for seen in found.strangers] == [
        ("name-qnj7bzlicrhs", "00:1b:4f:00:00:07", True),
        ("cellar-switch", "", False),
    ]
    assert {one.asset.id: one.why for one in found.missing} == {
        "guildhall-pbx": "it answered nothing in this run",
        "guildhall-probe": "no check of it was planned",
    }
    assert found.present == 2


def test_the_telephone_says_its_model_and_firmware() -> None:
    shown = tables(examples.equipped())
    [stranger, _] = shown["Seen, and not in the register"].rows
    assert list(map(str, stranger)) == [
        "name-qnj7bzlicrhs", "telephone", "South Cambridgeshire Hall", "00:1b:4f:00:00:07", "–",
        "Avaya 9611G", "hall-dns, Gi1/0/7",
    ]  # fmt: skip
    assert isinstance(stranger[0], Figure)
    assert stranger[0].cites == ("hall-dns:snmp/4",)
    models = shown["Models and firmware, as the devices say"].rows
    assert ("Avaya 9611G", "S9611_6.8.5") in [tuple(map(str, row[:2])) for row in models]


@pytest.mark.parametrize(
    ("asset", "by"),
    [
        ({"mac": "00-1B-4F-AA-00-01", "address": "198.18.99.9"}, "MAC address"),
        ({"address": "198.18.2.10"}, "IP address"),  # by ARP: its LLDP names no address
        ({"name": "hall-pbx.other.example", "address": "198.18.99.9"}, "name"),
    ],
)
def test_the_first_rule_that_fits_is_said(asset: dict[str, str], by: str) -> None:
    record = with_register(
        examples.equipped(),
        Asset(id="exchange", site="hall", kind="pbx", **asset),  # type: ignore[arg-type]
    )
    [one] = reconcile(View(record)).both
    assert (one.asset.id, one.seen.name, one.by) == ("exchange", "HALL-PBX.example", by)


def test_a_mac_address_goes_before_an_address_that_was_given_to_another() -> None:
    record = with_register(
        examples.equipped(),
        Asset(id="moved", site="hall", kind="pbx", address="198.18.2.10"),
        Asset(id="real", site="hall", kind="pbx", address="198.18.2.11", mac="00:1b:4f:aa:00:01"),
    )
    [one] = reconcile(View(record)).both
    assert one.asset.id == "real"
    rows = tables(record)["The register and the device say different things"].rows
    assert [tuple(map(str, row[3:])) for row in rows] == [
        ("IP address", "198.18.2.11", "198.18.2.10")
    ]


def test_what_an_exchange_answers_by_sip_is_set_beside_its_line() -> None:
    """The register has an Exchange 11; its SIP server says Avaya, to the probe's own request."""
    record = examples.degraded()
    pbx = replace(record.inventory.asset[0], model="Exchange 11")
    shown = tables(with_register(record, pbx))
    [row] = shown["The register and the device say different things"].rows
    assert list(map(str, row)) == [
        "hall-pbx", "South Cambridgeshire Hall", "its own answer", "model", "Exchange 11",
        "Avaya CM/R016x.03",
    ]  # fmt: skip
    assert isinstance(row[-1], Figure)
    assert row[-1].cites == ("hall-pbx:sip/4",)
    same = replace(pbx, model="Avaya CM")
    assert "The register and the device say different things" not in tables(
        with_register(record, same)
    )


def test_what_a_device_calls_itself_by_snmp_is_its_name() -> None:
    """Another switch tells of hall-core; the register knows it as hall-dns."""
    record = examples.equipped()
    told: Passport = {"protocol": "cdp", "interface": "Gi0/1", "port": "Gi1/0/24"}
    last = record.observations[-1]
    seen = replace(last, id="x/1", name="neighbour_name", value="HALL-CORE", method=told)
    found = reconcile(View(replace(record, observations=(*record.observations, seen))))
    assert ("hall-dns", "name") in [(one.asset.id, one.by) for one in found.both]


def test_the_router_of_a_site_is_no_stranger() -> None:
    record = examples.equipped()
    told: Passport = {"mac": "00:00:5e:00:01:01", "address": "198.18.2.1", "telephone": False}
    last = record.observations[-1]
    seen = replace(last, id="x/1", name="neighbour_device", value="r1", method=told)
    found = reconcile(View(replace(record, observations=(*record.observations, seen))))
    assert "r1" not in [one.name for one in found.strangers]


def test_a_model_that_is_part_of_what_the_device_says_is_no_difference() -> None:
    def said(model: str) -> list[str]:
        record = examples.equipped()
        pbx = replace(record.inventory.asset[0], model=model)
        table = tables(with_register(record, pbx)).get(
            "The register and the device say different things"
        )
        return [str(row[3]) for row in table.rows] if table else []

    assert said("Exchange-12") == []
    assert said("exchange") == []
    assert said("Exchange 11") == ["model"]


@pytest.mark.parametrize(
    ("outcome", "failure", "there"),
    [
        (Outcome.COMPLETED, None, True),
        (Outcome.FAILED, Failure.REFUSED, True),  # who refuses is there
        (Outcome.FAILED, Failure.TIMEOUT, False),
    ],
)
def test_an_answer_of_any_kind_shows_that_a_thing_is_there(
    outcome: Outcome, failure: Failure | None, there: bool
) -> None:
    draft = examples.Draft()
    draft.ping("guildhall-pbx", None, 20)
    draft.check("guildhall-pbx", "tcp", "198.18.7.10:5060", outcome=outcome, failure=failure)
    record = with_register(
        draft.record(),
        Asset(id="guildhall-pbx", site="guildhall", kind="pbx", address="198.18.7.10"),
    )
    assert bool(reconcile(View(record)).missing) != there


def test_a_silent_device_in_a_switchs_table_is_there() -> None:
    record = with_register(
        examples.equipped(),
        Asset(
            id="phone", site="hall", kind="phone", address="198.18.2.77", mac="02:00:00:00:00:99"
        ),
    )
    assert reconcile(View(record)).missing == ()


def test_what_only_passes_through_a_switch_is_counted_and_not_named() -> None:
    blocks = register_blocks(View(examples.equipped()))
    pairs = dict(next(block for block in blocks if isinstance(block, KeyValues)).pairs)
    # two were learned; one of them is the telephone that introduced itself
    assert pairs["Learned by switches"] == (
        "2 MAC addresses, 1 of which no line of the register has"
    )
    assert not any(
        "02:00:00:00:00:99" in row["mac"] for row in register_rows(View(examples.equipped()))
    )


def test_telephones_that_asked_by_dhcp_are_counted_beside_the_register() -> None:
    draft = examples.Draft()
    kinds: Passport = {"vlan": 20, "kinds": ["ccp.avaya.com"], "kind_clients": [12]}
    draft.check("198.18.2.0", "capture", "lan.pcap", [
        ("dhcp_phone_client_count", 12, "clients", kinds)
    ])  # fmt: skip
    record = draft.record()
    pairs = dict(next(b for b in register_blocks(View(record)) if isinstance(b, KeyValues)).pairs)
    said = pairs["Telephones that asked by DHCP"]
    assert said.startswith("12 in VLAN 20 (ccp.avaya.com)")
    assert said.endswith("the register has 1 telephone")


def test_age_support_and_security_stand_in_one_table() -> None:
    rows = [
        tuple(map(str, row))
        for caption, table in tables(examples.equipped()).items()
        if caption.startswith("Installed")
        for row in table.rows
    ]
    assert rows == [
        ("hall-pbx", "South Cambridgeshire Hall", "2004 (22 years)", "over since 31 Dec 2018", "–",
         "3C ICT"),
        ("hall-dns", "South Cambridgeshire Hall", "2022 (4 years)", "1 Mar 2027", "found",
         "3C ICT"),
    ]  # fmt: skip


def test_without_a_register_or_a_sighting_nothing_is_claimed() -> None:
    assert register_blocks(View(replace(examples.equipped(), inventory=Inventory()))) == ()
    pairs = dict(
        next(
            block
            for block in register_blocks(View(examples.degraded()))
            if isinstance(block, KeyValues)
        ).pairs
    )
    assert pairs["Introduced themselves"].startswith("none: no switch was read")


@pytest.mark.parametrize(
    ("given", "plain"),
    [("Hall-SW.council.example", "hall-sw"), ("hall-sw", "hall-sw"),
     ("St. Ives switch", "st. ives switch"), ("St. Neots gateway", "st. neots gateway")],
)  # fmt: skip
def test_a_host_has_a_domain_and_a_saint_has_none(given: str, plain: str) -> None:
    assert plain_name(given) == plain


def test_the_table_for_the_registers_keeper() -> None:
    rows = register_rows(View(examples.equipped()))
    assert [(row["state"], row["asset"] or row["name"]) for row in rows] == [
        ("seen, not in the register", "name-qnj7bzlicrhs"),
        ("seen, not in the register", "cellar-switch"),
        ("in both", "hall-pbx"),
        ("in both", "hall-dns"),
        ("in the register, not seen", "guildhall-pbx"),
        ("in the register, not seen", "guildhall-probe"),
    ]
    read = list(
        csv.DictReader(
            io.StringIO(render_register(COLUMNS, rows, xlsx=False).decode("utf-8-sig"), newline="")
        )
    )
    assert read == rows
    book = openpyxl.load_workbook(
        io.BytesIO(render_register(COLUMNS, rows, xlsx=True, sheet="Register"))
    )
    assert [cell.value for cell in book["Register"][1]] == list(COLUMNS)
    assert book["Register"].max_row == len(rows) + 1


def test_every_format_has_the_section() -> None:
    record = examples.equipped()
    html, text, xlsx = render(record, ["html", "text", "xlsx"])
    assert b"cellar-switch" in html
    assert b"cellar-switch" in text
    book = openpyxl.load_workbook(io.BytesIO(xlsx))
    assert any(name.startswith("The register beside") for name in book.sheetnames)
    keys = [one.key for one in compose(record).sections]
    assert keys.index("findings") < keys.index("resilience") < keys.index("register")


def test_a_hostile_name_is_clipped_text() -> None:
    record = examples.equipped()
    told: Passport = {"mac": "02:00:00:00:00:01", "model": "<script>" * 500, "telephone": True}
    last = record.observations[-1]
    seen = replace(last, id="x/1", name="neighbour_device", value="=cmd\n<b>" * 99, method=told)
    spoilt = replace(record, observations=(*record.observations, seen))
    [html] = render(spoilt, ["html"])
    assert b"<script>" not in html
    rows = register_rows(View(spoilt))
    row = next(row for row in rows if row["mac"] == "02:00:00:00:00:01")
    assert len(row["model seen"]) <= 80
    assert "'=cmd" in render_register(COLUMNS, [row], xlsx=False).decode("utf-8-sig")


@pytest.mark.parametrize(
    ("given", "mac"),
    [
        ("00:1B:4F:00:00:07", "00:1b:4f:00:00:07"), ("00-1b-4f-00-00-07", "00:1b:4f:00:00:07"),
        ("00:1b:4f:00:00", ""), ("0:1b:4f:00:00:07", ""), ("zz:1b:4f:00:00:07", ""), (7, ""),
        (None, ""),
    ],
)  # fmt: skip
def test_mac_addresses(given: object, mac: str) -> None:
    assert mac_of(given) == mac
