"""Containers of the user's own: registered once, they are arguments, results and gradients of everything that takes trees."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError, SettingError, ShapeError
from chainrule.tracing import trees
from chainrule.tracing.containers import REGISTERED


@cr.register_container
@dataclass(frozen=True)
class Frozen:
    weight: Any
    offset: Any

    def __post_init__(self) -> None:
        assert hasattr(self.weight, "shape")  # which is no question to ask of the axes of a batch


@dataclass(slots=True)
class Named:
    weight: Any
    offset: Any
    name: str = field(default="", kw_only=True)


cr.register_container(Named, static=["name"])


class Plain:
    """Taken apart as a sequence."""

    def __init__(self, weight: Any, offset: Any) -> None:
        self.weight, self.offset = weight, offset


cr.register_container(Plain, lambda x: ((x.weight, x.offset), None), lambda _, inside: Plain(*inside))


class Table(dict):  # type: ignore[type-arg]
    """Derived from a container of Python's, and taken apart by names."""

    @property
    def weight(self) -> Any:
        return self["weight"]

    @property
    def offset(self) -> Any:
        return self["offset"]


cr.register_container(Table, lambda x: (dict(x), len(x)), lambda size, inside: Table(inside))


class Pair(NamedTuple):
    weight: Any
    offset: Any


MAKERS = {
    "frozen dataclass": Frozen,
    "dataclass with a static field": lambda w, b: Named(w, b, name="layer"),
    "class": Plain,
    "dict of one's own": lambda w, b: Table(weight=w, offset=b),
    "named tuple": Pair,
}
W, B, X = np.array([[1.0, -0.5], [0.25, 2.0]]), np.array([0.5, -1.0]), np.array([0.3, 0.7])


def layer(p: Any, x: Any) -> Any:
    return np.tanh(x @ p.weight + p.offset)


def loss(p: Any, x: Any) -> Any:
    return np.sum(layer(p, x) ** 2)


def same(found: Any, like: Any, weight: Any, offset: Any) -> None:
    """Whether this is such a container with these numbers."""
    assert type(found) is type(like)
    assert getattr(found, "name", "layer") == "layer"
    np.testing.assert_allclose(found.weight, weight, rtol=1e-12)
    np.testing.assert_allclose(found.offset, offset, rtol=1e-12)


@pytest.fixture(params=MAKERS)
def make(request: Any) -> Any:
    return MAKERS[request.param]


def test_gradients_and_products_with_vectors(make: Any) -> None:
    p, own = make(W, B), cr.grad(lambda w, b, x: loss(Pair(w, b), x), (0, 1))(W, B, X)
    same(cr.grad(loss)(p, X), p, *own)
    value, gradient = cr.value_and_grad(loss)(p, X)
    assert value == pytest.approx(loss(p, X))
    same(gradient, p, *own)
    same(cr.vjp(lambda p: loss(p, X), p)[1](1.0)[0], p, *own)
    same(cr.jit(cr.grad(loss))(p, X), p, *own)
    tangent = cr.jvp(lambda p: loss(p, X), (p,), (p,))[1]
    assert tangent == pytest.approx(np.sum(W * own[0]) + np.sum(B * own[1]))
    assert cr.linearize(lambda p: loss(p, X), p)[1](p) == pytest.approx(tangent)
    second = cr.hvp(lambda p: loss(p, X), (p,), (p,))
    flat = cr.hvp(lambda w, b: loss(Pair(w, b), X), (W, B), (W, B))
    same(second, p, *flat)
    cr.check_grads(loss, (p, X), order=2)


def test_results(make: Any) -> None:
    def moved(x: Any) -> Any:
        return make(np.outer(x, x), x**2)

    p = make(np.outer(X, X), X**2)
    rows = cr.jacobian(moved)(X)
    same(rows, p, cr.jacobian(lambda x: np.outer(x, x))(X), np.diag(2 * X))
    value, tangent = cr.jvp(moved, (X,), (X,))
    same(value, p, p.weight, p.offset)
    same(tangent, p, 2 * p.weight, 2 * p.offset)
    value, pullback = cr.vjp(moved, X)
    same(value, p, p.weight, p.offset)
    np.testing.assert_allclose(pullback(p)[0], 2 * X * (X @ X) + 2 * X * X**2)
    same(cr.jit(moved)(X), p, p.weight, p.offset)
    same(cr.evaluate(cr.trace(moved, X), X), p, p.weight, p.offset)
    kept = cr.value_and_grad(lambda x: (np.sum(x), moved(x)), has_aux=True)(X)[0][1]
    same(kept, p, p.weight, p.offset)
    same(cr.checkpoint(moved)(X), p, p.weight, p.offset)
    np.testing.assert_allclose(
        cr.grad(lambda x: np.sum(cr.checkpoint(moved)(x).weight))(X), cr.grad(lambda x: np.sum(moved(x).weight))(X)
    )
    cr.check_grads(moved, (X,), order=2)


def test_batches(make: Any) -> None:
    many = make(np.stack([W, 2 * W]), B)
    axes = {"weight": 0, "offset": None} if make in (Frozen, Table) else make(0, None)
    for in_axes in ((axes, None), ((0, None), None), {"p": axes, "x": None}):
        found = cr.vmap(layer, in_axes=in_axes)(many, X)
        np.testing.assert_allclose(found, [layer(make(W, B), X), layer(make(2 * W, B), X)])
        same(cr.vmap(cr.grad(loss), in_axes=in_axes)(many, X), many, *_gradients(make))


def _gradients(make: Any) -> Any:
    each = [cr.grad(loss)(make(w, B), X) for w in (W, 2 * W)]
    return np.stack([g.weight for g in each]), np.stack([g.offset for g in each])


def test_flattened(make: Any) -> None:
    p = make(W, B)
    vector, unflatten = cr.flatten({"p": p, "c": 2.0})
    np.testing.assert_array_equal(vector, [*W.ravel(), *B, 2.0])
    same(unflatten(vector + 1)["p"], p, W + 1, B + 1)
    structure = trees.flatten(p)[1]
    assert structure == trees.flatten(make(B, W))[1]
    assert hash(structure) == hash(trees.flatten(make(B, W))[1])
    names = trees.paths(structure, "p")
    assert names == (["p[0]", "p[1]"] if type(p) is Plain else ["p.weight", "p.offset"])


def test_rules_of_ones_own(make: Any) -> None:
    exact = cr.custom_derivative(lambda tangents, y, x: tangents[0] * np.cos(x))(np.sin)
    p = make(W, B)
    same(cr.grad(lambda p: np.sum(exact(p.weight)) + p.offset @ p.offset)(p), p, np.cos(W), 2 * B)


def test_a_network_of_parameters_in_one() -> None:
    p = {"layers": [Frozen(W, B), Frozen(W.T, B)], "scale": 2.0}

    def forward(p: Any, x: Any) -> Any:
        for one in p["layers"]:
            x = layer(one, x)
        return np.sum(p["scale"] * x)

    gradient = cr.grad(forward)(p, X)
    assert isinstance(gradient["layers"][1], Frozen)
    cr.check_grads(forward, (p, X))


def test_what_is_static_belongs_to_the_kind() -> None:
    p = Named(W, B, name="a")
    calls = []

    def f(p: Any) -> Any:
        calls.append(p.name)
        return np.sum(p.weight) if p.name == "a" else np.sum(p.offset)

    compiled = cr.jit(f)
    assert [compiled(p), compiled(p), compiled(Named(W, B, name="b"))] == pytest.approx([W.sum(), W.sum(), B.sum()])
    assert calls == ["a", "b"]
    with pytest.raises(ShapeError, match=r"tangents\[0\] should be a Named with \('a',\) and has \('b',\)"):
        cr.jvp(f, (p,), (Named(W, B, name="b"),))
    with pytest.raises(ShapeError, match="should be a Named"):
        cr.jvp(f, (p,), (Pair(W, B),))


@dataclass
class Unknown:
    weight: Any


def test_what_is_not_registered_says_how() -> None:
    for call in (
        lambda: cr.grad(lambda p: np.sum(p.weight))(Unknown(W)),
        lambda: cr.jvp(lambda x: Unknown(x), (W,), (W,)),
        lambda: cr.vjp(lambda x: Unknown(x), W),
        lambda: cr.jacobian(lambda x: Unknown(x))(W),
        lambda: cr.vmap(lambda p: p.weight)(Unknown(W)),
        lambda: cr.vmap(Unknown)(W),
        lambda: cr.jit(Unknown)(W),
        lambda: cr.flatten(Unknown(W)),
        lambda: cr.grad(lambda x: Unknown(x))(1.0),
    ):
        with pytest.raises(ChainruleError, match=r"chainrule\.register_container\(Unknown\)"):
            call()


def test_registrations_that_make_no_sense_say_why() -> None:
    class Own:
        pass

    pair = (lambda x: ((), None), lambda rest, inside: Own())
    for args, options, says in (
        ((Own(),), {}, "give the class"),
        ((Own,), {}, "no dataclass"),
        ((Own, pair[0]), {}, "give two functions"),
        ((Own, 1, 2), {}, "give two functions"),
        ((Own, *pair), {"static": "a"}, "beside flatten"),
        ((Unknown,), {"static": "bias"}, "Give some of weight"),
        ((dict,), {}, "dict, which has a meaning already"),
        ((np.ndarray, *pair), {}, "meaning already"),
        ((Frozen,), {}, "registered already"),
    ):
        with pytest.raises(SettingError, match=says):
            cr.register_container(*args, **options)
    assert Own not in REGISTERED
    assert Unknown not in REGISTERED


@pytest.mark.parametrize(
    ("flatten", "unflatten", "says"),
    [
        (lambda x: x.value, lambda rest, inside: None, "must give a pair"),
        (lambda x: (x.value, None), lambda rest, inside: None, "must give a pair"),
        (lambda x: ((x.value,), [1]), lambda rest, inside: None, "hashable"),
        (lambda x: ((x.value,), None), lambda rest, inside: inside, "it must give a Own"),
        (lambda x: ((x.values,), None), lambda rest, inside: None, "failed .AttributeError"),
        (lambda x: ((x.value,), None), lambda rest, inside: 1 / 0, "failed .ZeroDivisionError"),
    ],
)
def test_functions_that_do_not_fit_together_are_named(flatten: Any, unflatten: Any, says: str) -> None:
    class Own:
        value = 2.0

    cr.register_container(Own, flatten, unflatten)
    try:
        with pytest.raises(SettingError, match=f"container Own.*{says}|{says}.*container Own"):
            cr.grad(lambda x: x.value**2)(Own())
    finally:
        del REGISTERED[Own]


@pytest.mark.parametrize(
    ("flatten", "unflatten"),
    [
        (lambda x: ((x.low, x.high), None), lambda rest, inside: (inside[1], inside[0])),
        (lambda x: ((2 * x.low, x.high), None), lambda rest, inside: inside),
        (lambda x: ((x.low, x.high), x.low), lambda rest, inside: (inside[0] + 1, inside[1])),
    ],
)
def test_what_is_not_put_back_as_it_was_is_an_error(flatten: Any, unflatten: Any) -> None:
    class Own:
        def __init__(self, low: Any, high: Any) -> None:
            self.low, self.high = low, high

    cr.register_container(Own, flatten, lambda rest, inside: Own(*unflatten(rest, inside)))
    try:
        with pytest.raises(SettingError, match="it must put back what flatten took"):
            cr.grad(lambda x: x.low**2 * x.high)(Own(2.0, 3.0))
    finally:
        del REGISTERED[Own]


def test_names_may_be_numbers_or_none_at_all() -> None:
    class Own:
        def __init__(self, inside: dict[int, Any]) -> None:
            self.inside = inside

    cr.register_container(Own, lambda x: (x.inside, None), lambda rest, inside: Own({**inside}))
    try:
        found = cr.grad(lambda x: x.inside[0] ** 2 * x.inside[1])(Own({0: 3.0, 1: 2.0}))
        assert found.inside == {0: 12.0, 1: 9.0}
        assert cr.jit(lambda x, y: (x, 2 * y))(Own({}), 1.0)[0].inside == {}
    finally:
        del REGISTERED[Own]


def test_dataclasses_are_their_fields() -> None:
    @cr.register_container
    @dataclass
    class Line:
        slope: Any
        shared: ClassVar[float] = 7.0

        @cached_property
        def twice(self) -> Any:
            return 2 * self.slope

    line = Line(3.0)
    try:
        assert line.twice == 6.0
        assert cr.grad(lambda x: x.twice * x.slope)(line) == Line(12.0)
        line.shared = 5.0  # type: ignore[misc]
        with pytest.raises(SettingError, match=r"a Line has shared besides its fields.*Make it a field"):
            cr.grad(lambda x: x.slope * x.shared)(line)
    finally:
        del REGISTERED[Line]


def test_compiled_code_of_an_equal_rest_is_not_that_of_another() -> None:
    """True is 1 and 0.0 is −0.0 for Python, and functions tell them apart."""
    for function, rests in (
        (lambda p: p.weight * np.copysign(1.0, p.name), (0.0, -0.0)),
        (lambda p: p.weight * (3.0 if p.name is True else 1.0), (True, 1, 1.0)),
        (lambda p: p.weight * np.float32(3) * p.name[0][0], (((1,),), ((1.0,),), ((np.float64(1),),), ((True,),))),
        (lambda p: p.weight * len(repr(p.name)), (frozenset({1}), frozenset({1.0}))),
        (lambda p: p.weight * len(repr(p.name)), (Pair(1, 2), Pair(1.0, 2), (1, 2))),
    ):
        compiled = cr.jit(function)
        for rest in rests:
            p = Named(np.float32(2), B, name=rest)  # type: ignore[arg-type]
            found, expected = compiled(p), function(p)
            assert (found, type(found)) == (expected, type(expected))


def test_rests_that_cannot_be_compared_are_named() -> None:
    class Odd:
        def __eq__(self, other: object) -> Any:
            return np.array([True, False])

        __hash__ = object.__hash__

    with pytest.raises(SettingError, match=r"rest of a container.*cannot be compared"):
        cr.jvp(lambda p: p.weight, (Named(W, B, name=(Odd(),)),), (Named(W, B, name=(Odd(),)),))  # type: ignore[arg-type]


def test_registered_containers_where_arrays_are_asked_for_say_so() -> None:
    exact = cr.custom_derivative(lambda tangents, y, x: tangents[0])(lambda x: x)
    with pytest.raises(
        ChainruleError, match=r"A Named is a container; give the arrays that are in it, or chainrule\.flatten"
    ):
        cr.grad(lambda p: exact(p).weight)(Named(W, B))
