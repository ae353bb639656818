"""Runs a plan with the catalogue it is handed: pacing, deadlines, stops, overlap."""

from nethealth.sweep.accounts import RunAccounts
from nethealth.sweep.hourly import HourlyTables
from nethealth.sweep.limits import sockets_allowed
from nethealth.sweep.lock import AlreadyRunning, LockError, held
from nethealth.sweep.meters import Meters
from nethealth.sweep.offset import draw_offset, wait_until
from nethealth.sweep.ports import Sink, Watcher
from nethealth.sweep.rounds import run_rounds
from nethealth.sweep.runner import SweepSummary, run_checks

__all__ = [
    "AlreadyRunning",
    "HourlyTables",
    "LockError",
    "Meters",
    "RunAccounts",
    "Sink",
    "SweepSummary",
    "Watcher",
    "draw_offset",
    "held",
    "run_checks",
    "run_rounds",
    "sockets_allowed",
    "wait_until",
]
