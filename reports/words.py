"""Plain words for the model's closed lists, and numbers with their units."""

import math
from collections.abc import Mapping
from datetime import date

from nethealth.model.check import ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Direction, FindingCode, Severity, Verdict
from nethealth.model.observation import Observation, Scalar
from reports.escape import clip

TEXT_MAX_CHARACTERS = 300  # of one value from the wire; the record has the rest
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

SEVERITY_WORDS: Mapping[Severity, str] = {
    Severity.CRITICAL: "Critical",
    Severity.WARNING: "Warning",
    Severity.INFO: "Note",
}

VERDICT_WORDS: Mapping[Verdict, str] = {
    Verdict.DEMONSTRATED: "Demonstrated: measured directly, and outside its limit even allowing "
    "for chance.",
    Verdict.SUPPORTED: "Supported: the evidence points this way, and tests that could have "
    "overturned it did not.",
    Verdict.SUGGESTIVE: "Suggestive: it fits what was seen, but was not tested.",
    Verdict.NO_EVIDENCE: "No evidence: looked for and not found.",
    Verdict.CONTRADICTED: "Contradicted: the evidence points the other way.",
    Verdict.INSUFFICIENT_DATA: "Insufficient data: too little was measured to say.",
}

DIRECTION_WORDS: Mapping[Direction, str] = {
    Direction.TELEPHONY_TO_NETWORK: "The telephony disturbs the network.",
    Direction.NETWORK_TO_TELEPHONY: "The network disturbs the telephony.",
    Direction.NOT_TELEPHONY: "The telephony is not the cause.",
    Direction.UNDETERMINED: "Which disturbs which is not determined.",
}

FAILURE_WORDS: Mapping[Failure, str] = {
    Failure.RESOLVE: "the name gave no address",
    Failure.REFUSED: "refused",
    Failure.UNREACHABLE: "unreachable",
    Failure.TIMEOUT: "no answer",
    Failure.RESET: "connection reset",
    Failure.TLS: "TLS failed",
    Failure.PROTOCOL: "malformed answer",
    Failure.WRONG_SOURCE: "answered from another address",
    Failure.AUTH: "credentials refused",
    Failure.INTERRUPTED: "interrupted",
}

OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.COMPLETED: "Completed",
    Outcome.FAILED: "Failed",
    Outcome.NOT_RUN: "Not run",
}

PROBE_WORDS: Mapping[ProbeKind, str] = {
    "ping": "ICMP echo requests, for round-trip delay and loss",
    "tcp": "one TCP connection, opened and closed",
    "dns": "one question to one name server",
    "http": "one GET of a web address, with its TLS certificate",
    "sip": "one SIP OPTIONS request, to see whether, how and how soon the server answers",
    "call": "a test call to a number that is there to be called",
    "stamp": "timed test packets to a reflector, each way apart",
    "route": "the routers on the way",
    "path-mtu": "the largest packet that passes",
    "sip-alg": "whether something on the way rewrites SIP",
    "nat": "how long an address translator keeps a mapping",
    "coexistence": "calls and data at the same time, against each alone",
    "snmp": "counters read from network equipment",
    "capture": "packets recorded earlier",
}

CODE_TITLES: Mapping[FindingCode, str] = {
    "phone-loop": "Network loop through a telephone",
    "phone-power-loop": "Power loop through a telephone",
    "duplex-mismatch": "Duplex mismatch",
    "voice-vlan-conflict": "Voice VLAN conflict",
    "dhcp-exhaustion": "Address pool exhausted",
    "registration-avalanche": "Registration avalanche",
    "keepalive-reset": "Keepalive resets",
    "firmware-wave": "Firmware download wave",
    "multicast-flood": "Multicast flood",
    "broadcast-sensitive-phones": "Telephones upset by broadcast traffic",
    "unknown-unicast-flood": "Unknown-unicast flood",
    "address-conflict": "Two devices with one address",
    "dscp-misuse": "Priority marks misused",
    "no-wan-qos": "No voice priority on the wide-area link",
    "dscp-bleached": "Priority marks removed on the way",
    "media-hairpin": "Calls take a needless detour",
    "call-load": "Calls load the link",
    "clock-slip": "Clock slips on a digital line",
    "fax-over-ip": "Fax over IP",
    "poe-budget": "Power over Ethernet short",
    "obsolete-security": "Obsolete security",
    "slow-port-start": "Slow port start",
    "sip-down": "Telephone service not answering",
    "sip-overload": "Telephone service overloaded",
    "sip-malformed": "Telephone service gives malformed answers",
    "sip-auth": "Telephone service asks for credentials",
    "sip-alg": "SIP rewritten on the way",
    "nat-binding-short": "Address translation forgets too soon",
    "one-way-audio": "One-way audio",
    "call-failed": "Call failed",
    "path-mtu-black-hole": "Large packets vanish",
    "poor-voice-quality": "Poor voice quality",
    "host-down": "Device not answering",
    "site-outage": "Whole site not answering",
    "packet-loss": "Packet loss",
    "high-delay": "High delay",
    "queueing-delay": "Delay under load",
    "dns-failure": "Name service fault",
    "service-down": "Service not answering",
    "certificate-expiry": "Certificate about to expire",
    "broadcast-storm": "Broadcast storm",
    "spanning-tree-change": "Spanning-tree change",
    "provider-loss": "Loss in the provider's network",
    "overheating": "Overheating",
    "sensor-silent": "Sensor silent",
    "isdn-retirement": "Line on the network that closes",
    "unowned-asset": "Asset without an owner",
    "level-change": "A level changed",
    "history-incomplete": "The history has holes",
    "instrument-limited": "Measurement limited",
}

_NAME_LABELS: Mapping[str, str] = {
    "mos_cqe": "voice quality (MOS-CQE estimate)",
    "r_factor": "R-factor",
    "ipdv_abs_mean_s": "delay variation, mean (ipdv)",
    "pdv_p95_s": "delay variation, p95 (pdv)",
    "pdv_p99_s": "delay variation, p99 (pdv)",
    "packet_loss_ratio": "packet loss",
    "packet_loss_burst_ratio": "loss burst ratio",
    "sip_status_code": "SIP status",
    "http_status_code": "HTTP status",
    "dns_response_code": "DNS answer code",
    "certificate_days_to_expiry": "days to certificate expiry",
    "tls_version": "TLS version",
    "sip_transmission_count": "SIP transmissions",
    "duplicate_count": "duplicate replies",
    "late_reply_count": "late replies",
    "icmp_error_count": "ICMP errors",
    "dns_answer_count": "DNS answers",
    "http_redirect_count": "HTTP redirects",
    "hop_packet_loss_ratio": "loss on the way to the hop",
    "hop_dscp_quoted": "DSCP seen at the hop",
    "hop_ecn_quoted": "ECN seen at the hop",
    "route_length_hops": "length of the route",
    "route_nat_seen": "address translation seen",
    "path_mtu_bytes": "largest packet (path MTU)",
    "path_mtu_black_hole": "larger packets vanish",
    "path_mtu_reporter": "limit reported by",
    "path_mtu_last_hop": "last hop of larger packets",
    "packet_reply_ratio": "packets answered",
    "witness_opening_time_s": "opening of the reflector's witness",
    "sip_alg_seen": "SIP on its way",
    "sip_request_arrived": "request arrived",
    "sip_rewritten_parts": "rewritten parts",
    "sip_size_arrived_max_bytes": "largest request that arrives",
    "nat_source_translated": "source translated",
    "nat_translated": "source translated",
    "nat_port_preserved_ratio": "own port kept",
    "nat_binding_alive_ratio": "bindings still there",
    "nat_binding_lifetime_s": "binding still there after",
    "witness_rejected_count": "claims not believed",
}


_ACRONYMS = frozenset(
    {
        "sip", "dns", "http", "tcp", "tls", "rtp", "icmp", "dscp", "ttl", "snmp", "arp", "poe",
        "e1", "ups", "fcs",
    }
)  # fmt: skip


def observation_label(name: str) -> str:
    """A name of the contract in words: `round_trip_delay_median_s` is round-trip delay, median."""
    if name in _NAME_LABELS:
        return _NAME_LABELS[name]
    for ending in ("_per_s", "_s", "_count", "_celsius", "_bps", "_w"):  # the unit follows anyway
        if name.endswith(ending):
            name = name.removesuffix(ending)
            break
    words = name.removesuffix("_count").split("_")
    statistics = {"min", "median", "max", "mean", "p95", "p99"}
    tail = f", {words.pop()}" if words[-1] in statistics else ""
    text = " ".join(words).replace("round trip", "round-trip")
    text = " ".join(word.upper() if word in _ACRONYMS else word for word in text.split(" "))
    return text + tail


def seconds(value: float) -> str:
    """A duration with as many digits as can be read at a glance: `0.41 ms`, `12.3 ms`, `3.2 s`."""
    if not math.isfinite(value):
        return str(value)
    milliseconds = value * 1000
    size = abs(milliseconds)
    if size < 9.995:
        return f"{milliseconds:.2f} ms"
    if size < 99.95:
        return f"{milliseconds:.1f} ms"
    if size < 999.5:
        return f"{milliseconds:.0f} ms"
    return f"{value:.1f} s" if size < 100_000 else f"{value:.0f} s"


def short_date(day: date) -> str:
    """`3 Oct`, whatever the machine's locale."""
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def percent(ratio: float) -> str:
    """A share in per cent: `0 %`, `0.38 %`, `12.5 %`, `100 %`."""
    if not math.isfinite(ratio):
        return str(ratio)
    value = ratio * 100
    return f"{value:.0f} %" if value in {0, 100} else f"{value:.{2 if abs(value) < 1 else 1}f} %"


def number(value: float) -> str:
    """A plain number without needless noughts; thousands are set apart."""
    if isinstance(value, int) or (math.isfinite(value) and value == int(value)):
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:,.1f}"


def quantity(value: Scalar, unit: str | None) -> str:
    """A value of an observation in words; null is `no data`, never a nought."""
    if value is None:
        return "no data"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return clip(value, TEXT_MAX_CHARACTERS)
    if unit == "s":
        return seconds(value)
    if unit == "1":
        return percent(value)
    if unit is None and isinstance(value, int):
        return str(value)  # a code such as 503 is a word, not a quantity
    tail = {"d": " days", None: ""}.get(unit, f" {unit}")
    return number(value) + tail


def observed(observation: Observation) -> str:
    """The value of one observation, with the cause where there is none."""
    text = quantity(observation.value, _shown_unit(observation))
    if observation.value is None and observation.failure is not None:
        return f"{text} ({FAILURE_WORDS[observation.failure]})"
    return text


def interval(observation: Observation) -> str:
    """The 95 % interval as `1.7 % to 13.7 %`, or a dash where there is none."""
    if observation.interval is None:
        return "–"
    low, high = (quantity(bound, _shown_unit(observation)) for bound in observation.interval)
    return f"{low} to {high}"


def count(amount: int, one: str, many: str | None = None) -> str:
    """`1 site`, `2 sites`, `1,200 checks`."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def listed(items: list[str], most: int) -> str:
    """`a, b and c`; beyond `most`, `a, b and 7 more`."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def _shown_unit(observation: Observation) -> str | None:
    """A count is plain, and of what has no unit only a ratio is a share, BurstR excepted."""
    if observation.name == "packet_loss_burst_ratio":
        return "times chance"
    plain = observation.name.endswith("_count") or (
        observation.unit == "1" and not observation.name.endswith("_ratio")
    )
    return None if plain else observation.unit
