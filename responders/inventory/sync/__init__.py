"""Reads accounts from the vendors, outside Splunk and never on the hot path. One file a vendor.

`run` reads pages into `raw`, a SQLite file; `gather` makes observations of it; `responders.inventory.joining` joins them.
"""
