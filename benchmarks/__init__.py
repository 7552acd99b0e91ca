"""Benchmarks: ratios between variants of one run, never absolute times."""
