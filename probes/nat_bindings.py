"""Bindings of our own ports towards the witness: opened, shown again, and spoken to."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import Datagram, NetworkFailure, OpenChannel, WitnessNetwork
from nethealth.model.probe import Env
from nethealth.wire.errors import WireError
from nethealth.wire.witness import (
    SECRET_OCTETS,
    Bound,
    Opening,
    Place,
    Speak,
    Spoken,
    Word,
)
from probes.sip_exchange import same_endpoint
from probes.witness_session import WitnessSession

WORDS = 3  # spoken at each time: one lost by chance is no sign
_WORDS_GAP_S = 0.1
_COPIES = 3  # of an Opening
_NEAR = {4: 24, 6: 64}
_EARLY_S = 0.2  # by which a word may come before its time, for the two ends' clocks


@dataclass(slots=True)
class Binding:
    """One opening of a port of ours; `source` is what the witness saw of it."""

    number: int
    nonce: bytes
    local: Endpoint
    remote: Endpoint
    channel: OpenChannel
    source: Endpoint | None = None
    opened_s: float = 0.0
    answered: bool = False  # by the word that every Opening brings
    confirmed: bool = False  # was so once: before that, silence says nothing
    spoilt: bool = False  # a word of its own came from elsewhere, or before its time
    was_reopened: bool = False
    reopened: bool = False
    asked: dict[int, tuple[Place, float]] = field(default_factory=dict)  # serial: where, when due
    spoken: set[int] = field(default_factory=set)
    words: set[int] = field(default_factory=set)

    def heard(self, place: Place) -> bool:
        """Whether any word from there has come."""
        return any(self.asked[serial][0] == place for serial in self.words if serial)

    @property
    def is_telling(self) -> bool:
        """Whether words that do not come would say anything of it."""
        return self.confirmed and not self.spoilt and self.has_spoken(("same",))

    def has_spoken(self, places: Sequence[Place]) -> bool:
        """Whether the witness says that it has spoken all words from these places."""
        return all(
            any(where == place for where, _ in self.asked.values())
            and all(
                serial in self.spoken for serial, (where, _) in self.asked.items() if where == place
            )
            for place in places
        )

    def heard_from(self, places: Sequence[Place]) -> bool:
        return all(self.heard(place) for place in places)


class Bindings:
    """All bindings of one check."""

    def __init__(
        self, session: WitnessSession, env: Env, network: WitnessNetwork, timeout_s: float
    ) -> None:
        self.all: list[Binding] = []
        self.rejected: Counter[str] = Counter()
        self._session = session
        self._env = env
        self._network = network
        self._timeout_s = timeout_s
        self._of: dict[int, Binding] = {}
        self._channels: list[OpenChannel] = []
        self._readers: list[asyncio.Task[None]] = []
        self._read = 0
        self._failure: NetworkFailure | None = None

    @property
    def other_address(self) -> str | None:
        """A second address of the reflector, if it is of the same /24, or /64 of IPv6.

        A reflector that lies shall not make us send to whomever it names.
        """
        other = self._session.welcome.other_address
        own = ip_address(self._session.remote.address.partition("%")[0])
        if other is None or ip_address(other).version != own.version:
            return None
        near = ip_network((own, _NEAR[own.version]), strict=False)
        return other if ip_address(other) in near else None

    def place(self, place: Place) -> Endpoint:
        """Where the witness is, by the name of the place."""
        welcome, address = self._session.welcome, self._session.remote.address
        match place:
            case "same":
                return self._session.remote
            case "port":
                return Endpoint(address, welcome.second_port)
            case "address":
                return Endpoint(self.other_address or address, welcome.control_port)

    async def open_from_one_port(self, places: Sequence[Place]) -> dict[Place, Binding]:
        """One port of ours towards several places; each is a binding of its own."""
        channel = await self._channel()
        opened = {place: self._binding(channel, self.place(place)) for place in places}
        await self._show(list(opened.values()))
        return opened

    async def open_many(self, count: int) -> list[Binding]:
        """So many ports of ours, each with one binding towards the control port."""
        remote = self.place("same")
        opened = [self._binding(await self._channel(), remote) for _ in range(count)]
        await self._show(opened)
        return opened

    async def reopen(self, bindings: Sequence[Binding]) -> None:
        """Send from the same ports again: does the way as such still work?"""
        for binding in bindings:
            if not binding.heard("same"):
                binding.was_reopened = True
                binding.answered = False
        await self._show([one for one in bindings if one.was_reopened])
        for binding in bindings:
            binding.reopened = binding.was_reopened and binding.answered

    async def ask(self, binding: Binding, after_s: float, place: Place) -> None:
        """Ask for words to a binding, if it is one, so long after it was opened."""
        if binding.source is None:
            return
        due_s = binding.opened_s + after_s
        for word in range(WORDS):
            serial = len(binding.asked) + 1
            wait_s = max(0.0, due_s + word * _WORDS_GAP_S - self._env.clock.monotonic_s())
            binding.asked[serial] = (place, self._env.clock.monotonic_s() + wait_s)
            await self._session.ask(Speak(binding.number, serial, round(wait_s, 3), place))

    async def until(self, done: Callable[[], bool], wait_s: float) -> bool:
        """Wait for `done()`, at most so long; NetworkFailure if the session ends."""

        def asked() -> bool:
            self._take_in()
            return done()

        return await self._session.until(asked, self._env.clock.monotonic_s() + wait_s)

    def silence(self) -> NetworkFailure:
        """Why no binding came about."""
        if self._failure is not None:
            return self._failure
        if set(self.rejected) == {"from another address"}:
            return NetworkFailure(Failure.WRONG_SOURCE, "words came only from another address")
        if self.rejected:
            reasons = ", ".join(f"{count} {why}" for why, count in sorted(self.rejected.items()))
            return NetworkFailure(Failure.PROTOCOL, f"no word that can be believed: {reasons}")
        return NetworkFailure(
            Failure.TIMEOUT,
            f"no datagram reached the witness at {self.place('same')}, or no answer came back",
        )

    def close(self) -> None:
        for reader in self._readers:
            reader.cancel()
        for channel in self._channels:
            channel.close()

    async def _channel(self) -> OpenChannel:
        channel = await self._network.open_channel(self._session.remote)
        self._channels.append(channel)
        self._readers.append(asyncio.create_task(self._listen(channel)))
        return channel

    def _binding(self, channel: OpenChannel, remote: Endpoint) -> Binding:
        nonce = self._env.random.getrandbits(8 * SECRET_OCTETS).to_bytes(SECRET_OCTETS, "big")
        local = Endpoint(channel.local.address.partition("%")[0], channel.local.port)
        binding = Binding(len(self._of) + 1, nonce, local, remote, channel)
        self._of[binding.number] = binding
        self.all.append(binding)
        return binding

    async def _show(self, bindings: Sequence[Binding]) -> None:
        """Send openings until each is known to the witness and answered, or the time is over.

        A binding that is known is shown no more: another packet would make it younger.
        """
        token = bytes.fromhex(self._session.token)
        for _ in range(_COPIES):
            for binding in bindings:
                if binding.answered:
                    continue
                await self._env.pacer.wait()
                opening = Opening(token, binding.nonce, binding.number).build()
                with suppress(NetworkFailure):  # said by the channel's own errors
                    binding.opened_s = binding.channel.send(opening, binding.remote)
            if await self.until(lambda: _complete(bindings), self._timeout_s / _COPIES):
                return

    def _take_in(self) -> None:
        told = self._session.told
        for at_s, one in told[self._read :]:
            if isinstance(one, Bound):
                self._bound(one)
            elif isinstance(one, Spoken):
                self._spoken(one, at_s)
        self._read = len(told)

    def _bound(self, bound: Bound) -> None:
        binding = self._of.get(bound.binding)
        if binding is None or bound.port != binding.remote.port:
            self.rejected["tells of a binding that is none of ours"] += 1
        elif binding.source is None:
            binding.source = Endpoint(bound.source, bound.source_port)

    def _spoken(self, spoken: Spoken, at_s: float) -> None:
        binding = self._of.get(spoken.binding)
        if binding is None or spoken.serial not in binding.asked:
            self.rejected["tells of a word that was not asked for"] += 1
        elif at_s < binding.asked[spoken.serial][1] - _EARLY_S:
            self.rejected["says that it spoke before its time"] += 1
        else:
            binding.spoken.add(spoken.serial)

    async def _listen(self, channel: OpenChannel) -> None:
        while True:
            try:
                self._heard(channel, await channel.receive())
            except NetworkFailure as failure:
                self._failure = self._failure or failure
            self._session.wake()
            await asyncio.sleep(0)

    def _heard(self, channel: OpenChannel, datagram: Datagram) -> None:
        try:
            word = Word.parse(datagram.data)
        except WireError:
            self.rejected["no word of a witness"] += 1
            return
        binding = self._of.get(word.binding)
        if binding is None or binding.channel is not channel or binding.nonce != word.nonce:
            self.rejected["for a binding that is none of ours"] += 1
            return
        if word.serial == 0:
            expected, due_s = binding.remote, 0.0
        elif word.serial in binding.asked:
            place, due_s = binding.asked[word.serial]
            expected = self.place(place)
        else:
            self.rejected["that was not asked for"] += 1
            return
        if not same_endpoint(datagram.source, expected):
            binding.spoilt = True
            self.rejected["from another address"] += 1
        elif datagram.received_s < due_s - _EARLY_S:
            binding.spoilt = True
            self.rejected["before its time"] += 1
        elif word.serial == 0:
            binding.answered = binding.confirmed = True
        else:
            binding.words.add(word.serial)


def _complete(bindings: Sequence[Binding]) -> bool:
    return all(one.source is not None and one.answered for one in bindings)
