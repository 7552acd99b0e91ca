"""What a call through the reference proxy costs: `python -m benchmarks.proxy`."""
