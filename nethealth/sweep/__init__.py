"""Runs a plan with the catalogue it is handed: pacing, deadlines, stops, overlap."""
