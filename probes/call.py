"""`call`: a test call with media both ways, and what became of it (docs/probes/call.md)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field

from nethealth.model.check import CallParameters, Check
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Passport
from nethealth.model.ports import CallNetwork, NetworkFailure
from nethealth.model.probe import Completion, Env, Observer, Probe
from nethealth.protocol.rtp_session import RtpSession
from nethealth.protocol.sip_call import Call, CallState
from nethealth.wire.numbers import refusal
from probes.call_account import UNITS, account
from probes.call_login import CallLogin
from probes.call_media import MediaPorts, media_ports
from probes.call_media_account import CallEnding
from probes.call_signalling import OverDatagrams, OverStream, Signalling
from probes.steps import failed, not_run, resolve_one, within
from probes.tls import tls_observations

CONNECT_TIMEOUT_S = 5.0
DRAIN_S = 0.5  # for what is still on its way once we have sent our last packet
CLEANUP_S = 3.0  # for the answer to BYE or CANCEL
HASTY_CLEANUP_S = 0.7  # the same for a check that was told to stop
DEADLINE_MARGIN_S = 0.5


async def probe(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """One call: ring, talk and listen, hang up.  Whatever happens, an open call is ended."""
    parameters = check.parameters
    if not isinstance(parameters, CallParameters):
        raise TypeError(f"{check.id}: not the parameters of a call check")
    reason = refusal(parameters.uri)
    if reason is not None:
        yield not_run(f"this number is never called: {reason}")
        return
    if not isinstance(env.network, CallNetwork):
        yield not_run("no call can be held over this network")
        return
    end_s = env.clock.monotonic_s() + check.deadline_s - DEADLINE_MARGIN_S
    observe = Observer(check, env, UNITS)
    resolution = await resolve_one(parameters.host, parameters.family, env, observe)
    for observation in resolution.observations:
        yield observation
    if resolution.failure is not None:
        yield failed(resolution.failure)
        return
    method: Passport = {
        **resolution.passport,
        "port": parameters.port,
        "transport": parameters.transport,
    }
    remote = Endpoint(resolution.address, parameters.port)
    attempt = _Attempt(parameters, remote, env, env.network, end_s)
    async with aclosing(attempt.steps(observe, method)) as steps:
        async for step in steps:
            yield step


@dataclass
class _Attempt:
    """The call as it is being made."""

    parameters: CallParameters
    remote: Endpoint
    env: Env
    network: CallNetwork
    end_s: float
    failure: NetworkFailure | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def __post_init__(self) -> None:
        self._login = CallLogin(self.parameters, self.env)

    async def steps(
        self, observe: Observer, method: Passport
    ) -> AsyncGenerator[Observation | Completion, None]:
        async with self._stack:
            local, way = None, None
            async with aclosing(self._way(observe, method)) as opened:
                async for step in opened:
                    if isinstance(step, tuple):
                        local, way = step
                    else:
                        yield step
            if local is None or way is None:
                return
            wall_s = self.env.clock.wall_utc().timestamp() - self.env.clock.monotonic_s()
            session = RtpSession(self.env.random.getrandbits, wall_s)
            try:
                ports = await self._stack.enter_async_context(
                    media_ports(self.network, self.remote, self.parameters.dscp, session)
                )
            except NetworkFailure as error:
                yield failed(error)
                return
            call = Call(
                self.parameters.uri,
                self.parameters.transport,
                local,
                self.remote,
                media=ports.rtp.local,
                rtcp_port=ports.rtcp.local.port,
                codecs=self.parameters.codecs,
                getrandbits=self.env.random.getrandbits,
                username=self.parameters.username,
            )
            ports.remote = lambda: call.media
            cut_short = await self._hold(call, way, ports)
            ending = CallEnding(
                call, ports, way.wrong_sources, self.failure, self.parameters, self._login
            )
            for observation in account(observe, method, ending):
                yield observation
            if cut_short is not None:
                raise cut_short
            yield self._completion(call)

    async def _way(
        self, observe: Observer, method: Passport
    ) -> AsyncGenerator[Observation | Completion | tuple[Endpoint, Signalling], None]:
        """Open what the signalling goes by; connection and handshake are facts of their own."""
        env, parameters = self.env, self.parameters
        if parameters.transport == "udp":
            try:
                channel = await self.network.open_channel(self.remote)
            except NetworkFailure as error:
                yield observe("sip_status_code", None, failure=error.failure, method=method)
                yield failed(error)
                return
            self._stack.callback(channel.close)
            yield channel.local, OverDatagrams(channel, self.remote)
            return
        started_s = env.clock.monotonic_s()
        step = "tcp_connect_time_s"
        try:
            stream = await within(
                CONNECT_TIMEOUT_S,
                env.network.open_stream(self.remote),
                f"connecting to {self.remote}",
            )
            self._stack.push_async_callback(stream.close)
            connected_s = env.clock.monotonic_s()
            yield observe(step, connected_s - started_s, samples=1, method=method)
            if parameters.transport == "tls":
                step = "tls_handshake_time_s"
                facts = await within(
                    CONNECT_TIMEOUT_S,
                    stream.start_tls(parameters.host),
                    f"TLS handshake with {self.remote}",
                )
                shaken_s = env.clock.monotonic_s()
                yield observe(step, shaken_s - connected_s, samples=1, method=method)
                now_utc = env.clock.wall_utc()
                for item in tls_observations(observe, facts, parameters.host, now_utc, method):
                    yield item
        except NetworkFailure as error:
            yield observe(step, None, failure=error.failure, method=method)
            yield failed(error)
            return
        yield stream.local, OverStream(stream, env.clock)

    async def _hold(
        self, call: Call, way: Signalling, ports: MediaPorts
    ) -> asyncio.CancelledError | None:
        """Ring, talk, hang up; the cancellation that cut it short, once the call is ended."""
        cut_short: asyncio.CancelledError | None = None
        listening = asyncio.create_task(ports.listen())
        try:
            await self._talk(call, way, ports)
        except NetworkFailure as error:
            self.failure = error
        except asyncio.CancelledError as cancelled:
            cut_short = cancelled
        finally:
            ports.report(self.env, leaving=True)
            try:
                await self._end(call, way, HASTY_CLEANUP_S if cut_short else CLEANUP_S)
            finally:
                listening.cancel()
                await asyncio.wait({listening})
        return cut_short

    async def _talk(self, call: Call, way: Signalling, ports: MediaPorts) -> None:
        env, clock = self.env, self.env.clock
        await env.pacer.wait()
        last_s = self.end_s - CLEANUP_S - DRAIN_S
        ring_until_s = min(clock.monotonic_s() + self.parameters.ring_timeout_s, last_s)
        waiting = (CallState.CALLING, CallState.RINGING)
        await self._login.carry(call, way, lambda: call.state not in waiting, ring_until_s)
        if call.state is not CallState.ANSWERED or call.media is None:
            return
        until_s = min(clock.monotonic_s() + self.parameters.duration_s, last_s)
        talking = asyncio.create_task(ports.talk(env, until_s))
        try:
            over = lambda: call.state is not CallState.ANSWERED  # noqa: E731 - a condition
            await self._login.carry(call, way, over, until_s)
            if call.state is CallState.ANSWERED:
                await self._login.carry(call, way, over, until_s + DRAIN_S)
        finally:
            talking.cancel()
            await asyncio.wait({talking})
        if not talking.cancelled():
            talking.result()

    async def _end(self, call: Call, way: Signalling, wait_s: float) -> None:
        """Hang up and await the answer, but not for long."""
        clock = self.env.clock
        call.hang_up(clock.monotonic_s())
        over = call.state is CallState.CALLING and not call.provisional and self.failure is not None
        try:
            if not over:
                deadline_s = clock.monotonic_s() + wait_s
                await self._login.carry(call, way, lambda: call.is_over, deadline_s)
        except NetworkFailure as error:
            self.failure = self.failure or error

    def _completion(self, call: Call) -> Completion:
        """Any final answer is a result; what kept a call from its end is the failure."""
        if self.failure is not None and (call.final is None or call.answered_s is not None):
            return failed(self.failure)
        if self._login.refused and call.answered_s is None:
            return Completion(Outcome.FAILED, Failure.AUTH, self._login.reason)
        if call.state is CallState.TIMED_OUT or not (call.provisional or call.final):
            return self._unanswered(call)
        if call.final is None or (call.final.status_code == 487 and call.answered_s is None):
            waited = f"it rang for {self.parameters.ring_timeout_s:g} s and nobody answered"
            return Completion(Outcome.FAILED, Failure.TIMEOUT, waited)
        if call.media_fault is not None:
            reason = f"answered without media that we could send to: {call.media_fault}"
            return Completion(Outcome.FAILED, Failure.PROTOCOL, reason)
        return Completion(Outcome.COMPLETED)

    def _unanswered(self, call: Call) -> Completion:
        if call.malformed_count or call.foreign_count:
            reason = f"no good answer to the INVITE (first: {call.first_fault})"
            return Completion(Outcome.FAILED, Failure.PROTOCOL, reason)
        copies = len(call.invite.sent_s)
        reason = f"no answer to {copies} {'copy' if copies == 1 else 'copies'} of the INVITE"
        return Completion(Outcome.FAILED, Failure.TIMEOUT, reason)


CALL = Probe("call", probe, UNITS)
