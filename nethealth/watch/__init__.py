"""A watch of one path: what many rounds have shown so far, in bounded memory; nothing is sent."""

from nethealth.watch.state import Watch
from nethealth.watch.view import HopLine, SipLine, View, WayLine

__all__ = ["HopLine", "SipLine", "View", "Watch", "WayLine"]
