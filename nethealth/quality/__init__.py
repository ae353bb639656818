"""Delay, loss, burst and gap, the E-model and intervals: pure functions with their passports."""
