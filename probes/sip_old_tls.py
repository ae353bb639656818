"""Which old versions of TLS a server still lets in: a connection of its own for each."""

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.observation import Observation, Passport
from nethealth.model.ports import NetworkFailure
from nethealth.model.probe import Env, Observer
from probes.steps import within

OLD_TLS_UNITS: dict[str, str | None] = {"tls_versions_accepted": None}

OLD_VERSIONS = ("TLSv1", "TLSv1.1")
_WAIT_S = 5.0
# What a server that does not want the version may do: an alert, or it hangs up.
_REFUSALS = frozenset({Failure.TLS, Failure.RESET})


async def try_old_tls(
    remote: Endpoint,
    server_name: str,
    agreed: str,
    timeout_s: float,
    env: Env,
    observe: Observer,
    method: Passport,
) -> Observation:
    """Shake hands with each old version alone, and hang up; `agreed` is what was agreed freely."""
    wait_s = min(timeout_s, _WAIT_S)
    accepted: list[str] = []
    unknown: list[str] = []
    for version in OLD_VERSIONS:
        await env.pacer.wait()
        try:
            channel = await within(wait_s, env.network.open_stream(remote), "connecting")
        except NetworkFailure:
            unknown.append(version)
            continue
        try:
            await within(wait_s, channel.start_tls(server_name, version=version), "TLS handshake")
            accepted.append(version)
        except NetworkFailure as failure:
            if failure.failure not in _REFUSALS:
                unknown.append(version)
        finally:
            await channel.close()
    versions = tuple(dict.fromkeys((*accepted, agreed)))
    return observe(
        "tls_versions_accepted",
        ", ".join(versions),
        method={**method, "tried": OLD_VERSIONS, "undetermined": tuple(unknown)},
    )
