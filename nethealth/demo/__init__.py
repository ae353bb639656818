"""A council network on loopback behind a link that delays and drops."""
