"""Mutation testing of the proxy's source: mutmut's operators, judged by the proxy's own tests.

`python tests/mutation` runs it; `explained.toml` holds what no test can tell apart.
"""
