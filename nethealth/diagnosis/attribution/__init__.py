"""Whether events of the telephony go with changes of the network, by tests that keep their size.

Measured in equal bins of local time; what is missing stays missing. The primary test compares just
after with just before each event, against the same pattern of events on other days of its kind.
"""
