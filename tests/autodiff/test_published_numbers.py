"""Worked examples of backpropagation as their authors print them, digit by digit, in plain NumPy."""

import numpy as np
import pytest

from chainrule.autodiff import derivative, grad, jvp, value_and_grad, vjp
from chainrule.engines import evaluate
from chainrule.tracing import simplify, trace
from chainrule.tracing.functions import sigmoid

# --- numerical derivatives, partial derivatives, gradients


def parabola(x):
    return 3 * x**2 - 4 * x + 5


def test_parabola():
    """f(3) = 20, f′(3) = 14, and 14.003 by a forward difference with h = 0.001."""
    assert parabola(3.0) == 20.0
    assert grad(parabola)(3.0) == 14.0
    assert derivative(parabola, 3.0, method="forward", h=0.001) == pytest.approx(14.003, abs=1e-9)
    assert derivative(parabola, 3.0, method="backward", h=0.001) == pytest.approx(13.997, abs=1e-9)
    assert derivative(parabola, 3.0, method="central", h=0.001) == pytest.approx(14.0, abs=1e-9)
    assert derivative(parabola, 3.0) == pytest.approx(14.0, abs=1e-8)
    assert grad(parabola)(2 / 3) == pytest.approx(0.0, abs=1e-15)


def test_partial_derivatives_of_a_product_and_sum():
    """d = a·b + c: ∂d/∂a = b, ∂d/∂b = a, ∂d/∂c = 1."""
    d = lambda a, b, c: a * b + c  # noqa: E731
    assert value_and_grad(d, argnums=(0, 1, 2))(2.0, -3.0, 10.0) == (4.0, (-3.0, 2.0, 1.0))
    for i, expected in enumerate((-3.0, 2.0, 1.0)):
        at = [2.0, -3.0, 10.0]
        along = lambda v, i=i, at=at: d(*at[:i], v, *at[i + 1 :])  # noqa: E731
        for method in ("forward", "backward", "central"):
            assert derivative(along, at[i], method=method) == pytest.approx(expected, abs=1e-6)


def test_gradient_by_scalars_arrays_and_containers():
    """∇f(x, w) = (∂f/∂x, ∂f/∂w), with arguments of every form."""
    f = lambda x, w: np.sum(w * x**2)  # noqa: E731
    assert grad(f, argnums=(0, 1))(3.0, 2.0) == (12.0, 9.0)
    by_x, by_w = grad(f, argnums=(0, 1))(np.array([1.0, 3.0]), np.array([2.0, 4.0]))
    assert by_x.tolist() == [4.0, 24.0]
    assert by_w.tolist() == [1.0, 9.0]
    assert grad(lambda p: f(p["x"], p["w"]))({"x": 3.0, "w": 2.0}) == {"x": 12.0, "w": 9.0}
    numerical = derivative(lambda p: f(p["x"], p["w"]), {"x": 3.0, "w": 2.0})
    assert numerical["x"] == pytest.approx(12.0, rel=1e-8)


# --- Karpathy, "The spelled-out intro to neural networks and backpropagation: building micrograd" (2022)


def expression(a, b, c, f, *, e_nudge=0.0, d_nudge=0.0):
    e = a * b + e_nudge
    d = e + c + d_nudge
    return d * f


def test_expression_graph():
    a, b, c, f = 2.0, -3.0, 10.0, -2.0
    value, gradient = value_and_grad(expression, argnums=(0, 1, 2, 3))(a, b, c, f)
    assert (value, gradient) == (-8.0, (6.0, -4.0, -2.0, 4.0))
    by_inner = grad(lambda e, d: expression(a, b, c, f, e_nudge=e, d_nudge=d), argnums=(0, 1))(0.0, 0.0)
    assert by_inner == (-2.0, -2.0)
    moved = expression(*(x + 0.01 * g for x, g in zip((a, b, c, f), gradient, strict=True)))
    assert moved == pytest.approx(-7.286496, abs=1e-12)


def tanh_neuron(x1, x2, w1, w2, b):
    return np.tanh(x1 * w1 + x2 * w2 + b)


def exponential_neuron(x1, x2, w1, w2, b):
    n = x1 * w1 + x2 * w2 + b
    e = np.exp(2 * n)
    return (e - 1) / (e + 1)


@pytest.mark.parametrize("neuron", [tanh_neuron, exponential_neuron])
def test_neuron(neuron):
    values = (2.0, 0.0, -3.0, 1.0, 6.881373587019543)
    o, gradient = value_and_grad(neuron, argnums=(0, 1, 2, 3, 4))(*values)
    assert o == pytest.approx(0.7071067811865476, rel=1e-14)
    assert gradient == pytest.approx((-1.5, 0.5, 1.0, 0.0, 0.5), abs=1e-14)


def test_neuron_in_single_precision_as_torch_prints_it():
    values = tuple(np.float32(x) for x in (2.0, 0.0, -3.0, 1.0, 6.8813735870195432))
    o, gradient = value_and_grad(tanh_neuron, argnums=(0, 1, 2, 3, 4))(*values)
    assert o.dtype == gradient[0].dtype == np.float32
    assert float(o) == pytest.approx(0.7071066904050358, rel=3e-7)
    printed = (-1.5000003851533106, 0.5000001283844369, 1.0000002567688737, 0.0)
    assert [float(g) for g in gradient[:4]] == pytest.approx(printed, rel=6e-7)


def test_the_steps_inside_the_exponential_neuron():
    n = 0.8813735870195432
    whole = lambda m: (np.exp(m) - 1) / (np.exp(m) + 1)  # noqa: E731
    of_e = lambda e: (e - 1) / (e + 1)  # noqa: E731
    e = np.exp(2 * n)
    assert (2 * n, grad(whole)(2 * n)) == pytest.approx((1.7627, 0.25), abs=5e-5)
    assert (e, grad(of_e)(e)) == pytest.approx((5.8284, 0.0429), abs=5e-5)
    top, bottom = value_and_grad(lambda a, b: a / b, argnums=(0, 1))(e - 1, e + 1)[1]
    assert (e - 1, top) == pytest.approx((4.8284, 0.1464), abs=5e-5)
    assert (e + 1, bottom) == pytest.approx((6.8284, -0.1036), abs=5e-5)
    assert (1 / (e + 1), grad(lambda r: (e - 1) * r)(1 / (e + 1))) == pytest.approx((0.1464, 4.8284), abs=5e-5)


def test_values_used_twice():
    assert grad(lambda a: a + a)(3.0) == 2.0
    assert value_and_grad(lambda a, b: (a * b) * (a + b), argnums=(0, 1))(-2.0, 3.0) == (-6.0, (-3.0, -8.0))


def readme(a, b):
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + np.maximum(b + a, 0.0)
    d += 3 * d + np.maximum(b - a, 0.0)
    e = c - d
    f = e**2
    g = f / 2.0
    return g + 10.0 / f


def test_micrograd_readme():
    g, (by_a, by_b) = value_and_grad(readme, argnums=(0, 1))(-4.0, 2.0)
    assert g == pytest.approx(24.70408163265306, rel=1e-14)
    assert by_a == pytest.approx(138.8338192419825, rel=1e-14)
    assert by_b == pytest.approx(645.5772594752186, rel=1e-14)


def test_micrograd_sanity_check():
    def function(x):
        z = 2 * x + 2 + x
        q = np.maximum(z, 0.0) + z * x
        h = np.maximum(z * z, 0.0)
        return h + q + q * x

    assert value_and_grad(function)(-4.0) == (-20.0, 46.0)


# --- Olah, "Calculus on computational graphs" (2015)


def test_sum_over_paths():
    e = lambda a, b: (a + b) * (b + 1)  # noqa: E731
    assert value_and_grad(e, argnums=(0, 1))(2.0, 1.0) == (6.0, (2.0, 5.0))
    by_path = grad(lambda via_c, via_d: (2.0 + via_c) * (via_d + 1), argnums=(0, 1))(1.0, 1.0)
    assert by_path == (2.0, 3.0)
    assert jvp(e, (2.0, 1.0), (0.0, 1.0)) == (6.0, 5.0)  # forward mode gives the derivatives by one input,
    assert vjp(e, 2.0, 1.0)[1](1.0) == (2.0, 5.0)  # reverse mode those by all


# --- Karpathy and others, Stanford CS231n, "Backpropagation, intuitions"


def test_circuit():
    f = lambda x, y, z: (x + y) * z  # noqa: E731
    assert value_and_grad(f, argnums=(0, 1, 2))(-2.0, 5.0, -4.0) == (-12.0, (-4.0, -4.0, 3.0))


def test_sigmoid_neuron():
    f = lambda w, x: sigmoid(w[0] * x[0] + w[1] * x[1] + w[2])  # noqa: E731
    w, x = np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0])
    value, (by_w, by_x) = value_and_grad(f, argnums=(0, 1))(w, x)
    assert value == pytest.approx(0.7310585786300049, rel=1e-15)
    np.testing.assert_allclose(by_w, [-0.19661193324148185, -0.3932238664829637, 0.19661193324148185], rtol=1e-14)
    np.testing.assert_allclose(by_x, [0.3932238664829637, -0.5898357997244456], rtol=1e-14)
    assert grad(sigmoid)(1.0) == pytest.approx(0.19661193324148185, rel=1e-14)


# --- Nielsen, "Neural networks and deep learning", chapter 3: one neuron learns to give 0 for 1


@pytest.mark.parametrize(
    ("start", "outputs"),
    [
        ((0.6, 0.9), {0: 0.8175744762, 1: 0.8120549688, 150: 0.1527398856, 300: 0.0939556949}),
        ((2.0, 2.0), {0: 0.98201379, 1: 0.9819216511, 150: 0.9334174726, 300: 0.2028484243}),
    ],
)
def test_one_neuron_learns(start, outputs):
    output = lambda p: sigmoid(p[0] * 1.0 + p[1])  # noqa: E731
    cost = trace(grad(lambda p: output(p) ** 2 / 2), np.zeros(2))
    p, step = np.array(start), simplify(cost)
    for epoch in range(301):
        if epoch in outputs:
            assert output(p) == pytest.approx(outputs[epoch], abs=5e-10 if epoch else 5e-9)
        p = p - 0.15 * evaluate(step, p)


# --- Mazur, "A step by step backpropagation example" (2015); recomputed exactly


WEIGHTS = {"w1": 0.15, "w2": 0.20, "w3": 0.25, "w4": 0.30, "w5": 0.40, "w6": 0.45, "w7": 0.50, "w8": 0.55}
BIASES = {"b1": 0.35, "b2": 0.60}
GRADIENT = {
    "w1": 0.00043856773447434674, "w2": 0.0008771354689486935, "w3": 0.0004977127352608601,
    "w4": 0.0009954254705217202, "w5": 0.08216704056423078, "w6": 0.08266762784753326,
    "w7": -0.02260254047747506, "w8": -0.022740242215978212,
}  # fmt: skip
BY_BIASES = {"b1": 0.018725609394704135, "b2": 0.10040032511200075}
UPDATED = {
    "w1": 0.14978071613276284, "w2": 0.19956143226552564, "w3": 0.24975114363236958, "w4": 0.29950228726473915,
    "w5": 0.3589164797178846, "w6": 0.4086661860762334, "w7": 0.5113012702387375, "w8": 0.5613701211079891,
}  # fmt: skip
ERROR_AFTER = {1: 0.29102777369359933, 2: 0.28354713312241997, 3: 0.27594328888945185, 10: 0.22091859205390402}


def outputs(p, b):
    x = np.array([0.05, 0.10])
    hidden = sigmoid(np.stack([p["w1"] * x[0] + p["w2"] * x[1], p["w3"] * x[0] + p["w4"] * x[1]]) + b["b1"])
    first = p["w5"] * hidden[0] + p["w6"] * hidden[1]
    second = p["w7"] * hidden[0] + p["w8"] * hidden[1]
    return sigmoid(np.stack([first, second]) + b["b2"])


def errors(p, b):
    return 0.5 * (np.array([0.01, 0.99]) - outputs(p, b)) ** 2


def total(p, b):
    return np.sum(errors(p, b))


def test_two_layers_forwards_and_backwards():
    np.testing.assert_allclose(outputs(WEIGHTS, BIASES), [0.7513650695523157, 0.7729284653214626], rtol=1e-15)
    value, (by_weights, by_biases) = value_and_grad(total, argnums=(0, 1))(WEIGHTS, BIASES)
    assert value == pytest.approx(0.29837110876000267, rel=1e-15)
    assert by_weights == pytest.approx(GRADIENT, rel=1e-13)
    assert by_biases == pytest.approx(BY_BIASES, rel=1e-13)


def test_contributions_of_the_two_outputs():
    """How much of ∂E/∂w1 … ∂E/∂w4 comes by way of each output; the parts sum to the gradient."""
    _, pullback = vjp(lambda p: errors(p, BIASES), WEIGHTS)
    (first,), (second,) = pullback(np.array([1.0, 0.0])), pullback(np.array([0.0, 1.0]))
    printed = {
        "w1": (0.000668396021144, -0.00022982828667), "w2": (0.00133679204229, -0.00045965657334),
        "w3": (0.000749803774445, -0.000252091039184), "w4": (0.00149960754889, -0.000504182078368),
    }  # fmt: skip
    for name, parts in printed.items():
        assert (first[name], second[name]) == pytest.approx(parts, rel=1e-11)
        assert first[name] + second[name] == pytest.approx(GRADIENT[name], rel=1e-13)


def test_gradient_descent():
    """The exact trajectory: every gradient is taken before any weight changes."""
    p, gradient = dict(WEIGHTS), grad(total)
    for step in range(1, 11):
        found = gradient(p, BIASES)
        p = {name: w - 0.5 * found[name] for name, w in p.items()}
        if step == 1:
            assert p == pytest.approx(UPDATED, rel=1e-14)
            np.testing.assert_allclose(outputs(p, BIASES), [0.742088111190782, 0.77528496829446], rtol=1e-13)
        if step in ERROR_AFTER:
            assert total(p, BIASES) == pytest.approx(ERROR_AFTER[step], rel=1e-13)


def test_ten_thousand_steps_as_a_program():
    step = simplify(trace(lambda p: {k: p[k] - 0.5 * g for k, g in grad(total)(p, BIASES).items()}, WEIGHTS))
    p = dict(WEIGHTS)
    for count in range(1, 10_001):
        p = evaluate(step, p)
        if count in (100, 1000):
            expected = {100: 0.0200468282494252, 1000: 0.001114349453733746}[count]
            assert total(p, BIASES) == pytest.approx(expected, rel=1e-10)
    assert total(p, BIASES) == pytest.approx(3.510187782978859e-05, rel=1e-10)
    np.testing.assert_allclose(outputs(p, BIASES), [0.015913620444, 0.984064273515], rtol=1e-10)


# --- both modes


def test_both_modes_for_a_composition():
    """f₃(f₂(f₁(x))): forward mode carries the derivative outwards, reverse mode back; both multiply the same factors."""
    f1, f2, f3 = np.sin, np.exp, lambda v: v**2
    composed = lambda x: f3(f2(f1(x)))  # noqa: E731
    x = 0.7
    factors = [grad(f1)(x), grad(f2)(f1(x)), grad(f3)(f2(f1(x)))]
    assert jvp(composed, (x,), (1.0,))[1] == pytest.approx((factors[0] * factors[1]) * factors[2], rel=1e-15)
    assert grad(composed)(x) == pytest.approx(factors[0] * (factors[1] * factors[2]), rel=1e-15)


def test_reverse_mode_needs_one_pass_where_forward_mode_needs_one_for_each_input():
    """Counted in equations: the gradient of a loss with many parameters."""
    count = 50
    loss = lambda w: np.tanh(np.sum(w**2))  # noqa: E731
    w = np.linspace(-1.0, 1.0, count)
    backwards = len(simplify(trace(grad(loss), w)).equations)
    outwards = len(trace(lambda w: [jvp(loss, (w,), (unit,))[1] for unit in np.eye(count)], w).equations)
    assert backwards < 10
    assert outwards > count * 4
    np.testing.assert_allclose(grad(loss)(w), [jvp(loss, (w,), (unit,))[1] for unit in np.eye(count)], rtol=1e-13)
