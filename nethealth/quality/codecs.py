"""Equipment impairment and loss robustness of codecs, as planning values with their source.

These are provisional planning values, not measurements of a call. Concealment of lost packets
(PLC) is a property of the receiver, which is usually unknown: name the row that was assumed.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Codec:
    """One row: `ie` at no loss, `bpl` the robustness to random loss, None where none is published.

    `lookahead_s` is what the encoder waits for beyond its own frame.
    """

    name: str
    ie: float
    bpl: float | None
    source: str
    lookahead_s: float = 0.0


_UNCHECKED = "not checked against ITU-T G.113"

CODECS: Mapping[str, Codec] = {
    codec.name: codec
    for codec in (
        Codec("G.711", 0, 4.3, "ITU-T G.113 Appendix I, no concealment"),
        Codec("G.711+PLC", 0, 25.1, "ITU-T G.113 Appendix I, G.711 Appendix I concealment"),
        Codec("G.729A", 11, 19.0, "ITU-T G.113 Appendix I, with VAD", 0.005),
        Codec("G.729", 10, None, "ITU-T G.113 Appendix I; no Bpl is published", 0.005),
        Codec("G.723.1-6.3", 15, 16.1, f"ITU-T G.113 Appendix I; Bpl {_UNCHECKED}", 0.0075),
        Codec("G.723.1-5.3", 19, None, "planning tables; no Bpl is published", 0.0075),
        Codec("G.726-40", 2, None, "planning tables; no Bpl is published"),
        Codec("G.726-32", 7, None, "planning tables; no Bpl is published"),
        Codec("G.726-24", 25, None, f"{_UNCHECKED}; no Bpl is published"),
        Codec("G.726-16", 50, None, f"{_UNCHECKED}; no Bpl is published"),
        Codec("G.728-16", 7, None, "planning tables; no Bpl is published"),
        Codec("G.728-12.8", 20, None, "planning tables; no Bpl is published"),
        Codec("GSM-EFR", 5, 10.0, f"planning tables; Bpl {_UNCHECKED}"),
        Codec("GSM-FR", 20, None, f"{_UNCHECKED}; no Bpl is published"),
        Codec("GSM-HR", 23, None, "planning tables; no Bpl is published"),
    )
}

# To score one of these on the narrowband scale would be wrong by tens of points.
REFUSED: Mapping[str, str] = {
    "G.722": "sources disagree on G.722's impairment, and it has no narrowband value",
    "Opus": "no impairment value is published for Opus",
    "AMR-NB": "AMR-NB has no narrowband impairment value in ITU-T G.113",
    "AMR-WB": "AMR-WB is scored by the wideband model of ITU-T G.107.1, on another scale",
    "EVS": "EVS has no narrowband impairment value in ITU-T G.113",
}
