"""Containment actions at okta: one module, one action."""
