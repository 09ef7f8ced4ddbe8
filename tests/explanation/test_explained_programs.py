"""Programs as scientists write them are explained: arrays written into, views, containers, loops, matrices, rules of users."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from tests.explanation.test_recurrence import holds_everywhere

import chainrule as cr
import chainrule.numpy
from chainrule.errors import DifferentiationError, SettingError, UnknownNameError, UnsupportedError
from chainrule.scipy import integrate, optimize, special, stats

A, X = np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([1.0, 2.0, 3.0])
INTERNAL = re.compile(
    r"constant_|__main__|test_explained_programs|<lambda>|Recorded|reshape\(|\bslice\(|astype|\[0:0\]"
)


def assigned(x: Any) -> Any:
    y = x * 1.0
    y[0] = x[1] * x[2]
    y[1:] += 2.0
    return np.sum(y**2)


def written_argument(x: Any) -> Any:
    x[0] = x[0] ** 2
    return x.sum()


def through_a_view(x: Any) -> Any:
    y = x.copy()
    v = y[1:]
    v *= 3.0
    return np.sum(y * y)


def filled(x: Any) -> Any:
    K = chainrule.numpy.zeros((2, 2))
    K[0, 0], K[0, 1], K[1, 1] = x[0], 1.0, x[1] ** 2
    return np.linalg.det(K)


def masked(x: Any) -> Any:
    y = x.copy()
    y[y > 1.5] = 0.0
    return np.sum(y * x)


def listed(x: Any) -> Any:
    return np.sum(chainrule.numpy.array([x[0], x[1] ** 2]) ** 2)


@cr.custom_derivative(lambda tangents, y, x: tangents[0] * np.cos(x))
def my_sine(x: Any) -> Any:
    return np.sin(x)


@cr.checkpoint
def block(x: Any) -> Any:
    return np.tanh(x) * x


root = cr.implicit(np.sqrt, lambda x, a: x * x - a)

PROGRAMS = {
    "assignment": (assigned, X, [1]),
    "an argument written into": (written_argument, X, [0]),
    "a view": (through_a_view, X, [1]),
    "an array that was created": (filled, X, [1]),
    "an array of values": (listed, X, [1]),
    "a mask": (masked, X, [0]),
    "scan": (lambda x: cr.scan(lambda s, r: (s * x[0] + r, None), 1.0, np.arange(4.0))[0], X, [0]),
    "loop": (lambda x: cr.loop(lambda s, i: np.sin(s) + x[1], 0.5, 5), X, [1]),
    "checkpoint": (lambda x: np.sum(block(x) ** 2), X, [0]),
    "custom derivative": (lambda x: np.sum(my_sine(x) * x), X, [0]),
    "implicit": (lambda x: root(x[0]) * 3.0, X, [0]),
    "jit": (cr.jit(lambda x: np.sum(np.sin(x) * x)), X, [2]),
    "vmap": (lambda x: np.sum(cr.vmap(lambda v: v**2 + 1.0)(x)), X, [0]),
    "a derivative inside": (lambda x: cr.grad(lambda y: y**3)(x[0]) * x[0], X, [0]),
    "eigenvalues": (lambda a: np.linalg.eigvalsh(a + a.T)[0], A, [0, 1]),
    "eigenvectors": (lambda a: np.linalg.eigh(a + a.T)[1][0, 0] ** 2, A, [0, 1]),
    "singular values": (lambda a: np.linalg.svd(a, compute_uv=False)[0], A, [0, 1]),
    "solve": (lambda a: np.linalg.solve(a, np.array([1.0, 2.0]))[0], A, [0, 1]),
    "inverse": (lambda a: np.linalg.inv(a)[0, 0], A, [0, 1]),
    "determinant": (lambda a: np.linalg.det(a), A, [0, 1]),
    "logarithm of the determinant": (lambda a: np.linalg.slogdet(a)[1], A, [1, 1]),
    "sort": (lambda x: np.sort(-x)[0] * 2.0, X, [2]),
    "einsum": (lambda x: np.einsum("i,ij,j->", x[:2], A, x[:2]), X, [0]),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_are_explained(name: str) -> None:
    function, x, index = PROGRAMS[name]
    before = x.copy()
    found = cr.explain(function, index=index)(x)
    np.testing.assert_array_equal(x, before)
    step = np.zeros(x.shape)
    step[tuple(index)] = 1e-6
    slope = (float(function(x + step)) - float(function(x - step))) / 2e-6
    assert found.value == pytest.approx(slope, rel=1e-7, abs=1e-8)
    holds_everywhere(found, 1e-10)
    for line in found.lines:
        for instance in line.instances:
            assert sum(p.value for p in instance.parts) + instance.rest == pytest.approx(instance.value, abs=1e-10)
    for form in ("text", "latex", "markdown", "html", "json", "mathml"):
        assert not INTERNAL.search(found.to(form)), found.to(form)


def test_what_moves_only_has_no_line_and_is_named_by_where_it_comes_from() -> None:
    text = str(cr.explain(through_a_view, index=[1])(X))
    assert text.splitlines()[0].endswith("6 · (x[1:3]·3)[0]")
    joined = cr.explain(lambda x: np.sum(np.tanh(np.concatenate([x[1:], x[:1]]).reshape(3, 1))), index=[2])(X)
    assert [line.element.variable.name for line in joined.lines][-1] == "x"
    assert len(joined.lines) == 2


def test_gradients_that_are_nothing_have_no_lines_or_terms() -> None:
    text = str(cr.explain(lambda a: 3 * np.linalg.inv(a)[0, 0], index=[0, 1])(A))
    assert "[1, 1]" not in text
    assert text.count("∂f/∂(a⁻¹)") == 2
    assert "∂f/∂(a⁻¹)" not in str(cr.explain(lambda a: np.linalg.inv(a)[0, 0], index=[0, 1])(A))  # of which f is one


def test_a_gradient_in_one_line_names_its_rule() -> None:
    assert "(Jacobi's formula)" in str(cr.explain(np.linalg.det, index=[0, 1])(A))


def test_constants_go_by_a_letter_and_those_of_one_number_by_that() -> None:
    text = str(cr.explain(lambda x: np.sum(x * np.full(3, 2.0) + np.array([1.0, 2.0, 3.0]) * np.sin(x)), index=[0])(X))
    assert "\nc = [1, 2, 3]" in text
    assert text.splitlines()[0].endswith("cos(x[0]) + 2")
    c = cr.values(c=np.array([1.0, 2.0])).c
    assert "\nc1 = [3, 4]" in str(np.sum(c**2 * np.array([3.0, 4.0])).explain(c, index=["i"]))
    two = str(np.sum(c * np.array([3.0, 4.0]) * np.cos(c - np.array([0.1, 0.2]))).explain(c))
    assert "\nc1 = " in two
    assert "\nc2 = " in two


def test_long_derivations_are_cut_and_say_so() -> None:
    def steps(x: Any) -> Any:
        for _ in range(60):
            x = np.sin(x) * 0.9 + 0.1 * x
        return x

    found = cr.explain(steps)(0.5)
    assert len(found.lines) == 40
    assert found.further == 200
    whole = cr.explain(steps, depth="terms")(0.5)
    assert (len(whole.lines), whole.further) == (240, 0)
    for form in ("text", "markdown", "html", "latex", "mathml"):
        assert re.search(r"200 more\W+lines before the last one", found.to(form).replace("\\ ", " "))
        assert "left out" not in whole.to(form)
    assert found.value == pytest.approx(cr.grad(steps)(0.5))
    assert "more values on the way" in str(found)
    assert len(str(found)) < 10_000


def test_long_sums_are_cut_and_say_so() -> None:
    weights = np.arange(1.0, 13.0)
    found = cr.explain(lambda x: sum(w * np.exp(-w * x) for w in weights))(0.1)
    first, numbers = str(found).split("\n\n")[0].split("      = ")[:2]
    assert "+ … and 9 further terms, together" in first.replace("\n        ", " ")
    shown = [
        float(x.replace("−", "-").replace(" ", ""))
        for x in re.findall(r"−? ?[\d.]+", numbers.replace("and 9 further", ""))
    ]
    assert sum(shown) == pytest.approx(found.value, rel=1e-4)
    assert found.value == pytest.approx(-np.sum(weights**2 * np.exp(-0.1 * weights)))
    assert (
        "further"
        not in str(cr.explain(lambda x: sum(w * np.exp(-w * x) for w in weights), depth="terms", most=12)(0.1)).split(
            "From"
        )[1]
    )


@dataclass
class Parameters:
    w: Any
    b: Any


cr.register_container(Parameters)


def test_functions_of_containers() -> None:
    def loss(p: Any, scale: float) -> Any:
        return np.sum(np.tanh(p.w * scale)) + p.b**2

    given = Parameters(np.array([0.5, 1.5]), 2.0)
    found = cr.explain(loss, "p.w[1]")(given, 3.0)
    assert found.value == pytest.approx(3.0 / np.cosh(4.5) ** 2)
    assert str(found).startswith("∂loss/∂p.w[1] = ")
    assert cr.explain(loss, "scale")(given, 3.0).value == pytest.approx(np.sum(given.w / np.cosh(3.0 * given.w) ** 2))
    assert cr.explain(lambda p: p["a"] ** 2)({"a": 3.0}).value == 6.0  # the only array of an argument
    with pytest.raises(SettingError, match=r"has 2 arrays.*explain\(f, 'p.w'\) or explain\(f, 'p.b'\)"):
        cr.explain(loss)(given, 3.0)
    with pytest.raises(UnknownNameError, match=r"p\.w"):
        cr.explain(loss, "p.v")(given, 3.0)


def test_what_does_not_apply_says_what_to_do() -> None:
    with pytest.raises(UnsupportedError, match=r"explanations are of real numbers.*real and imaginary parts.*cr\.grad"):
        cr.explain(lambda x: np.abs(np.exp(1j * x)) ** 2)(0.5)
    with pytest.raises(UnsupportedError, match="explanations are of real numbers"):
        cr.explain(lambda z: np.abs(z) ** 2)(1.0 + 2.0j)
    with pytest.raises(UnsupportedError, match="explanations are of real numbers"):
        cr.explain(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2), index=[0])(X)
    with pytest.raises(DifferentiationError, match=r"gave a tuple.*return the one that is meant"):
        cr.explain(lambda x: (x, 2.0 * x))(1.0)
    with pytest.raises(DifferentiationError, match="every derivative is 0"):
        cr.explain(lambda x: 3.0)(1.0)


def test_derivations_of_formulas_with_loops_and_of_distributions() -> None:
    powers = cr.derivation(lambda x: cr.loop(lambda s, i: s * x, 1.0, 4))
    assert powers["x"](x=1.5) == pytest.approx(4.0 * 1.5**3)
    text = str(cr.derivation(lambda x, m: stats.norm.logpdf(x, m, 2.0)))
    assert "if" not in text
    assert "(x − m)" in text
    assert str(cr.derivation(lambda q: stats.norm.ppf(q))).endswith("so df/dq = 1/φ(ndtri(q))")
    assert cr.derivation(lambda x: special.gammaln(x))["x"](x=2.5) == pytest.approx(special.digamma(2.5))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: np.sum(x[1:]), "with a number for every argument this function fails"),
        (lambda p: p.w * 2.0, "with a number for every argument this function fails"),
        (lambda x: my_sine(x) * x, "the derivative of my_sine is known in numbers only"),
        (lambda x: chainrule.numpy.array([x, x])[0], "makes an array"),
    ],
)
def test_what_has_no_formula_says_so(function: Any, said: str) -> None:
    with pytest.raises(DifferentiationError, match=f"{said}.*cr.explain"):
        cr.derivation(function)


def test_values_of_users_are_followed_through_solvers_too() -> None:
    a = cr.Value(2.0, "a")
    solved = optimize.brentq(lambda x: x * x - a, 0.0, 3.0) * 3.0
    assert solved.explain(a).value == pytest.approx(1.5 / np.sqrt(2.0))
    area = integrate.quad(lambda x: np.exp(-a * x), 0.0, 1.0)[0]
    area.backward()
    assert a.grad == pytest.approx((3.0 * np.exp(-2.0) - 1.0) / 4.0)
    assert isinstance(optimize.brentq(lambda x: x * x - 2.0, 0.0, 3.0), float)


@pytest.mark.parametrize(
    ("function", "more"),
    [
        (lambda x, n: sum(x[i] ** n for i in range(n)), 2),
        (lambda x, mask: np.sum(x[mask] ** 2), np.array([True, False, True])),
        (lambda x, places: np.sum(x[places] ** 2), np.array([0, 2])),
        (lambda x, kind: np.sum(x**2) if kind == "sum" else x[1], "sum"),
        (lambda x, axis: np.sum(x**2, axis=axis), 0),
        (lambda x, inner: inner(x) ** 2, np.sum),
        (lambda x, n: np.sum(np.zeros(n) + x[:n] ** 2), 2),
    ],
)
def test_arguments_that_count_or_say_what_to_do_are_what_they_are(function: Any, more: Any) -> None:
    assert cr.explain(function, index=[0])(X, more).value == pytest.approx(cr.grad(function)(X, more)[0])


def test_whole_numbers_go_by_their_names_where_they_do_not_count() -> None:
    assert str(cr.explain(lambda a, b: a * b)(2, 3)) == "∂f/∂a = b\n      = 3"
    with pytest.raises(ZeroDivisionError):
        cr.explain(lambda a, b: a * (1 / 0))(2.0, 3)


def test_formulas_that_stand_for_a_value_have_brackets_before_their_places() -> None:
    found = cr.explain(lambda x: np.sum(np.tanh(x[1:] * 2.0)), index=[1])(X)
    assert "∂f/∂(x[1:3]·2)[0]" in str(found)
    assert r"\left(x[1{:}3] \cdot 2\right)_{0}" in found.to("latex")
    assert "<mo>(</mo>" in found.to("html")
    assert "(x ∗ c)[1]" in str(cr.explain(lambda x: np.sum(np.convolve(x, X)), index=[0])(X))
