"""Voice quality reports, after the example of RFC 6035 section 4.7.3, folded lines and all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire.errors import WireError
from nethealth.wire.vq_report import VqAddress, VqMetrics, parse_vq_report

# Addresses are replaced by documentation ones. Two slips of the example stand here too: an SSRC
# without 0x, and a STOP that is dated nine days before its START.
EXAMPLE = b"""\
VQSessionReport: CallTerm
CallID: 6dg37f1890463
LocalID: Alice <sip:alice@example.org>
RemoteID: Bill <sip:bill@example.net>
OrigID: Alice <sip:alice@example.org>
LocalGroup: example-phone-55671
RemoteGroup: example-gateway-09871
LocalAddr: IP=192.0.2.100 PORT=5000 SSRC=1a3b5c7d
LocalMAC: 00:00:5e:00:53:01
RemoteAddr:IP=198.51.100.150 PORT=5002 SSRC=0x2468abcd
RemoteMAC: 00:00:5e:00:53:02
LocalMetrics:
Timestamps:START=2004-10-10T18:23:43Z STOP=2004-10-01T18:26:02Z
SessionDesc:PT=18 PD=G729 SR=8000 FD=20 FO=20 FPP=2 PPS=50
                FMTP="annexb=no" PLC=3 SSUP=on
JitterBuffer:JBA=3 JBR=2 JBN=40 JBM=80 JBX=120
PacketLoss:NLR=5.0 JDR=2.0
BurstGapLoss:BLD=0 BD=0 GLD=2.0 GD=500 GMIN=16
Delay:RTD=200 ESD=140 SOWD=200 IAJ=2 MAJ=10
Signal:SL=-21 NL=-50 RERL=55
QualityEst:RLQ=90 RCQ=85 EXTRI=90 MOSLQ=4.2 MOSCQ=4.3
  QoEEstAlg=P.564
RemoteMetrics:
Timestamps:START=2004-10-10T18:23:43Z STOP=2004-10-01T18:26:02Z
SessionDesc:PT=18 PD=G729 SR=8000 FD=20 FO=20 FPP=2 PPS=50
                FMTP="annexb=no" PLC=3 SSUP=on
JitterBuffer:JBA=3 JBR=2 JBN=40 JBM=80 JBX=120
PacketLoss:NLR=5.0 JDR=2.0
BurstGapLoss:BLD=0 BD=0 GLD=2.0 GD=500 GMIN=16
Delay:RTD=200 ESD=140 SOWD=200 IAJ=2 MAJ=10
Signal:SL=-21 NL=-45 RERL=55
QualityEst:RLQ=90 RCQ=85 MOSLQ=4.3 MOSCQ=4.2 QoEEstAlg=P.564
DialogID:1890463548@alice.example.org;to-tag=8472761;
   from-tag=9123dh311
"""
COMMON = {
    "PT": 18, "SR": 8000, "FD": 20, "FO": 20, "FPP": 2, "PPS": 50, "PLC": 3,
    "JBA": 3, "JBR": 2, "JBN": 40, "JBM": 80, "JBX": 120, "NLR": 5.0, "JDR": 2.0,
    "BLD": 0, "BD": 0, "GLD": 2.0, "GD": 500, "GMIN": 16,
    "RTD": 200, "ESD": 140, "SOWD": 200, "IAJ": 2, "MAJ": 10, "SL": -21, "RERL": 55,
    "RLQ": 90, "RCQ": 85,
}  # fmt: skip


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_the_example_of_the_standard(line_end: bytes) -> None:
    report = parse_vq_report(EXAMPLE.replace(b"\n", line_end))
    assert (report.kind, report.call_term, report.call_id) == ("session", True, "6dg37f1890463")
    assert report.dialog_id == "1890463548@alice.example.org;to-tag=8472761; from-tag=9123dh311"
    assert report.local_id == "Alice <sip:alice@example.org>"
    assert report.remote_id == "Bill <sip:bill@example.net>"
    assert report.local_address == VqAddress("192.0.2.100", 5000, 0x1A3B5C7D)
    assert report.remote_address == VqAddress("198.51.100.150", 5002, 0x2468ABCD)
    assert report.local == VqMetrics(
        "2004-10-10T18:23:43Z", "2004-10-01T18:26:02Z", "G729",
        {**COMMON, "NL": -50, "EXTRI": 90, "MOSLQ": 4.2, "MOSCQ": 4.3}, {"QOEESTALG": "P.564"},
    )  # fmt: skip
    assert report.remote == VqMetrics(
        "2004-10-10T18:23:43Z", "2004-10-01T18:26:02Z", "G729",
        {**COMMON, "NL": -45, "MOSLQ": 4.3, "MOSCQ": 4.2}, {"QOEESTALG": "P.564"},
    )  # fmt: skip


def test_what_telephones_really_write() -> None:
    """Blanks around "=", units after a number, 127 for unavailable, lower case, no remote side."""
    report = parse_vq_report(
        b"vqintervalreport\nCALLID : abc\nlocaladdr: IP = 2001:db8::1  PORT = 4000\n"
        b"LocalMetrics:\nDelay: RTD = 12ms ESD=oops\nqualityest: RCQ=127 MOSLQ=3.8 MOSCQ=\n"
        b"Signal: SL=127 NL=-60\nUnknown: A=1\n"
    )
    assert (report.kind, report.call_term, report.call_id) == ("interval", False, "abc")
    assert report.local_address == VqAddress("2001:db8::1", 4000, None)
    assert report.local is not None
    assert report.local.values == {"RTD": 12, "MOSLQ": 3.8, "NL": -60}
    assert report.remote is None


def test_an_alert_names_what_it_is_of() -> None:
    report = parse_vq_report(b"VQAlertReport: Type=NLR Severity=Critical Dir=local\nCallID: x\n")
    assert (report.kind, report.call_id, report.local) == ("alert", "x", None)


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"v=0\r\n", b"VQOtherReport\n", b"VQSessionReport\n" + b"A:1\n" * 200,
             b"VQSessionReport\n" + b"x" * 70_000]
)  # fmt: skip
def test_what_is_no_report(body: bytes) -> None:
    with pytest.raises(WireError):
        parse_vq_report(body)


@given(st.binary(max_size=200))
def test_any_octets(body: bytes) -> None:
    for prefix in (b"", b"VQSessionReport: CallTerm\nLocalMetrics:\n"):
        try:
            parse_vq_report(prefix + body)
        except WireError:
            continue
