"""The probe `capture`: files read as a check like any other."""

import asyncio
from collections.abc import AsyncIterator

from nethealth.model.check import CaptureParameters, Check
from nethealth.model.failure import Outcome
from nethealth.model.observation import Observation
from nethealth.model.probe import Completion, Env, Probe
from probes.capture.analyses import all_units
from probes.capture.read import read_captures
from probes.capture.sources import SourceError


async def _run(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    if not isinstance(check.parameters, CaptureParameters):
        raise TypeError(f"{check.id} is not a check of captures")
    try:
        result = await asyncio.to_thread(read_captures, check.id, check.parameters.files, env.names)
    except SourceError as error:
        yield Completion(Outcome.NOT_RUN, reason=str(error))
        return
    for observation in result.observations:
        yield observation
    yield result.completion


CAPTURE = Probe("capture", _run, all_units())
