"""Bytes to frozen values and back, named as in their RFCs; any input parses or raises WireError."""
