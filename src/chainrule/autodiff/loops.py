"""`scan` and `loop`: loops that are recorded, differentiated and compiled as what they are."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any

import numpy as np

from chainrule.autodiff.arguments import as_leaf
from chainrule.errors import SettingError, ShapeError, shortened
from chainrule.ops.operation import ArrayType, cast
from chainrule.tracing import simplify, trees
from chainrule.tracing.apply import as_operand, traced
from chainrule.tracing.loops.body import Body
from chainrule.tracing.loops.loop import run
from chainrule.tracing.numbers import NUMBERS
from chainrule.tracing.plain import NUMERIC, refuse
from chainrule.tracing.traces.recorder import parameters_of, trace_closed

ROUNDS = 4
"""Times that a body is recorded until the types of its state stay as they are: numbers first take those of the arrays they meet."""


HALF = 32
"""Bits of an integer's lower half."""


def scan(
    function: Callable[..., Any], state: Any, xs: Any = None, *, length: int | None = None, reverse: bool = False
) -> tuple[Any, Any]:
    """A loop over rows that carries a state along, sᵢ₊₁, yᵢ = f(sᵢ, xᵢ), as one equation.

    The function is run once, on shapes alone, however many rows there are; so a loop of a thousand steps is traced, differentiated
    (in both modes, to any order) and compiled as fast as one of three.

    Parameters
    ----------
    function : callable
        `function(state, x)` gives `(new state, y)`: plain NumPy code, whose course must not depend on numbers. Values that it uses
        besides its arguments have their derivatives too.
    state : array, number, or container of them
        The first state. Every new one must have its shapes; numbers take the dtype of what they become.
    xs : array, or container of them
        What is taken row by row along the first axis; `None` for nothing.
    length : int, optional
        How many steps, where there are no `xs` that say it.
    reverse : bool
        From the last row to the first.

    Returns
    -------
    state, ys
        The last state, and every y along a first axis, nested as `function` gives it.

    Raises
    ------
    ShapeError
        When a new state has other shapes than the one before, or the `xs` have different numbers of rows.
    SettingError
        When there is no number of steps, or the function gives something else than a state and a y.
    TracingError
        When the function's course depends on numbers.

    Examples
    --------
    Compound interest, year by year, and the derivative of the end by every year's rate:

    >>> import numpy as np, chainrule as cr
    >>> rates = np.array([0.01, 0.02, 0.03])
    >>> cr.scan(lambda s, r: (s * (1 + r), s), 100.0, rates)
    (np.float64(106.1106), array([100.  , 101.  , 103.02]))
    >>> cr.grad(lambda rates: cr.scan(lambda s, r: (s * (1 + r), None), 100.0, rates)[0])(rates).round(2)
    array([105.06, 104.03, 103.02])

    References
    ----------
    The form is that of `jax.lax.scan`.
    """
    SettingError.unless_callable("scan", function, "cr.scan(f, state, xs)")
    leaves, structure = trees.flatten(state)
    rows, rows_structure = trees.flatten(xs)
    leaves, rows = [as_operand(x) for x in leaves], [as_operand(x) for x in rows]
    count = _length(rows, length)

    def call(new: list[Any], own: list[Any]) -> Any:
        return function(trees.unflatten(structure, new), trees.unflatten(rows_structure, own))

    called = _Called("scan", call, structure, _names(function, structure, rows_structure))
    return _carried(called, leaves, rows, count, bool(reverse))


def loop(function: Callable[..., Any], state: Any, count: int) -> Any:
    """A state after so many steps, sᵢ₊₁ = f(sᵢ, i), as one equation; see `scan`.

    Parameters
    ----------
    function : callable
        `function(state, i)` gives the new state: plain NumPy code, whose course must not depend on numbers.
    state : array, number, or container of them
        The first state.
    count : int
        How many steps; i runs from 0 to count − 1.

    Returns
    -------
    state
        The last one.

    Examples
    --------
    Newton's iteration for a square root, and its derivative 1/(2√a):

    >>> import chainrule as cr
    >>> root = lambda a: cr.loop(lambda x, i: (x + a / x) / 2, a, 20)
    >>> root(9.0), cr.grad(root)(9.0).round(4)
    (np.float64(3.0), np.float64(0.1667))
    """
    SettingError.unless_callable("loop", function, "cr.loop(f, state, count)")
    leaves, structure = trees.flatten(state)
    steps = np.arange(_length([], count, "loop", "count"))

    def call(new: list[Any], own: list[Any]) -> Any:
        return function(trees.unflatten(structure, new), own[0]), None

    called = _Called("loop", call, structure, _names(function, structure, trees.LEAF))
    return _carried(called, [as_operand(x) for x in leaves], [steps], len(steps), False)[0]


class _Called:
    """A user's function as one of flat lists, which remembers how its results are put together."""

    def __init__(self, owner: str, function: Callable[..., Any], structure: trees.Structure, names: list[str]) -> None:
        self.owner, self.function, self.structure, self.names = owner, function, structure, names
        self.collected = trees.LEAF

    def __call__(self, state: list[Any], rows: list[Any]) -> tuple[list[Any], list[Any]]:
        result = self.function(state, rows)
        if not isinstance(result, tuple) or len(result) != 2:
            raise SettingError(
                f"the function given to {self.owner} gave {shortened(result)}; it must give (new state, y), with None where there "
                "is none."
            )
        new = trees.flatten_like(self.structure, result[0], "the new state")
        collected, self.collected = trees.flatten(result[1])
        return [as_operand(x) for x in new], [as_leaf(as_operand(x)) for x in collected]


def _carried(called: _Called, state: list[Any], rows: list[Any], count: int, reverse: bool) -> tuple[Any, Any]:
    """The loop, for flat lists."""
    examples = [type(x)(1) if type(x) in NUMBERS else _kind(x) for x in state]
    row_kinds = [ArrayType(kind.shape[1:], kind.dtype) for kind in map(_kind, rows)]
    for _ in range(ROUNDS):
        body = _Recorded(called, examples, row_kinds)
        agreed = [_agreed(called.owner, x, new) for x, new in zip(examples, body.state, strict=True)]
        if agreed == examples:
            break
        examples = list(agreed)
    else:
        raise SettingError(
            f"the function given to {called.owner} gives a state of other dtypes with every step: {', '.join(map(str, agreed))}. "
            "Give it back in the dtype it came in, x.astype(...)."
        )
    if any(map(_is_long, (*body.state, *body.collected))) and any(
        t.dtype.kind in "fc" for t in (*body.state, *body.collected)
    ):
        body = _Recorded(called, examples, row_kinds, halved=True)
    first = body.taken_apart([_started(called.owner, x, k.dtype) for x, k in zip(state, body.state, strict=True)])
    given = [*first, *rows, *body.captured]
    program = Body(simplify(body.program), len(first), len(rows))
    collected, last = run(program, given, count, reverse)
    return (
        trees.unflatten(called.structure, body.put_together(last, body.state)),
        trees.unflatten(called.collected, body.put_together(collected, body.collected)),
    )


class _Recorded:
    """A body recorded for a state of certain types: its Program, what it uses from outside, and the types of what it gives.

    A loop's results are in one array. Beside real numbers in it, integers of 64 bits are carried as two `halved` ones, for a
    float64 holds no more than 53.
    """

    def __init__(self, called: _Called, examples: list[Any], rows: list[ArrayType], halved: bool = False) -> None:
        self.halved = halved
        self.state: list[ArrayType] = []
        self.collected: list[ArrayType] = []
        known = [x for x in examples if isinstance(x, ArrayType)]
        given = [k for x in examples for k in ((x, x) if halved and _is_long(x) else (x,))]

        def flat(*inputs: Any) -> list[Any]:
            own = list(inputs[: len(given)])
            new, collected = called(self.put_together(own, known) if halved else own, list(inputs[len(given) :]))
            kept = [
                cast(traced, as_leaf(x), old.dtype) if isinstance(old, ArrayType) and _fits(x, old.dtype) else x
                for x, old in zip(new, examples, strict=True)
            ]
            self.state, self.collected = list(map(_kind, kept)), list(map(_kind, collected))
            return [*self.taken_apart(kept), *self.taken_apart(collected)]

        self.program, self.captured = trace_closed(flat, *given, *rows, name=f"body of {called.owner}")
        if not halved:
            for x, name in zip(self.program.inputs, called.names, strict=False):
                x.name = name

    def taken_apart(self, values: list[Any]) -> list[Any]:
        """Long integers as halves."""
        return [
            half
            for x in values
            for half in ((x // 2**HALF, x % 2**HALF) if self.halved and _is_long(_kind(x)) else (x,))
        ]

    def put_together(self, values: list[Any], kinds: list[ArrayType]) -> list[Any]:
        """Long integers of their halves."""
        parts = iter(values)
        return [
            next(parts) * 2**HALF + next(parts) if self.halved and _is_long(kind) else next(parts) for kind in kinds
        ]


def _names(function: Callable[..., Any], state: trees.Structure, row: trees.Structure) -> list[str]:
    """What the function calls its state and its row, and what is in them."""
    names = parameters_of(function, 2)
    return [path for name, structure in zip(names, (state, row), strict=False) for path in trees.paths(structure, name)]


def _agreed(owner: str, old: Any, new: ArrayType) -> ArrayType:
    """The type of a state that was given and of what became of it."""
    shape = old.shape if isinstance(old, ArrayType) else ()
    if shape != new.shape:
        raise ShapeError(
            f"the function given to {owner} gave a state of shape {new.shape} for one of shape {shape}. Every new state needs the "
            "shape of the one before; give a first state that has it."
        )
    return ArrayType(shape, np.result_type(old.dtype, new.dtype)) if isinstance(old, ArrayType) else new


def _started(owner: str, x: Any, dtype: np.dtype[Any]) -> Any:
    """A first state in the dtype that the state has from then on."""
    try:
        return cast(traced, np.asarray(x) if type(x) in NUMBERS else x, dtype)
    except OverflowError as error:
        raise SettingError(
            f"{owner} was given {shortened(x)} as a state, which {dtype} does not hold; give a float."
        ) from error


def _is_long(kind: Any) -> bool:
    return isinstance(kind, ArrayType) and kind.dtype.kind in "iu" and kind.dtype.itemsize == 8


def _fits(x: Any, dtype: np.dtype[Any]) -> bool:
    """Whether a new state goes into the type of the one before without loss."""
    return np.result_type(_kind(x).dtype, dtype) == dtype


def _kind(x: Any) -> ArrayType:
    dtype = np.dtype(getattr(x, "dtype", type(x)))
    if dtype.kind not in NUMERIC:
        refuse(x, "what a loop carries along")
    return ArrayType(tuple(np.shape(x)), dtype.newbyteorder("="))


def _length(rows: list[Any], length: Any, owner: str = "scan", name: str = "length") -> int:
    """How many steps there are."""
    try:
        given = None if length is None else index(length)
    except TypeError:
        given = -1
    if given is not None and given < 0:
        raise SettingError(f"{owner} was given {name}={shortened(length)}; give a whole number of steps, 0 or more.")
    if not all(getattr(x, "shape", ()) for x in rows):
        raise ShapeError(
            "scan was given xs with a single number, which has no rows; give arrays whose first axis are the steps, np.array(xs) for "
            "a list, which is a container of them."
        )
    counts: set[int] = {x.shape[0] for x in rows}
    counts |= set() if given is None else {given}
    if len(counts) > 1:
        raise ShapeError(
            f"scan was given different numbers of steps: {sorted(counts)}, by the rows of xs and the length. "
            "All must be equal."
        )
    if not counts:
        raise SettingError("scan was given neither xs nor a length; give length=n for n steps without xs.")
    return counts.pop()
