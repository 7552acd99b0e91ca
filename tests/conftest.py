"""The two sizes of the property tests: HYPOTHESIS_PROFILE or --hypothesis-profile picks one."""

import os
import signal

from hypothesis import HealthCheck, settings

# A busy machine is slow in places that say nothing about the code.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)

settings.register_profile("ci", _PATIENT, max_examples=100, derandomize=True, database=None)
settings.register_profile("deep", _PATIENT, max_examples=5000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# A shell starts what it puts into the background deaf to SIGINT, and children inherit that: the
# tests that press Ctrl-C would wait for nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
