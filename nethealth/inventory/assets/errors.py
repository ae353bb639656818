"""What is wrong with a register or with its map."""


class AssetFileError(ValueError):
    """The file cannot be read as a register, or the map as a map; the message says why."""
