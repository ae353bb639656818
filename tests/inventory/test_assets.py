"""An asset register becomes an inventory, and every row that does not is accounted for."""

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.inventory import parse
from nethealth.inventory.assets import AssetFileError, Unplaced, build, parse_map, rows_from_csv

REGISTER = """\
Asset Tag,Host Name,IP Address,Location,Organisation,Device Type,Manufacturer,Model,Custodian,\
Install Date,Warranty Expiry,Colour
A1,pbx1,198.18.2.10,South Cambs Hall,SCDC,IP PBX,Nortel,Meridian 11,ICT,03/04/2004,31/12/2018,red
A2,ph1,198.18.2.300,South Cambs Hall,SCDC,Handset,,,,,,
A1,ph2,198.18.2.12,South Cambs Hall,SCDC,Handset,,,,,,
A4,ph3,198.18.2.13,,SCDC,Handset,,,,,,

A5,fw,198.18.2.1/24,south cambs hall ,,Firewall,,,N/A,soon,2019,
A6,m,198.18.2.77,Depot,City,Mobile Phone,,,,,,
A7,n,198.18.2.10,Depot,City,Handset,,,,,,
A8,,,Depot,City,Handset,,,,,,
A9,print.example,dhcp,Depot,City,Web server,,,,,,
"""


def test_a_register_is_read_and_every_row_accounted_for() -> None:
    imported = build(rows_from_csv(REGISTER.encode()))
    inventory = parse(imported.text)
    assert [(council.id, council.name) for council in inventory.council] == [
        ("scdc", "SCDC"), ("city", "City"),
    ]  # fmt: skip
    assert [(site.id, site.council, site.name) for site in inventory.site] == [
        ("south-cambs-hall", "scdc", "South Cambs Hall"), ("depot", "city", "Depot"),
    ]  # fmt: skip
    pbx, firewall, web = inventory.asset
    assert (pbx.id, pbx.kind, pbx.address, pbx.name) == ("a1", "pbx", "198.18.2.10", "pbx1")
    assert (pbx.vendor, pbx.model, pbx.owner) == ("Nortel", "Meridian 11", "ICT")
    assert (pbx.installed, pbx.end_of_support) == (2004, date(2018, 12, 31))
    assert (firewall.kind, firewall.site, firewall.address, firewall.owner) == (
        "router", "south-cambs-hall", "198.18.2.1", None,
    )  # fmt: skip
    assert (web.kind, web.address) == ("service", "print.example")
    assert imported.placed == 3
    assert [(row.row_number, row.reason) for row in imported.unplaced] == [
        (3, '"198.18.2.300" is neither an address nor a host name'),
        (4, 'the same asset tag as row 2: "A1"'),
        (5, "no site"),
        (8, 'the kind "Mobile Phone" is not known: say what it is in a map file, '
            '[kinds] "Mobile Phone" = one of the kinds'),
        (9, 'the same address as row 2: "198.18.2.10"'),
        (10, "neither an address nor a host name"),
    ]  # fmt: skip
    assert (
        imported.unplaced[0].content
        == "A2 | ph1 | 198.18.2.300 | South Cambs Hall | SCDC | Handset"
    )
    assert imported.unread == (
        Unplaced(7, "Install Date: no date that can be read with certainty", "soon"),
        Unplaced(7, "Warranty Expiry: no date that can be read with certainty", "2019"),
    )
    assert imported.columns["address"] == "IP Address"
    assert imported.unmatched == ("Colour",)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("asset_tag", "id"), ("ASSET NO.", "id"), ("Hostname", "hostname"), ("FQDN", "hostname"),
        ("IP-Address", "address"), ("Mgmt IP", "address"), ("IP address (management)", "address"),
        ("Site name", "site"), ("Building", "site"), ("Local Authority", "council"),
        ("Organization", "council"), ("Category", "kind"), ("device-type", "kind"),
        ("Make", "vendor"), ("Model No", "model"), ("Responsible Officer", "owner"),
        ("Assigned To", "owner"), ("Purchase date", "installed"), ("EOL", "end_of_support"),
        ("Warranty expiry", "end_of_support"), ("End-of-Support", "end_of_support"),
        ("Description", "name"), ("MAC Addr.", "mac"),
    ],
)  # fmt: skip
def test_usual_names_of_columns(header: str, field: str) -> None:
    assert build([{header: "x"}]).columns == {field: header}


@pytest.mark.parametrize(
    ("cell", "mac"),
    [
        ("001B.4F12.3456", "00:1b:4f:12:34:56"), ("00-1B-4F-12-34-56", "00:1b:4f:12:34:56"),
        ("001b4f123456", "00:1b:4f:12:34:56"), ("001b4f12345", None), ("see label", None),
    ],
)  # fmt: skip
def test_mac_addresses_in_any_punctuation(cell: str, mac: str | None) -> None:
    imported = build([{"IP": "::1", "Site": "s", "Type": "phone", "MAC": cell}])
    assert parse(imported.text).asset[0].mac == mac
    assert [one.content for one in imported.unread] == ([] if mac else [cell])


def test_the_more_trusted_of_two_columns_is_taken() -> None:
    columns = build(
        [{"Address": "1 High St", "IP": "::1", "Name": "n", "Device Name": "d"}]
    ).columns
    assert columns == {"address": "IP", "hostname": "Device Name", "name": "Name"}


def kind_of(cells: Mapping[str, str], kinds: Mapping[str, str] | None = None) -> str | None:
    imported = build([{"IP": "::1", "Site": "s", **cells}], kinds=kinds)
    return parse(imported.text).asset[0].kind if imported.placed else None


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("PABX", "pbx"), ("IP PBX", "pbx"), ("IP-PBX", "pbx"), ("Nortel Meridian", "pbx"),
        ("Telephone system", "pbx"), ("Call Manager", "pbx"), ("telephone switch", "pbx"),
        ("Session Border Controller", "sbc"), ("SBC", "sbc"), ("Voice gateway", "gateway"),
        ("VoIP Handset", "phone"), ("Deskphone", "phone"), ("IP Phone", "phone"),
        ("DECT handsets", "phone"), ("Telephone", "phone"), ("ATA", "ata"),
        ("Analogue Telephone Adaptor", "ata"), ("Firewall", "router"), ("Router", "router"),
        ("Internet gateway", "router"), ("PoE Switch", "switch"), ("Core Switches", "switch"),
        ("Server", "server"), ("Virtual Machine", "server"), ("DNS", "server"),
        ("Exchange server", "server"), ("Application server", "server"), ("Web server", "service"),
        ("Website", "service"), ("Temperature Sensor", "sensor"),
        ("Environmental monitor", "sensor"), ("Reflector", "reflector"),
        ("Mobile phone", None), ("Laptop", None), ("Headset", None), ("Switchboard", None),
        ("Chair", None), ("", None),
    ],
)  # fmt: skip
def test_kinds_by_the_usual_words(words: str, kind: str | None) -> None:
    assert kind_of({"Type": words}) == kind


def test_a_kind_that_says_nothing_is_told_from_the_model_and_a_map_goes_first() -> None:
    assert kind_of({"Type": "Telephony", "Model": "Meridian 61C"}) == "pbx"
    assert kind_of({"Model": "Meridian 61C"}) == "pbx"
    assert kind_of({"Type": "Avaya  SET"}, {"avaya set": "phone"}) == "phone"
    assert kind_of({"Type": "Server"}, {"server": "pbx"}) == "pbx"
    assert kind_of({"Type": ""}, {"": "switch"}) == "switch"
    assert kind_of({"Type": "", "Model": "Meridian"}, {"": "switch"}) == "pbx"
    assert kind_of({"Type": "Chair"}, {"": "switch"}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-12-31", date(2027, 12, 31)), ("2027-12-31 00:00:00", date(2027, 12, 31)),
        ("2027/1/2", date(2027, 1, 2)), ("31/12/2027", date(2027, 12, 31)),
        ("3.4.2027", date(2027, 4, 3)), ("3 Apr 2027", date(2027, 4, 3)),
        ("03-April-2027", date(2027, 4, 3)), ("12/31/2027", None), ("31/12/27", None),
        ("2027", None), ("46000", None), ("30/02/2027", None),
    ],
)  # fmt: skip
def test_dates(text: str, expected: date | None) -> None:
    imported = build([{"IP": "::1", "Site": "s", "Type": "pbx", "EOL": text}])
    assert parse(imported.text).asset[0].end_of_support == expected
    assert bool(imported.unread) is (expected is None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2004", 2004), ("03/04/2004", 2004), ("2004-04-03", 2004), ("Apr-2004", 2004),
     ("soon", None), ("1899", None), ("120045", None)],
)  # fmt: skip
def test_years(text: str, expected: int | None) -> None:
    imported = build([{"IP": "::1", "Site": "s", "Type": "pbx", "Installed": text}])
    assert parse(imported.text).asset[0].installed == expected


def test_ids_are_unique_among_sites_and_assets_and_fit_the_model() -> None:
    rows = [
        {"IP": f"198.18.0.{n}", "Site": "Hall", "Type": "phone", "Hostname": name}
        for n, name in enumerate(["Hall", "hall!", "Ünï Côde", "☎", "x" * 99, "日本"])
    ]
    assert [asset.id for asset in parse(build(rows).text).asset] == [
        "hall-2", "hall-3", "uni-code", "phone", "x" * 48, "phone-2",
    ]  # fmt: skip
    assert [site.id for site in parse(build(rows).text).site] == ["hall"]


def test_one_site_name_in_two_councils_is_two_sites() -> None:
    rows = [
        {"IP": f"198.18.0.{n}", "Site": site, "Council": council, "Type": "phone"}
        for n, (site, council) in enumerate([("Depot", "A"), ("depot", "B"), ("DEPOT", "")])
    ]
    inventory = parse(build(rows).text)
    assert [(site.id, site.council) for site in inventory.site] == [
        ("depot", "a"),
        ("depot-2", "b"),
    ]
    assert [asset.site for asset in inventory.asset] == ["depot", "depot-2", "depot"]


def test_without_a_council_one_is_left_to_be_named() -> None:
    imported = build([{"IP": "::1", "Site": "Hall", "Type": "phone"}])
    assert parse(imported.text).council[0].name == "Council"
    assert "# The register names no council" in imported.text


def test_a_map_file_goes_before_the_usual_names() -> None:
    the_map = parse_map('[columns]\naddress = "Box"\n[kinds]\n"Avaya set" = "phone"\n')
    rows = [{"IP Address": "198.18.0.1", "box": "198.18.0.2", "Site": "s", "Type": "AVAYA SET"}]
    imported = build(rows, mapping=the_map.columns, kinds=the_map.kinds)
    (asset,) = parse(imported.text).asset
    assert (asset.kind, asset.address) == ("phone", "198.18.0.2")
    assert imported.unmatched == ("IP Address",)


def test_a_mapped_column_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(AssetFileError, match='lacks: "Box"; it has "IP"'):
        build([{"IP": "::1"}], mapping={"address": "Box"})


def test_every_fault_of_a_map_is_told_at_once() -> None:
    with pytest.raises(AssetFileError) as caught:
        parse_map('[columns]\nadress = "x"\nsite = 3\n[kinds]\na = "fone"\nb = 1\n', name="m.toml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(
        'm.toml: columns: found "adress" (did you mean "address"?); allowed:'
    )
    assert lines[1] == "m.toml: columns.site: found 3; allowed: text"
    assert '(did you mean "phone"?)' in lines[2]
    for text in ("x", "[column]\n", "columns = 3\n", "a = " + "[" * 9999):
        with pytest.raises(AssetFileError):
            parse_map(text)


def test_text_too_long_for_the_model_is_cut_and_said() -> None:
    imported = build([{"IP": "::1", "Site": "s", "Type": "pbx", "Owner": "o" * 501}])
    assert parse(imported.text).asset[0].owner == "o" * 500
    assert [cell.reason for cell in imported.unread] == ["owner: cut to 500 characters"]


def test_no_rows_are_an_empty_inventory() -> None:
    assert build([]).placed == 0
    assert parse(build([]).text).asset == ()


HOSTILE = st.text(
    st.one_of(
        st.sampled_from("\"'\\\n\r\t\x00\x1b\x7f\x85\u2028\u202e\ud800]}=#%.☎😀"),
        st.characters(),
    ),
    max_size=12,
)
ROW = st.fixed_dictionaries(
    {
        "IP": st.one_of(st.sampled_from(["198.18.0.1", "::1", "a.example", "fe80::1%e"]), HOSTILE),
        "Site": HOSTILE,
        "Council": HOSTILE,
        "Type": st.one_of(st.sampled_from(["pbx", "web", "phone", "dns"]), HOSTILE),
        "Hostname": HOSTILE,
        "Tag": HOSTILE,
        "Owner": HOSTILE,
        "Model": HOSTILE,
        "EOL": st.one_of(st.dates().map(str), HOSTILE),
        "Installed": HOSTILE,
    }
)


@given(st.lists(ROW, max_size=8))
def test_whatever_the_cells_hold_the_text_parses_and_no_row_is_lost(
    rows: list[dict[str, str]],
) -> None:
    imported = build(rows, kinds={"": "server"})
    inventory = parse(imported.text)
    assert len(inventory.asset) == imported.placed
    assert imported.placed + len(imported.unplaced) == len(rows)
    for each in (*imported.unplaced, *imported.unread):
        assert (each.reason + each.content).isprintable()
