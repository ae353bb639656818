"""A session with the witness of a reflector: the control connection, and what it is told."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import NetworkFailure, StreamChannel, WitnessNetwork
from nethealth.model.probe import Env
from nethealth.wire.errors import WireError
from nethealth.wire.witness import (
    BUSY,
    LINE_MAX,
    SECRET_OCTETS,
    Asked,
    Hello,
    Refused,
    Told,
    Welcome,
    build_line,
    parse_told,
)
from probes.steps import within

CURE = "start `nethealth reflect` with --sip-port there, and let its control port through"
_LINES_MAX = 4096  # of one session
_READ_OCTETS = 65_536


class WitnessSession:
    """What the witness has said, in order, with the moment at which it was read.

    `failure` is set once nothing more will come; what is broken is never half believed.
    """

    def __init__(
        self, channel: StreamChannel, welcome: Welcome, rest: bytes, env: Env, opened_s: float
    ) -> None:
        self.welcome = welcome
        self.token = welcome.token.hex()
        self.local = channel.local
        self.remote = channel.remote
        self.opening_time_s = opened_s
        self.told: list[tuple[float, Told]] = []
        self.failure: NetworkFailure | None = None
        self._channel = channel
        self._env = env
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read(rest))

    async def ask(self, asked: Asked) -> None:
        """Send one line; NetworkFailure if the connection is gone."""
        await self._channel.write(build_line(asked))

    async def until(self, done: Callable[[], bool], until_s: float) -> bool:
        """Wait until `done()`, which is asked again whenever something was told; or the moment.

        NetworkFailure if the session ends before.
        """
        while not done():
            if self.failure is not None:
                raise self.failure
            self._changed.clear()
            try:
                async with asyncio.timeout(max(0.0, until_s - self._env.clock.monotonic_s())):
                    await self._changed.wait()
            except TimeoutError:
                return done()
        return True

    def wake(self) -> None:
        """Have whoever waits ask again."""
        self._changed.set()

    async def close(self) -> None:
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        await self._channel.close()

    async def _read(self, rest: bytes) -> None:
        try:
            while True:
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    self._take(parse_told(line))
                if len(rest) > LINE_MAX:
                    raise WireError(f"a line of more than {LINE_MAX} octets")
                data = await self._channel.read(_READ_OCTETS)
                if not data:
                    raise NetworkFailure(Failure.RESET, f"{self.remote} ended the session")
                rest += data
        except WireError as error:
            self.failure = NetworkFailure(
                Failure.PROTOCOL, f"the witness at {self.remote}: {error}"
            )
        except NetworkFailure as failure:
            self.failure = failure
        finally:
            self._changed.set()

    def _take(self, told: Told) -> None:
        if isinstance(told, Welcome):
            raise WireError("a second welcome")
        if len(self.told) >= _LINES_MAX:
            raise WireError(f"more than {_LINES_MAX} lines")
        if told == Refused(BUSY):
            raise WireError("it is asked faster than its --rate allows, or by too many at once")
        self.told.append((self._env.clock.monotonic_s(), told))
        self._changed.set()


async def open_session(
    env: Env, network: WitnessNetwork, address: str, port: int, timeout_s: float
) -> WitnessSession:
    """Connect and say hello; NetworkFailure, with the cure, if there is no witness."""
    remote = Endpoint(address, port)
    began_s = env.clock.monotonic_s()
    try:
        channel = await within(
            timeout_s, network.open_stream_from(remote), f"connecting to the witness at {remote}"
        )
    except NetworkFailure as failure:
        raise NetworkFailure(failure.failure, f"{failure.reason}; {CURE}") from None
    try:
        nonce = env.random.getrandbits(8 * SECRET_OCTETS).to_bytes(SECRET_OCTETS, "big")
        await channel.write(build_line(Hello(nonce)))
        welcome, rest = await within(
            timeout_s, _welcome(channel, nonce), f"waiting for the welcome of {remote}"
        )
    except NetworkFailure as failure:
        await channel.close()
        raise NetworkFailure(failure.failure, f"{failure.reason}; {CURE}") from None
    except BaseException:
        await channel.close()
        raise
    return WitnessSession(channel, welcome, rest, env, env.clock.monotonic_s() - began_s)


async def _welcome(channel: StreamChannel, nonce: bytes) -> tuple[Welcome, bytes]:
    received = b""
    while b"\n" not in received:
        data = await channel.read(LINE_MAX)
        if not data:
            raise NetworkFailure(Failure.RESET, f"{channel.remote} closed before its welcome")
        received += data
        if len(received) > 2 * LINE_MAX:
            raise NetworkFailure(Failure.PROTOCOL, f"{channel.remote} is no witness")
    line, _, rest = received.partition(b"\n")
    try:
        told = parse_told(line)
    except WireError as error:
        raise NetworkFailure(Failure.PROTOCOL, f"{channel.remote} is no witness: {error}") from None
    if isinstance(told, Refused):
        raise NetworkFailure(Failure.PROTOCOL, f"the witness at {channel.remote}: {told.reason}")
    if not isinstance(told, Welcome) or told.nonce != nonce:
        raise NetworkFailure(Failure.PROTOCOL, f"{channel.remote} welcomes somebody else")
    return told, rest
