"""What the findings cost, which option is worth what, and who bears it: pure arithmetic."""
