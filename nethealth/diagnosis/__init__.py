"""Observations to findings: every threshold and every verdict stands here and nowhere else."""

from nethealth.diagnosis.catalogue import CODES, Rule
from nethealth.diagnosis.judge import judge

__all__ = ["CODES", "Rule", "judge"]
