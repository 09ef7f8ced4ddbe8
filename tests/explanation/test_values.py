"""Values one can look into: gradients, names, reuse, depth, and micrograd's interface."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import DataError, DerivativeLostError, DifferentiationError
from chainrule.nn.activations import ACTIVATIONS


def test_the_graph_of_spec_a4() -> None:
    a, b, c, f = cr.values(a=2.0, b=-3.0, c=10.0, f=-2.0)
    e = (a * b).named("e")
    d = (e + c).named("d")
    L = d * f
    assert [x.grad for x in (a, b, c, f, e, d, L)] == [None] * 7
    L.backward()
    assert [x.data for x in (e, d, L)] == [-6, 4, -8]
    assert {x.name: x.grad for x in (d, f, e, c, a, b)} == {"d": -2, "f": 4, "e": -2, "c": -2, "a": 6, "b": -4}
    assert L.grad == 1
    for x in (a, b, c, f):
        x.data += 0.01 * x.grad
    assert ((a * b + c) * f).data == pytest.approx(-7.286496, abs=1e-12)


def test_reuse_adds_up() -> None:
    a = cr.Value(3.0)
    (a + a).backward()
    assert a.grad == 2
    a, b = cr.values(a=-2.0, b=3.0)
    d, e = a * b, a + b
    (d * e).backward()
    assert (d.grad, e.grad, a.grad, b.grad) == (1, -6, -3, -8)
    a, b = cr.values(a=2.0, b=1.0)
    ((a + b) * (b + 1)).backward()
    assert (a.grad, b.grad) == (2, 5)


@pytest.mark.parametrize("by_exponentials", [False, True])
def test_the_neuron_of_the_micrograd_lecture(by_exponentials: bool) -> None:
    x1, x2, w1, w2, b = cr.values(x1=2.0, x2=0.0, w1=-3.0, w2=1.0, b=6.881373587019543)
    n = x1 * w1 + x2 * w2 + b
    e = (2 * n).exp()
    o = (e - 1) / (e + 1) if by_exponentials else n.tanh()
    o.backward()
    assert n.data == pytest.approx(0.8813735870195432, rel=1e-14)
    assert o.data == pytest.approx(0.7071067811865476, rel=1e-14)
    gradients = [x.grad for x in (x1, w1, x2, w2, b, n)]
    assert gradients == pytest.approx([-1.5, 1.0, 0.5, 0.0, 0.5, 0.5], rel=1e-13)
    if by_exponentials:
        assert e.data == pytest.approx(5.8284, abs=5e-5)
        assert e.grad == pytest.approx(0.0429, abs=5e-5)


def test_the_example_of_micrograds_readme() -> None:
    a, b = cr.Value(-4.0), cr.Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert g.data == pytest.approx(24.70408163265306, rel=1e-14)
    assert a.grad == pytest.approx(138.8338192419825, rel=1e-14)
    assert b.grad == pytest.approx(645.5772594752186, rel=1e-14)


def test_the_sanity_check_of_micrograds_tests() -> None:
    x = cr.Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (y.data, x.grad) == (-20, 46)


def test_a_training_loop_written_for_micrograd() -> None:
    w = cr.Value(0.0)
    for _ in range(50):
        loss = (w - 3) ** 2
        w.grad = 0.0
        loss.backward()
        w.data -= 0.1 * w.grad
    assert w.data == pytest.approx(3.0, abs=1e-4)


def test_gradients_are_those_of_the_last_backward() -> None:
    a, b = cr.values(a=2.0, b=5.0)
    first, second = a * a, 3 * a
    (a * b).backward()
    first.backward()
    first.backward()
    assert a.grad == 4
    assert b.grad == 2  # first does not depend on b
    second.backward()
    assert a.grad == 3


def test_data_set_anew_leaves_earlier_results_as_they_are() -> None:
    a, b = cr.values(a=2.0, b=5.0)
    L = a * b
    a.data = 7.0
    L.backward()
    assert b.grad == 2
    assert L.data == 10
    assert (a * b).data == 35


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays(dtype: str) -> None:
    w, b = cr.values(w=np.array([[0.5, -1.0], [2.0, 0.25]], dtype), b=np.array([0.1, 0.2], dtype))
    x = np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 1.0]], dtype)

    def loss(w: Any, b: Any) -> Any:
        return np.mean(np.tanh(x @ w + b) ** 2)

    L = loss(w, b)
    L.backward()
    expected = cr.grad(loss, argnums=(0, 1))(w.data, b.data)
    for value, gradient in zip((w, b), expected, strict=True):
        assert value.grad.dtype == value.dtype == np.dtype(dtype)
        np.testing.assert_allclose(value.grad, gradient, rtol=1e-6 if dtype == "float32" else 1e-14)


def test_depth_is_limited_by_memory_alone() -> None:
    x = cr.Value(1.0)
    y = x
    for _ in range(50_000):
        y = y + 1e-5
    y.backward()
    assert x.grad == 1
    del y


FUNCTIONS = {
    "tanh": np.tanh, "exp": np.exp, "sin": np.sin, "relu": cr.relu, "sigmoid": cr.sigmoid, "square": np.square,
}  # fmt: skip


@given(st.data())
def test_random_graphs_have_the_gradients_of_grad(data: Any) -> None:
    """What values compute is what `grad` computes, for any graph with reuse."""
    plan = data.draw(
        st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.sampled_from(["+", "*", "-", *FUNCTIONS])))
    )
    start = data.draw(st.lists(st.floats(-2, 2), min_size=1, max_size=3))

    def build(*leaves: Any) -> Any:
        known = [*leaves, leaves[0] * 0.5]
        for i, j, what in plan:
            a, b = known[i % len(known)], known[j % len(known)]
            if what in FUNCTIONS:
                known.append(FUNCTIONS[what](a) * 0.5)
            else:
                known.append((a + b if what == "+" else a - b if what == "-" else a * b) * 0.5)
        return known[-1]

    leaves = [cr.Value(x) for x in start]
    L = build(*leaves)
    L.backward()
    expected = cr.grad(build, argnums=range(len(start)))(*start)
    for value, gradient in zip(leaves, expected, strict=True):
        assert (0.0 if value.grad is None else value.grad) == pytest.approx(float(gradient), rel=1e-12, abs=1e-14)


def test_grad_of_a_function_that_uses_a_value() -> None:
    a = cr.Value(3.0)
    slope = cr.grad(lambda x: a * x * x)(2.0)
    slope.backward()
    assert (slope.data, a.grad) == (12, 4)


def test_what_an_evaluation_holds_is_what_was_computed() -> None:
    a, b = cr.values(a=2.0, b=-3.0)
    L = (np.exp(a) * b + a).named("L")
    seen = L.evaluation()
    assert [seen.label(x) for x in seen.values] == ["a", "b", "exp(a)", "exp(a)*b", "L"]
    assert cr.evaluate(seen.program, 2.0, -3.0) == L.data
    assert all(seen.cotangent(x) is None for x in seen.values)
    found = seen.backward()
    for edge in found.edges():
        assert edge.part == found.cotangent(edge.target) * edge.local


def test_errors_say_what_to_do() -> None:
    a = cr.Value([1.0, 2.0])
    with pytest.raises(DifferentiationError, match="Sum or average"):
        (a * 2).backward()
    with pytest.raises(DifferentiationError, match="real number"):
        (a > 1).backward()
    with pytest.raises(DataError, match="real numbers"):
        cr.Value("two")
    with pytest.raises(DataError, match="result of multiply"):
        (a * 2).data = 3.0
    with pytest.raises(DataError, match="shape"):
        a.data = 3.0
    with pytest.raises(DerivativeLostError):
        float(cr.Value(2.0))
    (a * 2).backward([1.0, 0.0])
    assert list(a.grad) == [2, 0]


class TestPublishedGraphs:
    """The worked examples of Stanford's course CS231n, "Backpropagation, Intuitions"."""

    def test_xyz(self) -> None:
        x, y, z = cr.values(x=-2.0, y=5.0, z=-4.0)
        q = x + y
        f = q * z
        f.backward()
        assert (q.data, f.data) == (3, -12)
        assert (x.grad, y.grad, z.grad, q.grad) == (-4, -4, 3, -4)

    def test_the_sigmoid_neuron(self) -> None:
        w0, w1, w2 = cr.values(w0=2.0, w1=-3.0, w2=-3.0)
        x0, x1 = cr.values(x0=-1.0, x1=-2.0)
        dot = w0 * x0 + w1 * x1 + w2
        f = 1.0 / (1 + np.exp(-dot))
        f.backward()
        assert dot.data == 1
        assert f.data == pytest.approx(0.7310585786300049, rel=1e-15)
        assert dot.grad == pytest.approx(0.19661193324148185, rel=1e-14)
        gradients = [w0.grad, w1.grad, w2.grad, x0.grad, x1.grad]
        expected = [
            -0.19661193324148185,
            -0.3932238664829637,
            0.19661193324148185,
            0.3932238664829637,
            -0.5898357997244456,
        ]
        assert gradients == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("name", [n for n, f in ACTIVATIONS.items() if n != "identity"])
def test_every_declared_activation_is_a_method(name: str) -> None:
    x = np.array([0.3, -0.7])
    np.testing.assert_array_equal(getattr(cr.Value(x), name)().data, ACTIVATIONS[name](x))


def test_labels_have_brackets_where_they_are_parts_and_only_there() -> None:
    a, b, c, f = cr.values(a=2.0, b=-3.0, c=10.0, f=-2.0)
    L = (a * b + c) * f
    assert str(L.explain(f)).splitlines()[0] == "∂L/∂f = a·b + c"
    assert r"\left" not in L.explain(f).to("latex")
    x, y = cr.values(x=np.array([1.0, 2.0]), y=np.array([3.0, 4.0]))
    assert "(sin(x)·cos(y))[1]" in str(np.sum(np.tanh(np.sin(x) * np.cos(y))).explain(x, index=[1]))


def test_names_that_nobody_gave_are_told() -> None:
    a, b = cr.values(a=np.array([3.0, 1.0, 2.0, 4.0]), b=np.array([0.5, 1.5, 2.5, 3.5]))
    joined = np.concatenate([a.reshape((2, 2)), np.ones((2, 2))])
    assert str(np.sum(joined**2).explain(a, index=[1])).startswith("∂L/∂a[1] = 2 · a[1]")
    ordered = np.sort(np.tanh(a * 2.0) + np.tanh(a) * 3.0 - 4.0)
    assert "with v6[0] = sort(tanh(a·2) + tanh(a)·3 − 4)[0]" in str(np.sum(ordered[:3] ** 2).explain(a, index=[1]))
    long = np.sin(b * 2.0 + 1.0) * np.cos(b * 3.0 - 2.0) * np.tanh(b + 7.0)
    assert "\nv9 = sin(b·2 + 1)·cos(b·3 − 2)·tanh(b + 7)" in str(np.sum(a * np.sort(long)).explain(a, index=[1]))
    assert "\nc = [[1, 2], [3, 4]]" in str(np.sum(a.reshape((2, 2)) @ [[1.0, 2.0], [3.0, 4.0]]).explain(a))


def test_what_backward_was_given_is_part_of_the_explanation():
    """One neuron, given ∂L/∂a: δ = ∂L/∂a · a(1 − a), and δ·x, δ, δ·w; and an array of cotangents."""
    x, w, b = cr.values(x=0.5, w=0.3, b=0.1)
    a = cr.sigmoid((w * x + b).named("z")).named("a")
    a.backward(0.7)
    given = 1 / (1 + np.exp(-0.25))
    delta = 0.7 * given * (1 - given)
    for value, expected in ((w, delta * 0.5), (b, delta), (x, delta * 0.3)):
        told = a.explain(value, depth="layers", check=True)
        assert told.value == value.grad == pytest.approx(expected, rel=1e-14)
        assert sum(part.value for part in a.contributions(value).by_path) == pytest.approx(expected, rel=1e-14)
    assert str(told).startswith("∂L/∂x = 0.7 · a(1 − a) · w\n")
    a.backward()
    assert a.explain(w).value == w.grad == pytest.approx(expected / 0.7 / 0.3 * 0.5)
    v = cr.Value(np.array([1.0, 2.0]), "v")
    s = cr.softmax(v).named("s")
    s.backward(np.array([1.0, -2.0]))
    for k in range(2):
        assert s.explain(v, index=[k], check=True).value == pytest.approx(v.grad[k], rel=1e-12)
