"""Derivations as a school teacher reads them: rules, kinks, signs and arithmetic, for all that is declared."""

from __future__ import annotations

import traceback
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.explanation.formulas.symbols import Slope, number_of, symbols_in
from chainrule.explanation.rendering.numerals import coefficient
from chainrule.ops import REGISTRY, Elementwise
from chainrule.tracing.apply import traced
from strategies import from_domain

UNARY = sorted(
    op.name for op in REGISTRY.values()
    if isinstance(op, Elementwise) and len(op.domain) == 1 and op.differentiable and not op.examples
    and not op.to_complex
)  # fmt: skip
ONE_VARIABLE = [
    lambda x: x**2, lambda x: x * x, lambda x: 3 * x**2 - 4 * x + 5, lambda x: 2**x, lambda x: x / (1 + x), lambda x: x + x,
    lambda x: np.sin(x) * np.cos(x), lambda x: np.where(x > 0, x**2, -x), lambda x: np.exp(-(x**2) / 2), lambda x: x * x * x,
]  # fmt: skip


def rules_of(function: Any, argument: int = 0) -> list[tuple[str, ...]]:
    return [line.rules for line in cr.derivation(function, argument).partials[0].lines]


def result_of(function: Any, argument: int = 0) -> str:
    text = str(cr.derivation(function, argument)).splitlines()[-1]
    return text.partition(" = ")[2]


@pytest.mark.parametrize("function", ONE_VARIABLE)
def test_one_variable_has_d_in_every_form(function: Any) -> None:
    derivation, explained = cr.derivation(function), cr.explain(function)(0.7)
    for form in ("text", "latex", "markdown", "html"):
        assert "∂" not in derivation.to(form)
        assert "partial" not in derivation.to(form)
        assert "∂" not in explained.to(form)
        assert "partial" not in explained.to(form)
    assert "∂" in str(cr.derivation(lambda a, b: a * b))


@pytest.mark.parametrize("name", UNARY)
def test_every_line_names_its_rules_once(name: str) -> None:
    for rules in rules_of(lambda x: getattr(traced, name)(x) * x + 5.0):
        assert rules
        assert len(set(rules)) == len(rules)


def test_the_rules_are_those_of_what_is_read() -> None:
    assert ("constant rule",) in rules_of(lambda x: 3 * x**2 - 4 * x + 5)
    assert rules_of(lambda x: 2**x)[0] == ("exponential rule",)
    assert rules_of(lambda x: x**3)[0] == rules_of(lambda x: x * x)[0] == ("power rule",)
    assert set(rules_of(lambda x: x**x)[0]) == {"power rule", "exponential rule"}
    assert rules_of(lambda h, u: h * u)[0] == ("constant factor",)
    assert rules_of(lambda x: x * np.sin(x))[0] == ("product rule",)
    assert rules_of(lambda a, b: a / b)[0] == ("constant factor",)
    assert rules_of(lambda a, b: a / b, 1)[0] == ("quotient rule",)
    network = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], dtype="float64").build(2)
    lines = network.explain([[1.0, 2.0]], [[1.0]], "dense_0.weight[0, 0]").lines
    assert not any("product rule" in line.rules for line in lines)
    assert any("constant factor" in line.rules for line in lines)


@pytest.mark.parametrize(
    ("function", "result"),
    [
        (lambda x: x * x, "2·x"), (lambda x: x * x * x, "3·x²"), (lambda x: 3 * x**2 - 4 * x + 5, "6·x − 4"),
        (lambda x: x / (1 + x), "1/(1 + x)²"), (lambda x: np.sin(x) / x, "(x · cos(x) − sin(x))/x²"), (lambda x: 1 / x, "−1/x²"),
        (lambda x: np.sqrt(1 + x**2), "x/√(1 + x²)"), (lambda x: x**3 - 2 * x**2 + x - 7, "3·x² − 4·x + 1"),
        (lambda x: (2 * x + 1) ** 2, "4·(2·x + 1)"), (lambda x: np.where(x > 0, x**2, -x), "2·[x > 0]·x − [x ≤ 0]"),
        (lambda x: x / 3, "1/3"), (lambda x: x - x, "0"),
    ],
)  # fmt: skip
def test_results_are_written_as_by_hand(function: Any, result: str) -> None:
    try:
        assert result_of(function) == result
    except cr.errors.DifferentiationError:  # x − x is the constant 0
        assert result == "0"


@pytest.mark.parametrize("seed", range(5))
def test_polynomials_end_as_in_sympy(seed: int) -> None:
    random = np.random.default_rng(seed)
    numbers = [int(c) for c in random.integers(2, 9, 4)]
    x = sympy.Symbol("x")
    expected = sympy.diff(sum(c * x**k for k, c in enumerate(numbers)), x)
    found = result_of(lambda x: numbers[3] * x**3 + numbers[2] * x**2 + numbers[1] * x + numbers[0])
    typed = found.replace("·", "*").replace("−", "-").replace("²", "**2").replace("³", "**3")
    assert sympy.expand(sympy.sympify(typed) - expected) == 0
    assert found.count("x") == 2


def test_a_result_is_not_called_as_an_argument_is() -> None:
    assert str(cr.derivation(lambda f: f**2)).startswith("y(f) = f²")
    assert str(cr.explain(lambda f: f**2)(3.0)).startswith("dy/df = 2·f")
    assert str(cr.explain(lambda f, y: f**2 * y)(3.0, 2.0)).startswith("∂z/∂f = ")


def test_shares_of_a_mean_are_fractions() -> None:
    assert [coefficient(x, 6) for x in (Fraction(1, 50), 2 / 3, 0.5, 0.02, 2.0, np.pi, 1 / 7)] == [
        "1/50", "2/3", "0.5", "0.02", "2", "π", "1/7",
    ]  # fmt: skip
    network = cr.Network([cr.Dense(1, name="o")], dtype="float64").build(1)
    for rows, share in ((16, "1/8"), (50, "1/25"), (3, "2/3")):
        derivation = network.explain(np.ones((rows, 1)), np.zeros(rows), "o.bias[0]", loss="mse")
        assert f" = {share} · Σ_n" in str(derivation)


@pytest.mark.parametrize("depth", ["layers", "factors"])
@pytest.mark.parametrize("activation", ["sigmoid", "relu", "softplus", "gelu"])
def test_rules_stand_beside_the_factors_they_made(activation: str, depth: str) -> None:
    """Of a line with one term, what the rules made multiplies to its factor."""
    network = cr.Network([cr.Dense(1, activation, name="h"), cr.Dense(1, "tanh", name="o")], dtype="float64", seed=2)
    found = network.build(1).explain([[0.4]], [[0.3]], "h.weight[0, 0]", loss="mse", depth=depth)
    assert len(found.lines) > 1
    for line in found.lines:
        assert {rule for rule, _ in line.made} == {*line.rules} - {"chain rule", "sum over paths"}
        inner = [found.value_of(x, {}) for x in symbols_in(line.formula) if isinstance(x, Slope)]
        product = np.prod([number_of(x, found.value_of) for _, x in line.made]) * np.prod(inner)
        assert product == pytest.approx(line.instances[0].value, rel=1e-12)
    assert "(power rule: 2·x; constant factor: 4; sum over paths; chain rule)" in str(
        cr.explain(lambda x: 3 * x**2 - 4 * x + 5)(3.0)
    )


def slopes(op: Elementwise, x: float) -> tuple[float, float]:
    """The slopes to the right and to the left."""
    h = 1e-7
    here = float(op.evaluate(np.float64(x)))
    return tuple((float(op.evaluate(np.float64(x + s * h))) - here) / (s * h) for s in (1, -1))  # type: ignore[return-value]


BENT = [(name, x) for name in UNARY for x in REGISTRY[name].domain[0].kinks]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "at"), BENT)
def test_every_kink_is_told_and_what_is_taken(name: str, at: float) -> None:
    op = REGISTRY[name]
    assert isinstance(op, Elementwise)

    def function(x: Any) -> Any:
        return getattr(traced, name)(x) + 0.0 * x

    with np.errstate(all="ignore"):
        text = str(cr.explain(function)(at))
        right, left = slopes(op, at)
        bends = not abs(right - left) <= 1e-2 * (abs(right) + abs(left)) + 1e-4 or max(abs(right), abs(left)) > 1e4
        taken = cr.grad(lambda x: getattr(traced, name)(x))(at)
    assert ("not differentiable here" in text) == bends
    if bends and np.isfinite(taken):
        assert f"this library takes {coefficient(float(taken), 6)} as its derivative" in text


def test_formulas_say_where_they_have_no_derivative() -> None:
    for function, where in (
        (lambda x: 2 * abs(x - 1), "|x − 1| is not differentiable where x − 1 = 0."),
        (lambda a, b: np.maximum(a, b), "max(a, b) is not differentiable where a = b."),
        (lambda x: np.clip(x, 0, 1), "clip(x, 0, 1) is not differentiable where x = 1."),
    ):
        derivation = cr.derivation(function)
        for form in ("text", "markdown", "html"):
            assert where in derivation.to(form)
    for smooth in (lambda x: np.sin(x), lambda x: cr.elu(x), lambda x: np.hypot(x, 1.0)):
        assert "not differentiable" not in str(cr.derivation(smooth))


@pytest.mark.parametrize("name", UNARY)
def test_nothing_is_said_elsewhere(name: str) -> None:
    at = float(from_domain(REGISTRY[name].domain[0], (), np.random.default_rng(3)))  # type: ignore[attr-defined]
    assert "not differentiable" not in str(cr.explain(lambda x: getattr(traced, name)(x) * 2.0)(at))


def test_kinks_of_several_numbers() -> None:
    assert "max(x, 2) is not differentiable here; this library takes 0.5" in str(
        cr.explain(lambda x: np.maximum(x, 2.0))(2.0)
    )
    ties = str(cr.explain(lambda x: np.max(x), index=[0])(np.array([4.0, 4.0])))
    assert "max(x) is not differentiable here; this library takes 0.5" in ties
    assert "not differentiable" not in str(cr.explain(lambda x: np.max(x), index=[0])(np.array([4.0, 4.1])))
    assert "not differentiable" in str(cr.explain(lambda x: np.linalg.norm(x), index=[0])(np.zeros(2)))
    assert "not differentiable" not in str(cr.explain(lambda x: np.sum(np.abs(x)), index=[0])(np.array([1.0, 0.0])))
    assert "not differentiable" not in str(cr.explain(lambda x: cr.relu(x) ** 2)(0.0))  # its square has a derivative


def test_the_derivative_of_any_value_of_a_network() -> None:
    layers = [cr.Dense(3, "tanh", name="h"), cr.Dense(2, "softmax", name="o")]
    network = cr.Network(layers, dtype="float64", seed=1).build(2)
    X = np.array([[0.4, -0.7], [1.0, 2.0]])

    derivation = network.explain(X, None, "h.weight[0, 1]", of="o.a[1, 0]", check=True)
    assert derivation.check is not None
    assert derivation.check.agrees
    assert str(derivation).startswith("∂o.a[1, 0]/∂h.weight[0, 1] = ")
    assert derivation.value == pytest.approx(derivation.check.difference, rel=1e-6)
    loss = network.explain(X, [1, 0], "h.bias[0]").value
    assert network.explain(X, [1, 0], "h.bias[0]", of="L").value == loss
    letters = network.explain(X[:1], None, "h.weight[i, j]", of="o.z[1]", depth="layers")
    assert str(letters).startswith("∂o.z[1]/∂h.weight[i, j] = o.weight[j, 1] · (1 − h.a[j]²) · x_i\n")
    with pytest.raises(SettingError, match="no targets"):
        network.explain(X, None, "h.bias[0]")
    with pytest.raises(SettingError, match="whole numbers"):
        network.explain(X, None, "h.bias[0]", of="o.a[n, 0]")


def test_contributions_of_a_value_add_up() -> None:
    a, b = cr.values(a=-2.0, b=3.0)
    L = (a * b).named("d") * (a + b).named("e") + a
    L.backward()
    found = L.contributions(a)
    assert found.by_path.total == pytest.approx(a.grad, rel=1e-15)
    assert {"d", "e"} <= {name for part in found.by_path for name in part.name.split(" → ")}
    assert not found.by_sample
    assert "by sample" not in str(found)


def test_contributions_know_their_place_and_go_by_the_names_given() -> None:
    network = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], dtype="float64").build(2)
    X, y = np.array([[1.0, 2.0], [0.3, 0.1], [2.0, -1.0]]), np.array([[1.0], [0.0], [2.0]])
    found = network.contributions(X, y, "dense_0.weight[0, 0]", sample_names=["row 7", "row 9", "row 4"])
    assert [(part.name, part.index) for part in found.by_sample] == [("row 7", 0), ("row 9", 1), ("row 4", 2)]
    assert all(part.name.startswith(found.by_sample[part.index].name) for part in found.by_path)
    printed = [
        line.split()[1] for line in str(found).split("by sample")[1].split("by path")[0].splitlines() if "row" in line
    ]
    sizes = sorted(found.by_sample, key=lambda part: -abs(part.value))
    assert printed == [part.name.split()[1] for part in sizes]
    with pytest.raises(SettingError, match="1 names for 3 samples"):
        network.contributions(X, y, "dense_0.weight[0, 0]", sample_names=["one"])


def test_numpy_tells_the_line_where_a_nan_begins() -> None:
    def value(x: Any) -> Any:
        y = x - 1.0
        z = np.log(y)  # the line
        return np.sum(z)

    def slope(x: Any) -> Any:
        y = 2.0 * x
        z = np.sqrt(y)  # the line
        return np.sum(z)

    derivatives = [
        lambda: cr.grad(value)(np.array([2.0, 0.5])),
        lambda: cr.jvp(slope, (np.array([0.0, 1.0]),), (np.ones(2),)),
    ]
    for derivative in derivatives:
        with np.errstate(all="raise"), pytest.raises(FloatingPointError) as raised:
            derivative()
        assert any(frame.line and frame.line.endswith("# the line") for frame in traceback.extract_tb(raised.tb))


@pytest.mark.parametrize(("f", "expected"), [
    (lambda x: np.log(x) * x, "1 + ln(x)"), (lambda x: np.log(x) * x**2, "x + 2 · ln(x) · x"),
    (lambda x: np.log(x**2), "2/x"), (lambda x: np.log(3 * x), "1/x"), (lambda x: np.sqrt(x**2 + 1), "x/√(x² + 1)"),
])  # fmt: skip
def test_common_factors_of_a_fraction_are_cancelled(f, expected):
    told = cr.derivation(f)
    assert str(told).splitlines()[-1] == f"so df/dx = {expected}"
    assert told["x"](x=2.0) == pytest.approx(cr.grad(f)(2.0), rel=1e-14)
