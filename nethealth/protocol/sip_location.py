"""Where a SIP domain is served: NAPTR, then SRV, then its own address (RFC 3263 section 4).

Without input or output: the owner puts `question` to a name server, hands the records to
`answered`, and reads `targets` once there is no further question. A client would take the first
transport and target that works; here all are wanted, in the order in which it would try them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nethealth.model.check import SipTransport

TARGETS_MAX = 8
_RECORDS_MAX = 32  # of one answer, the best first

# NAPTR services (section 4.1 and RFC 3263's registry), and the SRV names that stand for them.
_SERVICES: dict[str, SipTransport] = {"sip+d2u": "udp", "sip+d2t": "tcp", "sips+d2t": "tls"}
_SRV_PREFIX: dict[SipTransport, str] = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask a name server."""

    name: str
    record_type: Literal["NAPTR", "SRV"]


@dataclass(frozen=True, slots=True)
class Naptr:
    """One NAPTR record (RFC 3403 section 4.1), as far as SIP uses it."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Srv:
    """One SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Target:
    """One server of the domain."""

    host: str
    port: int
    transport: SipTransport

    def __str__(self) -> str:
        return f"{self.host}:{self.port};transport={self.transport}"


class Location:
    """One search. `transport` settled: SRV alone is asked; else NAPTR, then SRV of each."""

    def __init__(self, domain: str, *, secure: bool, transport: SipTransport | None) -> None:
        self.targets: tuple[Target, ...] = ()
        self.refused: tuple[str, ...] = ()  # services that say that they are not there
        self._domain = domain.rstrip(".")
        transports: tuple[SipTransport, ...] = ("tls",) if secure else ("udp", "tcp", "tls")
        self._transports = transports if transport is None else (transport,)
        self._pending: list[tuple[Question, SipTransport | None]] = []
        if transport is None:
            self._pending.append((Question(self._domain, "NAPTR"), None))
        else:
            self._ask_for_every_transport()

    @property
    def question(self) -> Question | None:
        """The next question; None when all is known."""
        return self._pending[0][0] if self._pending else None

    def answered(self, records: Sequence[Naptr] | Sequence[Srv]) -> None:
        """The records of the answer; none where the name has none, or nobody answered."""
        question, transport = self._pending.pop(0)
        if transport is None:
            self._naptr([record for record in records if isinstance(record, Naptr)])
        else:
            found = [record for record in records if isinstance(record, Srv)]
            self._srv(found, transport, question.name)

    def _naptr(self, records: Sequence[Naptr]) -> None:
        """Terminal records of flag "s" with a service that we have, in the zone's order."""
        usable = [
            record
            for record in sorted(records, key=lambda each: (each.order, each.preference))
            if record.flags.lower() == "s"
            and _SERVICES.get(record.service.lower()) in self._transports
        ]
        for record in usable[: len(_SERVICES)]:
            transport = _SERVICES[record.service.lower()]
            question = Question(record.replacement.rstrip("."), "SRV")
            if all(question != asked for asked, _ in self._pending):
                self._pending.append((question, transport))
        if not usable:
            self._ask_for_every_transport()

    def _ask_for_every_transport(self) -> None:
        for transport in self._transports:
            name = f"{_SRV_PREFIX[transport]}.{self._domain}"
            self._pending.append((Question(name, "SRV"), transport))

    def _srv(self, records: Sequence[Srv], transport: SipTransport, name: str) -> None:
        """By priority; within it by weight, the heaviest first, where a client would draw lots."""
        best = sorted(
            records, key=lambda each: (each.priority, -each.weight, each.target, each.port)
        )
        found = list(self.targets)
        for record in best[:_RECORDS_MAX]:
            host = record.target.rstrip(".")
            if not host:  # RFC 2782: the service is decidedly not available at this domain
                self.refused += (name,)
            elif record.port:
                found.append(Target(host, record.port, transport))
        self.targets = tuple(dict.fromkeys(found))[:TARGETS_MAX]
