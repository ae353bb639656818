"""snmp: what a switch, a router, a gateway or a sensor says of itself.

One request at a time, each small; counters twice in one check, so that a single sweep gives
rates. pysnmp is loaded with this module, that is when a plan holds such a check.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from statistics import median

from nethealth.model.check import Check, SnmpGroup, SnmpParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Passport
from nethealth.model.ports import NetworkFailure
from nethealth.model.probe import Completion, Env, Observer, Probe
from nethealth.protocol import mib
from nethealth.protocol.snmp import Scalars
from probes import snmp_bridge, snmp_interfaces, snmp_lines, snmp_neighbours, snmp_power
from probes import snmp_sensors as snmp_sensing
from probes.snmp_engine import SnmpConversation
from probes.snmp_reader import Read, Reader, Want, ending, read_group, walked, words
from probes.steps import RESOLUTION_UNITS, failed, not_run, resolve_one

DEADLINE_MARGIN_S = 1.0
Account = Callable[[Observer, Passport, Read], Iterator[Observation]]
# In the order in which they are read: what is read twice first, so that the rest fills the wait.
GROUPS: Mapping[SnmpGroup, tuple[Want, Account]] = {
    "interfaces": (snmp_interfaces.INTERFACES, snmp_interfaces.interfaces),
    "ethernet": (snmp_interfaces.ETHERNET, snmp_interfaces.ethernet),
    "spanning-tree": (snmp_bridge.SPANNING_TREE, snmp_bridge.spanning_tree),
    "poe": (snmp_power.POE, snmp_power.poe),
    "sensors": (snmp_sensing.SENSORS, snmp_sensing.sensors),
    "ups": (snmp_power.UPS, snmp_power.ups),
    "e1": (snmp_lines.E1, snmp_lines.e1),
    "neighbours": (snmp_neighbours.NEIGHBOURS, snmp_neighbours.neighbours),
    "arp": (snmp_bridge.ARP, snmp_bridge.arp),
    "forwarding": (snmp_bridge.FORWARDING, snmp_bridge.forwarding),
}
HOURLY: frozenset[SnmpGroup] = frozenset({"arp", "forwarding"})
_NAMED = frozenset(GROUPS) - {"sensors", "ups", "poe"}  # groups that name interfaces
NOT_DUE = "not due: read less than an hour ago"

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "snmp_security": None,
    "snmp_response_delay_median_s": "s",
    "snmp_request_count": "packets",
    "snmp_unanswered_count": "packets",
    "snmp_ignored_reply_count": "packets",
    "snmp_group": None,
    "uptime_s": "s",
    "system_name": None,
    "system_description": None,
    **snmp_interfaces.UNITS,
    **snmp_bridge.UNITS,
    **snmp_neighbours.UNITS,
    **snmp_power.UNITS,
    **snmp_lines.UNITS,
    **snmp_sensing.UNITS,
}


async def probe(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """Read every group of the check, then its counters again; hand over what was read.

    A device that falls silent in the middle has handed over what it had said by then. The check
    ends by itself before its deadline, and says of each group whether it was read to its end.
    """
    parameters = check.parameters
    if not isinstance(parameters, SnmpParameters):
        raise TypeError(f"{check.id}: not the parameters of an snmp check")
    end_s = env.clock.monotonic_s() + check.deadline_s - DEADLINE_MARGIN_S
    observe = Observer(check, env, UNITS)
    resolution = await resolve_one(parameters.host, parameters.family, env, observe)
    for observation in resolution.observations:
        yield observation
    if resolution.failure is not None:
        yield failed(resolution.failure)
        return
    passport = {**resolution.passport, "port": parameters.port}
    if env.accounts is None:
        yield not_run("no turn with the device's account can be had in this run")
        return
    # One conversation at a time with a device; and none with credentials that it has refused.
    remote = Endpoint(resolution.address, parameters.port)
    turn = f"snmp {remote}"
    login = f"{turn} {parameters.user_env or parameters.community_env}"
    async with env.accounts.attempt(turn), env.accounts.attempt(login) as attempt:
        if attempt is None:
            yield not_run("the device refused these credentials earlier in this run")
            return
        conversation = await _opened(remote, parameters, env)
        if isinstance(conversation, Completion):
            yield conversation
            return
        reader = Reader(conversation, parameters, env, end_s)
        read = Read()
        failure: NetworkFailure | None = None
        cut_short: asyncio.CancelledError | None = None
        try:
            await _read_all(reader, parameters, env, read, end_s)
        except NetworkFailure as stopped:
            failure = stopped
            attempt.refused = stopped.failure is Failure.AUTH
        except asyncio.CancelledError as cancelled:
            cut_short = cancelled
        finally:
            conversation.close()
    for observation in _account(observe, passport, parameters, reader, conversation, read):
        yield observation
    if cut_short is not None:
        raise cut_short
    if failure is not None:
        yield _completion(failure, parameters, bool(reader.delays_s), conversation.heard_count)


async def _opened(
    remote: Endpoint, parameters: SnmpParameters, env: Env
) -> SnmpConversation | Completion:
    """A conversation that nothing has been sent in yet, or why there can be none."""
    try:
        channel = await env.network.open_datagram(remote)
    except NetworkFailure as failure:
        return failed(failure)
    try:
        return await SnmpConversation.open(channel, env.clock, parameters, env.secrets)
    except ValueError as error:
        channel.close()
        return not_run(str(error))


async def _read_all(
    reader: Reader, parameters: SnmpParameters, env: Env, read: Read, end_s: float
) -> None:
    system = Scalars(mib.SYSTEM)
    await reader.read(system)
    read.scalars.update({f"system.{name}": cell for name, cell in system.cells.items()})
    wanted = [group for group in GROUPS if group in parameters.groups]
    if _NAMED.intersection(wanted):
        names = await walked(reader, mib.IF_NAMES, parameters)
        for index, row in names.cells.items():
            if named := words(row.get("name")) or words(row.get("descr")):
                read.names[index[0]] = named
    first_s = env.clock.monotonic_s()
    for group in wanted:
        if group in HOURLY and not parameters.tables_due:
            continue
        await read_group(reader, group, GROUPS[group][0], parameters, read)
    again_s = first_s + parameters.interval_s
    if not (parameters.interval_s and read.rereads) or again_s >= end_s:
        return
    await env.clock.sleep_until(again_s)
    for table, columns in read.rereads.items():
        read.second[table] = (await walked(reader, columns, parameters)).cells


def _account(
    observe: Observer,
    passport: Passport,
    parameters: SnmpParameters,
    reader: Reader,
    conversation: SnmpConversation,
    read: Read,
) -> Iterator[Observation]:
    yield observe("snmp_request_count", reader.asked_count, method=passport)
    yield observe("snmp_unanswered_count", reader.unanswered_count, method=passport)
    strays = conversation.strays
    yield observe(
        "snmp_ignored_reply_count",
        strays.wrong_source + strays.unreadable,
        method={
            **passport, "wrong_source": strays.wrong_source, "unreadable": strays.unreadable
        },
    )  # fmt: skip
    if not reader.delays_s:
        return
    yield observe(
        "snmp_response_delay_median_s", median(reader.delays_s),
        samples=len(reader.delays_s), method=passport,
    )  # fmt: skip
    v3 = parameters.version == 3
    yield observe(
        "snmp_security",
        "v3 authPriv" if v3 else "v2c",
        method={
            **passport,
            "authentication": parameters.auth if v3 else None,
            "privacy": parameters.privacy if v3 else None,
        },
    )
    told = [cell for cell in read.scalars.values() if cell.uptime_s is not None]
    if told:
        yield observe("uptime_s", told[0].uptime_s, method=passport, at_s=told[0].received_s)
    for name, column in (("system_name", "name"), ("system_description", "descr")):
        said = words(read.scalars.get(f"system.{column}"))
        if said is not None:
            yield observe(name, said, method=passport)
    for group, (_, account) in GROUPS.items():
        if group not in parameters.groups:
            continue
        not_due = group in HOURLY and not parameters.tables_due
        how = NOT_DUE if not_due else ending(read.ends.get(group, ()))
        yield observe("snmp_group", how, method={**passport, "group": group})
        yield from account(observe, passport, read)


def _completion(
    failure: NetworkFailure, parameters: SnmpParameters, answered: bool, heard_count: int
) -> Completion:
    """How the check ended, with what a silence may mean beside that the device is dead."""
    reason = failure.reason
    if failure.failure is Failure.TIMEOUT and not answered:
        if parameters.version == 2:
            reason += ": with v2c a wrong community and a dead device look alike"
        elif heard_count:
            reason += (
                ", though it took part in the first exchange: a wrong privacy password or protocol"
                " is often met with silence"
            )
    elif failure.failure is Failure.TIMEOUT:
        reason += ", though it answered before"
    return Completion(Outcome.FAILED, failure.failure, reason)


SNMP = Probe("snmp", probe, UNITS)
