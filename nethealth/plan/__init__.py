"""Inventory and targets to checks."""
