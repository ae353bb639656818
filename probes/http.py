"""http: one GET, its phases timed apart, redirects followed and listed, TLS described."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from itertools import pairwise
from typing import TypeVar

from nethealth.model.check import Check, HttpParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.observation import Observation, Scalar
from nethealth.model.ports import NetworkFailure, StreamChannel
from nethealth.model.probe import Completion, Env, Observer, Probe
from probes.http_exchange import BODY_MAX_BYTES, Body, Exchange, Head
from probes.http_url import Location, parse_location
from probes.steps import RESOLUTION_UNITS, failed, not_run, resolve_one, within
from probes.tls import TLS_UNITS, tls_observations

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "tcp_connect_time_s": "s",
    "tls_handshake_time_s": "s",
    **TLS_UNITS,
    "http_first_byte_time_s": "s",
    "http_status_code": None,
    "http_status_expected": None,
    "http_redirect_count": None,
    "http_body_bytes": "bytes",
    "http_body_matched": None,
    "http_total_time_s": "s",
}

_REDIRECTS = (301, 302, 303, 307, 308)
_T = TypeVar("_T")


async def get(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """One GET and those that its redirects ask for, all within the check's one time limit."""
    parameters = check.parameters
    if not isinstance(parameters, HttpParameters):
        raise TypeError(f"{check.id}: not the parameters of an http check")
    try:
        location = parse_location(parameters.url)
    except ValueError as error:
        yield not_run(f"{parameters.url[:200]}: {error}")
        return
    attempt = _Get(env, Observer(check, env, UNITS), parameters, location)
    try:
        async for observation in attempt.observations():
            yield observation
    except NetworkFailure as failure:
        for observation in attempt.unfinished(failure):
            yield observation
        yield failed(failure)
    finally:
        await attempt.close()


class _Get:
    """The steps of one check; `_step` names the observation that the current one would give."""

    def __init__(
        self, env: Env, observe: Observer, parameters: HttpParameters, location: Location
    ) -> None:
        self._env = env
        self._observe = observe
        self._parameters = parameters
        self._location = location
        self._ends_s: float | None = None  # the limit runs from the first connection on
        self._started_s: float | None = None  # of the first connection
        self._step: str | None = None
        self._method: dict[str, Scalar] = {}
        self._channel: StreamChannel | None = None
        self._exchange: Exchange | None = None
        self._trail: list[tuple[str, int]] = []  # each redirect's URL and status

    async def observations(self) -> AsyncIterator[Observation]:
        while True:
            async for observation in self._open():
                yield observation
            exchange, asked_s = self._exchange_begun()
            await self._bounded(exchange.request(self._location), "sending the request")
            head = await self._bounded(exchange.head(), "waiting for the response")
            yield self._observe(
                "http_first_byte_time_s",
                head.first_byte_s - asked_s,
                samples=1,
                method={**self._method, "status_code": head.status},
            )
            following = self._following(head)
            if following is None:
                break
            await self.close()
            self._location = following
        yield self._observe("http_status_code", head.status, method=self._method)
        expected = self._parameters.expect_status
        yield self._observe(
            "http_status_expected",
            None if expected is None else head.status == expected,
            method={**self._method, "expected": expected},
        )
        yield self._redirect_count()
        self._step = "http_total_time_s"
        body = await self._bounded(exchange.body(), "reading the body")
        ended_s = self._env.clock.monotonic_s()
        read = {**self._method, "complete": body.complete, "read_max_bytes": BODY_MAX_BYTES}
        yield self._observe("http_body_bytes", len(body.content), method=read)
        yield self._body_matched(head, body)
        yield self._observe(
            "http_total_time_s", ended_s - (self._started_s or ended_s), samples=1, method=read
        )

    def unfinished(self, failure: NetworkFailure) -> Iterator[Observation]:
        """What is known when `failure` stopped the current step."""
        if self._trail and self._step != "http_total_time_s":
            yield self._redirect_count()
        if self._step == "http_total_time_s" and self._exchange is not None:
            yield self._observe(
                "http_body_bytes",
                self._exchange.body_bytes,
                method={**self._method, "complete": False, "read_max_bytes": BODY_MAX_BYTES},
            )
        if self._step is not None:
            yield self._observe(self._step, None, failure=failure.failure, method=self._method)

    async def close(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    async def _open(self) -> AsyncIterator[Observation]:
        location, clock = self._location, self._env.clock
        self._step = None
        resolution = await self._bounded(
            resolve_one(location.host, self._parameters.family, self._env, self._observe),
            f"resolving {location.host}",
        )
        for observation in resolution.observations:
            yield observation
        if resolution.failure is not None:
            raise resolution.failure
        remote = Endpoint(resolution.address, location.port)
        self._method = {
            **resolution.passport,
            "port": location.port,
            "url": location.url,
            "request": len(self._trail) + 1,
        }
        await self._env.pacer.wait()
        self._step = "tcp_connect_time_s"
        started_s = clock.monotonic_s()
        if self._started_s is None:
            self._started_s = started_s
            self._ends_s = started_s + self._parameters.timeout_s
        self._channel = channel = await self._bounded(
            self._env.network.open_stream(remote), f"connecting to {remote}"
        )
        connected_s = clock.monotonic_s()
        yield self._observe(
            "tcp_connect_time_s", connected_s - started_s, samples=1, method=self._method
        )
        if location.scheme == "http":
            return
        self._step = "tls_handshake_time_s"
        started_s = clock.monotonic_s()
        facts = await self._bounded(
            channel.start_tls(location.host), f"TLS handshake with {remote}"
        )
        handshake_s = facts.handshake_time_s
        if handshake_s is None:
            handshake_s = clock.monotonic_s() - started_s
        yield self._observe("tls_handshake_time_s", handshake_s, samples=1, method=self._method)
        for observation in tls_observations(
            self._observe, facts, location.host, clock.wall_utc(), self._method
        ):
            yield observation

    def _exchange_begun(self) -> tuple[Exchange, float]:
        if self._channel is None:
            raise RuntimeError("a request needs an open channel")
        self._step = "http_first_byte_time_s"
        self._exchange = Exchange(self._channel, self._env.clock.monotonic_s)
        return self._exchange, self._env.clock.monotonic_s()

    def _following(self, head: Head) -> Location | None:
        """Where the response sends us; None if it is to be taken as it is."""
        wanted = self._parameters.expect_status
        if (
            head.status not in _REDIRECTS
            or head.location is None
            or head.status == wanted
            or self._parameters.redirects_max == 0
        ):
            return None
        self._step = None
        self._trail.append((self._location.url, head.status))
        if len(self._trail) > self._parameters.redirects_max:
            raise NetworkFailure(
                Failure.PROTOCOL, f"more than {self._parameters.redirects_max} redirects"
            )
        try:
            return parse_location(head.location, base=self._location)
        except ValueError as error:
            raise NetworkFailure(
                Failure.PROTOCOL, f"{self._location.url} redirects to nowhere: {error}"
            ) from None

    def _redirect_count(self) -> Observation:
        visited = [*(url for url, _ in self._trail), self._location.url]
        secure = [url.startswith("https:") for url in visited]
        return self._observe(
            "http_redirect_count",
            len(self._trail),
            method={
                **self._method,
                "locations": tuple(visited[1:]),
                "status_codes": tuple(status for _, status in self._trail),
                "left_https": any(before and not after for before, after in pairwise(secure)),
            },
        )

    def _body_matched(self, head: Head, body: Body) -> Observation:
        """Null where nothing was asked for, or where what was read cannot tell."""
        wanted = self._parameters.body_match
        matched: bool | None = None
        reason: str | None = None
        if wanted is None:
            reason = "no text was asked for"
        elif head.encoding not in (None, "", "identity"):
            reason = "the server sent an encoding that was not asked for"
        else:
            matched = wanted.encode() in body.content
            if not matched and not body.complete:
                matched, reason = None, f"not within the first {BODY_MAX_BYTES} bytes"
        method = {**self._method, "compared": "octets of the UTF-8 text", "reason": reason}
        return self._observe("http_body_matched", matched, method=method)

    async def _bounded(self, step: Awaitable[_T], doing: str) -> _T:
        if self._ends_s is None:
            return await step
        return await within(self._ends_s - self._env.clock.monotonic_s(), step, doing)


HTTP = Probe("http", get, UNITS)
