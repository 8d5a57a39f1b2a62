"""Containment actions at cyberark: one module, one action."""
