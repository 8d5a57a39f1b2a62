"""Tourniquet: contain a compromised identity from the SIEM."""

__version__ = "0.1.0"
