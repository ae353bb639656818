"""The probes: one module per kind, and the catalogue that names them."""
