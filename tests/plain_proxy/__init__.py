"""A second proxy, plain Starlette on Hypercorn: small, correct, and other than the reference.

It has no key sets, no metrics and no session cache. Where the specifications leave a choice it
chooses otherwise than the reference, so that the suite's checks rest on the rules alone.
"""
