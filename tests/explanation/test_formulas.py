"""Derivatives of formulas rule by rule, and the order and cost of both modes."""

from __future__ import annotations

import json
from typing import Any
from xml.dom import minidom

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

import chainrule as cr
from chainrule.errors import DifferentiationError, SettingError, UnknownNameError
from chainrule.explanation.orders import Count
from chainrule.explanation.rendering.data import formula_story_from
from chainrule.explanation.rendering.formulas import FORMS, latex_equations_of, tell_formula
from chainrule.ops import REGISTRY, Elementwise
from strategies import from_domain


def test_spec_a2() -> None:
    def d(a: Any, b: Any, c: Any) -> Any:
        return a * b + c

    derivation = cr.derivation(d)
    text = str(derivation)
    assert "d(a, b, c) = a·b + c" in text
    for partial in ("so ∂d/∂a = b", "so ∂d/∂b = a", "so ∂d/∂c = 1"):
        assert partial in text
    rules = {str(line.slope.of.variable.name): line.rules for line in derivation.partials[0].lines}
    assert ("constant factor",) in rules.values()  # b is held still
    assert rules["a"] == ("identity rule",)
    assert rules["c"] == ("constant rule",)
    assert [derivation[x](a=2.0, b=-3.0, c=10.0) for x in "abc"] == [-3, 2, 1]


@pytest.mark.parametrize(("formula", "rule"), [
    (lambda x: x**3, "power rule"), (lambda x: 1 / x, "quotient rule"), (lambda x: np.tanh(2 * x), "chain rule"),
    (lambda x: x * x, "power rule"), (lambda x: x * np.sin(x), "product rule"), (lambda x: x + np.cos(x), "sum rule"),
    (lambda x: 5 * x, "constant factor"),
])  # fmt: skip
def test_rules_by_name(formula: Any, rule: str) -> None:
    derivation = cr.derivation(formula)
    assert any(rule in line.rules for line in derivation.partials[0].lines) or rule == "power rule"
    assert derivation["x"](x=0.7) == pytest.approx(cr.grad(formula)(0.7), rel=1e-13)


UNARY = sorted(
    op.name for op in REGISTRY.values()
    if isinstance(op, Elementwise) and len(op.domain) == 1 and op.differentiable and not op.examples
    and not op.to_complex
)  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_every_elementwise_operation_is_derived_from_its_declaration(name: str) -> None:
    from chainrule.tracing.apply import traced

    def function(x: Any) -> Any:
        return getattr(traced, name)(x) * x

    at = float(from_domain(REGISTRY[name].domain[0], (), np.random.default_rng(0)))
    derivation = cr.derivation(function)
    assert derivation["x"](x=at) == pytest.approx(cr.grad(function)(at), rel=1e-12)
    for equation in latex_equations_of(tell_formula(derivation)):
        if len(equation) < 150:  # Matplotlib takes a tenth of a second for a long one, which is made of the same parts
            MathTextParser("agg").parse(f"${equation}$")
    minidom.parseString(derivation.to("html"))
    again = formula_story_from(json.loads(derivation.to("json")))
    for form, write in FORMS.items():
        assert write(again) == derivation.to(form), f"{form} has something that JSON has not"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.sampled_from("+-*/nts2")), min_size=1, max_size=7))
def test_random_formulas(plan: Any) -> None:
    def formula(x: Any, y: Any) -> Any:
        known = [x, y]
        for i, j, what in plan:
            a, b = known[i % len(known)], known[j % len(known)]
            new = {
                "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / (b * b + 1),
                "n": lambda a, b: -a, "t": lambda a, b: np.tanh(a), "s": lambda a, b: np.sin(a + b), "2": lambda a, b: a**2 / 2,
            }[what](a, b)  # fmt: skip
            known.append(new)
        return known[-1] + 0.5 * x

    derivation = cr.derivation(formula)
    expected = cr.grad(formula, argnums=(0, 1))(0.4, -0.3)
    for name, gradient in zip("xy", expected, strict=True):
        assert derivation[name](x=0.4, y=-0.3) == pytest.approx(float(gradient), rel=1e-9, abs=1e-12)
    assert all(f"∂formula/∂{name} = " in str(derivation) for name in "xy")


def test_formulas_that_use_values_again_and_again_stay_short() -> None:
    def repeated(x: Any) -> Any:
        for _ in range(40):
            x = x * x + 0.1 * x
        return x

    assert len(str(cr.derivation(lambda x: repeated(0.1 * x)))) < 250_000
    assert len(str(cr.explain(repeated)(0.3))) < 50_000


def test_errors_of_formulas() -> None:
    with pytest.raises(DifferentiationError, match="constant"):
        cr.derivation(lambda x: 3.0)
    with pytest.raises(UnknownNameError, match="argument"):
        cr.derivation(lambda x: x * x)["y"]
    with pytest.raises(UnknownNameError, match="form"):
        cr.derivation(lambda x: x * x).to("word")


# --- both modes


def chain(a: Any, b: Any, c: Any, f: Any) -> Any:
    return (a * b + c) * f


def test_the_order_of_both_modes() -> None:
    reverse = cr.evaluation_order(chain, 2.0, -3.0, 10.0, -2.0)
    names = [moment.name for moment in reverse.moments]
    values, derivatives = names[:7], names[7:]
    assert values[:4] == ["a", "b", "c", "f"]
    assert derivatives[0] == "∂chain/∂chain"
    assert derivatives[-1] == "∂chain/∂a"  # the derivatives come in the opposite order
    assert [m.value for m in reverse.moments[-4:]] == [4, -2, -4, 6]
    forward = cr.evaluation_order(chain, 2.0, -3.0, 10.0, -2.0, mode="forward")
    names = [moment.name for moment in forward.moments]
    assert names[:2] == ["a", "∂a/∂a"]
    assert names[-2:] == ["chain", "∂chain/∂a"]
    assert (forward.sweeps, reverse.sweeps) == (4, 1)
    np.testing.assert_array_equal(forward.jacobian, reverse.jacobian)


def test_counts_by_hand() -> None:
    """(a·b + c)·f: two products and a sum. Backwards two products for each; forwards two and a sum for each, four times."""
    counts = cr.evaluation_order(chain, 2.0, -3.0, 10.0, -2.0).counts
    assert counts["reverse"] == Count(2 + 4, 1)
    assert counts["forward"] == Count(2 + 4 * 4, 1 + 4 * 3)


def test_reverse_mode_wins_with_many_inputs_and_forward_mode_with_many_outputs() -> None:
    W = np.random.default_rng(0).normal(size=(50, 2))
    many_inputs = cr.evaluation_order(lambda x: np.tanh(x @ W), np.ones(50))
    many_outputs = cr.evaluation_order(lambda x: np.tanh(W @ x), np.ones(2), mode="forward")
    assert (many_inputs.inputs, many_inputs.outputs) == (50, 2)
    assert many_inputs.counts["reverse"].total * 5 < many_inputs.counts["forward"].total
    assert many_outputs.counts["forward"].total * 5 < many_outputs.counts["reverse"].total
    np.testing.assert_allclose(many_inputs.jacobian, cr.jacobian(lambda x: np.tanh(x @ W))(np.ones(50)), rtol=1e-14)
    np.testing.assert_allclose(many_outputs.jacobian, cr.jacobian(lambda x: np.tanh(W @ x))(np.ones(2)), rtol=1e-14)


def test_the_list_as_printed() -> None:
    text = str(cr.evaluation_order(lambda x, y: x * y, 2.0, 3.0, mode="forward"))
    assert "∂x/∂x = 1" in text.replace("   ", " ").replace("  ", " ")
    assert "2 times in all" in text
    assert "forward: 5 multiplications, 2 additions" in text
    assert "reverse: 3 multiplications, 0 additions" in text


def test_errors_of_orders() -> None:
    with pytest.raises(SettingError, match="mode"):
        cr.evaluation_order(chain, 1.0, 1.0, 1.0, 1.0, mode="backward")
    with pytest.raises(DifferentiationError, match="constant"):
        cr.evaluation_order(lambda x: 3.0, 1.0)


def test_a_changed_sign_costs_nothing_in_either_mode() -> None:
    """Sums and differences need additions alone; a product by a number other than ±1 is one."""

    def multiplications(function: Any) -> tuple[int, int]:
        counts = cr.evaluation_order(function, 2.0, 3.0).counts
        return counts["forward"].multiplications, counts["reverse"].multiplications

    assert multiplications(lambda a, b: a - b) == (0, 0)
    assert multiplications(lambda a, b: a + b) == (0, 0)
    assert multiplications(lambda a, b: -a + 0 * b) == multiplications(lambda a, b: a + 0 * b)
    assert multiplications(lambda a, b: -(a - b)) == (0, 0)
    assert multiplications(lambda a, b: a * b) == (5, 3)
    assert multiplications(lambda a, b: 2.0 * a - b) == (3, 2)
    vector = cr.evaluation_order(lambda x, y: np.sum(x - y), np.ones(3), np.ones(3)).counts
    assert [count.multiplications for count in vector.values()] == [0, 0]
