"""Inventory and targets to checks."""

from nethealth.plan.blackout import active
from nethealth.plan.errors import TargetError
from nethealth.plan.rounds import base_id, with_round
from nethealth.plan.sites import plan_inventory, unplanned
from nethealth.plan.targets import plan_targets
from nethealth.plan.watching import WatchPlan, plan_watch

__all__ = [
    "TargetError",
    "WatchPlan",
    "active",
    "base_id",
    "plan_inventory",
    "plan_targets",
    "plan_watch",
    "unplanned",
    "with_round",
]
