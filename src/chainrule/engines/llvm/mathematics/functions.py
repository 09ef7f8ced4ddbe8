"""The functions that are algorithms, by name, and the dtypes they compute in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.engines.llvm.mathematics import exponential, logarithm
from chainrule.engines.llvm.mathematics.numbers import Number, kind_of, loop_dtypes

FUNCTIONS: dict[str, Callable[..., Number]] = {
    function.__name__: function
    for function in (
        exponential.exp,
        exponential.exp2,
        exponential.expm1,
        exponential.tanh,
        logarithm.log,
        logarithm.log2,
        logarithm.log10,
        logarithm.log1p,
    )
}


def prepare(m: Any, name: str, inputs: tuple[Any, ...]) -> tuple[Number | None, list[Number]]:
    """The inputs in the dtype of the computation; or the result itself, where no function is needed."""
    rule = name if isinstance(getattr(np, name, None), np.ufunc) else "exp"
    *dtypes, _ = loop_dtypes(rule, tuple(kind_of(x) for x in inputs))
    return None, [m.number(x, dtype) for x, dtype in zip(inputs, dtypes, strict=True)]
