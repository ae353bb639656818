"""Whatever octets come, a parser gives a value or WireError; and text stays text."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire import (
    arp,
    bpdu,
    cdp,
    dhcp,
    h225,
    h245,
    iax2,
    igmp,
    lldp,
    megaco,
    mgcp,
    redundancy,
    sigtran,
    skinny,
    tftp,
    uaudp,
    udptl,
    unistim,
)
from nethealth.wire.errors import WireError
from nethealth.wire.octets import TEXT_MAX, printable

# A message that parses, for each parser: damage to it reaches further than octets at random.
SAMPLES: list[tuple[Callable[[bytes], object], str]] = [
    (arp.parse, "0001080006040001" + "02000000000a c6120001 000000000000 c6120002"),
    (bpdu.parse, "0000000001" + "8000020000000001 00000004 8000020000000002 8001 0100140002000f00"),
    (lambda octets: bpdu.parse(octets, per_vlan=True), "0000020238" + "00" * 31 + "0000000200 0a"),
    (cdp.parse, "02b40000 0001000853455030 00060009 43502d3739 000e00070100c8 000b000501"),
    (
        dhcp.parse,
        "01010600 00000001" + "00" * 20 + "02000000000a" + "00" * 202 + "63825363"
        "350101 3c0d 636370 2e61766179612e636f6d 5206 0102 6131 0200 ff",
    ),
    (lldp.parse, "0207 04 02000000000a 0403 07 3161 06020078 fe08 0012bb02 01 80c82e 0000"),
    (igmp.parse, "22000000 00000001 04000001 e8010101 c6120001"),
    (redundancy.parse_vrrp, "21 2a bf 01 00 01 0000 0a042a01 0000000000000000"),
    (redundancy.parse_hsrp, "00 00 10 03 0a 64 01 00 636973636f000000 c0a80001"),
    (redundancy.parse_hsrp, "0128 02000604 000a 001e134a5b6c 00000064 00000bb8 00002710 0a000001"
     + "00" * 12),
    (redundancy.parse_glbp, "0100000a 0000 ca0127900000 011c 0020 00 6e 0000 00000bb8 00002710"
     "0258384000000104c0a80001"),
    (tftp.parse, "0001" + b"lanpbx.cfg\0octet\0blksize\0001024\0".hex()),
    (h225.parse_call, "080277f405 04038090a5 7e000d 0520a8 060008914a0004014006"),
    (h225.tunnelled_h245, "10c0 0180 04 01 02 4a40"),
    (h225.parse_ras, "0e00051c 060008914a0004 00000022c0"),
    (h225.tpkt_length, "03000007"),
    (h245.kind, "0270010600088175 0003"),
    (skinny.parse_header, "08000000 00000000 00000000"),
    (mgcp.parse, b"RQNT 1 *@gw.example MGCP 1.0\r\nX: 1\r\n".hex()),
    (megaco.parse, b"MEGACO/1 [198.18.0.1]:2944 Transaction=1{".hex()),
    (megaco.parse, "3016 a114 800101 a107 a0058004c6120001 a205 a103 800100"),
    (unistim.parse, "00009535 0201 1e05120078 1a040108"),
    (iax2.parse, "8001 0000 00000003 0000 0601 0b020002 0600"),
    (uaudp.parse, "07 0008 000a 0800 1502801303280100"),
    (udptl.parse, "0001 01 06 00 01 01 06"),
    (
        sigtran.data_chunks,
        "0b590b59 00000e50 b0b01883 00030014 6ca8b1cc 0006002a 00000003 01000101",
    ),
    (sigtran.parse_m3ua, "01000101 00000024 02100017 00000001 00000002 05020001 010001 12000a0000"),
    (sigtran.parse_m2ua, "01000601 00000014 0300000c 8501001000 0100"),
    (sigtran.parse_mtp2, "1d1d20 85 02400090 0e0001 1100000a03"),
]  # fmt: skip


@pytest.mark.parametrize(("parse", "sample"), SAMPLES)
def test_the_sample_itself_parses(parse: Callable[[bytes], object], sample: str) -> None:
    assert parse(bytes.fromhex(sample))


@given(st.sampled_from([parse for parse, _ in SAMPLES]), st.binary(max_size=400))
def test_any_octets(parse: Callable[[bytes], object], octets: bytes) -> None:
    _only_wire_errors(parse, octets)


@given(st.sampled_from(SAMPLES), st.integers(0, 400), st.binary(max_size=8), st.integers(0, 400))
def test_damaged_samples(
    chosen: tuple[Callable[[bytes], object], str], at: int, damage: bytes, kept: int
) -> None:
    parse, sample = chosen
    whole = bytes.fromhex(sample)
    _only_wire_errors(parse, (whole[:at] + damage + whole[at + len(damage) :])[: max(kept, at)])


@given(st.binary(max_size=2000))
def test_text_off_the_wire_is_printable_and_bounded(octets: bytes) -> None:
    text = printable(octets)
    assert text.isprintable()
    assert len(text) <= TEXT_MAX


def test_a_terminal_escape_is_shown_and_not_sent_on() -> None:
    assert printable(b"SEP\x1b[2J\n\xff\0\0") == "SEP\\x1b[2J\\n\\xff"


def _only_wire_errors(parse: Callable[[bytes], object], octets: bytes) -> None:
    try:
        parse(octets)
    except WireError:
        return
