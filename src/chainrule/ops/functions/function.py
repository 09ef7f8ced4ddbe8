"""Functions: what users call, with NumPy's names and signatures, written in operations over a namespace `m`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from chainrule.errors import ChainruleError, InPlaceError, SettingError, ShapeError, TracingError, shortened
from chainrule.ops.operation import OF_NUMPY, Example
from chainrule.ops.registry import Registry

Implementation = TypeVar("Implementation", bound=Callable[..., Any])


class ArrayFunction:
    """A function of arrays: `implementation(m, ...)` with NumPy's arguments, and the NumPy functions it stands for."""

    def __init__(
        self,
        name: str,
        implementation: Callable[..., Any],
        numpy: tuple[Callable[..., Any], ...],
        examples: tuple[Example, ...],
        differentiable: bool,
        activation: str | None = None,
        public: bool = False,
        by_numbers: bool = False,
        numpys_is_a_view: bool = False,
    ) -> None:
        self.name, self.implementation, self.numpy = name, implementation, numpy
        self.examples, self.differentiable, self.activation, self.public = examples, differentiable, activation, public
        self.by_numbers = by_numbers
        """Whether it asks for the numbers of its arguments, which a Program and a batch do not have."""
        self.numpys_is_a_view = numpys_is_a_view
        """Whether NumPy's result shares the memory of the first argument, which the one here does not."""


FUNCTIONS: Registry[str, ArrayFunction] = Registry()
"""Every function by its name."""


def function(
    *examples: Example,
    name: str | None = None,
    numpy: tuple[Callable[..., Any], ...] | None = None,
    differentiable: bool = True,
    activation: str | None = None,
    public: bool = False,
    by_numbers: bool = False,
    numpys_is_a_view: bool = False,
) -> Callable[[Implementation], Implementation]:
    """Register an implementation; by default it stands for the NumPy function of its own name.

    `activation` is the kind of activation it is, as an elementwise operation says it, where layers may name it. What NumPy has
    no function for is `cr.<name>`; `public` makes others that too. `by_numbers` is for what asks for `numbers` whatever it is given;
    with `numpys_is_a_view` a result is refused where it matters that NumPy's would be a view.
    """

    def register(implementation: Implementation) -> Implementation:
        own = name or implementation.__name__
        stands_for = numpy if numpy is not None else (getattr(np, own),) if hasattr(np, own) else ()
        FUNCTIONS[own] = declared = ArrayFunction(
            own,
            implementation,
            stands_for,
            examples,
            differentiable,
            activation,
            public or not stands_for,
            by_numbers,
            numpys_is_a_view,
        )
        OF_NUMPY.update(dict.fromkeys(stands_for, declared))
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
    if hasattr(x, "shape") and not isinstance(x, type):
        return x
    made = np.asarray(x)
    if made.dtype.kind not in "biufc":
        raise TracingError(
            f"{shortened(x)} cannot take part in a traced computation (NumPy makes dtype {made.dtype} of it). Use arrays of numbers."
        )
    return made


def floating(m: Any, x: Any) -> Any:
    """An argument as floating-point numbers: what NumPy's functions make of integers before they divide."""
    x = array(x)
    return x if x.dtype.kind in "fc" else m.astype(x, dtype=np.dtype(float))


def together(m: Any, *xs: Any) -> list[Any]:
    """Arguments that are one array later, in the dtype that NumPy gives it: numbers of Python's adapt to arrays."""
    kinds = [x if type(x) in (bool, int, float, complex) else array(x).dtype for x in xs]
    kind = np.result_type(*kinds)
    return [cast(m, array(x), kind) for x in xs]


def cast(m: Any, x: Any, dtype: Any) -> Any:
    """The numbers in the dtype that was asked for; integers have no derivative."""
    if dtype is None or np.dtype(dtype) == x.dtype:
        return x
    kind = np.dtype(dtype)
    if kind.kind not in "biufc":
        raise SettingError(f"dtype={shortened(dtype)} was asked for; give one of numbers, such as np.float64.")
    if x.dtype.kind == "c" and kind.kind != "c":
        raise SettingError(
            f"complex numbers (dtype {x.dtype}) were to become {kind}; take np.real, np.imag or np.abs of them first."
        )
    return m.astype(x if kind.kind in "fc" else m.stop_gradient(x), dtype=kind)


def adding(m: Any, x: Any, dtype: Any, floats: bool = False) -> Any:
    """An argument in the dtype in which its elements are to be added up or multiplied; only `floats` where they are divided."""
    kinds = "fc" if floats else "iufc"
    if dtype is not None and np.dtype(dtype).kind not in kinds:
        raise SettingError(
            f"dtype={shortened(dtype)} was asked for; give one of floating-point numbers{'' if floats else ' or integers'}, or use "
            "astype on the result."
        )
    return cast(m, array(x), dtype)


def is_known(x: Any) -> bool:
    """Whether the numbers are there to look at."""
    return isinstance(x, np.ndarray | np.generic | int | float | complex)


def seen(m: Any, x: Any) -> Any:
    """The numbers without their derivative: plain ones where they are known."""
    x = array(x)
    return x if is_known(x) else m.stop_gradient(x)


def numbers(m: Any, x: Any, called: str, instead: str) -> Any:
    """The numbers themselves, which decide what a function does.

    Raises
    ------
    TracingError
        In a Program, where they are not known yet, and in a batch, where every member has its own.
    """
    plain = seen(m, x)
    if not is_known(plain):
        raise TracingError(
            f"{called} needs the numbers of its argument of shape {shape(x)}, which are not known while a Program is made (by "
            "jit, trace, or a network) and differ between the members of a batch (vmap). "
            f"{instead[0].upper()}{instead[1:]}, or use {called} outside of these, under grad and its relatives."
        )
    return np.asarray(plain)


def not_into(out: Any, called: str) -> None:
    """Refuse an array that results were to be written into."""
    if out is not None:
        raise InPlaceError(
            f"{called} was to write its result into an existing array (out=). Traced values never change: use the return value."
        )


def whole(number: Any, what: str) -> int:
    """An argument that must be an integer: Python's, NumPy's, or an array that holds one."""
    try:
        return int(operator.index(number))
    except ChainruleError:
        raise
    except TypeError:
        raise ShapeError(f"{what} was given as {shortened(number)}; it must be an integer.") from None


def wholes(numbers: Any, what: str) -> tuple[int, ...]:
    """An argument that is an integer or several: a tuple, a list, an array."""
    several = type(numbers) is tuple or (isinstance(numbers, Iterable) and ndim(numbers) > 0)
    return tuple(whole(n, what) for n in numbers) if several else (whole(numbers, what),)


def one_axis(axis: Any, n: int, what: str = "axis") -> int:
    """`axis`, counted from the front."""
    place = whole(axis, what)
    if not -n <= place < n:
        if not n:
            raise ShapeError(f"{what} {place} does not exist: a number has no axes; leave it out.")
        raise ShapeError(
            f"{what} {place} does not exist: the array has {n} axes, so it must be between {-n} and {n - 1}."
        )
    return place % n


def all_axes(axis: Any, n: int) -> tuple[int, ...]:
    """NumPy's `axis` argument as a tuple of axes counted from the front; `None` means all."""
    if axis is None:
        return tuple(range(n))
    axes = (axis,) if type(axis) is int else wholes(axis, "axis")
    counted = tuple(one_axis(a, n) for a in axes)
    if len(set(counted)) != len(counted):
        raise ShapeError(f"axis {axis} names the same axis twice; name each once.")
    return tuple(sorted(counted))
