"""Legacy signalling of all shared captures, by us and by tshark; every difference is decided.

All captures go through every recogniser, so that a false one anywhere fails.
"""

import pytest

from nethealth.model.pseudonym import Revealed
from nethealth.passive.announced import MediaBook
from nethealth.passive.legacy import LegacyAnalysis
from nethealth.passive.sip import SipAnalysis
from tests import captures
from tests.passive import oracle

pytestmark = pytest.mark.captures
LAYERS = {
    "skinny": "skinny", "mgcp": "mgcp", "megaco": "megaco", "h225": "h225", "h245": "h245",
    "unistim": "unistim", "iax2": "iax2", "noe": "uaudp", "t38": "t38", "isup": "isup",
    "bicc": "bicc",
}  # fmt: skip

# capture -> protocol -> (ours, tshark's, why ours is right)
DIFFERENCES: dict[str, dict[str, tuple[int, int, str]]] = {
    "wswiki__FAX-Call-t38-CA-TDM-SIP-FB-1.pcap": {
        "t38": (
            0, 2010,
            "tshark marks all 2,010 malformed: T.38 was offered, then taken back, and the ports "
            "go on with RTP of payload type 8 (0x8008 ...), in step with the RTP before",
        ),
    },
    "wswiki__jul23-fastbusy-at-ccm-when-flex-oh-hook_1.pcap": {
        "skinny": (
            289, 286,
            "three whole messages that tshark takes for retransmissions and does not decode; their "
            "octets come once each",
        ),
    },
    "wswiki__isup.cap": {
        "isup": (
            6, 0,
            "M3UA of an early draft, parameter 2, which tshark decodes only where told to; the "
            "capture's own description says one ISUP call of six messages",
        ),
    },
    "wswiki__Test.pcap": {
        "unistim": (
            171, 0,
            "UNIStim has no port in tshark; with -d udp.port==5000,unistim it decodes 171",
        ),
    },
    "wswiki__MINET-SAC-Traces.part1.pcap": {
        "minet": (
            53, 0,
            "tshark has no MiNET; TCP ports 6800 to 6802 carry 53 segments with data",
        ),
    },
    "wswiki__tel2_avaya.part1.pcap": {
        "h245": (
            12, 0,
            "tunnelled in H.225, which the protocol hierarchy leaves out; tshark -Y h245 shows 12",
        ),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", oracle.names())
def test_legacy_signalling(name: str) -> None:
    book = MediaBook()
    found = oracle.facts(
        captures.folder() / name, [SipAnalysis(Revealed(), book), LegacyAnalysis(book)]
    )
    ours = oracle.by_key(found, "legacy_signalling_packet_count", "protocol")
    theirs = {protocol: oracle.frames(name, layer) for protocol, layer in LAYERS.items()}
    said = DIFFERENCES.get(name, {})
    for protocol in {*theirs, *ours}:
        if protocol in said:
            assert (ours[protocol], theirs.get(protocol, 0)) == said[protocol][:2], protocol
        else:
            assert ours[protocol] == theirs.get(protocol, 0), protocol


def test_there_are_captures_of_every_protocol_to_find() -> None:
    seen = {
        protocol
        for name in oracle.names()
        for protocol, layer in LAYERS.items()
        if oracle.frames(name, layer)
    }
    assert seen == set(LAYERS)
