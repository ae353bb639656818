"""What an RTP payload type stands for without signalling, and what is known of a codec by name.

RFC 3551, tables 4 and 5: the static assignments. A dynamic type (96 to 127) means nothing by
itself, and the types 72 to 76 would look like RTCP.
"""

from collections.abc import Mapping

from nethealth.passive.announced import Encoding

STATIC: Mapping[int, Encoding] = {
    0: Encoding("PCMU", 8000),
    3: Encoding("GSM", 8000),
    4: Encoding("G723", 8000),
    5: Encoding("DVI4", 8000),
    6: Encoding("DVI4", 16_000),
    7: Encoding("LPC", 8000),
    8: Encoding("PCMA", 8000),
    9: Encoding("G722", 8000),  # its RTP clock, though it samples at 16 kHz
    10: Encoding("L16", 44_100, 2),
    11: Encoding("L16", 44_100),
    12: Encoding("QCELP", 8000),
    13: Encoding("CN", 8000),
    14: Encoding("MPA", 90_000),
    15: Encoding("G728", 8000),
    16: Encoding("DVI4", 11_025),
    17: Encoding("DVI4", 22_050),
    18: Encoding("G729", 8000),
    25: Encoding("CelB", 90_000),
    26: Encoding("JPEG", 90_000),
    28: Encoding("nv", 90_000),
    31: Encoding("H261", 90_000),
    32: Encoding("MPV", 90_000),
    33: Encoding("MP2T", 90_000),
    34: Encoding("H263", 90_000),
}
CLOCKS_HZ = (8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 90_000)
EVENTS = ("telephone-event", "tone", "CN")  # say nothing of the codec of the speech around them

# Names of rtpmap as the tables of `nethealth.quality.codecs` have them. Concealment is a property
# of the receiver: for G.711 it is assumed, as telephones have it.
E_MODEL: Mapping[str, str] = {
    "pcmu": "G.711+PLC",
    "pcma": "G.711+PLC",
    "g729": "G.729A",
    "g729a": "G.729A",
    "g723": "G.723.1-6.3",
    "g726-40": "G.726-40",
    "g726-32": "G.726-32",
    "g726-24": "G.726-24",
    "g726-16": "G.726-16",
    "g728": "G.728-16",
    "gsm": "GSM-FR",
    "gsm-efr": "GSM-EFR",
    "gsm-hr-08": "GSM-HR",
    "g722": "G.722",
    "opus": "Opus",
    "amr": "AMR-NB",
    "amr-wb": "AMR-WB",
    "evs": "EVS",
}
