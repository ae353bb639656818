"""One run of the sip probe on the real network, and what it said."""

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from nethealth.model.check import Check, SipParameters, SipTransport
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation
from nethealth.model.ports import Network
from nethealth.model.probe import Completion, Env
from nethealth.sweep import RunAccounts
from probes.net import SystemClock, SystemNetwork
from probes.sip import SIP, UNITS


class NoPacer:
    async def wait(self, packets: int = 1) -> None:
        assert packets >= 1


@dataclass(frozen=True)
class Said:
    """Observations by name, in order, and the one completion."""

    observations: tuple[Observation, ...]
    completion: Completion

    def __getitem__(self, name: str) -> Observation:
        found = [one for one in self.observations if one.name == name]
        assert len(found) == 1, f"{name}: {len(found)} of {[o.name for o in self.observations]}"
        return found[0]

    def all(self, name: str) -> list[Observation]:
        return [one for one in self.observations if one.name == name]

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.observations]

    @property
    def end(self) -> tuple[Outcome, Failure | None]:
        return self.completion.outcome, self.completion.failure


async def ask(
    port: int,
    *,
    transport: SipTransport = "udp",
    host: str = "127.0.0.1",
    timeout_s: float = 0.3,
    network: Network | None = None,
    ca_file: Path | None = None,
    username: str = "probe",
    password: str | None = None,
    accounts: RunAccounts | None = None,
    uri: str | None = None,
    name_servers: tuple[Endpoint, ...] = (),
    **more: Any,
) -> Said:
    """Run the probe against `host`:`port` to its end; with `password` it has credentials.

    `more` are further fields of its parameters.
    """
    clock = SystemClock()
    own = network or SystemNetwork(clock, str(ca_file) if ca_file else None)
    env = Env(
        clock, own, Random(1), NoPacer(), clock.monotonic_s(),
        secrets={} if password is None else {"PASSWORD": password},
        accounts=accounts or RunAccounts(), name_servers=name_servers,
    )  # fmt: skip
    name = f"[{host}]" if ":" in host else host
    uri = uri or f"sip:{name}:{port}"
    if password is not None:
        more |= {"username": username, "password_env": "PASSWORD"}
    check = Check(
        id="pbx:sip",
        probe="sip",
        council=None,
        site=None,
        asset=None,
        target=uri,
        parameters=SipParameters(uri, host, port, transport, timeout_s, **more),
    )
    observations: list[Observation] = []
    completions: list[Completion] = []
    try:
        async for item in SIP.run(check, env):
            if isinstance(item, Completion):
                completions.append(item)
            else:
                assert not completions, "nothing follows the completion"
                observations.append(item)
    finally:
        if network is None:
            await own.close()
    (completion,) = completions
    for one in observations:
        assert one.unit == UNITS[one.name]
        if one.name not in ("resolution_time_s", "sip_target_count", "sip_target_outcome"):
            assert {"address", "ip_version"} <= one.method.keys(), one.name
    return Said(tuple(observations), completion)
