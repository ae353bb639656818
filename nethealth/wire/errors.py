"""The one exception of this room."""


class WireError(ValueError):
    """The octets break the protocol; the message says which rule, and where."""
