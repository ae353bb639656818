"""Network and telephony health checker: measures, judges and reports across sites."""

__version__ = "0.1.0"
