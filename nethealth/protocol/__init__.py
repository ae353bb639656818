"""Protocol state without input or output: bytes and `now` go in, bytes and facts come out."""
