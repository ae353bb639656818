"""sip-alg: the same SIP requests to port 5060 and to another of our own reflector, compared."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import closing as closed

from nethealth.model.check import Check, SipAlgParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.observation import Observation, Scalar
from nethealth.model.ports import NetworkFailure, StreamChannel, WitnessNetwork
from nethealth.model.probe import Completion, Env, Observer, Probe
from nethealth.protocol.sip_rewriting import body_of, changes, request
from probes.sip_alg_exchange import (
    Case,
    Requests,
    Role,
    by_pair,
    closing,
    drained,
    together,
    two_streams,
)
from probes.sip_exchange import same_endpoint
from probes.steps import RESOLUTION_UNITS, failed, not_run, resolve_one
from probes.witness_session import WitnessSession, open_session

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "witness_opening_time_s": "s",
    "sip_request_arrived": None,
    "sip_alg_seen": None,
    "sip_rewritten_parts": None,
    "nat_source_translated": None,
    "sip_size_arrived_max_bytes": "bytes",
    "witness_rejected_count": None,
}

METHODS = ("OPTIONS", "INVITE")
_ROLES: tuple[Role, ...] = ("sip", "control")
_TEXT_MAX = 400  # characters of a list of parts

_Method = Mapping[str, Scalar | Sequence[Scalar]]


async def probe(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """A session with the witness, the requests by UDP and TCP, then OPTIONS of growing size.

    Nothing of SIP leaves before our own witness has answered at the control port, and said that
    it is also what listens at the SIP port.
    """
    parameters = check.parameters
    if not isinstance(parameters, SipAlgParameters):
        raise TypeError(f"{check.id}: not the parameters of a sip-alg check")
    if not isinstance(env.network, WitnessNetwork):
        yield not_run("this network has no reflector with a witness")
        return
    observe = Observer(check, env, UNITS)
    resolution = await resolve_one(parameters.host, parameters.family, env, observe)
    for observation in resolution.observations:
        yield observation
    if resolution.failure is not None:
        yield failed(resolution.failure)
        return
    method: _Method = {**resolution.passport, "control_port": parameters.control_port}
    try:
        session = await open_session(
            env, env.network, resolution.address, parameters.control_port, parameters.timeout_s
        )
    except NetworkFailure as failure:
        yield observe(
            "witness_opening_time_s", None, failure=failure.failure, method=resolution.passport
        )
        yield failed(failure)
        return
    yield observe(
        "witness_opening_time_s", session.opening_time_s, samples=1, method=resolution.passport
    )
    run = _Run(session, parameters, env, env.network)
    try:
        if session.welcome.sip_port != parameters.sip_port:
            yield not_run(
                f"the reflector does not listen for SIP at port {parameters.sip_port}: start it "
                f"with --sip-port {parameters.sip_port}"
            )
            return
        try:
            await run.compared()
            await run.sized()
        finally:
            for observation in run.account(observe, method):
                yield observation
    except NetworkFailure as failure:
        yield failed(failure)
        return
    finally:
        await session.close()
    ended = run.completion()
    if ended is not None:
        yield failed(ended)


class _Run:
    """The requests of one check, and what became of them."""

    def __init__(
        self,
        session: WitnessSession,
        parameters: SipAlgParameters,
        env: Env,
        network: WitnessNetwork,
    ) -> None:
        self._session = session
        self._parameters = parameters
        self._env = env
        self._network = network
        self._requests = Requests(session, env)
        self._number = 0
        self._compared: list[Case] = []
        self._sized: dict[bool, list[Case]] = {}  # by DF
        self._icmp: Counter[str] = Counter()
        self._address = session.remote.address

    @property
    def _ports(self) -> dict[Role, int]:
        return {"sip": self._parameters.sip_port, "control": self._parameters.control_port}

    async def compared(self) -> None:
        """OPTIONS and INVITE, the same octets to both ports, over UDP and over TCP at once."""
        await together(self._by_udp(), *(self._by_tcp(method) for method in METHODS))

    async def _by_udp(self) -> None:
        parameters = self._parameters
        peer = Endpoint(self._address, parameters.control_port)
        channel = await self._network.open_channel(peer)
        with closed(channel):
            cases = [
                case
                for method in METHODS
                for case in self._cases(
                    "udp", channel.local, self._made(method, "udp", channel.local)
                )
            ]
            self._compared += cases
            draining = asyncio.create_task(drained(channel, self._icmp))
            try:
                await self._requests.over_datagrams(
                    channel, cases, parameters.copies, parameters.timeout_s
                )
            finally:
                draining.cancel()
                await asyncio.gather(draining, return_exceptions=True)

    async def _by_tcp(self, method: str) -> None:
        # The control port first: without it nothing could be compared.
        roles: tuple[Role, ...] = ("control", "sip")
        remotes = [Endpoint(self._address, self._ports[role]) for role in roles]
        opened = await two_streams(self._network, remotes, self._parameters.timeout_s)
        try:
            local = next(
                (one.local for one in opened if not isinstance(one, NetworkFailure)),
                self._session.local,
            )
            made = self._made(method, "tcp", local)
            cases = {case.role: case for case in self._cases("tcp", local, made)}
            self._compared += [cases[role] for role in _ROLES]
            ready: list[tuple[StreamChannel, Case]] = []
            for role, channel in zip(roles, opened, strict=True):
                if isinstance(channel, NetworkFailure):
                    cases[role].failure, cases[role].awaited = channel, True
                else:
                    ready.append((channel, cases[role]))
            await self._requests.over_streams(ready, self._parameters.timeout_s)
        finally:
            await closing(opened)

    def _made(
        self, method: str, transport: str, local: Endpoint, octets: int | None = None
    ) -> tuple[int, bytes]:
        self._number += 1
        made = request(
            method,
            "udp" if transport == "udp" else "tcp",
            local,
            self._address.partition("%")[0],
            self._session.token,
            self._number,
            octets=octets,
        )
        return self._number, made

    def _cases(self, transport: str, local: Endpoint, made: tuple[int, bytes]) -> list[Case]:
        number, octets = made
        return [
            self._requests.add(
                Case(
                    number, "udp" if transport == "udp" else "tcp", role, self._ports[role],
                    octets, local,
                )
            )
            for role in _ROLES
        ]  # fmt: skip

    async def sized(self) -> None:
        """Padded OPTIONS, once to be fragmented by whoever has to, once by nobody."""
        await together(self._of_sizes(False), self._of_sizes(True))

    async def _of_sizes(self, dont_fragment: bool) -> None:
        parameters = self._parameters
        peer = Endpoint(self._address, parameters.control_port)
        channel = await self._network.open_sized(peer, dont_fragment=dont_fragment)
        with closed(channel):
            cases = [
                case
                for octets in parameters.sizes_bytes
                for case in self._cases(
                    "udp", channel.local, self._made("OPTIONS", "udp", channel.local, octets)
                )
            ]
            self._sized[dont_fragment] = cases
            draining = asyncio.create_task(drained(channel, self._icmp))
            try:
                await self._requests.over_datagrams(
                    channel, cases, parameters.copies, parameters.timeout_s
                )
            finally:
                draining.cancel()
                await asyncio.gather(draining, return_exceptions=True)

    def account(self, observe: Observer, method: _Method) -> Iterator[Observation]:
        """All of it as observations, also of a run that was broken off."""
        self._requests.take_in()
        if self._session.failure is not None:
            # Its end may be why something did not arrive, or was hung up on.
            for case in (*self._compared, *(one for own in self._sized.values() for one in own)):
                case.awaited = False
        for case in self._compared:
            yield _arrived(case, observe, method)
        for (transport, sip_method), pair in by_pair(self._compared).items():
            told = {**method, "transport": transport, "sip_method": sip_method}
            yield from _compared(pair["sip"], pair["control"], observe, told)
        yield from self._translated(observe, method)
        for dont_fragment, cases in sorted(self._sized.items()):
            if not all(case.awaited for case in cases):
                continue
            yield from self._sizes(cases, observe, {**method, "dont_fragment": dont_fragment})
        for reason, count in sorted(self._requests.rejected.items()):
            octets = base64.b64encode(self._requests.first_rejected[reason]).decode()
            told = {**method, "reason": reason, "octets_base64": octets}
            yield observe("witness_rejected_count", count, method=told)

    def _translated(self, observe: Observer, method: _Method) -> Iterator[Observation]:
        """Whether the source was translated, which plain NAT does, from the control port."""
        for transport in ("udp", "tcp"):
            for case in self._compared:
                if case.transport != transport or case.role != "control" or not case.arrived:
                    continue
                seen = Endpoint(case.arrivals[0].source, case.arrivals[0].source_port)
                local = Endpoint(case.local.address.partition("%")[0], case.local.port)
                told = {
                    **method, "transport": transport, "local": str(local), "source": str(seen),
                }  # fmt: skip
                yield observe(
                    "nat_source_translated",
                    not same_endpoint(seen, local),
                    samples=len(case.arrivals),
                    method=told,
                )
                break

    def _sizes(
        self, cases: Sequence[Case], observe: Observer, method: _Method
    ) -> Iterator[Observation]:
        for role in _ROLES:
            own = [case for case in cases if case.role == role]
            arrived = [len(case.octets) for case in own if _whole(case)]
            refused = [len(case.octets) for case in own if case.failure is not None]
            told: dict[str, Scalar | Sequence[Scalar]] = {
                **method,
                "transport": "udp",
                "role": role,
                "port": self._ports[role],
                "sizes_arrived": arrived,
                "sizes_unsendable": refused,
                "sizes_missing": [
                    len(case.octets)
                    for case in own
                    if not case.arrived and case.failure is None and case.sent_count
                ],
                "copies": self._parameters.copies,
            }
            if self._icmp:
                told["icmp"] = [reason[:200] for reason in list(self._icmp)[:4]]
            yield observe(
                "sip_size_arrived_max_bytes",
                max(arrived, default=None),
                samples=sum(case.sent_count for case in own),
                failure=None if arrived else Failure.TIMEOUT,
                method=told,
            )

    def completion(self) -> NetworkFailure | None:
        """Why nothing could be compared; None if anything was."""
        pairs = by_pair(self._compared).values()
        if any(pair["control"].received is not None for pair in pairs):
            return None
        if any(pair["sip"].received is not None for pair in pairs):
            return None
        if self._requests.rejected:
            reasons = ", ".join(f"{n} {why}" for why, n in sorted(self._requests.rejected.items()))
            return NetworkFailure(
                Failure.PROTOCOL, f"the witness tells nothing that can be believed: {reasons}"
            )
        return NetworkFailure(
            Failure.TIMEOUT, "no request arrived at either port, by whatever transport"
        )


def _arrived(case: Case, observe: Observer, method: _Method) -> Observation:
    """The raw octets at both ends of one request."""
    first = case.arrivals[0] if case.arrivals else None
    told: dict[str, Scalar | Sequence[Scalar]] = {
        **method,
        "transport": case.transport,
        "sip_method": case.octets.partition(b" ")[0].decode(),
        "role": case.role,
        "port": case.port,
        "local": str(case.local),
        "source": str(Endpoint(first.source, first.source_port)) if first else None,
        "copies_arrived": len(case.arrivals),
        "sent_base64": base64.b64encode(case.octets).decode(),
        "received_base64": base64.b64encode(first.octets).decode() if first else None,
    }
    failure = None
    if first is None:
        failure = case.failure.failure if case.failure else Failure.TIMEOUT
        told["reason"] = case.failure.reason[:200] if case.failure else "nothing arrived"
    return observe(
        "sip_request_arrived",
        case.arrived,
        samples=case.sent_count,
        failure=failure,
        method=told,
    )


def _compared(
    sip: Case, control: Case, observe: Observer, method: _Method
) -> Iterator[Observation]:
    """What the SIP port's copy says beside the control port's."""
    here, there = _state(sip), _state(control)
    told = {**method, "control": there}
    failure = None
    if here == "missing" and there == "unchanged":
        verdict: str | None = "blocked"
        failure = sip.failure.failure if sip.failure else Failure.TIMEOUT
    elif here == "changed":
        verdict = "rewritten"
    elif here == "unchanged":
        verdict = "not seen"
    else:
        verdict = None
        failure = Failure.PROTOCOL if "contradictory" in (here, there) else Failure.TIMEOUT
        if "not awaited" in (here, there):
            failure = Failure.INTERRUPTED
    yield observe("sip_alg_seen", verdict, samples=sip.sent_count, failure=failure, method=told)
    if verdict == "rewritten" and sip.received is not None:
        found = changes(sip.octets, sip.received)
        parts = list(dict.fromkeys(one.part for one in found))
        also = (
            changes(control.octets, control.received)
            if there == "changed" and control.received is not None
            else ()
        )
        yield observe(
            "sip_rewritten_parts",
            ", ".join(parts)[:_TEXT_MAX],
            samples=len(sip.arrivals),
            method={
                **told,
                "parts": parts,
                "sent": [one.sent for one in found],
                "received": [one.received for one in found],
                "control_parts": list(dict.fromkeys(one.part for one in also)),
            },
        )


def _whole(case: Case) -> bool:
    """Whether the body arrived as it was, whatever became of the headers."""
    received = case.received
    return received is not None and body_of(received) == body_of(case.octets)


def _state(case: Case) -> str:
    if not case.arrived:
        return "missing" if case.awaited else "not awaited"
    if case.received is None:
        return "contradictory"
    return "unchanged" if case.received == case.octets else "changed"


SIP_ALG = Probe("sip-alg", probe, UNITS, needs=("reflector",))
