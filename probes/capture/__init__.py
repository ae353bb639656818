"""Capture files and the programs that decode them."""
