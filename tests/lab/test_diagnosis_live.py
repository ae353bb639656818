"""Trouble of the network that is made for real, and named from sweeps and recordings of it."""

from pathlib import Path
from typing import Any

from tests.lab import switch, troubles
from tests.lab.program import Ran
from tests.lab.topology import Lab, ipv4


def by_id(ran: Ran) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in ran.record["findings"]}


def accused(ran: Ran) -> set[str]:
    """What blames the telephony, however surely."""
    return {
        one["id"] for one in ran.record["findings"] if one["direction"] == "telephony-to-network"
    }


def test_paging_to_every_port_harms_the_path_and_is_the_telephonys(
    lab: Lab, tmp_path: Path
) -> None:
    ran = troubles.paging(lab, tmp_path)
    flood = f"multicast-flood:hall:{ipv4('hall-pbx')}"
    found = by_id(ran)
    assert found["packet-loss:hall"]["verdict"] == "demonstrated", found.keys()
    assert found[flood]["verdict"] == "supported"
    assert "a pbx" in found[flood]["statement"]
    assert accused(ran) == {flood}


def test_as_large_a_backup_is_nobodys_telephony(lab: Lab, tmp_path: Path) -> None:
    ran = troubles.backup(lab, tmp_path)
    flood = by_id(ran)[f"multicast-flood:hall:{ipv4('hall-server')}"]
    assert by_id(ran)["packet-loss:hall"]["verdict"] == "demonstrated"
    assert (flood["verdict"], flood["direction"]) == ("supported", "not-telephony")
    assert accused(ran) == set()


def test_a_telephone_patched_twice_is_a_loop(lab: Lab, tmp_path: Path) -> None:
    ran = troubles.loop(lab, tmp_path)
    found = by_id(ran)
    assert found["broadcast-storm:hall-switch"]["verdict"] == "demonstrated"
    loop = found["phone-loop:hall-switch"]
    assert loop["verdict"] == "supported", loop
    assert all(test["result"].startswith("no: ") for test in loop["refutations"]), loop
    assert accused(ran) == {"phone-loop:hall-switch"}


def test_a_telephone_with_a_servers_address_is_the_second_claimant(
    lab: Lab, tmp_path: Path
) -> None:
    ran = troubles.conflict(lab, tmp_path)
    name = f"address-conflict:hall:{ipv4('hall-server')}"
    assert accused(ran) == {name}, by_id(ran)
    found = by_id(ran)[name]
    assert found["verdict"] == "supported"
    assert switch.mac(lab, "hall-phone") in found["statement"]


def test_loss_of_a_provider_is_its_own_whether_the_telephones_speak_or_not(
    lab: Lab, tmp_path: Path
) -> None:
    for ran in troubles.provider(lab, tmp_path):
        found = by_id(ran)["provider-loss:Northline"]
        assert (found["verdict"], found["direction"]) == ("supported", "not-telephony")
        assert found["symptoms"] == ["packet-loss:depot", "packet-loss:hall"]
        assert accused(ran) == set()


def test_a_room_is_too_hot_before_its_link_drops(lab: Lab, tmp_path: Path) -> None:
    last, whole = (by_id(ran) for ran in troubles.heating(lab, tmp_path))
    assert last["site-outage:hall"]["verdict"] == "demonstrated"
    assert "site-outage:hall" in last["overheating:hall"]["symptoms"]
    for found in (last, whole):
        room = found["overheating:hall"]
        assert (room["verdict"], room["severity"]) == ("demonstrated", "critical")
        assert "was at 41.0 °C at Rack 1" in room["statement"]
        assert "cannot be read now" in room["statement"]
        assert {one["direction"] for one in found.values()} == {None}
