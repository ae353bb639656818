"""What a path that loses packets explains of questions that were sent again, or never answered.

A server is blamed for a late answer only where the path cannot have made it late. Over UDP a lost
question or answer is made good by the next copy (RFC 3261 section 17.1.2.2, timer E): 0.5 s after
the first, then at intervals that double up to 4 s. The answer then comes a round trip after a
copy; that of a slow server comes at any time between two of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, log1p

from nethealth.diagnosis.evidence import Evidence, Host
from nethealth.diagnosis.loss import loss_of
from nethealth.quality.loss import LossStatistics

CHANCE_MOST = 0.01  # below it, chance is no explanation
# Where the path was seen to lose, a rarer loss is still likelier than another fault beside it:
# the more so of an answer right after a copy, where that of a slow server seldom falls.
LOSSY_CHANCE_MOST = 1e-3
PROMPT_CHANCE_MOST = 1e-5
T1_S = 0.5  # RFC 3261 section 17.1.1.1: the second copy goes so long after the first
# Between copy and answer beyond the slowest echo: what a busy host takes to write one.
PROMPT_MARGIN_S = 0.1


@dataclass(frozen=True)
class Path:
    """What echo requests say of the way to one host: its loss, and its slowest round trip."""

    loss: LossStatistics | None
    round_trip_max_s: float | None
    lossy: bool  # above the threshold, even at the lower end of the interval
    own_lag_s: float = 0.0  # how late the measuring machine itself was at the worst

    def may_have_lost(self, copies: int, last_copy_s: float | None = None) -> bool:
        """Whether the path may well have lost every one of `copies`, each by itself.

        Taken at the upper end of the loss's 95 % interval. `last_copy_s`: how long after the next
        copy an answer came, where the record says so. One that came between two copies, later
        than any echo, had not been waiting for the second.
        """
        if self.loss is None or not self.loss.lost:
            return False
        prompt = last_copy_s is not None
        if last_copy_s is not None and last_copy_s > self._prompt_s:
            return False
        return self.loss.interval[1] ** copies > self._chance_most(prompt=prompt)

    def may_have_struck(self, times: int, asked: int) -> bool:
        """Whether the path may well have met `times` of `asked` questions, each sent once."""
        if self.loss is None or not self.loss.lost:
            return False
        return at_least(times, asked, self.loss.interval[1]) > self._chance_most(prompt=False)

    @property
    def _prompt_s(self) -> float:
        return (self.round_trip_max_s or 0.0) + self.own_lag_s + PROMPT_MARGIN_S

    def _chance_most(self, *, prompt: bool) -> float:
        if not self.lossy:
            return CHANCE_MOST
        return PROMPT_CHANCE_MOST if prompt else LOSSY_CHANCE_MOST


def path_of(evidence: Evidence, hosts: Sequence[Host]) -> Path:
    """The way that these hosts share, by the echo requests that went it."""
    threshold = evidence.record.settings.thresholds.loss
    lag_s = evidence.record.run.instrument.loop_lag_max_s
    loss = loss_of(hosts)
    slowest = [
        value
        for host in hosts
        for one in host.pings
        if (value := one.number("round_trip_delay_max_s")) is not None
    ]
    return Path(
        loss,
        max(slowest, default=None),
        lossy=loss is not None and loss.interval[0] > threshold,
        own_lag_s=min(lag_s, T1_S) if lag_s is not None and lag_s > 0 else 0.0,
    )


def at_least(times: int, asked: int, chance: float) -> float:
    """The probability of `times` or more hits in `asked` independent trials of one `chance`."""
    if times <= 0:
        return 1.0
    if times > asked or chance <= 0:
        return 0.0
    if chance >= 1:
        return 1.0
    below = sum(
        exp(
            lgamma(asked + 1)
            - lgamma(hits + 1)
            - lgamma(asked - hits + 1)
            + hits * log(chance)
            + (asked - hits) * log1p(-chance)
        )
        for hits in range(times)
    )
    return max(0.0, 1.0 - below)
