"""Pages for analysts, served by `tourniquet serve`: containments live, contain, restore, readiness, policy, halt.

Never ships to Splunk. Everything here only translates: what may be done is decided by policy, guards and people.py.
"""
