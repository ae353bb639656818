"""Observations to findings: every threshold and every verdict stands here and nowhere else."""
