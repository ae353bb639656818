"""The SIP analysis of a capture: messages, calls, registrations, and the measures of RFC 6076."""

from collections import Counter, OrderedDict
from collections.abc import Iterator

from nethealth.model.pseudonym import Names as PersonNames
from nethealth.passive.analysis import Fact
from nethealth.passive.announced import AnnouncedMedia, Encoding, MediaBook
from nethealth.passive.packets import Packets
from nethealth.passive.sip_call import MediaEnd
from nethealth.passive.sip_calls import Calls
from nethealth.passive.sip_facts import (
    call_facts,
    copy_facts,
    count_facts,
    measure_facts,
    registration_facts,
)
from nethealth.passive.sip_measures import Measures
from nethealth.passive.sip_media_seen import StreamBook
from nethealth.passive.sip_packets import SipPackets
from nethealth.passive.sip_parties import Parties
from nethealth.passive.sip_read import SeenMessage, fault_name
from nethealth.passive.sip_registrations import Registrations
from nethealth.passive.sip_transactions import Names, names_of
from nethealth.passive.vq_reports import VqReports
from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipRequest

METHODS_MAX = 64  # told apart; a fuzzer invents them without end
METHOD_MAX_CHARACTERS = 32
ANNOUNCED_MAX = 20_000
_OTHERS_MAX = 20_000
_OTHER = "other"


class SipAnalysis:
    """Feed it a capture's packets; the media that calls announce goes into `book` at once.

    By the time that it is asked for its results the RTP analysis has left its streams there.
    """

    def __init__(self, people: PersonNames, book: MediaBook) -> None:
        self.requests: Counter[str] = Counter()
        self.responses: Counter[int] = Counter()
        self.messages = SipPackets()
        self.measures = Measures()
        self.parties = Parties(people)
        self.calls = Calls(self.parties, self.measures.call, self._announce)
        self.registrations = Registrations(self.parties)
        self.reports = VqReports()
        self._book = book
        self._announced_count = 0
        self._other_copies: Counter[str] = Counter()
        self._others: OrderedDict[tuple[str, str, int, str], None] = OrderedDict()
        self._last_ns = 0

    def feed(self, packets: Packets) -> None:
        """Take the next packets of the timeline."""
        if len(packets):
            self._last_ns = max(self._last_ns, int(packets.time_ns.max()))
        for seen in self.messages.feed(packets):
            self.take(seen)

    def take(self, seen: SeenMessage) -> None:
        """Take one message."""
        message = seen.message
        if isinstance(message, SipRequest):
            self.requests[self._method(message.method)] += 1
        else:
            self.responses[message.status_code] += 1
        self.reports.take(seen)
        try:
            names = names_of(message)
        except WireError as error:
            self.messages.faults[fault_name(error)] += 1
            return
        if names.method == "REGISTER":
            self.registrations.take(seen, names)
            self._account_registrations()
        elif not self.calls.take(seen, names):
            self._other(seen, names)

    def finish(self) -> Iterator[Fact]:
        """What was found in the capture as a whole."""
        for seen in self.messages.finish():
            self.take(seen)
        self.calls.finish(self._last_ns)
        self.registrations.finish(self._last_ns)
        self._account_registrations()
        yield from self._message_facts()
        told = [
            *call_facts(self.calls, StreamBook(self._book.streams())),
            *registration_facts(self.registrations),
        ]
        yield from told
        yield from measure_facts(self.measures)
        yield from self.reports.facts({call.call_id: call.number for call in self.calls.results})
        named = {
            number
            for fact in told
            for key in ("party", "caller_party", "callee_party")
            if (number := fact.method.get(key)) is not None
        }
        for number, text in self.parties.all().items():
            if number in named:
                yield Fact("sip_party", text, method={"party": number})

    def _message_facts(self) -> Iterator[Fact]:
        yield from count_facts("sip_request_count", "sip_method", self.requests)
        for code, count in sorted(self.responses.items()):
            yield Fact("sip_response_count", count, method={"status_code": code})
        yield from count_facts("sip_malformed_count", "fault", self.messages.faults)
        yield Fact("sip_cut_count", self.messages.cut_count)
        yield Fact("sip_mirrored_count", self.messages.mirrored_count)
        yield Fact("sip_keepalive_count", self.messages.keepalive_count)
        yield Fact(
            "sip_tcp_gap_count", self.messages.missing_count,
            method={"connections_left_out": self.messages.direction_left_out_count},
        )  # fmt: skip
        copies = self.calls.copies + self._other_copies
        if self.registrations.copy_count:
            copies["REGISTER and its answers"] += self.registrations.copy_count
        yield from copy_facts(copies)

    def _method(self, method: str) -> str:
        """The name to count under: a closed number of names, none of them long."""
        if method in self.requests:
            return method
        if len(method) > METHOD_MAX_CHARACTERS or len(self.requests) >= METHODS_MAX:
            return _OTHER
        return method

    def _account_registrations(self) -> None:
        for attempt in self.registrations.attempts:
            self.measures.registration(attempt)
        self.registrations.attempts.clear()

    def _other(self, seen: SeenMessage, names: Names) -> None:
        """OPTIONS, SUBSCRIBE and the rest: known by their names for a while, to know copies."""
        if seen.mirrored:
            return
        message = seen.message
        label = names.method
        if not isinstance(message, SipRequest):
            label = f"{message.status_code} to {names.method}"
        hop = f"{label[:64]} {names.branch} {seen.source} {seen.destination}"
        key = names.call_id, names.method, names.number, hop
        if key in self._others:
            self._other_copies[label[:METHOD_MAX_CHARACTERS]] += 1
        self._others[key] = None
        self._others.move_to_end(key)
        if len(self._others) > _OTHERS_MAX:
            self._others.popitem(last=False)

    def _announce(self, end: MediaEnd, call_id: str) -> None:
        announced = end.announced
        if announced.endpoint is None or self._announced_count >= ANNOUNCED_MAX:
            return
        self._announced_count += 1
        self._book.announce(
            AnnouncedMedia(
                address=announced.endpoint.address,
                port=announced.endpoint.port,
                from_ns=end.from_ns,
                encodings={
                    number: Encoding(name, clock)
                    for number, name, clock in announced.encodings
                    if number >= 0 and clock > 0
                },
                packet_s=announced.packet_s,
                call_id=call_id,
                media=announced.kind,
            )
        )
