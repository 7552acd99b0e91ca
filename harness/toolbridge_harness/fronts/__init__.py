"""Servers that the harness puts before a proxy, or between a proxy and its Go API."""
