"""Inventory and targets to checks."""

from nethealth.plan.blackout import active
from nethealth.plan.errors import TargetError
from nethealth.plan.rounds import base_id, with_round
from nethealth.plan.sites import plan_inventory, unplanned
from nethealth.plan.targets import plan_targets

__all__ = [
    "TargetError",
    "active",
    "base_id",
    "plan_inventory",
    "plan_targets",
    "unplanned",
    "with_round",
]
