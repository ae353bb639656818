"""All that is judged of recorded streams and calls, which are read once for all of it."""

from collections.abc import Iterator

from nethealth.diagnosis.call_load import call_loads
from nethealth.diagnosis.evidence import Evidence
from nethealth.diagnosis.facsimile import faxes_over_ip
from nethealth.diagnosis.hairpin import media_hairpins
from nethealth.diagnosis.recorded import Recordings
from nethealth.diagnosis.recorded_calls import recorded_calls
from nethealth.diagnosis.recorded_loss import recorded_losses
from nethealth.diagnosis.recorded_voice import recorded_voice
from nethealth.model.finding import Finding


def recordings(evidence: Evidence) -> Iterator[Finding]:
    """What the captures of a record say of media and calls, each rule in a file of its own."""
    held = Recordings(evidence)
    for rule in (
        recorded_losses, recorded_voice, recorded_calls, media_hairpins, call_loads, faxes_over_ip,
    ):  # fmt: skip
        yield from rule(held)
