"""Frozen values that every room shares: what is planned, measured, concluded and recorded."""
