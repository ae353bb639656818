"""What calls take of a line, against the planning tables that every vendor prints."""

import pytest

from nethealth.quality.bandwidth import (
    ETHERNET_OCTETS,
    GAP_OCTETS,
    PREAMBLE_OCTETS,
    TAG_OCTETS,
    call_rate_bps,
    calls_fit,
    tcp_share,
)

# kb/s of one direction at 50 packets a second: IP alone, Ethernet, tagged, with preamble, with gap.
TABLE = {
    160: (80.0, 87.2, 88.8, 90.4, 95.2),  # G.711, G.722
    20: (24.0, 31.2, 32.8, 34.4, 39.2),  # G.729
    80: (48.0, 55.2, 56.8, 58.4, 63.2),  # G.726-32
}
# The table's last two columns are of untagged frames.
LAYERS = (
    0,
    ETHERNET_OCTETS,
    ETHERNET_OCTETS + TAG_OCTETS,
    ETHERNET_OCTETS + PREAMBLE_OCTETS,
    ETHERNET_OCTETS + PREAMBLE_OCTETS + GAP_OCTETS,
)


@pytest.mark.parametrize("speech", TABLE)
def test_the_rate_of_a_call_on_each_layer(speech: int) -> None:
    rates = [call_rate_bps(speech, link_octets=octets) / 1000 for octets in LAYERS]
    assert rates == pytest.approx(TABLE[speech])


def test_how_many_calls_fit() -> None:
    # 2 Mbit/s / 95.2 kbit/s = 21.008; / 39.2 = 51.02. One bit less, and a call less.
    assert calls_fit(2e6, 160) == 21
    assert calls_fit(2e6, 20) == 51
    assert calls_fit(952_000, 160) == 10
    assert calls_fit(951_999, 160) == 9
    assert calls_fit(0, 160) == calls_fit(-5, 160) == 0
    assert calls_fit(2e6, 160, six=True) == 19  # 103.2 kbit/s each: 19.38


def test_what_tcp_has_of_the_wire() -> None:
    assert tcp_share() == pytest.approx(1448 / 1538)
    assert tcp_share(six=True) == pytest.approx(1428 / 1538)
