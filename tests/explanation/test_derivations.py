"""Derivations: SPEC C4 in symbols, published numbers, factors and parts that make the gradient, and every form valid."""

from __future__ import annotations

import json
import math
import re
import time
from typing import Any, ClassVar
from xml.dom import minidom

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

import chainrule as cr
from chainrule.errors import DifferentiationError, SettingError, ShapeError, UnknownNameError
from chainrule.explanation.derivations.derivation import DEPTHS, Derivation
from chainrule.explanation.formulas.symbols import number_of
from chainrule.explanation.rendering.data import story_from
from chainrule.explanation.rendering.forms import FORMS
from chainrule.explanation.rendering.latex import latex_equations
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.styles import LatexStyle
from chainrule.explanation.rendering.telling import tell
from chainrule.ops import REGISTRY, Elementwise
from chainrule.ops.notation import ATOM, POWER, SIGN, SUM
from chainrule.tracing.apply import apply
from trying import examples

SYMBOLS = {
    "hidden.weight": "w", "output.weight": "u", "hidden.a": "h", "output.a": "y", "hidden.z": "z", "target": "t", "x": "x",
}  # fmt: skip


def mazur() -> cr.Network:
    hidden = cr.Dense(2, "sigmoid", weight=[[0.15, 0.25], [0.20, 0.30]], bias=0.35, name="hidden")
    output = cr.Dense(2, "sigmoid", weight=[[0.40, 0.50], [0.45, 0.55]], bias=0.60, name="output")
    return cr.Network([hidden, output], dtype="float64").build(2)


MAZUR: Any = {"X": [[0.05, 0.10]], "y": [[0.01, 0.99]], "loss": "l2_norm"}


def two_three_two() -> cr.Network:
    layers = [cr.Dense(3, "sigmoid", name="hidden"), cr.Dense(2, "sigmoid", name="output")]
    return cr.Network(layers, dtype="float64").build(2)


C4: Any = {"X": [[0.4, -0.7]], "y": [[0.2, 0.9]], "loss": "l2_norm"}


def first_line(derivation: Derivation) -> str:
    return " ".join(str(derivation).split("\n\n")[0].split())


class TestTheTwoThreeTwoNetwork:
    """SPEC C4, as it states it: signs and letters are the same, but for the spaces."""

    @pytest.mark.parametrize(("where", "formula"), [
        ("output.weight[i, j]", "∂L/∂u_ij = (y_j − t_j)·y_j(1 − y_j)·h_i"),
        ("hidden.weight[i, j]", "∂L/∂w_ij = [Σ_k (y_k − t_k)·y_k(1 − y_k)·u_jk]·h_j(1 − h_j)·x_i"),
    ])  # fmt: skip
    @pytest.mark.parametrize("depth", ["layers", "factors"])
    def test_any_weight(self, where: str, formula: str, depth: str) -> None:
        derivation = two_three_two().explain(**C4, where=where, depth=depth, symbols=SYMBOLS)
        assert first_line(derivation) == formula
        assert derivation.value is None

    def test_one_line_for_a_layer(self) -> None:
        derivation = two_three_two().explain(**C4, where="hidden.weight[0, 1]", depth="layers")
        assert [line.element.variable for line in derivation.lines] == [
            two_three_two_variable(derivation, name) for name in ("output.z", "hidden.z", "hidden.weight")
        ]

    def test_with_the_numbers(self) -> None:
        network = two_three_two()
        x, t = np.array(C4["X"][0]), np.array(C4["y"][0])
        reading = network.forward(C4["X"])
        h, y, u = reading["hidden"].a[0], reading["output"].a[0], network.parameters["output"]["weight"]
        delta = (y - t) * y * (1 - y)
        for i in range(2):
            for j in range(3):
                derivation = network.explain(**C4, where=f"hidden.weight[{i}, {j}]")
                factors = [part.value for part in derivation.factors]
                assert factors == pytest.approx([u[j] @ delta, h[j], 1 - h[j], x[i]], rel=1e-14)
                assert derivation.value == pytest.approx(math.prod(factors), rel=1e-14)


def two_three_two_variable(derivation: Derivation, name: str) -> Any:
    return derivation.evaluation.variable(name)


class TestMazur:
    """The published numbers of each step, to the digits that are printed on the page."""

    PUBLISHED: ClassVar = {
        "output.a[0]": 0.74136507, "output.z[0]": 0.138498562, "hidden.a[0]": 0.036350306,
        "output.weight[0, 0]": 0.082167041, "hidden.weight[0, 0]": 0.000438568,
    }  # fmt: skip

    @pytest.mark.parametrize("where", PUBLISHED)
    def test_gradients(self, where: str) -> None:
        value = mazur().explain(**MAZUR, where=where).value
        assert value == pytest.approx(self.PUBLISHED[where], abs=5e-10)

    def test_factors_of_the_first_weight(self) -> None:
        derivation = mazur().explain(**MAZUR, where="hidden.weight[0, 0]")
        total, h, rest, x = (part.value for part in derivation.factors)
        assert total == pytest.approx(0.036350306, abs=5e-10)
        assert h * rest == pytest.approx(0.241300709, abs=5e-10)
        assert x == 0.05
        assert derivation.value == pytest.approx(0.00043856773447434674, rel=1e-14)

    def test_parts_of_the_hidden_activation(self) -> None:
        derivation = mazur().explain(**MAZUR, where="hidden.a[0]")
        parts = [part.value for part in derivation.lines[-1].instances[0].parts]
        assert parts == pytest.approx([0.055399425, -0.019049119], abs=1e-9)

    def test_hidden_gradients_from_weights_already_updated_are_another_number(self) -> None:
        """The slip in the program behind the page: it would make the gradient of w1 0.00042…"""
        network = mazur()
        right = network.explain(**MAZUR, where="hidden.weight[0, 0]").value
        after = network.step_by_step(**MAZUR, optimizer=cr.SGD(0.5)).update.after
        network.parameters = {"output.weight": after["output"]["weight"]}
        reading = mazur().forward(MAZUR["X"])
        y, h = reading["output"].a[0], reading["hidden"].a[0]
        delta = (y - np.array(MAZUR["y"][0])) * y * (1 - y)
        wrong = (after["output"]["weight"][0] @ delta) * h[0] * (1 - h[0]) * 0.05
        assert right == pytest.approx(0.00043856773447434674, rel=1e-14)
        assert wrong != pytest.approx(right, rel=1e-3)


def test_spec_a4_and_a5() -> None:
    a, b, c, f = cr.values(a=2.0, b=-3.0, c=10.0, f=-2.0)
    e = (a * b).named("e")
    d = (e + c).named("d")
    L = (d * f).named("L")
    expected = {"a": ("f·b", 6), "b": ("f·a", -4), "c": ("f", -2), "e": ("f", -2), "d": ("f", -2), "f": ("d", 4)}
    for name, (formula, value) in expected.items():
        derivation = cr.explain(L, name)
        assert derivation.value == value
        assert first_line(derivation).startswith(f"∂L/∂{name} = {formula}")
    assert cr.explain(L, a).value == 6
    rules = [set(line.rules) for line in cr.explain(L, a).lines]
    assert rules == [{"constant factor"}, {"sum rule", "chain rule"}, {"constant factor", "chain rule"}]


def test_several_paths_are_summed() -> None:
    a, b = cr.values(a=2.0, b=1.0)
    L = (a + b) * (b + 1)  # Olah's example: 2 by way of one factor, 3 by way of the other
    derivation = L.explain(b)
    assert sorted(part.value for part in derivation.lines[-1].instances[0].parts) == [2, 3]
    assert derivation.value == 5
    assert "sum over paths" in derivation.lines[-1].rules


def test_a_missing_sum_on_reuse_would_show() -> None:
    a = cr.Value(3.0, "a")
    derivation = (a * a + a).explain(a)
    assert derivation.value == 7
    assert math.fsum(part.value for part in derivation.lines[-1].instances[0].parts) == 7


def test_functions() -> None:
    assert cr.explain(lambda x: 3 * x**2 - 4 * x + 5)(3.0).value == 14

    def f(x: Any, w: Any) -> Any:
        return np.sum(np.tanh(x @ w))

    x, w = np.array([1.0, -2.0]), np.array([[0.5, 0.1], [0.2, 0.3]])
    gradient = cr.grad(f, argnums=1)(x, w)
    for place in np.ndindex(2, 2):
        assert cr.explain(f, 1, index=place)(x, w).value == pytest.approx(gradient[place], rel=1e-14)
    assert cr.explain(f, 1)(x, w).value is None  # the formula for all of them


ACTIVATIONS = (
    "identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "softsign",
    "hard_tanh", "softmax", "log_softmax", "exp",
)  # fmt: skip
LOSSES = ("squared_error", "l2_norm", "absolute_error", "huber", "log_cosh", "cross_entropy", "binary_cross_entropy")


@st.composite
def cases(draw: Any) -> tuple[cr.Network, Any, Any, str]:
    """A network, data, and the name of a loss."""
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    widths = draw(st.lists(st.integers(1, 4), min_size=0, max_size=2))
    loss = draw(st.sampled_from(LOSSES))
    outputs = draw(st.integers(2, 3))
    layers = [cr.Dense(n, draw(st.sampled_from(ACTIVATIONS)), bias="normal") for n in widths]
    layers.append(cr.Dense(outputs, draw(st.sampled_from(["identity", "tanh"])), bias="normal"))
    features, rows = draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2, 5]))
    X = random.normal(size=(rows, features))
    y = random.normal(size=(rows, outputs))
    if loss == "cross_entropy":
        y = np.eye(outputs)[random.integers(0, outputs, rows)]
    elif loss == "binary_cross_entropy":
        y = random.integers(0, 2, (rows, outputs)).astype(float)
    dtype = draw(st.sampled_from(["float32", "float64"]))
    return cr.Network(layers, seed=draw(st.integers(0, 99)), dtype=dtype).build(features), X, y, loss


def some_place(data: Any, network: cr.Network, X: Any) -> str:
    """A weight, bias, input or value in between."""
    seen = network.evaluation(X)
    name = data.draw(st.sampled_from(sorted(n for n in seen.known if n != "output")))
    shape = seen.known[name].shape
    return f"{name}[{', '.join(str(data.draw(st.integers(0, n - 1))) for n in shape)}]"


@settings(deadline=None)
@given(st.data())
def test_factors_multiply_and_parts_add_up_to_the_gradient(data: Any) -> None:
    """Of every line of every derivation; and the gradient is the one that `grad` gives."""
    network, X, y, loss = data.draw(cases())
    where, depth = some_place(data, network, X), data.draw(st.sampled_from(DEPTHS))
    try:
        derivation = network.explain(X, y, where, loss=loss, depth=depth)
    except DifferentiationError:  # a value that the loss does not take
        return
    value = derivation.value
    assert value is not None
    assert number_of(derivation.formula, derivation.value_of) == pytest.approx(value, rel=1e-9, abs=1e-12)
    if derivation.factors:
        assert math.prod(p.value for p in derivation.factors) == pytest.approx(value, rel=1e-9, abs=1e-12)
    for line in derivation.lines:
        for instance in line.instances:
            size = max([abs(p.value) for p in instance.parts], default=0.0)
            total = math.fsum([instance.rest, *(p.value for p in instance.parts)])
            assert total == pytest.approx(instance.value, rel=1e-9, abs=1e-12 + 1e-12 * size)
    found = network.evaluation(X, y, loss=loss)
    name, _, places = where.partition("[")
    cotangent = found.evaluation.cotangent(found.variable(name))
    assert value == np.asarray(cotangent)[tuple(int(p) for p in places.removesuffix("]").split(",") if p)]


@settings(deadline=None)
@given(st.data())
def test_the_gradients_explained_are_those_of_grad(data: Any) -> None:
    network, X, y, loss = data.draw(cases())
    found = network.evaluation(X, y, loss=loss)
    step = network.step_by_step(X, y, loss=loss, optimizer=cr.SGD(0.0), engine="numpy")
    tolerance: Any = {"rtol": 1e-10, "atol": 1e-12} if network.dtype == np.float64 else {"rtol": 2e-3, "atol": 2e-5}
    for layer, own in step.gather.gradients.items():
        for name, gradient in own.items():
            cotangent = found.evaluation.cotangent(found.variable(f"{layer}.{name}"))
            np.testing.assert_allclose(0.0 if cotangent is None else cotangent, gradient, **tolerance)


MATHTEXT = MathTextParser("agg")


@examples(12)
@given(st.data())
def test_every_form_is_valid(data: Any) -> None:
    network, X, y, loss = data.draw(cases())
    where, depth = some_place(data, network, X), data.draw(st.sampled_from(DEPTHS))
    try:
        derivation = network.explain(X, y, where, loss=loss, depth=depth)
    except DifferentiationError:
        return
    for equation in latex_equations(tell(derivation)):
        if len(equation) < 200:  # Matplotlib takes a tenth of a second for a long one, which is made of the same parts
            MATHTEXT.parse(f"${equation}$")
    for form in ("html", "mathml"):
        minidom.parseString(derivation.to(form))
    facts = json.loads(derivation.to("json"))
    assert facts["value"] == derivation.value
    again = story_from(facts)
    for form, write in FORMS.items():
        assert write(again) == derivation.to(form), f"{form} has something that JSON has not"
    assert set(FORMS) == {"text", "markdown", "latex", "html", "mathml", "json"}
    printed = cr.derivation(lambda x: np.sign(cr.erf(x)) * x)
    assert r"\operatorname" in printed.to("latex")
    assert r"\operatorname" not in printed.to("markdown")  # GitHub refuses it
    for form in FORMS:
        assert "nan" not in derivation.to(form)


@examples(30)
@given(st.data())
def test_printed_factors_multiply_to_the_printed_result(data: Any) -> None:
    """The last digit of the result follows from the factors as printed."""
    network, X, y, loss = data.draw(cases())
    where = some_place(data, network, X)
    digits = data.draw(st.integers(2, 8))
    try:
        derivation = network.explain(X, y, where, loss=loss, digits=digits)
    except DifferentiationError:
        return
    head = " ".join(str(derivation).split("\n\n")[0].split()).replace("−", "-")
    *_, factors, result = [part.strip() for part in head.split(" = ")]
    if derivation.factors and re.fullmatch(r"[-\d.e ·()]+", factors):
        product = math.prod(float(x.strip(" ()")) for x in factors.split("·"))
        assert numeral(product, digits) == numeral(float(result), digits)


def test_folding() -> None:
    network = cr.Network([cr.Dense(64, "tanh", name="hidden"), cr.Dense(1, name="output")], dtype="float64").build(3)
    derivation = network.explain(np.ones((1, 3)), [0.0], "x[0]")
    instance = derivation.lines[-1].instances[0]
    assert (len(instance.parts), instance.more) == (3, 61)
    assert "and 61 further terms, together" in str(derivation).replace("\n", " ").replace("  ", "")
    every = network.explain(np.ones((1, 3)), [0.0], "x[0]", depth="terms").lines[-1].instances[0]
    assert (len(every.parts), every.more) == (64, 0)


def test_the_largest_terms_are_those_of_the_largest_size() -> None:
    """Large negative terms and elements are shown before small positive ones."""
    hidden = cr.Dense(6, weight=np.ones((1, 6)), name="hidden")
    weights = np.array([1.0, -9.0, 2.0, -8.0, 3.0, -0.5])
    network = cr.Network([hidden, cr.Dense(1, weight=weights[:, None], name="output")], dtype="float64").build(1)
    for target in (1e3, -1e3):  # the derivative of the loss by the output is of either sign
        derivation = network.explain([[1.0]], [target], "x[0]", most=3)
        delta = 2 * (weights.sum() - target)
        instance = derivation.lines[-1].instances[0]
        assert [part.value for part in instance.parts] == pytest.approx(weights[[1, 3, 4]] * delta)
        assert instance.rest == pytest.approx(weights[[0, 2, 5]].sum() * delta)
        elements = [i.element.place for line in derivation.lines for i in line.instances if line.more]
        assert elements == [(0, 1), (0, 3), (0, 4)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_named_values_are_those_of_the_pass_to_the_last_bit(dtype: str) -> None:
    """Also in float32: what is shown as `hidden.a[1]` is what the network computed, and not a more precise relative."""
    layers = [cr.Dense(4, "tanh", name="hidden"), cr.Dense(5, "sigmoid", name="more"), cr.Dense(2, name="output")]
    network = cr.Network(layers, dtype=dtype).build(3)
    X = np.random.default_rng(4).normal(size=(1, 3))
    reading = network.forward(X)
    for i, j in np.ndindex(5, 2):
        derivation = network.explain(X, [[0.3, -0.2]], f"output.weight[{i}, {j}]", loss="l2_norm")
        values = [part.value for part in derivation.factors]
        assert float(reading["more"].a[0, i]) in values
        assert float(reading["output"].z[0, j]) - float(np.dtype(dtype).type([0.3, -0.2][j])) in values
    for i, j in np.ndindex(4, 5):
        derivation = network.explain(X, [[0.3, -0.2]], f"more.weight[{i}, {j}]", loss="l2_norm")
        assert float(reading["hidden"].a[0, i]) in [part.value for part in derivation.factors]


def test_the_mean_over_the_batch_appears() -> None:
    network = cr.Network([cr.Dense(1, name="output")], dtype="float64").build(2)
    derivation = network.explain(np.ones((5, 2)), np.zeros(5), "output.weight[0, 0]")
    assert first_line(derivation).startswith("∂L/∂output.weight[0, 0] = 2/5 · Σ_n (output.z[n, 0] − target[n, 0])")
    assert any("mean over the batch" in line.rules for line in derivation.lines)
    single = network.explain(np.ones((1, 2)), np.zeros(1), "output.weight[0, 0]")
    assert derivation.value == pytest.approx(single.value)  # five equal samples: a sum would be five times as much


@pytest.mark.filterwarnings("ignore:.*differ from their finite differences")
def test_checks() -> None:
    network = two_three_two()
    derivation = network.explain(**C4, where="hidden.weight[0, 1]", check=True)
    checks = [derivation.check, *(i.check for line in derivation.lines for i in line.instances)]
    assert all(check is not None and check.agrees and check.error < 1e-6 for check in checks)
    at_the_kink = cr.explain(lambda x: cr.relu(x) * 3, check=True)(0.0)
    assert at_the_kink.check is not None
    assert not at_the_kink.check.agrees
    assert "DOES NOT AGREE" in str(at_the_kink)
    with pytest.warns(UserWarning, match="differ from their finite differences"):
        cr.explain(lambda x: cr.relu(x) * 3, check=True)(0.0)


def test_a_right_gradient_is_not_called_wrong() -> None:
    """Where a root bends within the widest step, and where float32's values leave rounding of summands that cancel."""
    steep = cr.explain(lambda x: np.sqrt(x + 1e-5), check=True)(0.0)
    assert steep.check is not None
    assert steep.check.agrees
    assert steep.check.difference == pytest.approx(0.5 / np.sqrt(1e-5), rel=1e-5)
    X, y = np.random.default_rng(9).normal(size=(7, 2)), np.sin(np.arange(7.0))
    network = cr.Network([cr.Dense(3, "tanh", name="hidden"), cr.Dense(1, weight=0.3, name="output")]).build(2)
    pull = float(network.gradients(X, y, loss="mse")["output"]["weight"][0, 0])
    assert pull < -0.4  # which the penalty all but takes away
    found = network.explain(X, y, "output.weight[0, 0]", check=True, loss="mse", l1=-pull * (1.0 - 1e-5))
    assert abs(found.value) < 1e-4
    assert found.check is not None
    assert found.check.agrees


@pytest.mark.filterwarnings("ignore:.*differ from their finite differences")
def test_a_gradient_that_is_wrong_by_little_is_told() -> None:
    @cr.custom_derivative(lambda tangents, y, x: 1.001 * tangents[0] / (2.0 * y))
    def root(x: Any) -> Any:
        return np.sqrt(x)

    for x in (1e-5, 2.0):
        found = cr.explain(lambda x: root(x) - 1.0, check=True)(x)
        assert found.check is not None
        assert not found.check.agrees


def test_a_network_that_is_any_function() -> None:
    f, g = cr.Dense(1, "tanh", name="f"), cr.Dense(1, "tanh", name="g")
    network = cr.Network(lambda x, y: f(g(x, y)) + np.exp(f(x)) + g(x, y), dtype="float64").build(1, 1)
    data: Any = ((np.array([[0.3]]), np.array([[-0.8]])), np.array([[0.5]]))
    for where in ("g.weight[1, 0]", "f.weight[0, 0]", "f.bias[0]"):
        derivation = network.explain(*data, where, check=True)
        assert derivation.value != 0
    assert "sum over paths" in derivation.lines[-1].rules  # f is called twice


@pytest.mark.usefixtures("own_garbage")
def test_784_100_10_takes_less_than_50_milliseconds() -> None:
    network = cr.Network([cr.Dense(100, "relu", name="hidden"), cr.Dense(10, name="output")]).build(784)
    X = np.random.default_rng(0).random((1, 784))
    taken = []
    for _ in range(3):
        started = time.thread_time()
        str(network.explain(X, [3], "hidden.weight[400, 7]", loss="cross_entropy"))
        taken.append(time.thread_time() - started)
    assert min(taken) < 0.05


def test_errors_say_what_to_do() -> None:
    network = two_three_two()
    with pytest.raises(UnknownNameError, match=r"hidden\.weight"):
        network.explain(**C4, where="hiden.weight[0, 0]")
    with pytest.raises(ShapeError, match="outside"):
        network.explain(**C4, where="hidden.weight[0, 3]")
    with pytest.raises(ShapeError, match="give 2 numbers or letters"):
        network.explain(**C4, where="hidden.weight[0]")
    with pytest.raises(SettingError, match="depth"):
        network.explain(**C4, where="hidden.weight[0, 0]", depth="all")
    with pytest.raises(SettingError, match="single letters"):
        network.explain(**C4, where="hidden.weight[0, one]")
    with pytest.raises(DifferentiationError, match="does not depend"):  # cross-entropy takes the scores z
        cr.Network([cr.Dense(2, "softmax", name="output")]).explain([[0.1, 0.2]], [1], "output.a[0]")
    a, b = cr.values(a=1.0, b=2.0)
    with pytest.raises(DifferentiationError, match="was not computed from"):
        (a * 2).explain(b)
    with pytest.raises(SettingError, match="give a cr"):
        cr.explain(3.0, a)  # type: ignore[call-overload]
    with pytest.raises(UnknownNameError, match="form"):
        (a * 2).explain(a).to("word")


def test_what_is_kept_from_derivatives_has_none() -> None:
    v = cr.Value(2.0).named("v")
    total = v * v + cr.stop_gradient(-v)
    total.backward()
    assert v.grad == 4.0
    assert "2·1·2 = 4" in str(cr.explain(total, v))
    assert "= 1" in str(cr.explain(lambda v: v + cr.stop_gradient(-v))(3.0))


def test_softmax_with_cross_entropy_is_prediction_minus_target() -> None:
    """As people write it: p − y, by the name of the softmax's output, also of another layer and of many rows."""
    network = cr.Network([cr.Dense(3, "softmax", name="d")], dtype="float64").build(2)
    data: Any = [[0.4, -0.7]], [1]
    derivation = network.explain(*data, "d.z[1]", loss="cross_entropy", check=True)
    assert first_line(derivation).startswith("∂L/∂d.z[1] = d.a[1] − t[1] = ")
    assert derivation.value == pytest.approx(network(data[0])[0, 1] - 1.0)
    assert first_line(network.explain(*data, "d.weight[i, j]", loss="cross_entropy")) == (
        "∂L/∂d.weight[i, j] = (d.a[j] − t_j) · x_i"
    )
    rows = np.random.default_rng(0).normal(size=(4, 2))
    assert "t_k is 1 where target = k and 0 elsewhere; target = 1." in str(derivation)
    shared = network.explain(rows, [0, 1, 2, 1], "d.weight[0, 1]", loss="cross_entropy", check=True)
    assert "d.a[n, 1] − t[n, 1]" in first_line(shared)
    one_hot = network.explain([[0.4, -0.7]], [[0.0, 1.0, 0.0]], "d.z[1]", loss="cross_entropy")
    assert first_line(one_hot).startswith("∂L/∂d.z[1] =")
    a = cr.Value(np.array([1.0, 2.0, 4.0]), "a")
    p = cr.softmax(a).named("p")
    assert "+ 2 · p[1]" in first_line((np.sum(p) + cr.logsumexp(a) * 2.0).explain(a, index=[1]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("labels", "loss", "p_of"), [
    ([2, 0, 1, 2], "cross_entropy", lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)),
    ([1, 0, 0, 1], "binary_cross_entropy", lambda z: 1 / (1 + np.exp(-z))),
])  # fmt: skip
def test_gradients_of_scores_are_probabilities_minus_targets(labels: Any, loss: str, p_of: Any, dtype: str) -> None:
    """Where the loss makes the probabilities, they are p, told once; class numbers are zeros and ones t, told once."""
    outputs = max(labels) + (loss == "cross_entropy")
    network = cr.Network([cr.Dense(4, "tanh", name="h"), cr.Dense(outputs, name="o")], dtype=dtype, seed=3).build(2)
    X = np.random.default_rng(0).normal(size=(4, 2))
    right = np.eye(outputs)[labels] if outputs > 1 else np.array(labels)[:, None]
    slope, t = (p_of(np.asarray(network(X), float)) - right) / 4, "t" if outputs > 1 else "target"
    by_all = network.explain(X, labels, "o.z[n, j]" if outputs > 1 else "o.z[n, 0]", loss=loss)
    names = ("p_nj", "t_nj") if outputs > 1 else ("p[n, 0]", "target[n, 0]")
    assert first_line(by_all).split(" = ")[1].replace(" ", "") == f"1/4·({' − '.join(names)})".replace(" ", "")
    for n, k in np.ndindex(slope.shape):
        found = network.explain(X, labels, f"o.z[{n}, {k}]", loss=loss, check=True)
        assert found.value == pytest.approx(slope[n, k], abs=1e-7)
        assert f"1/4 · (p[{n}, {k}] − {t}[{n}, {k}])" in first_line(found)
    text = str(network.explain(X, labels, "h.weight[0, 1]", loss=loss, symbols={"target": "y"}))
    assert "logsumexp(" not in text
    assert text.count("p_nk = exp(o.z[n, k])/Σ_l exp(o.z[n, l])" if outputs > 1 else "p[n, 0] = σ(o.z[n, 0])") == 1
    assert text.count("y_nk is 1 where target[n] = k and 0 elsewhere.") == (outputs > 1)
    with pytest.raises(cr.ChainruleError, match="target"):
        network.explain(X, labels, "target[0]", loss=loss)


def test_rules_stand_beside_what_they_made_in_every_form() -> None:
    network = cr.Network([cr.Dense(3, "tanh", name="h"), cr.Dense(2, name="o")], dtype="float64").build(2)
    found = network.explain([[0.4, -0.7]], [1], "h.weight[0, 1]", loss="cross_entropy", symbols={"o.weight": "u"})
    assert "constant factor: u[1, k];" in str(found)
    assert "*sum rule; constant factor: $u_{1,\\ k}$; sum over paths; chain rule*" in found.to("markdown")
    assert r"\mathrm{constant\ factor{:}\ }u_{1,\ k}\mathrm{;\ }" in found.to("latex")
    assert "constant factor: <math" in found.to("html")
    for form in ("html", "mathml"):
        minidom.parseString(f"<all>{found.to(form)}</all>".replace("&#160;", " "))


def test_latex_has_brackets_around_the_base_of_a_power() -> None:
    """Of every function: its LaTeX may be a fraction or a sum, whose power is none of its last part."""
    style, functions = LatexStyle(), [op for op in REGISTRY.values() if isinstance(op, Elementwise)]
    for op in functions:
        if (
            op.differentiable
            and len(op.partials) == 1
            and op.notation.form == "function"
            and not any(case.attributes for case in op.examples)
            and not op.notation.algebra
            and not op.textbook.value
            and not op.to_complex
        ):
            square = cr.derivation(lambda a, op=op: apply(op, a) ** 2).to("latex").splitlines()[0]
            assert (style.strength(op) < ATOM) == (r" = {\left(" in square)
    strong = {name: style.strength(REGISTRY[name]) for name in ("reciprocal", "sin", "expm1", "sum", "transpose")}
    assert strong == {"reciprocal": SIGN, "sin": ATOM, "expm1": SUM, "sum": SIGN, "transpose": POWER}


def test_no_single_term_or_element_is_left_out() -> None:
    """Where three are shown, the fourth of four stands in the room that telling of it would take."""
    for units in range(2, 8):
        network = cr.Network([cr.Dense(units, "tanh", name="h"), cr.Dense(units, "tanh", name="o")], dtype="float64")
        text = str(network.build(2).explain([[0.1, 0.2]], [[0.5] * units], "h.weight[0, 0]", loss="squared_error"))
        assert "and 1 more" not in text
        assert "and 1 further" not in text
        assert ("more like these" in text) == (units > 4)
