"""Settings shared by all tests."""

import gc
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

import chainrule.scipy.fft
import chainrule.scipy.linalg
import chainrule.scipy.signal
import chainrule.scipy.special  # noqa: F401
from trying import BY_DAY, BY_NIGHT, IN_SHORT

settings.register_profile(
    "repeatable",
    derandomize=True,  # the same examples in every run: a failure is a failure for everybody
    deadline=None,  # the first example of a run pays for imports and caches
    max_examples=BY_DAY,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("short", settings.get_profile("repeatable"), max_examples=IN_SHORT)  # for tests/mutants.py
settings.register_profile("nightly", settings.get_profile("repeatable"), max_examples=BY_NIGHT)
settings.load_profile("repeatable")

# A shell lets what runs in the background, and all that starts, ignore Ctrl-C, and nohup that a terminal is closed: tests send both.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def own_garbage() -> Iterator[None]:
    """For tests of time: the garbage collector leaves alone what other tests left, the search of which can take a second."""
    gc.freeze()
    yield
    gc.unfreeze()
