"""Where every operation says the axes of its result come from, against what the elements of its inputs change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import evaluate
from chainrule.ops import REGISTRY, Layout, operation
from chainrule.ops.axes import Kept, Mixed, Picked, Put, Regrouped, Scattered, Taken
from chainrule.tracing.apply import traced
from strategies import Case, cases

SAYING = [op for op in REGISTRY.values() if all(op.axes(*c.inputs, **c.attributes) is not None for c in cases(op))]


def reaches(case: Case, links: Any, source: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether, by its links, an element of an input may enter into an element of the result."""
    shape, result = np.shape(case.inputs[0]), np.shape(case.op.evaluate(*case.inputs, **case.attributes))

    def holds(link: Any) -> bool:
        match link:
            case Kept(source=s, target=t):
                return source[s] == target[t]
            case Picked(source=s, target=t, start=start, step=step):
                return source[s] == start + step * (0 if t is None else target[t])
            case Put(source=s, target=t, start=start, step=step):
                return target[t] == start + step * (0 if s is None else source[s])
            case Regrouped(sources=sources, targets=targets):
                flat = np.ravel_multi_index([source[i] for i in sources], [shape[i] for i in sources])
                return flat == np.ravel_multi_index([target[i] for i in targets], [result[i] for i in targets])
            case Taken(source=s, targets=targets, index=index):
                return source[s] == case.inputs[index][tuple(target[i] for i in targets)]
            case Scattered(sources=sources, target=t, index=index):
                return target[t] == case.inputs[index][tuple(source[i] for i in sources)]
        return isinstance(link, Mixed)

    return all(holds(link) for link in links)


@pytest.mark.parametrize("op", SAYING, ids=lambda op: op.name)
def test_no_element_goes_where_the_axes_do_not_lead(op: Any) -> None:
    random = np.random.default_rng(0)
    for case in cases(op):
        links = op.axes(*case.inputs, **case.attributes)
        assert len(links) == len(case.inputs)
        before = np.asarray(op.evaluate(*case.inputs, **case.attributes))
        for position, x in enumerate(case.inputs[: getattr(op, "linear", None)]):
            if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
                continue
            for source in np.ndindex(x.shape):
                moved = x.copy()
                moved[source] += random.uniform(0.001, 0.003)
                inputs = [moved if i == position else y for i, y in enumerate(case.inputs)]
                after = np.asarray(op.evaluate(*inputs, **case.attributes))
                changed = {target for target in np.ndindex(before.shape) if before[target] != after[target]}
                allowed = {t for t in np.ndindex(before.shape) if reaches(case, links[position], source, t)}
                assert changed <= allowed
                if isinstance(op, Layout):  # elements that only move arrive wherever they may
                    assert changed == allowed


@pytest.fixture
def checkerboard() -> Any:
    """A layout that says nothing of axes: every other element in both directions, and zeros between."""
    name = "checkerboard_for_a_test"

    def value(x: Any) -> Any:
        return np.where(np.indices(x.shape).sum(axis=0) % 2 == 0, x[::-1, ::-1], np.zeros((), x.dtype))

    op = Layout(name, value=value, shape=lambda x: x)
    yield op
    del REGISTRY[name]


def test_a_layout_is_a_value_and_a_shape(checkerboard: Any) -> None:
    """Nothing else is declared; derivatives of every order, batches and machine code follow."""
    x = np.random.default_rng(1).normal(size=(3, 4))

    def function(x: Any) -> Any:
        return np.tanh(getattr(traced, checkerboard.name)(x * x))

    cr.check_grads(function, (x,), order=2)
    expected = np.tanh(checkerboard.value(x * x))
    np.testing.assert_allclose(cr.jit(function)(x), expected, rtol=1e-14)
    np.testing.assert_allclose(evaluate(cr.trace(function, x), x), expected, rtol=1e-14)
    several = np.stack([x, 2 * x, -x])
    np.testing.assert_allclose(cr.vmap(function)(several), np.stack([function(y) for y in several]), rtol=1e-14)

    def total(x: Any) -> Any:
        return np.sum(function(x))

    np.testing.assert_allclose(cr.jit(cr.grad(total))(x), cr.grad(total)(x), rtol=1e-13)
    np.testing.assert_allclose(cr.jit(cr.hessian(total))(x), cr.hessian(total)(x), rtol=1e-12)


def test_only_what_declares_no_links_does_not_say_where_axes_go() -> None:
    assert all(op.links is None for op in REGISTRY.values() if op not in SAYING)


def test_a_reshape_that_joins_and_one_that_splits() -> None:
    links = operation("reshape").axes(np.zeros((2, 3, 4)), shape=(6, 2, 2))
    assert links == ((Regrouped((0, 1), (0,)), Regrouped((2,), (1, 2))),)
