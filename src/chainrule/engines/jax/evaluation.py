"""The operations' own declarations evaluated with jax.numpy: each kind in its own way, no operation by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.engines.jax.contractions import contracted
from chainrule.engines.jax.moves import moved
from chainrule.engines.jax.settings import Settings, types_of
from chainrule.engines.jax.values import Value, array_of, result_type
from chainrule.ops.kinds import Contraction, Custom, Elementwise, Layout
from chainrule.ops.kinds.elementwise import NUMBERS
from chainrule.ops.operation import REGISTRY, Operation, shape_of
from chainrule.tracing.loops.loop import Loop
from chainrule.tracing.program import Equation, Program, Variable


class Evaluation:
    """The namespace `m` of values of JAX, and Programs evaluated over it.

    `doubts` are truth values, one of which holds where NumPy would have refused the numbers, or may have had others.
    """

    def __init__(self, rounded: bool = False) -> None:
        self.rounded = rounded
        self.doubts: list[Any] = []

    @property
    def doubt(self) -> Any:
        """Whether any doubt holds; `None` where there can be none."""
        return jnp.any(jnp.stack(self.doubts)) if self.doubts else None

    def outputs(self, program: Program, arrays: Sequence[Any]) -> list[Any]:
        """What a Program gives for arrays of JAX."""
        values: dict[Any, Any] = dict(zip(program.inputs, map(Value, arrays), strict=True))
        self.carry_out(program, values)
        return [values[x].array if isinstance(x, Variable) else jnp.asarray(x.value) for x in program.outputs]

    def carry_out(self, program: Program, values: dict[Any, Any]) -> None:
        """Add the results of all equations to the values of the inputs."""
        for equation in program.equations:
            values[equation.output] = self.result(equation, values)

    def result(self, equation: Equation, values: Mapping[Any, Any]) -> Value:
        """What an equation gives."""
        inputs = [values[x] if isinstance(x, Variable) else x.value for x in equation.inputs]
        found, kind = self.applied(equation.op, *inputs, **equation.attributes), equation.output.type
        array = array_of(found, kind.dtype)
        return Value(array if array.shape == kind.shape else jnp.broadcast_to(array, kind.shape))

    def applied(self, op: Operation, *inputs: Any, **attributes: Any) -> Any:
        """What an operation gives, as its kind says."""
        if isinstance(op, Elementwise):
            return self._elementwise(op, inputs, attributes)
        if isinstance(op, Contraction):
            kind = op.infer(*inputs, **attributes).dtype
            left, right = (array_of(x, kind) for x in inputs)
            return Value(contracted(left, right, attributes["subscripts"], self.rounded))
        if isinstance(op, Layout) and (links := op.axes(*inputs, **attributes)) is not None:
            return self._moved(op, links, inputs, attributes)
        if isinstance(op, Loop):
            return self._loop(inputs, **attributes)
        written = op.written(self, *map(_dressed, inputs), **attributes)
        if written is not None:
            return written
        if isinstance(op, Custom) and op.accumulate is not None:
            return getattr(np, op.accumulate).accumulate(_dressed(inputs[0]), axis=attributes["axis"])
        return self._of_numpy(op, inputs, attributes)

    def __getattr__(self, name: str) -> Any:
        if name not in REGISTRY:
            raise AttributeError(f"there is no operation named {name!r}")
        return partial(self.applied, REGISTRY[name])

    def _elementwise(self, op: Elementwise, inputs: Sequence[Any], attributes: Any) -> Any:
        """By NumPy's function of the name; else as it declares its value, in which numbers take the dtype of arrays beside them."""
        if op.ufunc is not None:
            return op.ufunc(*inputs)
        if len(inputs) > 1 and not NUMBERS.isdisjoint(map(type, inputs)):
            kind = result_type(*inputs).type
            inputs = [kind(x) if type(x) in NUMBERS else x for x in inputs]
        own = PRIMITIVES.get(op.name)
        if own is not None:
            return own(self, *inputs, **attributes)
        return inputs[0] if op.passes else op.value(self, *inputs, **attributes)

    def _moved(self, op: Layout, links: Any, inputs: Sequence[Any], attributes: Any) -> Value:
        kind = op.infer(*inputs, **attributes)
        linear = len(inputs) if op.linear is None else op.linear
        arrays = [array_of(x, kind.dtype) for x in inputs[:linear]]
        arrays += [x.array if type(x) is Value else np.asarray(x) for x in inputs[linear:]]
        result, doubts = moved(links, arrays, kind.shape)
        self.doubts += doubts
        return Value(result)

    def _of_numpy(self, op: Operation, inputs: Sequence[Any], attributes: Any) -> Any:
        """By NumPy's own code, with the functions of jax.numpy; where it gives no finite number, NumPy may refuse to give one."""
        given = list(map(_dressed, inputs))
        found = op.evaluate(*given, **attributes)
        if isinstance(op, Custom) and type(found) is Value and found.dtype.kind in "fc":
            fine = [jnp.all(jnp.isfinite(x.array)) for x in given if type(x) is Value]
            self.doubts.append(jnp.all(jnp.stack(fine)) & ~jnp.all(jnp.isfinite(found.array)))
        return found

    def _loop(self, inputs: Sequence[Any], *, body: Any, length: int, reverse: bool) -> Value:
        """A loop as one of XLA's."""
        p, q = body.states, body.states + body.sequences
        arrays = [array_of(x, v.dtype) for x, v in zip(inputs, body.program.inputs, strict=True)]

        def step(state: Any, rows: Any) -> Any:
            inside = Evaluation(self.rounded)
            found = inside.outputs(body.program, [*state, *rows, *arrays[q:]])
            return tuple(found[:p]), (found[p:], inside.doubt)

        last, (collected, doubts) = jax.lax.scan(step, tuple(arrays[:p]), tuple(arrays[p:q]), length, reverse)
        if doubts is not None:
            self.doubts.append(jnp.any(doubts))
        kind = np.result_type(*(t.dtype for t in (*body.collected, *body.state)))
        return Value(jnp.concatenate([jnp.ravel(x).astype(kind) for x in (*collected, *last)]))


def _dressed(x: Any) -> Any:
    """An input of a declaration: arrays as values, Python's numbers as they are."""
    return Value(jnp.asarray(x)) if hasattr(x, "dtype") and type(x) is not Value else x


def _astype(m: Evaluation, x: Any, dtype: Any) -> Any:
    """Numbers that an integer cannot hold become others in NumPy."""
    kind = np.dtype(dtype)
    if type(x) is Value and x.dtype.kind in "fc" and kind.kind in "iu":
        limits, number = np.iinfo(kind), x.array.real.astype(np.float64)
        m.doubts.append(~jnp.all((number >= float(limits.min)) & (number < float(limits.max) + 1.0)))
    return Value(array_of(x, dtype))


def _indicator(m: Evaluation, condition: Any, like: Any) -> Any:
    shape = np.broadcast_shapes(shape_of(condition), shape_of(like))
    return Value(jnp.broadcast_to(array_of(condition, bool), shape).astype(result_type(like)))


PRIMITIVES: dict[str, Callable[..., Any]] = {
    "astype": _astype,
    "indicator": _indicator,
    "where": lambda m, *inputs: np.where(*inputs),
}
"""What declarations take for given of the namespace `m`, beside NumPy's functions of numbers."""


def computes(equation: Equation) -> bool:
    """Whether JAX can carry out an operation. Only those that are NumPy's own code may be such that it cannot: they are tried on
    types alone."""
    op = equation.op
    if isinstance(op, Elementwise):
        return op.has_loops(len(equation.inputs))
    if not isinstance(op, Custom) or op.accumulate is not None or op.simpler is not None:
        return True
    return _can_be_tried(op, tuple([_known(x) for x in equation.inputs]), equation.attributes)


def _known(x: Any) -> Any:
    return x.type if isinstance(x, Variable) else x.kind


def _can_be_tried(op: Operation, kinds: Sequence[Any], attributes: Any) -> bool:
    def tried(*arrays: Any) -> Any:
        given = iter(arrays)
        values = [Value(next(given)) if hasattr(x, "dtype") else x for x in kinds]
        return array_of(Evaluation().applied(op, *values, **attributes), kind.dtype)

    kind = op.infer(*kinds, **attributes)
    with Settings().held():
        try:
            types = types_of([x for x in kinds if hasattr(x, "dtype")])
            return bool(jax.eval_shape(tried, *types).shape == kind.shape)
        except Exception:  # whatever JAX and NumPy's code do not agree about
            return False
