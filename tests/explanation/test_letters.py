"""Letters as places: formulas through everything whose axes are linked, held to finite differences at every place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError, NoFormulaError, TracingError, UnsupportedError
from chainrule.explanation.formulas.indices import Letter, Shifted, combined, regrouped
from chainrule.explanation.formulas.symbolic import at_places
from chainrule.explanation.formulas.symbols import number_of
from chainrule.ops import FUNCTIONS, REGISTRY, Reduction
from chainrule.ops.axes import Kept
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.operation import ArrayType, Example
from chainrule.tracing.apply import apply, traced

X, Y = np.random.default_rng(0).normal(size=(3, 2)), np.random.default_rng(1).normal(size=(3, 1))
CUTS: dict[str, Any] = {
    "slice": lambda z: z[:, :2],
    "slice from behind": lambda z: z[:, :0:-2],
    "every other": lambda z: z[:, 1::2],
    "one": lambda z: z[:, 2][:, None],
    "flip": lambda z: z[:, ::-1],
    "roll": lambda z: np.roll(z, 1, axis=1),
    "pad": lambda z: np.pad(z, ((0, 0), (1, 2))),
    "concatenate": lambda z: np.concatenate([z, 2.0 * z], axis=1),
    "repeat": lambda z: np.repeat(z, 2, axis=1),
    "take": lambda z: z[:, [0, 0, 2]],
    "largest": lambda z: np.max(z, axis=1, keepdims=True),
    "largest of pairs": lambda z: np.max(np.reshape(z, (-1, 2, 2)), axis=2),
    "logsumexp": lambda z: cr.logsumexp(z, axis=1, keepdims=True),
    "length": lambda z: np.sqrt(np.sum(z * z, axis=1, keepdims=True)),
    "split, turned, joined": lambda z: np.reshape(np.transpose(np.reshape(z, (-1, 2, 2)), (0, 2, 1)), (-1, 4)),
    "joined": lambda z: np.reshape(np.reshape(z, (-1, 2, 2)), (-1, 4)),
}
NOT_SAID: dict[str, Any] = {
    "sort": lambda z: np.sort(z, axis=1),
    "cumsum": lambda z: np.cumsum(z, axis=1),
    "prod": lambda z: np.prod(z, axis=1, keepdims=True),
}


def network(activation: Any) -> cr.Network:
    layers = [cr.Dense(4, "tanh", name="d"), cr.Activation(activation, name="act"), cr.Dense(1, name="e")]
    return cr.Network(layers, dtype="float64").build(2)


def numbers_of(derivation: Any) -> Any:
    """The number of a formula with letters at every place."""
    letters = derivation.element.letters
    shape = [letter.size for letter in letters]
    found = np.zeros(shape)
    for place in itertools.product(*map(range, shape)):
        formula = at_places(derivation.formula, dict(zip(letters, place, strict=True)))
        found[place] = number_of(formula, derivation.value_of)
    return found


@pytest.mark.parametrize("depth", ["factors", "layers", "terms"])
@pytest.mark.parametrize("name", CUTS)
def test_a_formula_for_all_places_is_the_gradient_at_each(name: str, depth: str) -> None:
    net = network(CUTS[name])
    derivation = net.explain(X, Y, "d.weight[i, j]", loss="squared_error", depth=depth)
    seen = net.evaluation(X, Y, loss="squared_error")
    expected = seen.evaluation.cotangent(seen.variable("d.weight"))
    np.testing.assert_allclose(numbers_of(derivation), expected, rtol=1e-9, atol=1e-13)
    for form in ("text", "latex", "html", "mathml", "json", "markdown"):
        assert derivation.to(form)


@pytest.mark.parametrize("name", CUTS | NOT_SAID)
def test_numbers_agree_with_finite_differences(name: str) -> None:
    net = network((CUTS | NOT_SAID)[name])
    for i, j in np.ndindex(2, 4):
        derivation = net.explain(X, Y, f"d.weight[{i}, {j}]", loss="squared_error", check=True)
        checks = [derivation.check, *(i.check for line in derivation.lines for i in line.instances)]
        assert all(check is not None and check.agrees for check in checks)
        assert number_of(derivation.formula, derivation.value_of) == pytest.approx(
            derivation.value, rel=1e-9, abs=1e-13
        )
        assert str(derivation)


@pytest.mark.parametrize("where", ["d.weight[1, 1]", "x[0, 1]"])
@pytest.mark.parametrize("name", CUTS | NOT_SAID)
def test_contributions_add_up(name: str, where: str) -> None:
    """By every split; and no path leads through places that there are not."""
    found = network((CUTS | NOT_SAID)[name]).contributions(X, Y, where, loss="squared_error")
    for split in (found.by_output, found.by_sample, found.by_path):
        assert sum(part.value for part in split) == pytest.approx(found.gradient, rel=1e-9, abs=1e-13)
    if name in ("slice", "one") and where[0] == "x":
        assert len(found.by_path) == {"slice": 2, "one": 1}[name]


@pytest.mark.parametrize("name", NOT_SAID)
def test_what_letters_cannot_follow_is_said_with_the_operation(name: str) -> None:
    with pytest.raises(NoFormulaError, match=f"{name}.*whole numbers"):
        network(NOT_SAID[name]).explain(X, Y, "d.weight[i, j]", loss="squared_error")


def test_an_embedding_by_its_indices() -> None:
    """The textbook's: the gradient of a row is that of the samples which have its number."""
    table, out = cr.Parameter((5, 2), "normal", name="E"), cr.Dense(1, name="e")
    net = cr.Network(lambda x: out(np.take(table, x[:, 0].astype(int), axis=0)), dtype="float64").build(1)
    rows, targets = np.array([[1.0], [3.0], [1.0]]), np.ones((3, 1))
    derivation = net.explain(rows, targets, "E.value[i, j]", loss="squared_error")
    assert "= i]" in str(derivation)
    seen = net.evaluation(rows, targets, loss="squared_error")
    expected = seen.evaluation.cotangent(seen.variable("E.value"))
    np.testing.assert_allclose(numbers_of(derivation), expected, rtol=1e-12)


EXAMPLES = [
    pytest.param(name, case, id=f"{name}-{number}")
    for name, function in (REGISTRY | FUNCTIONS).items()
    if getattr(function, "differentiable", True)
    for number, case in enumerate(function.examples)
    if case.inputs and isinstance(case.inputs[0], tuple) and case.inputs[0] and 0 not in case.inputs[0]
]


@pytest.mark.parametrize(("name", "case"), EXAMPLES)
def test_every_operation_and_function_has_a_formula_or_says_why_not(name: str, case: Example) -> None:
    """Of all its declared examples: with letters a formula that is the gradient everywhere, with numbers always one."""
    random = np.random.default_rng(3)
    given = [random.uniform(0.2, 0.8, x) if isinstance(x, tuple) else x for x in case.inputs]

    def result() -> tuple[Any, Any]:
        a = cr.Value(given[0], "a")
        inputs = (a, *given[1:])
        if name in FUNCTIONS:
            found = FUNCTIONS[name].implementation(traced, *inputs, **case.attributes)
        else:
            found = apply(REGISTRY[name], *inputs, **case.attributes)
        parts = [x for x in (found if isinstance(found, list | tuple) else [found]) if isinstance(x, cr.Value)]
        return sum(np.sum(x * x) for x in parts if x.dtype.kind == "f"), a

    try:
        total, a = result()
    except UnsupportedError as error:  # explanations are of real numbers
        assert "complex" in str(error)  # noqa: PT017
        return
    except TracingError as error:  # its result has as many elements as its numbers say
        assert name in ("unique", "trim_zeros"), error  # noqa: PT017
        return
    if not isinstance(total, cr.Value):
        return
    total.backward()
    gradient = np.asarray(a.grad if a.grad is not None else 0.0)
    try:
        derivation = total.explain(a, index=["i", "j", "m", "o"][: len(a.shape)])
    except NoFormulaError as error:
        assert "whole numbers" in str(error)  # noqa: PT017
    except ChainruleError as error:
        assert "does not depend" in str(error)  # noqa: PT017
        return
    else:
        np.testing.assert_allclose(numbers_of(derivation).reshape(a.shape), gradient, rtol=1e-7, atol=1e-10)
        assert str(derivation)
    place = tuple(n - 1 for n in a.shape)
    derivation = total.explain(a, index=place)
    assert derivation.value == pytest.approx(gradient[place])
    told = [line.partition(" = ") for line in str(derivation).splitlines() if line.startswith("  with ")]
    assert all(left.removeprefix("  with ") != right for left, _, right in told)


def declared(kind: Any, name: str, **rules: Any) -> Iterator[Any]:
    """An operation of a user's, forgotten afterwards."""
    yield kind(name, **rules)
    del REGISTRY[name]


@pytest.fixture
def spread() -> Iterator[Any]:
    """The standard deviation, with a rule about all elements."""
    yield from declared(
        Reduction,
        "spread",
        value=lambda m, x, axis: m.sqrt(
            m.mean(m.square(x - m.mean(x, axis=axis, keepdims=True)), axis=axis, keepdims=True)
        ),
        partial=lambda m, y, x, axis: (x - m.mean(x, axis=axis, keepdims=True)) / (y * x.shape[axis[0]]),
    )


@pytest.fixture
def tripled() -> Iterator[Any]:
    """Rules of its own, and links: which say where elements go, and nothing of the derivative."""
    yield from declared(
        Custom,
        "tripled",
        value=lambda x: 3.0 * x,
        type=lambda x: ArrayType(x.shape, np.dtype(np.float64)),
        forward=lambda m, tangents, y, x: 3.0 * tangents[0],
        reverse=lambda m, cotangent, y, x: [3.0 * cotangent],
        links=lambda x: (tuple(Kept(i, i) for i in range(len(x.shape))),),
    )


def test_a_reduction_of_a_users(spread: Any) -> None:
    a = cr.Value(np.array([[1.0, 2.0, 3.0], [4.0, -1.0, 0.5]]), "a")
    total = np.sum(apply(spread, a * 1.5, axis=(1,), keepdims=False) ** 2)
    derivation = total.explain(a, index=["i", "j"])
    total.backward()
    np.testing.assert_allclose(numbers_of(derivation), a.grad, rtol=1e-12)


def test_a_custom_operation_of_a_users(tripled: Any) -> None:
    a = cr.Value(np.array([1.0, 2.0]), "a")
    total = np.sum(apply(tripled, a * 1.5) ** 2)
    with pytest.raises(NoFormulaError, match="tripled"):
        total.explain(a, index=["i"])
    assert total.explain(a, index=[1], check=True).value == pytest.approx(81.0)


def test_places_are_written_as_one_writes_them() -> None:
    i, j = Letter("i", 2), Letter("j", 3)
    flat = combined([(3, i), (1, j)])
    assert [str(x) for x in (flat, combined([(-1, j)], 3), combined([(2, i)], -1))] == ["3i + j", "3 − j", "2i − 1"]
    assert regrouped((i, j), (2, 3), (6,)) == (flat,)
    assert isinstance(flat, Shifted)
    assert regrouped((flat,), (6,), (2, 3)) == (i, j)
    assert regrouped((Letter("k", 6),), (6,), (2, 3)) is None
    assert regrouped((5,), (6,), (2, 3)) == (1, 2)
    assert combined([(1, i), (-1, i)], 4) == 4
