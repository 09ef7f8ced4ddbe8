"""Programs whose rows are shared out: sums over all rows are put off, until the devices add up all of them together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.engines.jax.contractions import contracted
from chainrule.engines.jax.evaluation import Evaluation
from chainrule.engines.jax.mesh import Spread
from chainrule.engines.jax.values import Value
from chainrule.ops.axes import Kept
from chainrule.ops.kinds import Contraction, Reduction
from chainrule.ops.kinds.contraction import parse
from chainrule.tracing.program import Equation, Program, Variable, axes_of, bodies_of

SUMMED = (np.dtype(np.float32), np.dtype(np.float64))
"""What is added up as it is; of others NumPy has its own ways."""

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Share(NamedTuple):
    """Sums of which every device has those over its own rows, along the first axis, and what is made of them together."""

    sums: Any
    finish: Callable[[Any], Any]


class SharedEvaluation(Evaluation):
    """A Program over rows that are shared out, of which all that needs no sum over all rows is computed first.

    A meeting of processes takes a millisecond, however little they tell each other. Left to XLA, which on CPUs has one for every sum,
    a step would have one for each array of parameters. Here what stands in a sum is kept by device, and when nothing is left that
    can be computed without one, all of them are put into one array and added up. What needs them is computed then, until there
    are sums again, as those of a gradient's length.

    Parameters
    ----------
    rounded : bool
        As for any evaluation.
    grid : Spread
        The devices, of which each has all parameters.
    data : sequence of Variable
        The inputs whose first axis runs over the rows.
    """

    def __init__(self, rounded: bool, grid: Spread, data: Sequence[Variable]) -> None:
        super().__init__(rounded)
        self._grid, self._data = grid, data

    def carry_out(self, program: Program, values: dict[Any, Any]) -> None:
        """Add the results of all equations to the values of the inputs, those first that need no sum over all rows."""
        rows, left = _axes_of_rows(program, self._data), list(program.equations)
        while left:
            put_off: dict[Variable, Share] = {}
            waiting, later = set[Any](), list[Equation]()
            for equation in left:
                if not waiting.isdisjoint(equation.inputs):
                    later.append(equation)
                elif (share := self._share(equation, values, rows)) is not None:
                    put_off[equation.output] = share
                else:
                    values[equation.output] = self.result(equation, values)
                    continue
                waiting.add(equation.output)
            values |= self._added_up(put_off) if put_off else {}
            left = later

    def _share(self, equation: Equation, values: Mapping[Any, Any], rows: Mapping[Any, int | None]) -> Share | None:
        """The sums of each device, where an equation sums over the rows."""
        op, inputs, kind = equation.op, equation.inputs, equation.output.type.dtype
        if kind not in SUMMED or not all(isinstance(x, Variable) and x.type.dtype == kind for x in inputs):
            return None
        axes: list[Any] = [rows[x] for x in inputs]
        if None in axes:
            return None
        arrays = [values[x].array for x in inputs]
        if isinstance(op, Contraction):
            return self._of_contraction(arrays, axes, **equation.attributes)
        if isinstance(op, Reduction) and op.combine == "add":
            return self._of_sum(arrays[0], axes[0], op.finish, **equation.attributes)
        return None

    def _of_contraction(self, arrays: Sequence[Any], axes: Sequence[Any], subscripts: str) -> Share | None:
        parts = parse(subscripts)
        letters = {parts.left[axes[0]], parts.right[axes[1]]}
        if len(letters) > 1 or not letters <= {*parts.summed}:
            return None
        (letter,), device = letters, next(x for x in LETTERS if x not in parts.left + parts.right)
        left, right = (term.replace(letter, device + letter) for term in (parts.left, parts.right))
        one, other = (self._by_device(x, axis) for x, axis in zip(arrays, axes, strict=True))
        sums = contracted(one, other, f"{left},{right}->{device}{parts.result}", self.rounded)
        return Share(sums, lambda total: total)

    def _of_sum(self, x: Any, place: int, finish: Any, axis: tuple[int, ...], keepdims: bool = False) -> Share | None:
        if place not in axis:
            return None
        apart = jnp.moveaxis(self._by_device(x, place), place, 0)
        sums = jnp.sum(apart, axis=tuple([i + 1 for i in axis]), keepdims=keepdims)
        count = math.prod(x.shape[i] for i in axis)
        return Share(sums, lambda total: total if finish is None else finish(Value(total), count).array)

    def _by_device(self, x: Any, axis: int) -> Any:
        """With the places of an axis by the device that has them."""
        shape = x.shape
        return x.reshape(*shape[:axis], self._grid.shares, shape[axis] // self._grid.shares, *shape[axis + 1 :])

    def _added_up(self, put_off: Mapping[Variable, Share]) -> dict[Variable, Value]:
        """The sums over all rows, of every dtype in one array."""
        found, lying = dict[Variable, Value](), jax.lax.with_sharding_constraint
        for dtype in {x.type.dtype for x in put_off}:
            own = {x: share for x, share in put_off.items() if x.type.dtype == dtype}
            flat = [share.sums.reshape(self._grid.shares, -1) for share in own.values()]
            together = lying(jnp.concatenate(flat, axis=1), self._grid.by_device())  # type: ignore[no-untyped-call]
            total = lying(jnp.sum(together, axis=0), self._grid.whole())  # type: ignore[no-untyped-call]
            begin = 0
            for x, share in own.items():
                size, shape = share.sums[0].size, share.sums.shape[1:]
                found[x] = Value(share.finish(total[begin : begin + size].reshape(shape)))
                begin += size
        return found


def _axes_of_rows(program: Program, data: Sequence[Variable]) -> dict[Any, int | None]:
    """The axis along which a value has the rows of the data, mixed or not; `None` where there is none that links lead to."""
    known: dict[Any, int | None] = {x: 0 if x in data else None for x in program.inputs}
    for equation in program.equations:
        links = None if bodies_of(equation) else axes_of(equation)
        inputs = zip(equation.inputs, links or (), strict=links is not None)
        axes = [(known.get(x) if isinstance(x, Variable) else None, own) for x, own in inputs]
        found = {link.target for axis, own in axes for link in own if isinstance(link, Kept) and link.source == axis}
        known[equation.output] = found.pop() if len(found) == 1 else None
    return known
