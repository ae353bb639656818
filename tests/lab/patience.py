"""For tests that hold our clock against another's, on a machine that may be busy (ADR 7)."""

import pytest

# Only for what a busy machine spoils by making it later: a fault of ours is there every time.
again = pytest.mark.flaky(reruns=2, only_rerun=["AssertionError", "PeerError"])
