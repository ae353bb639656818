"""Where a description may aim our packets, by the registries of special addresses."""

import pytest

from nethealth.model.endpoint import Endpoint
from nethealth.protocol.call_target import unfit_address, unfit_media

PEER, OWN = "198.18.2.10", "198.18.0.2"
PEER6, OWN6 = "2001:db8:2::10", "2001:db8::2"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("224.0.0.1", "a group of hosts"),
        ("239.192.0.1", "a group of hosts"),
        ("255.255.255.255", "reserved, or everybody's"),
        ("240.0.0.1", "reserved"),
        ("0.0.0.0", "no address of a host"),
        ("0.1.2.3", "no address of a host"),
        ("127.0.0.1", "this machine itself"),
        ("127.255.0.9", "this machine itself"),
        ("169.254.1.1", "of this link alone"),
        (OWN, "our own address"),
        ("::", "no address of a host"),
        ("::1", "this machine itself"),
        ("ff02::1", "a group of hosts"),
        ("fe80::1", "of this link alone"),
        ("::ffff:127.0.0.1", "this machine itself"),
        ("::ffff:224.0.0.1", "a group of hosts"),
        ("::ffff:198.18.0.2", "our own address"),
    ],
)
def test_no_packet_goes_there(address: str, words: str) -> None:
    assert words in (unfit_address(address, PEER, OWN) or "")


@pytest.mark.parametrize(
    "address", [PEER, "198.18.2.66", "10.1.2.3", "192.168.1.1", PEER6, "::ffff:198.18.2.66"]
)
def test_another_host_is_no_fault(address: str) -> None:
    assert unfit_address(address, PEER, OWN) is None


def test_within_one_machine_its_own_addresses_make_sense() -> None:
    assert unfit_address("127.0.0.9", "127.0.0.1", "127.0.0.1") is None
    assert unfit_address("127.0.0.1", "127.0.0.1", "127.0.0.1") is None
    assert unfit_address("::1", "::1", "::1") is None
    assert unfit_address(OWN, OWN, OWN) is None
    assert unfit_address("fe80::5", "fe80::9%eth0", "fe80::1%eth0") is None
    assert unfit_address(OWN6, PEER6, OWN6) is not None


@pytest.mark.parametrize(("rtp", "rtcp"), [(53, 54), (1023, 1024), (5004, 53), (5004, 0)])
def test_ports_of_services(rtp: int, rtcp: int) -> None:
    there, beside = Endpoint(PEER, rtp), Endpoint(PEER, rtcp)
    assert "is that of a service" in (unfit_media(there, beside, PEER, OWN) or "")


def test_ports_of_media() -> None:
    assert unfit_media(Endpoint(PEER, 1024), Endpoint(PEER, 65535), PEER, OWN) is None
