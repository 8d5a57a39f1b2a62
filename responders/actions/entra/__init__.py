"""Containment actions at entra: one module, one action."""
