"""What was concluded: a judged statement with its evidence and what would overturn it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from nethealth.model.observation import Interval

FindingCode = Literal[
    # mechanisms of interaction
    "phone-loop", "phone-power-loop", "duplex-mismatch", "voice-vlan-conflict",
    "dhcp-exhaustion", "registration-avalanche", "keepalive-reset", "firmware-wave",
    "multicast-flood", "broadcast-sensitive-phones", "unknown-unicast-flood",
    "address-conflict", "dscp-misuse", "no-wan-qos", "dscp-bleached", "media-hairpin",
    "call-load", "clock-slip", "fax-over-ip", "poe-budget", "obsolete-security",
    "slow-port-start",
    # SIP and media
    "sip-down", "sip-overload", "sip-malformed", "sip-auth", "sip-alg",
    "nat-binding-short", "one-way-audio", "call-failed", "path-mtu-black-hole",
    "poor-voice-quality",
    # the rest, the innocent causes among them
    "host-down", "site-outage", "packet-loss", "high-delay", "queueing-delay",
    "dns-failure", "service-down", "certificate-expiry", "broadcast-storm",
    "spanning-tree-change", "provider-loss", "overheating", "sensor-silent",
    "isdn-retirement", "unowned-asset", "instrument-limited",
    # of a history
    "level-change", "history-incomplete",
]  # fmt: skip


class Severity(StrEnum):
    """Ordered from the least: `info`, `warning`, `critical`."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for critical."""
        return list(Severity).index(self)


class Verdict(StrEnum):
    """The ladder of how sure a finding is."""

    DEMONSTRATED = "demonstrated"
    SUPPORTED = "supported"
    SUGGESTIVE = "suggestive"
    NO_EVIDENCE = "no-evidence"
    CONTRADICTED = "contradicted"
    INSUFFICIENT_DATA = "insufficient-data"


# What one run did not find, or found to be otherwise, does not clear another run's suspicion.
_GRAVEST_LAST = (
    Verdict.NO_EVIDENCE, Verdict.CONTRADICTED, Verdict.INSUFFICIENT_DATA, Verdict.SUGGESTIVE,
    Verdict.SUPPORTED, Verdict.DEMONSTRATED,
)  # fmt: skip


def gravity(severity: Severity, verdict: Verdict) -> tuple[int, int]:
    """Orders what several runs said under one id: the gravest is the greatest."""
    return severity.rank, _GRAVEST_LAST.index(verdict)


class Direction(StrEnum):
    """Who disturbs whom; null for a plain finding such as a host that is down."""

    TELEPHONY_TO_NETWORK = "telephony-to-network"
    NETWORK_TO_TELEPHONY = "network-to-telephony"
    NOT_TELEPHONY = "not-telephony"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Refutation:
    """A test that could have overturned the finding, and what it gave."""

    test: str
    result: str


@dataclass(frozen=True, slots=True)
class Effect:
    """The size of an effect with its 95 % interval, p value and minimum detectable effect."""

    estimate: float
    interval: Interval | None = None
    p: float | None = None
    mde: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged statement; `id` is stable from run to run (`code:place`)."""

    id: str
    code: FindingCode
    council: str | None
    site: str | None
    asset: str | None
    from_: Annotated[datetime, Field(alias="from")]
    to: datetime
    severity: Severity
    verdict: Verdict
    direction: Direction | None
    statement: str
    action: str
    symptoms: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    refutations: tuple[Refutation, ...] = ()
    missing: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    effect: Effect | None = None

    __pydantic_config__ = {"populate_by_name": True}
