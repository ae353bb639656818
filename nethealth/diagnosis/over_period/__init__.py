"""A period of history in figures, and a change before and after: what a report over it shows."""
