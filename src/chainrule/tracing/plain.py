"""Plain numbers: what operations take as it is, and what can be made such."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from chainrule.errors import ChainruleError, TracingError, shortened
from chainrule.tracing.containers import hint

REAL = "biuf"
"""Kinds of dtype that are real numbers or truth values."""

NUMERIC = REAL + "c"
"""Kinds of dtype that are numbers."""

COMPLEX_KIND = np.dtype(complex)


def plain_array(x: Any, what: str = "") -> Any:
    """Something of the user's as a plain array of numbers.

    Raises
    ------
    TracingError
        For what would lose its meaning: masks, matrices whose `*` is another product, text, objects.
    """
    array = array_of(x)
    return array if array.dtype.kind in NUMERIC else refuse(array, what or type(x).__name__, hint(x))


def array_of(x: Any) -> Any:
    """Something of the user's as a plain array, whatever is in it.

    Raises
    ------
    TracingError
        For masks, and matrices whose `*` is another product.
    """
    if isinstance(x, np.ma.MaskedArray):
        raise TracingError(
            f"a masked array of shape {x.shape} cannot take part in a traced computation, which would lose its mask. Give "
            "np.where(np.ma.getmaskarray(x), 0.0, x.data), or the values that are not masked."
        )
    if isinstance(x, np.matrix):
        raise TracingError(
            f"a np.matrix of shape {x.shape} cannot take part in a traced computation, where * is element by element. "
            "Give np.asarray(x), and write @ for the matrix product."
        )
    try:
        return np.asarray(x)
    except ChainruleError:
        raise
    except Exception as error:
        raise TracingError(
            f"{type(x).__module__}.{type(x).__qualname__} cannot take part in a traced computation: no plain array can be made of it "
            f"({shortened(error)}). Where it has a derivative of its own, take all of the function's derivatives with one library."
        ) from error


def refuse(array: Any, what: str = "an array", more: str = "") -> NoReturn:
    """Say why these are no numbers."""
    raise TracingError(
        f"{what} cannot take part in a traced computation (NumPy makes dtype {array.dtype} of it). "
        f"Use arrays of real or complex numbers.{more}"
    )
