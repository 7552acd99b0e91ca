"""Provider cases: what the real Go API was observed to do, as data, and a runner for any provider.

`cases.all_cases()` holds the observations, `runner.run` asks a provider and judges its answers.
"""
