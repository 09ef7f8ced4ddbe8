"""What tests are made of: inputs for every operation and function of the registries, and random Programs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from chainrule.errors import ShapeError
from chainrule.ops import FUNCTIONS, REGISTRY, ArrayType, Domain, Elementwise, Example, Operation
from chainrule.ops.functions.joining import Together
from chainrule.ops.kinds.elementwise import EQUAL
from chainrule.tracing import Equation, Literal, Program, Variable, check, trees
from chainrule.tracing.program import infer

ROOM = 0.15
"""How far inputs keep away from kinks and from the ends of a domain, so that a small nudge never crosses one."""

SHAPES = {
    1: [((),), ((3,),), ((2, 3),), ((2, 1, 3),)],
    2: [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (3,)), ((3,), (2, 2, 1)), ((2, 3), ()), ((), (2, 3))],
    3: [((), (), ()), ((2, 3), (2, 3), (2, 3)), ((2, 1), (3,), ()), ((3,), (2, 1), (2, 2, 1)), ((), (2,), (1,))],
}
"""Shapes for operations with so many inputs: scalars to three axes, equal and broadcast."""


@dataclass(frozen=True)
class Case:
    """An operation with inputs to try it on."""

    op: Operation
    inputs: tuple[Any, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    def evaluate(self) -> Any:
        return self.op.evaluate(*self.inputs, **self.attributes)


def from_domain(domain: Domain, shape: tuple[int, ...], random: np.random.Generator, dtype: Any = np.float64) -> Any:
    """Random numbers inside a domain, away from its ends and kinks; not arrays of a given dtype where it names one."""
    if domain.dtype == "bool":
        return random.random(shape) < 0.5
    if domain.dtype != "float":
        return random.integers(domain.low, domain.high + 1, shape).astype(domain.dtype)
    low, high = domain.bounds
    if low == high:
        return np.full(shape, low, dtype)
    low = max(low + ROOM, -3.0)
    high = min(high - ROOM, max(low, 0.0) + 3.0)
    x = random.uniform(low, high, shape)
    for point in domain.points:
        x = np.where(np.abs(x - point) < ROOM, point + np.where(x < point, -ROOM, ROOM), x)
    return np.asarray(x, dtype)


def apart(first: Any, second: Any) -> tuple[Any, Any]:
    """Both inputs moved to grids that are 0.2 apart from each other, so that no two numbers come near."""
    a, b = np.round(first / 0.4) * 0.4, np.round(second / 0.4) * 0.4 + 0.2
    return a.astype(first.dtype), b.astype(second.dtype)


def distinct(shape: tuple[int, ...], random: np.random.Generator, dtype: Any = np.float64) -> Any:
    """Different numbers in random order, none of them 0: no ties for extrema and sorting."""
    size = math.prod(shape)
    return np.asarray((random.permutation(size) - (size - 1) / 2 + 0.25) * (4.0 / max(size, 4)), dtype).reshape(shape)


def elementwise_cases(op: Elementwise, dtype: Any = np.float64) -> Iterator[Case]:
    """An elementwise operation on inputs of many shapes from its domain."""
    random = np.random.default_rng(len(op.name))
    for attributes in attributes_of(op):
        for shapes in SHAPES[len(op.domain)]:
            inputs = [from_domain(d, shape, random, dtype) for d, shape in zip(op.domain, shapes, strict=True)]
            if EQUAL in op.kinks:
                inputs = list(apart(*inputs))
            yield Case(op, tuple(inputs), attributes)


def attributes_of(op: Operation) -> list[dict[str, Any]]:
    """The static arguments that an operation's examples give, each once."""
    found = [dict(example.attributes) for example in op.examples] or [{}]
    return [own for i, own in enumerate(found) if own not in found[:i]]


def with_numbers(case: Case) -> Iterator[Case]:
    """The case with one input after the other replaced by a Python number."""
    if len(case.inputs) > 1:
        for i, x in enumerate(case.inputs):
            if np.size(x) and x.dtype.kind == "f":
                inputs = (*case.inputs[:i], float(x.flat[0]), *case.inputs[i + 1 :])
                yield Case(case.op, inputs, case.attributes)


def drawn(given: Any, random: np.random.Generator, dtype: Any = np.float64) -> Any:
    """An argument of an `Example`: tuples are shapes, floats and complex numbers in arrays take the dtype, the rest is as it is."""
    if isinstance(given, Together):
        return [drawn(item, random, dtype) for item in given]
    if isinstance(given, tuple):
        return distinct(given, random, dtype)
    if isinstance(given, np.ndarray) and given.dtype.kind == "f":
        return given.astype(dtype)
    if isinstance(given, np.ndarray) and given.dtype.kind == "c":
        return given.astype(np.result_type(dtype, np.complex64))
    return given


def arguments(example: Example, dtype: Any = np.float64) -> list[Any]:
    """The positional arguments of an example."""
    random = np.random.default_rng(1)
    return [drawn(given, random, dtype) for given in example.inputs]


def cases(op: Operation, dtype: Any = np.float64) -> Iterator[Case]:
    """An operation of any kind on everything it is to be tried with."""
    if isinstance(op, Elementwise):
        yield from elementwise_cases(op, dtype)
    else:
        for example in op.examples:
            yield Case(op, tuple(arguments(example, dtype)), dict(example.attributes))


def split_leaves(inputs: Any) -> tuple[list[Any], Any]:
    """The arrays of real or complex numbers among (nested) arguments, and a function that puts others in their places."""
    leaves, structure = trees.flatten(inputs)
    places = [i for i, x in enumerate(leaves) if isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "fc"]

    def put(new: Any) -> Any:
        changed = list(leaves)
        for i, value in zip(places, new, strict=True):
            changed[i] = value
        return trees.unflatten(structure, changed)

    return [leaves[i] for i in places], put


def examples_of_functions() -> list[Any]:
    """Every function with each of its examples, as (id, function, example)."""
    return [(f"{name}-{i}", f, e) for name, f in FUNCTIONS.items() for i, e in enumerate(f.examples)]


# --- random Programs


def kind_of(x: Variable | Literal) -> str:
    """The kind of number: f, i, u, b."""
    return x.dtype.kind if isinstance(x, Variable) else np.asarray(x.value).dtype.kind


@st.composite
def programs(draw: Any, most: int = 12) -> Program:
    """A Program of operations drawn from the registry, on variables, array constants and plain numbers.

    Inputs are added as operations ask for them, so that every operation can be drawn at any time.
    """
    inputs: list[Variable] = []
    equations: list[Equation] = []
    dtypes = {"float": draw(st.sampled_from(["float32", "float64"])), "bool": "bool", "uint32": "uint32"}

    def known() -> list[Variable]:
        return inputs + [equation.output for equation in equations]

    def atom(kind: str, shape: tuple[int, ...] | None, numbers: bool) -> Variable | Literal:
        choices = [x for x in known() if kind_of(x) == np.dtype(dtypes[kind]).kind and shape in (None, x.shape)]
        what = draw(st.sampled_from(["old", "old", "old", "new", "constant", "number"]))
        wanted = draw(st.sampled_from([(), (3,), (2, 3)])) if shape is None else shape
        if what == "number" and kind == "float" and numbers:
            return Literal(draw(st.sampled_from([0.0, 1.0, 0.5, 2.0, -1.0])))
        if what == "constant":
            values = np.random.default_rng(draw(st.integers(0, 9))).uniform(0.2, 2.0, wanted)
            return Literal(values.astype(dtypes[kind])[()])
        if what == "old" and choices:
            return draw(st.sampled_from(choices))
        inputs.append(Variable(f"x{len(inputs)}", ArrayType(wanted, np.dtype(dtypes[kind]))))
        return inputs[-1]

    for _ in range(draw(st.integers(1, most))):
        if equations and draw(st.sampled_from([False, False, False, True])):  # once more what there is already
            again = draw(st.sampled_from(equations))
            equations.append(again.replace(output=Variable(f"v{len(equations)}", again.output.type)))
            continue
        op = REGISTRY[draw(st.sampled_from(sorted(REGISTRY)))]
        example = draw(st.sampled_from(op.examples)) if op.examples else Example(())
        if isinstance(op, Elementwise):
            atoms = [atom(domain.dtype, None, len(op.domain) > 1) for domain in op.domain]
        else:
            atoms = [atom("float", x, False) if isinstance(x, tuple) else Literal(x) for x in example.inputs]
        try:
            output = Variable(f"v{len(equations)}", infer(op, tuple(atoms), example.attributes))
        except ShapeError:
            continue  # shapes that do not broadcast together
        equations.append(Equation(output, op, tuple(atoms), dict(example.attributes)))
    if not known():
        inputs.append(Variable("x0", ArrayType((), np.dtype(float))))
    used = {x for equation in equations for x in equation.inputs}
    last = [x for x in known() if x not in used]
    outputs = tuple(last if last and draw(st.booleans()) else draw(st.lists(st.sampled_from(known()), min_size=1)))
    leaf = trees.LEAF
    return check(
        Program(
            tuple(inputs),
            tuple(equations),
            outputs,
            trees.Structure(tuple, tuple(range(len(inputs))), (leaf,) * len(inputs)),
            trees.Structure(list, tuple(range(len(outputs))), (leaf,) * len(outputs)),
        )
    )


def inputs_of(program: Program, seed: int) -> list[Any]:
    """Random arrays of the types a Program asks for."""
    random = np.random.default_rng(seed)
    values = []
    for variable in program.inputs:
        kind = variable.dtype.kind
        x = random.uniform(-2.0, 2.0, variable.shape) if kind == "f" else random.integers(0, 2, variable.shape)
        values.append(np.asarray(x).astype(variable.dtype)[()])
    return values
