"""Functions: what users call, with NumPy's names and signatures, written in operations over a namespace `m`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.operation import Example

Implementation = TypeVar("Implementation", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class ArrayFunction:
    """A function of arrays: `implementation(m, ...)` with NumPy's arguments, and the NumPy functions it stands for."""

    name: str
    implementation: Callable[..., Any]
    numpy: tuple[Callable[..., Any], ...]
    examples: tuple[Example, ...]
    differentiable: bool
    activation: str | None = None

    @property
    def public(self) -> bool:
        """Whether it is `cr.<name>`: NumPy has no function it stands for."""
        return not self.numpy


FUNCTIONS: dict[str, ArrayFunction] = {}
"""Every function by its name."""


def function(
    *examples: Example,
    name: str | None = None,
    numpy: tuple[Callable[..., Any], ...] | None = None,
    differentiable: bool = True,
    activation: str | None = None,
) -> Callable[[Implementation], Implementation]:
    """Register an implementation; by default it stands for the NumPy function of its own name.

    `activation` is the kind of activation it is, as an elementwise operation says it, where layers may name it.
    """

    def register(implementation: Implementation) -> Implementation:
        own = name or implementation.__name__
        stands_for = numpy if numpy is not None else (getattr(np, own),) if hasattr(np, own) else ()
        FUNCTIONS[own] = ArrayFunction(own, implementation, stands_for, examples, differentiable, activation)
        return implementation

    return register


def ndim(x: Any) -> int:
    """Number of axes of an array, traced or not."""
    return len(np.shape(x)) if not hasattr(x, "shape") else len(x.shape)


def shape(x: Any) -> tuple[int, ...]:
    """Shape of an array, traced or not."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def array(x: Any) -> Any:
    """An argument with a shape and a dtype: traced values and arrays as they are, lists and numbers as arrays."""
    return x if hasattr(x, "shape") else np.asarray(x)


def one_axis(axis: int, n: int, what: str = "axis") -> int:
    """`axis`, counted from the front."""
    if not -n <= axis < n:
        raise ShapeError(
            f"{what} {axis} does not exist: the array has {n} axes, so it must be between {-n} and {n - 1}."
        )
    return int(axis) % n


def all_axes(axis: int | tuple[int, ...] | list[int] | None, n: int) -> tuple[int, ...]:
    """NumPy's `axis` argument as a tuple of axes counted from the front; `None` means all."""
    if axis is None:
        return tuple(range(n))
    axes = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    counted = tuple(one_axis(a, n) for a in axes)
    if len(set(counted)) != len(counted):
        raise ShapeError(f"axis {axis} names the same axis twice.")
    return tuple(sorted(counted))
