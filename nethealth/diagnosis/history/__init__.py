"""A stretch of history judged: outages, loss, delay and voice over time, and changes of level."""

from nethealth.diagnosis.history.judging import judge_history

__all__ = ["judge_history"]
