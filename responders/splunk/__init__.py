"""Splunk as the app sees it from inside: splunkd's management port, the KV store, and what becomes an event."""
