"""Public operations of every kind, called as any function of Python's: by position, by name, with defaults."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ShapeError, TracingError
from chainrule.ops import REGISTRY, ArrayType, Contraction, Custom, Elementwise, Layout, Reduction, example
from chainrule.ops.functions.of_operations import functions_of, parameters_of
from chainrule.ops.kinds.elementwise import REAL
from chainrule.ops.operation import shape_of
from chainrule.tracing import apply
from chainrule.tracing.functions import public
from strategies import cases
from trying import ENGINES

X = np.random.default_rng(0).uniform(0.5, 2.0, (4, 6))


def declarations() -> dict[str, Any]:
    """A public operation of every kind, each with static arguments."""
    doc: dict[str, Any] = {"doc": "For a test.", "public": True}
    return {
        "elementwise": lambda: Elementwise(
            "power_for_a_test",
            value=lambda m, x, degree=2: m.power(x, degree),
            partials=(lambda m, y, x, degree=2: degree * m.power(x, degree - 1),),
            domain=(REAL,),
            examples=(example((3,), degree=3),),
            **doc,
        ),
        "reduction": lambda: Reduction(
            "root_mean_square_for_a_test",
            value=lambda m, x, axis: m.sqrt(m.mean(m.square(x), axis=axis, keepdims=True)),
            partial=lambda m, y, x, axis: x / (y * np.prod([x.shape[i] for i in axis])),
            **doc,
        ),
        "layout": lambda: Layout(
            "shuffle_for_a_test",
            value=lambda x, ways=2: np.swapaxes(x.reshape(*x.shape[:-1], ways, -1), -1, -2).reshape(x.shape),
            shape=lambda x, ways=2: x,
            examples=(example((6,), ways=3),),
            **doc,
        ),
        "custom": lambda: Custom(
            "running_sum_for_a_test",
            value=lambda x, axis=0, factor=1.0: factor * np.cumsum(x, axis=axis),
            type=lambda x, axis=0, factor=1.0: ArrayType(shape_of(x), x.dtype),
            forward=lambda m, t, y, x, axis=0, factor=1.0: m.cumsum(t[0], axis=axis) * factor,
            reverse=lambda m, g, y, x, axis=0, factor=1.0: [
                m.sum(g, axis=(axis,), keepdims=True) * factor - m.cumsum(g, axis=axis) * factor + g * factor
            ],
            batched=lambda m, size, batched, x, axis=0, factor=1.0: m.cumsum(x, axis=axis + 1) * factor,
            simpler=lambda m, x, axis=0, factor=1.0: m.cumsum(x, axis=axis) * factor,
            examples=(example((3, 4), axis=1, factor=2.0),),
            **doc,
        ),
        "contraction": lambda: Contraction("product_for_a_test", examples=(example((2, 3), (3, 2), subscripts="ij,jk->ik"),), **doc),
    }  # fmt: skip


CALLS: dict[str, list[tuple[Any, Any]]] = {
    "elementwise": [(lambda f, x: f(x, 3), lambda x: x**3), (lambda f, x: f(degree=3, x=x), lambda x: x**3)],
    "reduction": [
        (lambda f, x, args=args, named=named: f(x, *args, **named), lambda x, axis=axis, keep=keep: np.sqrt(
            np.mean(x**2, axis=axis, keepdims=keep)))
        for args, named, axis, keep in [
            ((), {}, None, False), ((-1,), {}, -1, False), (((-1,),), {}, -1, False), (([0, -1],), {}, (0, 1), False),
            ((np.int64(1), True), {}, 1, True), ((), {"keepdims": True, "axis": 0}, 0, True),
        ]
    ],
    "layout": [
        (lambda f, x: f(x, 3), lambda x: x.reshape(4, 3, 2).swapaxes(1, 2).reshape(4, 6)),
        (lambda f, x: f(ways=np.int32(3), x=x), lambda x: x.reshape(4, 3, 2).swapaxes(1, 2).reshape(4, 6)),
        (lambda f, x: f(x), lambda x: x.reshape(4, 2, 3).swapaxes(1, 2).reshape(4, 6)),
    ],
    "custom": [
        (lambda f, x: f(x, -1, 2.0), lambda x: 2.0 * np.cumsum(x, axis=-1)),
        (lambda f, x: f(x, factor=3.0), lambda x: 3.0 * np.cumsum(x, axis=0)),
    ],
    "contraction": [
        (lambda f, x: f(x, X, "ij,kj->ik"), lambda x: x @ X.T),
        (lambda f, x: f(right=X, left=x, subscripts="ij,kj->ik"), lambda x: x @ X.T),
    ],
}  # fmt: skip


@pytest.fixture(params=declarations())
def declared(request: Any) -> Any:
    """The kind, the operation, and the function that `cr.<name>` would be."""
    op = declarations()[request.param]()
    yield request.param, op, public(functions_of([op])[op.name])
    del REGISTRY[op.name]


def test_however_it_is_called_it_is_the_same_everywhere(declared: Any) -> None:
    """Eagerly, in machine code, in batches, and its derivative against finite differences."""
    kind, _, function = declared
    for call, expected in CALLS[kind]:
        np.testing.assert_allclose(call(function, X), expected(X), rtol=1e-13)
        for engine in ENGINES:
            found = cr.jit(lambda x, call=call: call(function, x), engine=engine)(X)
            np.testing.assert_allclose(found, expected(X), rtol=1e-12)
        both = np.stack([X, 2 * X])
        found = cr.vmap(lambda x, call=call: call(function, x))(both)
        np.testing.assert_allclose(found, np.stack([expected(x) for x in both]), rtol=1e-13)
        cr.check_grads(lambda x, call=call: call(function, x), (X,), order=2)


def test_static_arguments_are_plain_values(declared: Any) -> None:
    _, op, function = declared
    inputs, static = parameters_of(op)
    example_inputs = [X] * len(inputs)
    for p in static:
        for bad in (np.array([1, 2]), np.array([[0.5]])):
            with pytest.raises(TracingError, match=rf"{op.name} was given {p.name}=array.*static"):
                function(*example_inputs, **{p.name: bad})
        given = "ij,kj->ik" if p.name == "subscripts" else 1
        for within in (lambda f, p=p: cr.jit(lambda k: f(*example_inputs, **{p.name: k})),
                       lambda f, p=p: cr.vmap(lambda k: f(*example_inputs, **{p.name: k}))):  # fmt: skip
            if given == 1:
                with pytest.raises(TracingError, match=rf"{op.name} was given {p.name}=(traced|batched).*static"):
                    within(function)(np.ones(2, int))


def test_wrong_calls_are_told_with_the_signature(declared: Any) -> None:
    _, op, function = declared
    first = inspect.signature(function)
    for wrong in (lambda: function(), lambda: function(*[X] * 9), lambda: function(X, strange=1)):
        with pytest.raises(TypeError, match=rf"{op.name}\(\) .*; it is called as {op.name}\(\w+, ") as error:
            wrong()
        assert str(error.value).endswith(f"{op.name}{first}.")


@pytest.mark.parametrize("axis", [2, -3, (0, 5)])
def test_an_axis_that_is_not_there(axis: Any) -> None:
    ops = [declarations()[kind]() for kind in ("reduction", "custom")]
    try:
        for function in (public(f) for f in functions_of(ops).values()):
            with pytest.raises(ShapeError, match="does not exist"):
                function(X, axis)
    finally:
        for op in ops:
            del REGISTRY[op.name]


@pytest.mark.parametrize("axis", [(-1,), 0, (2,), [0]])
@pytest.mark.parametrize("op", [op for op in REGISTRY.values() if isinstance(op, Reduction)], ids=lambda op: op.name)
def test_a_rule_that_gives_an_axis_in_another_form_is_told(op: Any, axis: Any) -> None:
    """Where shapes are inferred, or derivatives taken, it would count as no axis at all."""
    with pytest.raises(ShapeError, match="tuple of axes counted from the front"):
        cr.trace(lambda x: apply(op, x, axis=axis), X)


@pytest.mark.parametrize("op", list(REGISTRY.values()), ids=lambda op: op.name)
def test_every_declaration_has_a_signature(op: Any) -> None:
    """Inputs are what examples give by position, and static arguments what they give by name."""
    inputs, static = parameters_of(op)
    several = any(p.kind is p.VAR_POSITIONAL for p in inputs)
    for case in cases(op):
        assert several or len(case.inputs) == len(inputs)
        assert set(case.attributes) <= {p.name for p in static}
        assert {p.name for p in static if p.default is p.empty} <= set(case.attributes)


BROKEN = """
import sys
for _ in range(2):
    try:
        import chainrule
    except NameError as error:
        print(error)
"""


def test_a_declaring_module_that_fails_says_why_however_often_it_is_imported(tmp_path: Path) -> None:
    """What it had declared before it failed is not declared twice by the next attempt."""
    source = Path(cr.__file__).parent
    for module in ("trigonometric", "functions/products"):
        root = tmp_path / module.replace("/", "_")
        shutil.copytree(source, root / "chainrule", ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
        with (root / "chainrule" / "ops" / f"{module}.py").open("a") as file:
            file.write("\nbroken = MISSING\n")
        run = subprocess.run([sys.executable, "-c", BROKEN], cwd=root, capture_output=True, text=True)
        assert run.stdout.splitlines() == ["name 'MISSING' is not defined"] * 2, run.stdout + run.stderr
