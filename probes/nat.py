"""nat: how an address translator or firewall maps, filters and forgets, asked of our reflector."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial

from nethealth.model.check import Check, NatParameters
from nethealth.model.failure import Failure
from nethealth.model.observation import Observation, Scalar
from nethealth.model.ports import NetworkFailure, WitnessNetwork
from nethealth.model.probe import Completion, Env, Observer, Probe
from nethealth.protocol.nat_binding import LifetimeSearch, Mapped, filtering, mapping, silences
from nethealth.wire.witness import Place
from probes.nat_bindings import WORDS, Binding, Bindings
from probes.sip_exchange import same_endpoint
from probes.steps import RESOLUTION_UNITS, failed, not_run, resolve_one
from probes.witness_session import open_session

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "witness_opening_time_s": "s",
    "nat_translated": None,
    "nat_port_preserved_ratio": "1",
    "nat_mapping": None,
    "nat_filtering": None,
    "nat_binding_alive_ratio": "1",
    "nat_binding_lifetime_s": "s",
    "witness_rejected_count": None,
}

DEADLINE_MARGIN_S = 0.5
_FILTER_WAIT_S = 1.0
_GRACE_S = 0.5  # between the last word and the verdict that it did not come

_Method = Mapping[str, Scalar | Sequence[Scalar]]


async def probe(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """A session with the witness; mapping and filtering; then silences of many lengths at once."""
    parameters = check.parameters
    if not isinstance(parameters, NatParameters):
        raise TypeError(f"{check.id}: not the parameters of a nat check")
    if not isinstance(env.network, WitnessNetwork):
        yield not_run("this network has no reflector with a witness")
        return
    end_s = env.clock.monotonic_s() + check.deadline_s - DEADLINE_MARGIN_S
    observe = Observer(check, env, UNITS)
    resolution = await resolve_one(parameters.host, parameters.family, env, observe)
    for observation in resolution.observations:
        yield observation
    if resolution.failure is not None:
        yield failed(resolution.failure)
        return
    passport = resolution.passport
    try:
        session = await open_session(
            env, env.network, resolution.address, parameters.control_port, parameters.timeout_s
        )
    except NetworkFailure as failure:
        yield observe("witness_opening_time_s", None, failure=failure.failure, method=passport)
        yield failed(failure)
        return
    yield observe("witness_opening_time_s", session.opening_time_s, samples=1, method=passport)
    method: _Method = {**passport, "control_port": parameters.control_port}
    bindings = Bindings(session, env, env.network, parameters.timeout_s)
    try:
        for observation in await _behaviour(bindings, observe, method):
            yield observation
        search = LifetimeSearch()
        try:
            await _lifetime(bindings, search, parameters, env, end_s)
        finally:
            for observation in _lived(bindings, search, parameters, observe, method):
                yield observation
            for reason, count in sorted(bindings.rejected.items()):
                told = {**method, "reason": reason}
                yield observe("witness_rejected_count", count, method=told)
    except NetworkFailure as failure:
        yield failed(failure)
        return
    finally:
        bindings.close()
        await session.close()
    ended = _completion(bindings, search)
    if ended is not None:
        yield failed(ended)


async def _behaviour(
    bindings: Bindings, observe: Observer, method: _Method
) -> Sequence[Observation]:
    """Mapping by three openings from one port of ours, filtering by words from three places."""
    other = bindings.other_address
    mapped = await bindings.open_from_one_port(("same", "port", *(("address",) if other else ())))
    control = mapped["same"]
    if control.source is None:
        raise bindings.silence()
    local = control.local
    translated = not same_endpoint(control.source, local)
    told = {**method, "local": str(local), "source": str(control.source)}
    sources = {place: one.source for place, one in mapped.items()}
    seen = Mapped(sources["same"], sources["port"], sources.get("address"))
    how = mapping(seen) if translated else "none"
    unknown = (
        {}
        if other
        else {"missing": "a second address of the reflector near the first (--bind twice)"}
    )
    listed = [f"{place}: {one.source}" for place, one in mapped.items()]
    filtered = await _filtered(bindings)
    return (
        observe("nat_translated", translated, samples=1, method=told),
        observe(
            "nat_mapping",
            how,
            samples=sum(source is not None for source in sources.values()),
            failure=None if how else Failure.TIMEOUT,
            method={**told, **(unknown if translated else {}), "sources": listed},
        ),
        observe(
            "nat_filtering",
            filtering(filtered["same"] or False, filtered["port"], filtered.get("address")),
            samples=WORDS * len(filtered),
            failure=None if filtered["same"] else Failure.TIMEOUT,
            method={
                **told, **unknown,
                "heard": [place for place, heard in filtered.items() if heard],
            },
        ),
    )  # fmt: skip


async def _filtered(bindings: Bindings) -> dict[Place, bool | None]:
    """Which words come through to a binding that has sent to the control port alone."""
    places: tuple[Place, ...] = ("same", "port", "address")
    if not bindings.other_address:
        places = places[:2]
    (binding,) = await bindings.open_many(1)
    if not binding.confirmed:
        return dict.fromkeys(places)
    # What was not allowed in is asked for first: a word from a place may open the door to it.
    for place in reversed(places):
        await bindings.ask(binding, 0.0, place)
    await bindings.until(lambda: binding.has_spoken(places), _FILTER_WAIT_S)
    await bindings.until(lambda: binding.heard_from(places), _FILTER_WAIT_S)
    return {
        place: binding.heard(place) if binding.has_spoken((place,)) else None for place in places
    }


async def _lifetime(
    bindings: Bindings, search: LifetimeSearch, parameters: NatParameters, env: Env, end_s: float
) -> None:
    """All lengths at once; then, if the time allows, some between the two that matter."""
    planned = silences(parameters.least_s, parameters.most_s)
    while planned:
        room_s = end_s - env.clock.monotonic_s() - _GRACE_S - parameters.timeout_s
        planned = tuple(length for length in planned if length <= room_s)
        if not planned:
            return
        await _round(bindings, search, parameters, env, planned)
        planned = search.between()


async def _round(
    bindings: Bindings,
    search: LifetimeSearch,
    parameters: NatParameters,
    env: Env,
    planned: Sequence[float],
) -> None:
    opened = await bindings.open_many(len(planned) * parameters.bindings)
    if not any(one.confirmed for one in opened):
        return
    groups = {
        length: opened[first * parameters.bindings : (first + 1) * parameters.bindings]
        for first, length in enumerate(planned)
    }
    for length, group in groups.items():
        for binding in group:
            await bindings.ask(binding, length, "same")
    asked_s = env.clock.monotonic_s()
    for length, group in groups.items():
        # The words' own time first, so that only what was spoken and not heard counts as lost.
        wait_s = asked_s + length + parameters.timeout_s - env.clock.monotonic_s()
        await bindings.until(partial(_known, group), wait_s)
        await bindings.until(partial(_heard, group), _GRACE_S)
        for binding in group:
            if binding.is_telling:
                search.record(length, binding.heard("same"))
        if search.is_over(planned):
            break
    await bindings.reopen([one for one in opened if one.is_telling])


def _known(group: Sequence[Binding]) -> bool:
    return all(not one.confirmed or one.has_spoken(("same",)) for one in group)


def _heard(group: Sequence[Binding]) -> bool:
    return all(one.heard("same") for one in group if one.is_telling)


def _lived(
    bindings: Bindings,
    search: LifetimeSearch,
    parameters: NatParameters,
    observe: Observer,
    method: _Method,
) -> Iterator[Observation]:
    # one of each port of ours: the first was shown to several places
    preserved = list(
        {one.local.port: one for one in bindings.all if one.source is not None}.values()
    )
    if preserved:
        kept = sum(
            one.source is not None and one.source.port == one.local.port for one in preserved
        )
        yield observe(
            "nat_port_preserved_ratio",
            kept / len(preserved),
            samples=len(preserved),
            method=method,
        )
    for length, alive in sorted(search.heard.items()):
        yield observe(
            "nat_binding_alive_ratio",
            sum(alive) / len(alive),
            samples=len(alive),
            method={**method, "silence_s": length},
        )
    survived, lost = search.survived_s, search.lost_s
    lost_count, tried_count = search.agreeing
    told: dict[str, Scalar | Sequence[Scalar]] = {
        **method,
        "lost_after_s": lost,
        "lost_count": lost_count,
        "lost_of": tried_count,
        "reopened_count": sum(one.reopened for one in bindings.all),
        "reopened_of": sum(one.was_reopened for one in bindings.all),
        "most_s": parameters.most_s,
        "traffic": "one packet each way",
    }
    yield observe(
        "nat_binding_lifetime_s",
        survived if search.heard else None,
        samples=sum(map(len, search.heard.values())),
        interval=None if survived is None or lost is None else (survived, lost),
        failure=None if search.heard and survived is not None else Failure.TIMEOUT,
        method=told,
    )


def _completion(bindings: Bindings, search: LifetimeSearch) -> NetworkFailure | None:
    """Why nothing was found out; None if anything was."""
    return None if search.heard else bindings.silence()


NAT = Probe("nat", probe, UNITS, needs=("reflector",))
