"""Captures, read as numpy columns: packets -> observations. Opens no file and asks no clock."""
