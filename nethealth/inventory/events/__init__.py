"""What other systems have written down, as events with a time, a kind and a place."""
