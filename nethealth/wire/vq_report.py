"""Voice quality reports that telephones publish: application/vq-rtcpxr (RFC 6035 section 4.6).

Read for what they say, tolerantly: any case, lines in any order, folded or not, CR LF or LF, blanks
around ":" and "=", units that some telephones append. What says nothing known is passed over; a
number that is none is absent, since one broken field must not cost the others.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from nethealth.wire.errors import WireError
from nethealth.wire.sip_grammar import WSP, excerpt

REPORT_MAX_OCTETS = 65_535
LINES_MAX = 200
_TEXT_MAX = 256
_FOLD = re.compile(r"\n[ \t]+")
_KIND = re.compile(r"VQ(Session|Interval|Alert)Report[ \t]*(?::(.*))?", re.IGNORECASE | re.DOTALL)
_PAIR = re.compile(r'([A-Za-z]+)[ \t]*=[ \t]*("[^"]*"|\S+)')
_NUMBER = re.compile(r"[+-]?[0-9]{1,10}(?:\.[0-9]{1,10})?")
_HEX = re.compile(r"(?:0x)?[0-9A-F]{1,8}", re.IGNORECASE)
_SECTIONS = ("localmetrics", "remotemetrics")
# Numbers of the lines below LocalMetrics and RemoteMetrics, by line and field, as the ABNF has them
_NUMBERS = {
    "sessiondesc": ("PT", "SR", "FD", "FO", "FPP", "PPS", "PLC"),
    "jitterbuffer": ("JBA", "JBR", "JBN", "JBM", "JBX"),
    "packetloss": ("NLR", "JDR"),
    "burstgaploss": ("BLD", "BD", "GLD", "GD", "GMIN"),
    "delay": ("RTD", "ESD", "OWD", "SOWD", "IAJ", "MAJ"),
    "signal": ("SL", "NL", "RERL"),
    "qualityest": ("RLQ", "RCQ", "EXTRI", "EXTRO", "MOSLQ", "MOSCQ"),
}

ReportKind = Literal["session", "interval", "alert"]


@dataclass(frozen=True, slots=True)
class VqAddress:
    """Where one side's media is; each part None where it is not told."""

    ip: str | None = None
    port: int | None = None
    ssrc: int | None = None


@dataclass(frozen=True, slots=True)
class VqMetrics:
    """What one side measured; `values` by the field names of the RFC, in its units.

    NLR JDR BLD GLD in per cent; BD GD JBN JBM JBX RTD ESD OWD SOWD IAJ MAJ in ms; MOSLQ MOSCQ 1 to
    5; RLQ RCQ R factors. A field that is absent, or holds "unavailable" (127, section 4.6.2), has
    no key.
    """

    start: str | None = None  # RFC 3339, as it stands there
    stop: str | None = None
    codec: str | None = None
    values: dict[str, float] = field(default_factory=dict)
    algorithms: dict[str, str] = field(default_factory=dict)  # by which a value was estimated


@dataclass(frozen=True, slots=True)
class VqReport:
    """One report; texts as they stand in it, None where they do not."""

    kind: ReportKind
    call_term: bool
    call_id: str | None
    dialog_id: str | None
    local_id: str | None
    remote_id: str | None
    local_address: VqAddress
    remote_address: VqAddress
    local: VqMetrics | None
    remote: VqMetrics | None


def parse_vq_report(body: bytes) -> VqReport:
    """Read one report; what does not begin as one, or is too long, is a WireError."""
    if len(body) > REPORT_MAX_OCTETS:
        raise WireError(f"voice quality report of {len(body)} octets; at most {REPORT_MAX_OCTETS}")
    text = body.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    lines = [line for line in _FOLD.sub(" ", text).split("\n") if line.strip(WSP)]
    if len(lines) > LINES_MAX:
        raise WireError(f"voice quality report of {len(lines)} lines; at most {LINES_MAX}")
    match = _KIND.fullmatch(lines[0].strip(WSP)) if lines else None
    if match is None:
        raise WireError(f"not a voice quality report: {excerpt(lines[0] if lines else '')}")
    kinds: dict[str, ReportKind] = {"session": "session", "interval": "interval", "alert": "alert"}
    heads: dict[str, str] = {}
    sections: dict[str, list[tuple[str, str]]] = {}
    section: list[tuple[str, str]] | None = None
    for line in lines[1:]:
        name, _, value = line.partition(":")
        name, value = name.strip(WSP).lower(), value.strip(WSP)
        if name in _SECTIONS:
            section = sections.setdefault(name, [])
        elif section is not None and (name in _NUMBERS or name == "timestamps"):
            section.append((name, value))
        else:  # DialogID stands after the metrics, the rest before them
            heads.setdefault(name, value[:_TEXT_MAX])
    return VqReport(
        kind=kinds[match[1].lower()],
        call_term=(match[2] or "").strip(WSP).lower() == "callterm",
        call_id=heads.get("callid") or None,
        dialog_id=heads.get("dialogid") or None,
        local_id=heads.get("localid") or None,
        remote_id=heads.get("remoteid") or None,
        local_address=_address(heads.get("localaddr", "")),
        remote_address=_address(heads.get("remoteaddr", "")),
        local=_metrics(sections.get("localmetrics")),
        remote=_metrics(sections.get("remotemetrics")),
    )


def _pairs(value: str) -> dict[str, str]:
    return {name.upper(): text.strip('"') for name, text in _PAIR.findall(value)}


def _address(value: str) -> VqAddress:
    found = _pairs(value)
    ssrc = found.get("SSRC", "")
    port = found.get("PORT", "")
    return VqAddress(
        ip=found["IP"][:_TEXT_MAX] if "IP" in found else None,
        port=int(port) if port.isdecimal() and port.isascii() and len(port) <= 5 else None,
        ssrc=int(ssrc, 16) if _HEX.fullmatch(ssrc) else None,
    )


def _metrics(lines: list[tuple[str, str]] | None) -> VqMetrics | None:
    if lines is None:
        return None
    texts: dict[str, str] = {}
    values: dict[str, float] = {}
    algorithms: dict[str, str] = {}
    for name, value in lines:
        found = _pairs(value)
        wanted = _NUMBERS.get(name, ())
        texts |= {key: text for key, text in found.items() if key not in wanted}
        for key in wanted:
            match = _NUMBER.match(found.get(key, ""))
            if match is not None and not _unavailable(name, float(match.group())):
                values[key] = float(match.group())
        algorithms |= {
            key: text[:_TEXT_MAX]
            for key, text in found.items()
            if name == "qualityest" and key.endswith(("ESTALG", "ESTALGO"))
        }
    return VqMetrics(
        start=texts.get("START"),
        stop=texts.get("STOP"),
        codec=texts["PD"][:_TEXT_MAX] if "PD" in texts else None,
        values=values,
        algorithms=algorithms,
    )


def _unavailable(line: str, value: float) -> bool:
    return line in ("signal", "qualityest") and value == 127
