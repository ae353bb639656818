"""Addresses of a capture and where they stand, as an inventory tells."""

import pytest

from nethealth.diagnosis.ends import Ends
from nethealth.diagnosis.evidence import gather
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import known


@pytest.fixture(scope="module")
def ends() -> Ends:
    scene = Scene()
    known(scene, "hall-pbx", "pbx", "198.51.100.10")
    known(scene, "hall-six", "server", "2001:db8:0:1::10")
    known(scene, "depot-six", "server", "2001:db8:0:2::10")
    known(scene, "depot-phone", "phone", "203.0.113.21")
    known(scene, "mill-phone", "phone", "203.0.113.22")
    return Ends(gather(scene.record()))


@pytest.mark.parametrize(
    ("endpoint", "asset", "site"),
    [
        ("198.51.100.10", "hall-pbx", "hall"),
        ("198.51.100.10:5060", "hall-pbx", "hall"),
        ("198.51.100.77:4000", None, "hall"),  # the same /24, which is the hall's alone
        ("192.0.2.1:4000", None, None),
        ("203.0.113.21:4000", "depot-phone", "depot"),
        ("203.0.113.99:4000", None, None),  # a /24 of two sites says nothing
        ("[2001:db8:0:1::10]:5060", "hall-six", "hall"),
        ("[2001:db8:0:1::99]:4000", None, "hall"),
        ("2001:db8:0:1::99", None, "hall"),
        ("2001:db8:0:2::10", "depot-six", "depot"),
        ("[2001:db8:0:3::1]:4000", None, None),
    ],
)
def test_where_an_address_stands(
    ends: Ends, endpoint: str, asset: str | None, site: str | None
) -> None:
    for _ in range(2):  # the second time it is remembered
        end = ends.of(endpoint)
        assert end is not None
        assert (end.asset.id if end.asset else None, end.site) == (asset, site)


@pytest.mark.parametrize("nothing", ["", "nowhere", "nowhere:5060", "1.2.3:4", None, 7, "x" * 100])
def test_what_is_no_address_has_no_end(ends: Ends, nothing: object) -> None:
    assert ends.of(nothing) is None
