"""However many networks are trained in one process, it takes no more memory than at first.

`CHAINRULE_FITS` is how many; `make nightly` takes 10,000.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

MEASURE = """
    import sys
    import numpy as np, chainrule as cr
    from memory import peak

    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    y = [0, 1, 1, 0]
"""

ALIKE = """
    def once(i):
        network = cr.Network([cr.Dense(2, "sigmoid"), cr.Dense(1)], seed=i)
        optimizer = cr.SGD(0.1 + i * 1e-6, momentum=0.5)
        network.fit(X + i, y, epochs=3, optimizer=optimizer, validation_data=(X, y), progress=False, engine="llvm")
        network.predict(X)
        network.evaluate(X, y, engine="llvm")
        network.compiled().predict_proba(X[:1])

    fits = int(sys.argv[1])
    for i in range(fits):
        once(i)
        if i == fits // 3:
            before = peak()
    print((peak() - before) / 2**20)
"""

DIFFERENT = """
    from functools import lru_cache
    from chainrule.engines.llvm.runs import runner
    from chainrule.engines.llvm.runs import training
    from chainrule.training import cache

    cache.KEPT = 4
    runner.compile_loop = lru_cache(maxsize=4)(training.compile_loop.__wrapped__)

    def once(i):
        network = cr.Network([cr.Dense(2 + i * 37 % 50, "tanh"), cr.Dense(1)])
        network.fit(X, y, epochs=1, progress=False, engine="llvm")

    for i in range(20):
        once(i)
        if i == 10:
            before = peak()
    print((peak() - before) / 2**20)
"""


def growth(code: str, *arguments: str) -> float:
    """How many MiB more a process took at its most, after what is remembered was there."""
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE) + textwrap.dedent(code), *arguments],
        env={**os.environ, "CHAINRULE_CACHE": "off", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(run.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="has no resource module")
def test_many_fits_of_like_networks() -> None:
    assert growth(ALIKE, os.environ.get("CHAINRULE_FITS", "500")) < 2.0


@pytest.mark.skipif(sys.platform == "win32", reason="has no resource module")
def test_networks_that_are_all_different() -> None:
    assert growth(DIFFERENT) < 5.0  # a compilation that is not freed takes 1 MiB or more
