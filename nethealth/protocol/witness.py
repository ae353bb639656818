"""The witness of a reflector, without a socket or a clock: it says what arrived, octet for octet.

It answers holders of a session alone, and a session is a TCP connection from an allowed peer,
whose address cannot be forged. What comes by UDP without the token of a session is answered by
silence. To a binding it speaks only as many octets as came from its source, once for each time it
is asked, no later than SPEAK_MOST_S and only while the session lasts: nobody else can be reached.
"""

import heapq
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from nethealth.protocol.reflector_peers import Peers
from nethealth.wire.errors import WireError
from nethealth.wire.witness import (
    BUSY,
    OCTETS_MAX,
    SECRET_OCTETS,
    SPOKEN_OCTETS,
    Arrival,
    Asked,
    Bound,
    Hello,
    Opening,
    Place,
    Refused,
    Speak,
    Spoken,
    Welcome,
    Word,
    build_line,
    parse_asked,
)

CONNECTIONS_MAX = 64
CONNECTIONS_OF_A_PEER_MAX = 16
ARRIVALS_MAX = 512  # told in one session
BINDINGS_MAX = 256  # of one session
PENDING_MAX = 1024  # words still to be spoken in one session
SPEAK_MOST_S = 600.0
SESSION_MOST_S = 1800.0
HELLO_MOST_S = 10.0  # a connection that has not opened a session by then is over
_TOKENS_MAX = 16  # looked for in one request
_TOKEN = re.compile(rb"[0-9a-f]{%d}" % (2 * SECRET_OCTETS))


class WitnessRefusal(StrEnum):
    """Why something was passed over."""

    NOT_ALLOWED = "not allowed"
    TOO_FAST = "too fast"
    NO_ROOM = "no room"
    NO_SESSION = "of no session"


@dataclass(frozen=True, slots=True)
class Listening:
    """The ports of the witness, and its own addresses if they are named."""

    sip_port: int | None
    control_port: int
    second_port: int
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tell:
    """A line for a connection."""

    connection: int
    line: bytes


@dataclass(frozen=True, slots=True)
class Say:
    """A datagram, from one of our addresses and ports."""

    data: bytes
    local_address: str
    local_port: int
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Hang:
    """A connection to be closed."""

    connection: int


Action = Tell | Say | Hang


@dataclass(frozen=True, slots=True)
class Came:
    """A datagram, or all that came on a connection for SIP, at one of our addresses and ports."""

    data: bytes
    address: str
    port: int
    local_address: str
    local_port: int
    now_s: float


@dataclass(slots=True)
class _Binding:
    nonce: bytes
    source: str
    source_port: int
    local_address: str
    local_port: int
    credit_octets: int = 0


@dataclass(slots=True)
class _Session:
    connection: int
    address: str
    port: int
    local_address: str
    opened_s: float
    token: bytes = b""
    hurried: bool = False
    arrivals: int = 0
    pending: int = 0
    bindings: dict[int, _Binding] = field(default_factory=dict)


class Witness:
    """What is kept of sessions; `secret` makes tokens that nobody can guess."""

    def __init__(self, peers: Peers, listening: Listening, secret: Callable[[int], bytes]) -> None:
        self.told_count = 0
        self.spoken_count = 0
        self.refused: Counter[WitnessRefusal] = Counter()
        self._peers = peers
        self.listening = listening
        self._secret = secret
        self._sessions: dict[int, _Session] = {}  # by connection
        self._of_token: dict[bytes, _Session] = {}
        self._of_peer: Counter[str] = Counter()
        self._due: list[tuple[float, int, int, Speak]] = []  # when, order, connection, what
        self._order = 0

    @property
    def session_count(self) -> int:
        return len(self._of_token)

    @property
    def next_due_s(self) -> float | None:
        """When `due` has something to say."""
        return self._due[0][0] if self._due else None

    def admits(self, address: str, now_s: float) -> bool:
        """Whether a connection from there is to be taken, for whatever port."""
        if not self._peers.allows(address):
            return self._refuse(WitnessRefusal.NOT_ALLOWED)
        if not self._peers.in_time(address, now_s):
            return self._refuse(WitnessRefusal.TOO_FAST)
        return True

    def connected(
        self, connection: int, address: str, port: int, local_address: str, now_s: float
    ) -> bool:
        """A connection, to whichever port; False if there is no place for it."""
        if not self.admits(address, now_s):
            return False
        if (
            len(self._sessions) >= CONNECTIONS_MAX
            or self._of_peer[address] >= CONNECTIONS_OF_A_PEER_MAX
        ):
            return self._refuse(WitnessRefusal.NO_ROOM)
        self._of_peer[address] += 1
        self._sessions[connection] = _Session(connection, address, port, local_address, now_s)
        return True

    def closed(self, connection: int) -> None:
        """The connection has gone, and with it all that was still to be said."""
        session = self._sessions.pop(connection, None)
        if session is None:
            return
        self._of_token.pop(session.token, None)
        self._of_peer[session.address] -= 1
        if not self._of_peer[session.address]:
            del self._of_peer[session.address]
        self._due = [one for one in self._due if one[2] != connection]
        heapq.heapify(self._due)

    def line(self, connection: int, line: bytes, now_s: float) -> tuple[Action, ...]:
        """One line of a connection, without its end."""
        session = self._sessions.get(connection)
        if session is None:
            return ()
        if not self._peers.in_time(session.address, now_s):
            self._refuse(WitnessRefusal.TOO_FAST)
            return (Tell(connection, build_line(Refused(BUSY))), Hang(connection))
        try:
            return self._asked(session, parse_asked(line), now_s)
        except WireError as error:
            return (Tell(connection, build_line(Refused(str(error)))), Hang(connection))

    def datagram(self, came: Came) -> tuple[Action, ...]:
        """An Opening, a SIP request, or anything else; without a session's token no answer."""
        if not self._peers.allows(came.address):
            self._refuse(WitnessRefusal.NOT_ALLOWED)
            return ()
        if not self._peers.in_time(came.address, came.now_s):
            self._refuse(WitnessRefusal.TOO_FAST)
            return self.excuses(came.address)
        try:
            opening = Opening.parse(came.data)
        except WireError:
            return self._arrived(came, "udp")
        return self._opened(came, opening)

    def stream(self, came: Came) -> tuple[Action, ...]:
        """All that came on one connection to the SIP port, or to the control port in its place."""
        return self._arrived(came, "tcp")

    def due(self, now_s: float) -> tuple[Action, ...]:
        """Words whose time has come, and connections whose time is over."""
        actions: list[Action] = []
        while self._due and self._due[0][0] <= now_s:
            _, _, connection, speak = heapq.heappop(self._due)
            session = self._sessions[connection]
            session.pending -= 1
            actions += self._speak(session, speak)
        for session in self._sessions.values():
            most_s = SESSION_MOST_S if session.token else HELLO_MOST_S
            if now_s - session.opened_s > most_s:
                actions.append(Hang(session.connection))
        return tuple(actions)

    def excuses(self, address: str) -> tuple[Action, ...]:
        """Tell each session of an address, once, that something of its was not taken.

        What we drop, or hang up on, shall not look lost or blocked on the way.
        """
        hurried = [
            one for one in self._sessions.values() if one.address == address and not one.hurried
        ]
        for one in hurried:
            one.hurried = True
        return tuple(Tell(one.connection, build_line(Refused(BUSY))) for one in hurried)

    def _refuse(self, why: WitnessRefusal) -> bool:
        self.refused[why] += 1
        return False

    def _asked(self, session: _Session, asked: Asked, now_s: float) -> tuple[Action, ...]:
        connection = session.connection
        if isinstance(asked, Hello):
            if session.token:
                raise WireError("hello was said already")
            session.token = self._secret(SECRET_OCTETS)
            self._of_token[session.token] = session
            own = self.listening
            welcome = Welcome(
                asked.nonce, session.token, session.address.partition("%")[0], session.port,
                own.sip_port, own.control_port, own.second_port, self._other(session.local_address),
                SPEAK_MOST_S,
            )  # fmt: skip
            return (Tell(connection, build_line(welcome)),)
        if not session.token:
            raise WireError("hello comes first")
        reason = self._unspeakable(session, asked)
        if reason is not None:
            return (Tell(connection, build_line(Refused(reason))),)
        session.pending += 1
        self._order += 1
        heapq.heappush(self._due, (now_s + asked.after_s, self._order, connection, asked))
        return ()

    def _unspeakable(self, session: _Session, speak: Speak) -> str | None:
        if speak.binding not in session.bindings:
            return f"binding {speak.binding} was never opened"
        if speak.after_s > SPEAK_MOST_S:
            return f"{speak.after_s:g} s is more than {SPEAK_MOST_S:g} s"
        if session.pending >= PENDING_MAX:
            return f"{PENDING_MAX} words are waiting already"
        if speak.place == "address" and self._other(session.local_address) is None:
            return "there is no other address to speak from"
        return None

    def _other(self, address: str) -> str | None:
        six = ":" in address
        same = [one for one in self.listening.addresses if (":" in one) == six]
        return next((one for one in same if one != address), None) if address in same else None

    def _opened(self, came: Came, opening: Opening) -> tuple[Action, ...]:
        session = self._of_token.get(opening.token)
        if session is None:
            self._refuse(WitnessRefusal.NO_SESSION)
            return ()
        known = session.bindings.get(opening.binding)
        if known is None and len(session.bindings) >= BINDINGS_MAX:
            self._refuse(WitnessRefusal.NO_ROOM)
            return ()
        same = known is not None and (known.source, known.source_port) == (came.address, came.port)
        # Credit is of one source: what came from another port earns nothing for this one.
        credit = known.credit_octets if known is not None and same else 0
        session.bindings[opening.binding] = _Binding(
            opening.nonce, came.address, came.port, came.local_address, came.local_port,
            credit + len(came.data),
        )  # fmt: skip
        bound = Bound(
            opening.binding,
            came.local_address.partition("%")[0],
            came.local_port,
            came.address.partition("%")[0],
            came.port,
        )
        self.told_count += 1
        return (
            *self._speak(session, Speak(opening.binding, 0, 0.0), quiet=True),
            Tell(session.connection, build_line(bound)),
        )

    def _speak(self, session: _Session, speak: Speak, *, quiet: bool = False) -> tuple[Action, ...]:
        binding = session.bindings[speak.binding]
        if binding.credit_octets < SPOKEN_OCTETS:
            refused = Refused(f"binding {speak.binding} has had as many octets as came from it")
            return (Tell(session.connection, build_line(refused)),)
        binding.credit_octets -= SPOKEN_OCTETS
        self.spoken_count += 1
        local_address, local_port = self._from(binding, speak.place)
        word = Word(binding.nonce, speak.binding, speak.serial).build()
        said = Say(word, local_address, local_port, binding.source, binding.source_port)
        if quiet:
            return (said,)
        told = build_line(Spoken(speak.binding, speak.serial))
        return (said, Tell(session.connection, told))

    def _from(self, binding: _Binding, place: Place) -> tuple[str, int]:
        match place:
            case "same":
                return binding.local_address, binding.local_port
            case "port":
                own = self.listening
                second = binding.local_port != own.second_port
                return binding.local_address, own.second_port if second else own.control_port
            case "address":
                other = self._other(binding.local_address)
                return other or binding.local_address, binding.local_port

    def _arrived(self, came: Came, transport: str) -> tuple[Action, ...]:
        for token in _TOKEN.findall(came.data[:OCTETS_MAX])[:_TOKENS_MAX]:
            session = self._of_token.get(bytes.fromhex(token.decode()))
            if session is None:
                continue
            if session.arrivals >= ARRIVALS_MAX:
                self._refuse(WitnessRefusal.NO_ROOM)
                return ()
            session.arrivals += 1
            self.told_count += 1
            arrival = Arrival(
                "udp" if transport == "udp" else "tcp",
                came.local_port,
                came.address.partition("%")[0],
                came.port,
                came.data[:OCTETS_MAX],
                len(came.data) > OCTETS_MAX,
            )
            return (Tell(session.connection, build_line(arrival)),)
        self._refuse(WitnessRefusal.NO_SESSION)
        return ()
