"""Our requests within a call but INVITE and ACK: each a transaction of its own, none in haste."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nethealth.model.endpoint import Endpoint
from nethealth.protocol.sip_dialog import Dialog, OwnSide
from nethealth.protocol.sip_transaction import ClientTransaction, mismatch
from nethealth.wire.sip import CSeq, SipResponse

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Octets to send; `hop` is another destination than the one first asked."""

    data: bytes
    hop: Endpoint | None = None


@dataclass(eq=False, slots=True)
class Asked:
    """One request and its transaction; `dialog` is None of a CANCEL, which is never challenged."""

    method: str
    uri: str
    cseq: CSeq
    transaction: ClientTransaction
    hop: Endpoint | None
    dialog: Dialog | None
    more: tuple[Header, ...]
    authorized: bool = False  # it bears credentials


class Asking:
    """The requests of one call, in their order; `number` is that of the last CSeq of the call."""

    def __init__(self, own: OwnSide) -> None:
        self.number = 1
        self._own = own
        self._asked: list[Asked] = []

    @property
    def hops(self) -> tuple[Endpoint, ...]:
        """Where requests went, other than to the one first asked."""
        return tuple(dict.fromkeys(one.hop for one in self._asked if one.hop is not None))

    @property
    def next_deadline_s(self) -> float | None:
        """When to ask `due` again."""
        times = [one.transaction.next_deadline_s for one in self._asked]
        return min((time for time in times if time is not None), default=None)

    @property
    def credentials_pending(self) -> bool:
        """Whether one that bears credentials is not answered yet."""
        return any(one.authorized and one.transaction.is_open for one in self._asked)

    def next_number(self) -> int:
        """The number for the next CSeq (section 12.2.1.1)."""
        self.number += 1
        return self.number

    def due(self, now: float) -> list[Outgoing]:
        """All copies that are due at `now`; they count as sent."""
        out = []
        for one in self._asked:
            copy = one.transaction.due(now)
            if copy is not None:
                one.transaction.transmitted(now)
                out.append(Outgoing(copy, one.hop))
        return out

    def ask(
        self,
        method: str,
        dialog: Dialog,
        more: Sequence[Header] = (),
        authorization: Header | None = None,
    ) -> Asked:
        """A new request within the dialog; the owner sends it by `due`."""
        branch, number = self._own.branch(), self.next_number()
        borne = (*more, *([] if authorization is None else [authorization]))
        data = self._own.request(method, number, branch, dialog, more=borne)
        asked = self._begin(method, CSeq(number, method), data, branch, dialog, tuple(more))
        asked.authorized = authorization is not None
        return asked

    def cancel(self, number: int, branch: str) -> None:
        """CANCEL of the INVITE that has this number and branch (section 9.1)."""
        data = self._own.request("CANCEL", number, branch)
        self._begin("CANCEL", CSeq(number, "CANCEL"), data, branch, None, ())

    def receive(
        self, response: SipResponse, now: float, data: bytes, foreign: Callable[[str], None]
    ) -> Asked | None:
        """Take in a response to one of these requests and name it; None if it is to none.

        `foreign` is told why a response that bears our CSeq is not ours all the same.
        """
        for one in self._asked:
            if one.cseq != response.cseq:
                continue
            wrong = mismatch(
                response,
                branch=one.transaction.branch,
                sent_by=self._own.sent_by.lower(),
                cseq=one.cseq,
            )
            if wrong is not None:
                foreign(wrong)
            else:
                one.transaction.receive(response, now, data)
            return one
        return None

    def _begin(
        self,
        method: str,
        cseq: CSeq,
        data: bytes,
        branch: str,
        dialog: Dialog | None,
        more: tuple[Header, ...],
    ) -> Asked:
        transaction = ClientTransaction(
            data, branch=branch, sent_by=self._own.sent_by, cseq=cseq, reliable=self._own.reliable
        )
        uri = dialog.addressing[0] if dialog else self._own.uri
        hop = dialog.hop if dialog else None
        asked = Asked(method, uri, cseq, transaction, hop, dialog, more)
        self._asked.append(asked)
        return asked
