"""Runs the snmp probe with the secrets of the lab's agent."""

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from nethealth.model.check import Check, SnmpGroup, SnmpParameters
from nethealth.model.failure import Outcome
from nethealth.model.observation import Observation
from nethealth.model.probe import Completion, Env
from nethealth.sweep.accounts import RunAccounts
from probes import CATALOG
from probes.net import SystemClock, SystemNetwork
from tests.peers.snmpd import SECRETS
from tests.probes.driver import NoPacing, Seen

V3: Mapping[str, Any] = {
    "version": 3, "user_env": "USER", "auth_env": "AUTH", "priv_env": "PRIVACY", "auth": "SHA-256",
}  # fmt: skip
V2: Mapping[str, Any] = {"version": 2, "community_env": "COMMUNITY"}


class _Clock(SystemClock):
    """A clock that has something done when the probe begins to wait for its second reading."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    async def sleep_until(self, monotonic_s: float) -> None:
        self._meanwhile()
        await super().sleep_until(monotonic_s)


async def ask(
    port: int,
    *groups: SnmpGroup,
    meanwhile: Callable[[], object] = lambda: None,
    secrets: Mapping[str, str] | None = None,
    accounts: RunAccounts | None = None,
    deadline_s: float = 35.0,
    address: str = "127.0.0.1",
    into: list[Observation] | None = None,
    **options: Any,
) -> Seen:
    """One check of 127.0.0.1; v2c and one reading of the counters, unless the options say more."""
    chosen = {"timeout_s": 8.0, "retries": 0, "interval_s": 0.0, **options}
    if "version" not in chosen:
        chosen = {**V2, **chosen}
    parameters = SnmpParameters(address, groups=groups, port=port, **chosen)
    clock = _Clock(meanwhile)
    network = SystemNetwork(clock)
    env = Env(
        clock, network, Random(1), NoPacing(), clock.monotonic_s(),
        secrets={**SECRETS, **(secrets or {})}, accounts=accounts or RunAccounts(),
    )  # fmt: skip
    check = Check("a:snmp", "snmp", None, None, "a", "127.0.0.1", parameters, deadline_s)
    observations: list[Observation] = [] if into is None else into
    end = Completion(Outcome.COMPLETED)
    try:
        async for item in CATALOG["snmp"].run(check, env):
            if isinstance(item, Completion):
                end = item
            else:
                assert item.method["address"] == address
                observations.append(item)
    finally:
        await network.close()
    return Seen(tuple(observations), end)


def drive(port: int, *groups: SnmpGroup, **options: Any) -> Seen:
    return asyncio.run(ask(port, *groups, **options))
