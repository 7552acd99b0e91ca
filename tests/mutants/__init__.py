"""The reference proxy with exactly one bug each, and correct proxies that are built differently.

Every module here declares mutants (`@mutant`) or conformant variants (`@variant`); `__main__`
serves one: `python tests/mutants ID`, configured by the environment as the real proxy is.
"""
