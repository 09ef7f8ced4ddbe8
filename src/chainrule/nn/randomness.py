"""Random numbers inside a Program: a hash of a counter and a key, the same bits on every engine.

Numbers for dropout cannot come from NumPy's generator, which a compiled loop does not have. Each element's number
is its position mixed with the step's key by two rounds of a 32-bit integer hash (multiply and xor-shift; the
constants are Ettinger's search result "lowbias32", https://github.com/skeeto/hash-prospector).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.tracing.apply import traced as m


class RandomNumbers:
    """Uniform numbers in [0, 1) for one training step; every call gives different ones."""

    def __init__(self, key: Any) -> None:
        self._key, self._calls = key, 0

    def __call__(self, shape: tuple[int, ...]) -> Any:
        """Numbers of this shape, float32."""
        self._calls += 1
        salt = (self._calls * 0x9E3779B9) & 0xFFFFFFFF
        counter = np.arange(math.prod(shape), dtype=np.uint32).reshape(shape)
        bits = _mix(m.bitwise_xor(_mix(np.bitwise_xor(counter, np.uint32(salt))), self._key))
        return m.multiply(m.astype(m.right_shift(bits, 8), dtype=np.dtype(np.float32)), np.float32(2.0**-24))


def _mix(x: Any) -> Any:
    x = m.multiply(m.bitwise_xor(x, m.right_shift(x, 16)), np.uint32(0x7FEB352D))
    x = m.multiply(m.bitwise_xor(x, m.right_shift(x, 15)), np.uint32(0x846CA68B))
    return m.bitwise_xor(x, m.right_shift(x, 16))
