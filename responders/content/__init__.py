"""Detections as code: never shipped to Splunk."""
