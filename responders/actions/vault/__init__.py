"""Containment actions at vault: one module, one action."""
