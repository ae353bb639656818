"""Keys of columns as people write them."""


def mac_text(key: int) -> str:
    """A MAC address out of its number."""
    return key.to_bytes(6, "big").hex(":")
