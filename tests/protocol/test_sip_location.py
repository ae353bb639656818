"""Where a SIP domain is served, by the examples of RFC 3263 and the order of RFC 2782."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.model.check import SipTransport
from nethealth.protocol.sip_location import (
    TARGETS_MAX,
    Location,
    Naptr,
    Question,
    Srv,
    Target,
)


def test_the_example_of_rfc_3263_section_4_1() -> None:
    """Its client knows TLS, TCP and UDP; the zone prefers TLS, and every service is wanted."""
    location = Location("example.com", secure=False, transport=None)
    assert location.question == Question("example.com", "NAPTR")
    location.answered(
        [
            Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com."),
            Naptr(90, 50, "s", "SIP+D2T", "_sip._tcp.example.com."),
            Naptr(100, 50, "s", "SIP+D2U", "_sip._udp.example.com."),
        ]
    )
    assert location.question == Question("_sips._tcp.example.com", "SRV")
    location.answered([])
    assert location.question == Question("_sip._tcp.example.com", "SRV")
    location.answered(
        [Srv(0, 1, 5060, "server1.example.com."), Srv(0, 2, 5060, "server2.example.com.")]
    )
    assert location.question == Question("_sip._udp.example.com", "SRV")
    location.answered([])
    assert location.question is None
    assert location.targets == (
        Target("server2.example.com", 5060, "tcp"),
        Target("server1.example.com", 5060, "tcp"),
    )


def test_the_order_of_the_zone_whatever_the_order_of_the_answer() -> None:
    location = Location("x", secure=False, transport="udp")
    assert location.question == Question("_sip._udp.x", "SRV")
    location.answered(
        [
            Srv(20, 9, 5060, "backup."),
            Srv(10, 1, 5060, "light."),
            Srv(10, 5, 5062, "heavy."),
            Srv(10, 5, 5061, "heavy."),
            Srv(10, 5, 5061, "heavy."),
            Srv(10, 0, 0, "no-port."),
        ]
    )
    assert [f"{each.host}:{each.port}" for each in location.targets] == [
        "heavy:5061", "heavy:5062", "light:5060", "backup:5060",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("secure", "transport", "asked"),
    [
        (False, None, ["NAPTR x", "SRV _sip._udp.x", "SRV _sip._tcp.x", "SRV _sips._tcp.x"]),
        (True, None, ["NAPTR x", "SRV _sips._tcp.x"]),
        (False, "tcp", ["SRV _sip._tcp.x"]),
        (False, "tls", ["SRV _sips._tcp.x"]),
    ],
)
def test_without_naptr_every_transport_is_asked_for(
    secure: bool, transport: SipTransport | None, asked: list[str]
) -> None:
    location = Location("x.", secure=secure, transport=transport)
    seen = []
    while (question := location.question) is not None:
        seen.append(f"{question.record_type} {question.name}")
        location.answered([])
    assert (seen, location.targets) == (asked, ())


def test_a_sips_uri_takes_no_plain_service() -> None:
    location = Location("x", secure=True, transport=None)
    location.answered([Naptr(1, 1, "s", "SIP+D2U", "plain."), Naptr(2, 1, "S", "sips+d2t", "tls.")])
    assert location.question == Question("tls", "SRV")


def test_what_is_not_there_says_so() -> None:
    location = Location("x", secure=False, transport="udp")
    location.answered([Srv(0, 0, 0, ".")])
    assert (location.targets, location.refused) == ((), ("_sip._udp.x",))


numbers = st.integers(0, 65535)
names = st.sampled_from(["a.", "b.", ".", "_sip._udp.x."])
naptrs = st.builds(
    Naptr, numbers, numbers, st.sampled_from(["s", "u", ""]),
    st.sampled_from(["SIP+D2U", "SIP+D2T", "SIPS+D2T", "E2U+sip"]), names,
)  # fmt: skip
srvs = st.builds(Srv, numbers, numbers, numbers, st.text(max_size=5))


@given(st.lists(naptrs, max_size=99), st.lists(srvs, max_size=99))
def test_whatever_a_zone_says_it_ends_and_is_bounded(naptr: list[Naptr], srv: list[Srv]) -> None:
    location = Location("x", secure=False, transport=None)
    count = 0
    while (question := location.question) is not None:
        location.answered(naptr if question.record_type == "NAPTR" else srv)
        count += 1
    assert count <= 4
    assert len(location.targets) <= TARGETS_MAX
