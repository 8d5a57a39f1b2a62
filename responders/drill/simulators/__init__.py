"""Simulated vendors over real HTTP: stateful, strict, with latency, rate limits and faults. Imports no responder."""
