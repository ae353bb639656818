"""A load is planned only where it is meant, and never above half of what a line is declared for."""

import pytest

from nethealth.inventory import InventoryError, parse
from nethealth.model.check import CoexistenceParameters
from nethealth.model.inventory import Asset, Inventory, Site
from nethealth.plan import TargetError, plan_inventory, plan_targets
from nethealth.plan import sites as plan_sites
from nethealth.plan.loads import load_guards

HEAD = """\
[[council]]
id = "c"
name = "C"
[[site]]
id = "hq"
council = "c"
name = "HQ"
gateway = "198.18.0.1"
{near}
[[site]]
id = "hall"
council = "c"
name = "Hall"
gateway = "198.18.2.1"
{rates}
[[asset]]
id = "web"
site = "hall"
kind = "server"
address = "198.18.2.20"
[[asset]]
id = "pbx"
site = "hall"
kind = "pbx"
address = "198.18.2.10"
[[asset]]
id = "r"
site = "hall"
kind = "reflector"
address = "198.18.2.30"
"""
RATES = "wan_down_mbps = 20\nwan_up_mbps = 8"
TABLE = "[asset.coexistence]\n"


def sites(table: str = TABLE, rates: str = RATES, near: str = "", top: str = "") -> str:
    return top + HEAD.format(rates=rates, near=near) + table


def load(text: str, **options: str) -> CoexistenceParameters:
    (check,) = plan_targets(["r"], parse(text), probes=("coexistence",), options=options)
    assert isinstance(check.parameters, CoexistenceParameters)
    assert (check.id, check.target) == ("r:coexistence", "stamp:198.18.2.30")
    return check.parameters


def faults(text: str) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        parse(text)
    return [str(fault) for fault in caught.value.faults]


def refused(text: str, *targets: str, **options: str) -> str:
    with pytest.raises(TargetError) as caught:
        plan_targets(targets or ["r"], parse(text), probes=("coexistence",), options=options)
    return str(caught.value)


def test_it_is_planned_with_its_table_and_by_no_default() -> None:
    def kinds(text: str) -> set[str]:
        return {check.probe for check in plan_inventory(parse(text)) if check.asset == "r"}

    assert kinds(sites("")) == {"ping", "stamp"}
    assert kinds(sites()) == {"ping", "stamp", "coexistence"}


def test_half_of_the_declared_rate_is_the_default_and_the_most() -> None:
    assert (load(sites("")).download_bps, load(sites("")).upload_bps) == (10e6, 4e6)
    asked = load(sites(TABLE + "download_mbps = 10\nupload_mbps = 0.5"))
    assert (asked.download_bps, asked.upload_bps) == (10e6, 0.5e6)
    assert (asked.declared_down_bps, asked.declared_up_bps) == (20e6, 8e6)
    (fault,) = faults(sites(TABLE + "upload_mbps = 4.1"))
    assert fault.endswith(
        'asset[3] "r".coexistence.upload_mbps: found 4.1 Mbit/s; '
        "allowed: at most 4 Mbit/s, 50% of the declared rate"
    )
    assert "found 10.5 Mbit/s; allowed: at most 10 Mbit/s" in refused(
        sites(""), download_mbps="10.5"
    )


@pytest.mark.parametrize(("direction", "down", "up"), [
    ("both", 10e6, 4e6), ("download", 10e6, None), ("upload", None, 4e6),
])  # fmt: skip
def test_one_direction_alone(direction: str, down: float | None, up: float | None) -> None:
    asked = load(sites(""), direction=direction)
    assert (asked.download_bps, asked.upload_bps) == (down, up)


def test_without_a_declared_rate_there_is_no_load() -> None:
    (fault,) = faults(sites(rates="wan_down_mbps = 20"))
    assert "found an upload at a site that declares no wan_up_mbps" in fault
    assert 'allowed: wan_up_mbps in [[site]] "hall": a load is at most half of it' in fault
    assert "an upload at a site that declares no wan_up_mbps" in refused(
        sites("", rates="wan_down_mbps = 20")
    )
    assert load(sites("", rates="wan_down_mbps = 20"), direction="download").upload_bps is None


def test_a_target_outside_the_inventory_declares_nothing() -> None:
    words = refused(sites(""), "198.18.2.30")
    assert "coexistence needs an asset of the inventory, whose site declares" in words
    with pytest.raises(TargetError, match="needs an asset of the inventory"):
        plan_targets(["stamp:198.18.2.30"], None, probes=("coexistence",))


def test_the_vantages_own_line_is_spared_too() -> None:
    # What the hall downloads, HQ uploads: 6 Mbit/s of HQ allow 3.
    near = "wan_down_mbps = 100\nwan_up_mbps = 6"
    at_hq = '[vantage]\nsite = "hq"\n'
    asked = load(sites("", near=near, top=at_hq))
    assert (asked.download_bps, asked.upload_bps) == (3e6, 4e6)
    (fault,) = faults(sites(TABLE + "download_mbps = 4", near=near, top=at_hq))
    assert "found 4 Mbit/s; allowed: at most 3 Mbit/s" in fault
    inside = '[vantage]\nsite = "hall"\n'
    assert load(sites("", near=near, top=inside)).download_bps == 10e6


def test_who_is_watched_during_a_load() -> None:
    at_hq = '[vantage]\nsite = "hq"\n'
    assert load(sites("", top=at_hq)).guards == (
        ("near", "198.18.0.1"), ("gateway", "198.18.2.1"), ("pbx", "198.18.2.10"),
        ("web", "198.18.2.20"),
    )  # fmt: skip
    assert [name for name, _ in load(sites("")).guards] == ["gateway", "pbx", "web"]


def test_a_load_that_its_deadline_would_cut_short() -> None:
    (fault,) = faults(sites(TABLE + "load_s = 12"))
    # 5 + 2 * (12 + 2) + 3 + 3.5
    assert "found 39.5 s in all, idle and loaded; allowed: at most sweep.deadline_s = 35 s" in fault
    (check,) = plan_targets(
        ["r"], parse(sites("")), probes=("coexistence",), options={"load_s": "12"}
    )
    assert check.deadline_s == 39.5


@pytest.mark.parametrize(("key", "value", "allowed"), [
    ("load_s", "16", "at most 15"), ("guard_delay_ms", "500", "at most 400"),
    ("guard_loss", "0.5", "0.2"), ("direction", '"sideways"', '"both", "download", "upload"'),
    ("dscp", "0", "from 1 to 63"),
])  # fmt: skip
def test_the_keys_are_bounded(key: str, value: str, allowed: str) -> None:
    said = faults(sites(TABLE + f"{key} = {value}"))
    assert any(key in fault and allowed.removeprefix("at most ") in fault for fault in said)


def test_a_check_that_is_listed_needs_its_table() -> None:
    (fault,) = faults(sites('checks = ["coexistence"]\n'))
    assert '"coexistence" without a table [asset.coexistence]' in fault


def test_guards_are_sought_for_a_load_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are sought among all assets, so that seeking them for each would take for ever."""
    sought: list[str] = []

    def seek(asset: Asset, site: Site, inventory: Inventory) -> tuple[tuple[str, str], ...]:
        sought.append(asset.id)
        return load_guards(asset, site, inventory)

    monkeypatch.setattr(plan_sites, "load_guards", seek)
    assert plan_inventory(parse(sites(table="")))
    assert sought == []
    load(sites())
    assert sought == ["r"]
