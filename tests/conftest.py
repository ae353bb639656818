"""What every test shares: captures that only some machines have, and how often one may repeat."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests import captures

# How long it takes to draw an example says how busy the machine is, not whether the code is right.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")

_LEFT_OUT = pytest.StashKey[int]()
# One in some hundred may meet a busy moment of the machine; more are a fault of ours.
REPEATED_MOST = 5


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that read shared captures where there are none; CI must have them."""
    if captures.present():
        return
    reading = [item for item in items if item.get_closest_marker("captures")]
    if reading and os.environ.get("CI"):
        raise pytest.UsageError(
            f"no captures at {captures.folder()}: CI needs them (set NETHEALTH_CAPTURES)"
        )
    items[:] = [item for item in items if item not in reading]
    config.stash[_LEFT_OUT] = len(reading)


def pytest_report_collectionfinish(config: pytest.Config) -> str | list[str]:
    left_out = config.stash.get(_LEFT_OUT, 0)
    if not left_out:
        return []
    return (
        f"{left_out} tests that read shared captures are not collected: "
        f"none at {captures.folder()} (set NETHEALTH_CAPTURES)"
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which more tests passed only at their second try than chance explains."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    too_many = reporter is not None and _repeated(reporter) > REPEATED_MOST
    if too_many and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    repeated = _repeated(terminalreporter)
    if repeated > REPEATED_MOST:
        terminalreporter.write_line(
            f"{repeated} tests failed at first; of live tests at most {REPEATED_MOST} may (ADR 7)"
        )


def _repeated(reporter: pytest.TerminalReporter) -> int:
    """How often a test was repeated that is not marked as one that a busy machine makes late."""
    return sum("flaky" not in report.keywords for report in reporter.stats.get("rerun", ()))
