"""The lab, built once for a run of pytest, with its servers and its packet holder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import faults, servers, topology
from tests.lab.servers import Servers
from tests.lab.topology import Lab


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, so that `-m 'not lab'` leaves them out."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker("lab")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with topology.build() as built:
        yield built


@pytest.fixture(scope="session")
def lab_servers(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers.serving(lab, tmp_path_factory.mktemp("servers")) as started:
        yield started


@pytest.fixture(scope="session")
def forwarder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return faults.build_forwarder(tmp_path_factory.mktemp("forwarder"))
