"""What is printed of losses, and of an output by what it is made of, is what textbooks print."""

import re
from typing import Any

import numpy as np
import pytest

import chainrule as cr

X, Y = np.array([[0.4, -0.7]]), np.array([[0.3, 0.7]])
SLOPES = {
    ("squared_error", None): "a[0] − t[0]",  # of the mean of two
    ("l2_norm", None): "a[0] − t[0]",
    ("absolute_error", None): "1/2 · sign(a[0] − t[0])",
    ("huber", None): "1/2 · clip(a[0] − t[0], −1, 1)",
    ("log_cosh", None): "1/2 · tanh(a[0] − t[0])",
    ("binary_cross_entropy", None): "1/2 · (σ(a[0]) − t[0])",
    ("binary_cross_entropy", "sigmoid"): "1/2 · (a[0] − t[0])",
    ("cross_entropy", "softmax"): "a[0] − t[0]",
    ("poisson", "exp"): "1/2 · (a[0] − t[0])",
}
GUARDS = re.compile(r"stop\(|logical|minimum|maximum|\bv\d+\b")


def network(activation: str | None, rows: int = 1) -> tuple[cr.Network, np.ndarray]:
    return cr.Network([cr.Dense(2, activation, name="o")], dtype="float64", seed=1).build(2), np.repeat(X, rows, 0)


@pytest.mark.parametrize(("loss", "activation"), SLOPES)
def test_losses_are_told_as_textbooks_print_them(loss: str, activation: str | None) -> None:
    own, x = network(activation)
    letters = {"o.z": "z" if activation else "a", "o.a": "a", "target": "t"}
    told = own.explain(x, Y, loss=loss, where="o.bias[0]", symbols=letters, check=True)
    assert str(told).split("\n", 1)[0].partition(" = ")[2] == SLOPES[loss, activation]
    assert not GUARDS.search(str(told))


def test_hinge_of_several_classes_is_where_the_largest_is_less_what_is_right() -> None:
    """L = max_k (z_k + [k is wrong]) − z_right (Crammer and Singer)."""
    own = cr.Network([cr.Dense(3, name="o")], dtype="float64", seed=1).build(2)
    letters = {"o.a": "a", "o.z": "a", "target": "t"}
    told = own.explain(X, [[0.0, 1.0, 0.0]], "o.bias[1]", loss="hinge", symbols=letters, check=True)
    formula = " ".join(str(told).split("\n\n")[0].split())
    best = "= max(o.z + (target ≤ 0))]"
    assert f"= [(o.z + (target ≤ 0))[1] {best}/Σ_k [(o.z + (target ≤ 0))[k] {best} − [t[1] > 0]" in formula
    assert "inf" not in str(told)
    assert not GUARDS.search(str(told))


def test_what_is_true_or_false_among_numbers_is_in_square_brackets() -> None:
    told = str(cr.derivation(lambda a, b: a * (a > b) + (b > 0) + b**2 * (b < a)))
    assert "f(a, b) = a·[a > b] + [b > 0] + b²·[b < a]" in told
    assert "so ∂f/∂b = 2·[b < a]·b" in told


def test_a_batch_and_a_formula_with_letters_say_the_same() -> None:
    own, x = network("sigmoid", 3)
    told = str(own.explain(x, np.repeat(Y, 3, 0), "o.bias[j]", loss="binary_cross_entropy", symbols={"target": "t"}))
    assert told.startswith("∂L/∂o.bias[j] = 1/6 · Σ_n (o.a[n, j] − t_nj)")


def test_rules_say_their_parts_in_the_letters_of_the_formula() -> None:
    own, x = network(None)
    told = str(own.explain(x, [1], "o.bias[1]", loss="cross_entropy"))
    assert "derivative of logsumexp: p[1];" in told


def test_what_went_into_a_name_is_not_said_of_a_rule() -> None:
    own = cr.Network([cr.Dense(2, "softmax", name="h"), cr.Dense(1, name="o")], dtype="float64").build(2)
    told = str(own.explain(X, [[1.0]], "h.bias[0]", loss="squared_error"))
    assert "derivative of exp;" in told
    assert not GUARDS.search(told)


def test_an_output_is_explained_from_itself() -> None:
    """∂a_i/∂z_k = [k = i]·a_k − a_i·a_k, and of a sigmoid only its own z counts."""
    own, x = network("softmax")
    told = own.explain(x, None, "o.z[0]", of="o.a[1]", check=True)
    a = own(x)[0]
    assert told.value == pytest.approx(-a[0] * a[1])
    assert "∂o.a[1]/∂o.z[0] = −o.a[1] · o.a[0]" in str(told)
    assert "∂o.a[1]/∂o.a" not in str(told)

    deep = cr.Network([cr.Dense(3, "tanh", name="h"), cr.Dense(2, "sigmoid", name="o")], dtype="float64").build(2)
    told = deep.explain(x, None, "h.weight[0, 2]", of="o.a[1]", depth="layers", check=True)
    first = " ".join(str(told).split("\n\n")[0].split())
    formula = "= o.a[1] · (1 − o.a[1]) · o.weight[2, 1] · (1 − h.a[2]²) · x[0] ="
    assert formula in first


@pytest.mark.parametrize("axis", [0, 1, (0, 1)])
def test_a_softmax_in_code_of_ones_own_is_a_quotient_of_powers(axis: Any) -> None:
    """Without what keeps the powers finite, and with factors that multiply to the gradient all the same."""
    X = np.array([[1.0, 2.0, 0.5], [0.1, 0.2, -1.0]])

    def f(X: Any) -> Any:
        return np.sum(cr.softmax(X, axis=axis) ** 2)

    exact = cr.grad(f)(X)
    for place in np.ndindex(X.shape):
        told = cr.explain(f, f"X[{', '.join(map(str, place))}]", check=True)(X)
        assert told.value == pytest.approx(exact[place], rel=1e-12)
        assert not GUARDS.search(str(told))
        assert "max(" not in str(told)
        assert "stop" not in str(told)
        *_, line = told.lines
        assert sum(part.value for part in line.instances[0].parts) == pytest.approx(exact[place], rel=1e-9)
    assert "max(" in str(cr.explain(f, "X[0, 0]")(X * 1000.0))  # e¹⁰⁰⁰ is no finite number
