"""Settings shared by all tests."""

import signal

from hypothesis import HealthCheck, settings

import chainrule.scipy.fft
import chainrule.scipy.linalg
import chainrule.scipy.signal
import chainrule.scipy.special  # noqa: F401

settings.register_profile(
    "repeatable",
    derandomize=True,  # the same examples in every run: a failure is a failure for everybody
    deadline=None,  # the first example of a run pays for imports and caches
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("short", settings.get_profile("repeatable"), max_examples=20)  # for tests/mutants.py
settings.load_profile("repeatable")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell has it of what runs in the background, and all it starts
    signal.signal(signal.SIGINT, signal.default_int_handler)  # so Ctrl-C is heard wherever tests send it
