"""Drawings of networks: random ones, the published ones, and large ones that fold."""

import itertools
import re
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from looking import check_picture, texts_of

import chainrule as cr
from chainrule.errors import NotBuiltError, SettingError, UnknownNameError
from chainrule.explanation.drawing.network import PAGE, draw_network
from chainrule.explanation.drawing.palette import colour_of, number, signed
from chainrule.explanation.drawing.scene import Curve, Group, HeatMap
from chainrule.explanation.drawing.scopes import scoped
from chainrule.explanation.drawing.strongest import Strongest
from chainrule.tracing import check
from trying import examples


def heat_maps(drawing):
    return [shape for group in drawing.scene.groups() for shape in group.shapes if isinstance(shape, HeatMap)]


def row(*sizes, activation="tanh", **options):
    layers = [cr.Dense(n, activation) for n in sizes[1:-1]] + [cr.Dense(sizes[-1])]
    return cr.Network(layers, **options).build(sizes[0])


def mazur():
    """The 2-2-2 network of Mazur's worked example."""
    return cr.Network(
        [cr.Dense(2, "sigmoid", name="hidden"), cr.Dense(2, "sigmoid", name="output")],
        dtype="float64",
        parameters={
            "hidden.weight": [[0.15, 0.25], [0.2, 0.3]],
            "hidden.bias": [0.35, 0.35],
            "output.weight": [[0.4, 0.5], [0.45, 0.55]],
            "output.bias": [0.6, 0.6],
        },
    ).build(2)


def test_mazurs_numbers_stand_on_the_connections():
    drawing = mazur().draw([[0.05, 0.1]], [[0.01, 0.99]], loss="l2_norm", digits=6)
    check_picture(drawing)
    texts = texts_of(drawing)
    weights = ["+0.15", "+0.25", "+0.2", "+0.3", "+0.4", "+0.5", "+0.45", "+0.55", "+0.35", "+0.6"]
    gradients = ["+0.000438568", "+0.000877135", "+0.000497713", "+0.000995425"]
    gradients += ["+0.082167", "+0.0826676", "−0.0226025", "−0.0227402"]
    values = ["0.59327", "0.596884", "0.751365", "0.772928", "0.298371", "0.3775", "1.10591", "0.01", "0.99"]
    assert {*weights, *values, *gradients} <= set(texts)


def test_connections_have_the_colour_and_size_of_their_weights():
    network = row(3, 4, 2, seed=5)
    (content,) = [shape for shape in network.draw().scene.shapes if isinstance(shape, Group) and len(shape.shapes) > 15]
    lines = [shape for shape in content.shapes if isinstance(shape, Curve)]
    weights = [w for own in network.parameters.values() for w in own["weight"].T.ravel()]
    assert [line.colour for line in lines] == [colour_of(w) for w in weights]
    assert np.corrcoef([line.thickness for line in lines[:12]], np.abs(weights[:12]))[0, 1] > 0.999


def test_batches_show_means():
    network = mazur()
    X = np.array([[0.05, 0.1], [0.9, -0.7], [0.3, 0.2]])
    drawing = network.draw(X, np.zeros((3, 2)), loss="squared_error", digits=7)
    check_picture(drawing)
    texts = texts_of(drawing)
    readings = network.forward(X)
    for layer in readings:
        assert {number(x, 7) for x in [*layer.z.mean(axis=0), *layer.a.mean(axis=0)]} <= set(texts)
    assert {number(x, 7) for x in X.mean(axis=0)} <= set(texts)
    assert drawing.svg == network.draw(X, np.zeros((3, 2)), loss="squared_error", digits=7).svg


def test_local_derivatives_and_sums_over_the_rows():
    """∂a/∂z by a finite difference; what the loss changes with z, added up over rows, is the gradient by the bias."""
    network = mazur()
    for X in ([[0.05, 0.1]], [[0.05, 0.1], [0.9, -0.7], [0.3, 0.2]]):
        drawing = network.draw(X, np.full((len(X), 2), 0.3), loss="squared_error", digits=5)
        check_picture(drawing)
        texts = texts_of(drawing)
        slopes = {signed(g, 5) for own in gradients_of(network, X).values() for g in own["bias"]}
        assert slopes <= set(texts)
        sum_sign, mean = ("Σ ", "mean ") if len(X) > 1 else ("", "")
        assert texts.count(f"{sum_sign}∂L/∂z") == texts.count(f"{mean}∂a/∂z") == 4
        for layer in network.forward(np.array(X)):
            z, h = layer.z, 1e-6
            slope = (1 / (1 + np.exp(-z - h)) - 1 / (1 + np.exp(-z + h))) / (2 * h)
            assert {signed(x, 5) for x in slope.mean(axis=0)} <= set(texts)


def gradients_of(network, X):
    step = network.step_by_step(X, np.full((len(X), 2), 0.3), loss="squared_error")
    return step.gather.gradients


def test_a_softmax_has_no_local_derivative_of_its_own():
    """Every output depends on the z of all."""
    network = cr.Network([cr.Dense(3, "tanh"), cr.Dense(2, "softmax")], dtype="float64").build(2)
    drawing = network.draw(np.ones((1, 2)), [[0.0, 1.0]], loss="squared_error")
    check_picture(drawing)
    assert texts_of(drawing).count("∂a/∂z") == 3
    assert texts_of(drawing).count("∂L/∂a") == 5


@pytest.mark.parametrize("sizes", [(2, 3, 2), (3, 8, 8, 1), (64, 32, 10), (8, 16, 16, 4), (16, 5, 3)], ids=str)
def test_pictures_fit_a_page(sizes):
    """As far as they can be folded, and the note says how to see all."""
    network = row(*sizes)
    X, y = np.ones((4, sizes[0])), np.ones((4, sizes[-1]))
    for drawing in (network.draw(), network.draw(X, y, loss="squared_error")):
        check_picture(drawing)
        assert drawing.scene.width < 1340
        assert drawing.scene.height < 1100
        assert ("depth=3" in drawing.scene.description) == (sizes in ((3, 8, 8, 1), (16, 5, 3)))


def test_descriptions_say_what_is_drawn():
    """For those who cannot see it: the layers of a network, the values of a graph."""
    assert (
        mazur()
        .draw([[0.05, 0.1]], [[0.01, 0.99]], loss="l2_norm")
        .scene.description.startswith(
            "2 inputs: x; hidden: Dense, 2 neurons, sigmoid; output: Dense, 2 neurons, sigmoid; loss: L = 0.2984."
        )
    )
    assert "… " not in row(2, *[3] * 20, 1).draw().scene.description
    assert "13 further layers" in row(2, *[3] * 20, 1).draw().scene.description
    a, b = cr.values(a=2.0, b=-3.0)
    assert (a * b + a).named("L").draw().scene.description == "2 given values: a, b; 2 steps: a·b, L; L = −4."


def test_every_call_of_a_shared_layer_is_a_block():
    """Also of calls that follow each other at once."""
    shared = cr.Dense(2, "tanh", name="g")
    for times in (2, 3, 5):
        network = cr.Network([*[shared] * times, cr.Dense(1, name="last")], dtype="float64").build(2)
        drawing = network.draw(np.ones((1, 2)), [1.0], loss="squared_error")
        check_picture(drawing)
        texts = texts_of(drawing)
        assert [texts.count(name) for name in ("g", *(f"g#{i}" for i in range(2, times + 1)))] == [1] * times
        assert texts.count("Dense, 2 neurons, tanh") == times
        assert texts.count("g.weight") == 1
        found = network.evaluation(np.ones((1, 2)), [1.0], loss="squared_error")
        check(scoped(found).program)
        for i in range(2, times + 1):
            gradient = np.ravel(found.evaluation.cotangent(found.variable(f"g#{i}.a")))
            assert {number(g) for g in gradient} <= set(texts)


ACTIVATIONS = ["sigmoid", "tanh", "relu", "softplus", "identity"]


@examples(20)
@given(st.data())
def test_random_networks(data):
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=2, max_size=4))
    layers = []
    for n in sizes[1:]:
        bias = data.draw(st.sampled_from(["zeros", "normal", None]))
        layers.append(cr.Dense(n, data.draw(st.sampled_from(ACTIVATIONS)), bias=bias))
        if data.draw(st.booleans()):
            layers.append(cr.Activation("tanh"))
    dtype = data.draw(st.sampled_from(["float32", "float64"]))
    network = cr.Network(layers, dtype=dtype, seed=data.draw(st.integers(0, 1000))).build(sizes[0])
    rows = data.draw(st.integers(1, 3))
    random = np.random.default_rng(0)
    X, y = random.normal(size=(rows, sizes[0])), random.normal(size=(rows, sizes[-1]))
    shown = data.draw(st.sampled_from(["parameters", "values", "gradients"]))
    if shown == "parameters":
        drawing = network.draw()
    elif shown == "values":
        drawing = network.draw(X)
    else:
        drawing = network.draw(X, y, loss="squared_error")
    check_picture(drawing)
    texts = texts_of(drawing)
    if "layer, folded" in texts or heat_maps(drawing):
        return
    for name, value in network.evaluation(X).evaluation.names.items():
        if value.endswith((".weight", ".bias")):
            layer, key = value.split(".")
            assert {signed(x) for x in network.parameters[layer][key].ravel()} <= set(texts), name
    if shown == "gradients":
        found = network.evaluation(X, y, loss="squared_error")
        for name, x in found.known.items():
            if name.endswith((".weight", ".bias")):
                assert {signed(g) for g in np.ravel(found.evaluation.cotangent(x))} <= set(texts)


@pytest.mark.parametrize("sizes", [(2, 2, 1), (2, 3, 2), (3, 8, 8, 1), (1, 1), (16, 5, 3)], ids=str)
def test_small_networks_show_every_connection(sizes):
    network = row(*sizes)
    X, y = np.ones((1, sizes[0])), np.ones((1, sizes[-1]))
    for drawing in (network.draw(depth=3), network.draw(X, y, loss="squared_error", depth=3)):
        check_picture(drawing)
        assert not heat_maps(drawing)
        tips = [group.tip for group in drawing.scene.groups() if ".weight[" in group.tip]
        assert len({tip.split(" = ")[0] for tip in tips}) == sum(a * b for a, b in itertools.pairwise(sizes))


@pytest.mark.parametrize("sizes", [(64, 32, 10), (784, 100, 10), (40, 3, 40), (3, 300, 1)], ids=str)
def test_large_networks_fold(sizes):
    network = row(*sizes)
    X, y = np.ones((4, sizes[0])), np.ones((4, sizes[-1]))
    for drawing in (network.draw(), network.draw(X), network.draw(X, y, loss="squared_error")):
        check_picture(drawing)
        assert heat_maps(drawing)
        assert len(drawing.svg) < 300_000
        assert "layer, folded" in texts_of(drawing)


@pytest.mark.usefixtures("own_garbage")
def test_64_32_10_takes_less_than_half_a_second():
    network = row(64, 32, 10)
    random = np.random.default_rng(0)
    X, y = random.normal(size=(32, 64)), random.normal(size=(32, 10))
    start = time.thread_time()
    svg = network.draw(X, y, loss="squared_error").svg
    assert time.thread_time() - start < 0.5
    assert len(svg) < 300_000


def test_folded_layers_unfold():
    network = row(20, 12, 4)
    X, y = np.ones((2, 20)), np.ones((2, 4))
    options = {"loss": "squared_error"}
    assert "dense_0[3]" not in texts_of(network.draw(X, y, depth=1, **options))
    neurons = network.draw(X, y, depth=2, **options)
    check_picture(neurons)
    assert {"dense_0[11]", "dense_1[3]"} <= set(texts_of(neurons))
    connections = network.draw(X, y, depth=3, **options)
    check_picture(connections)
    assert signed(network.parameters["dense_0"]["weight"][17, 3]) in texts_of(connections)
    focused = network.draw(X, y, focus="dense_1", **options)
    check_picture(focused)
    assert signed(network.parameters["dense_1"]["weight"][7, 2]) in texts_of(focused)
    assert "dense_0[3]" not in texts_of(focused)
    with pytest.raises(UnknownNameError, match="dense_1"):
        network.draw(focus="dense1")


def test_layers_too_large_for_neurons_stay_folded():
    drawing = row(3, 2000, 1).draw(depth=3)
    check_picture(drawing)
    assert "dense_0[5]" not in texts_of(drawing)


def test_very_deep_networks_fold_in_the_middle():
    layers = [cr.Dense(3, "tanh") for _ in range(40)]

    def residual(x):
        for layer in layers:
            x = x + layer(x)
        return x

    for network, sign in ((row(2, *[3] * 39, 1), "… 32 layers"), (cr.Network(residual).build(3), "operations")):
        drawing = network.draw()
        check_picture(drawing)
        assert any(text.startswith("… ") and sign in text for text in texts_of(drawing))
        assert drawing.scene.width < 6000
        assert len(str(drawing)) < 100


def formula_network():
    """The arbitrary network of the specification."""
    f, g = cr.Dense(1, "tanh", name="f"), cr.Dense(1, "tanh", name="g")
    h = cr.Dense(1, "softplus", name="h")
    one, two = cr.Dense(1, "sigmoid", name="sigma_1"), cr.Dense(1, "sigmoid", name="sigma_2")
    b = cr.Parameter((1,), name="b")

    def formula(x, y):
        return f(g(x, y)) + h(g(x, y)) + np.exp(f(x)) + one(x, y) + two(g(x, y), f(x)) + b

    return cr.Network(formula, dtype="float64", seed=2).build(1, 1)


def test_any_formula_is_drawn_by_its_layers():
    network = formula_network()
    X, y = (np.array([[0.3]]), np.array([[-0.5]])), np.array([[1.2]])
    drawing = network.draw(X, y, loss="squared_error")
    check_picture(drawing)
    texts = texts_of(drawing)
    assert [texts.count(name) for name in ("f", "f#2", "g", "h", "sigma_1", "sigma_2", "sum", "loss")] == [1] * 8
    assert texts.count("f.weight") == 1  # shared by both calls
    assert "exp" in texts
    found = network.evaluation(X, y, loss="squared_error")
    for name in ("f.weight", "f.bias", "g.weight", "b.value", "x", "y"):
        gradient = np.ravel(found.evaluation.cotangent(found.variable(name)))
        assert {number(g) for g in gradient} <= {text.lstrip("+") for text in texts}, name
    unfolded = network.draw(X, y, loss="squared_error", focus="g")
    check_picture(unfolded)
    assert "concatenate" in texts_of(unfolded)
    check_picture(network.draw())
    check_picture(network.draw(depth=5))


def test_long_sums_are_put_together_and_nothing_else():
    """Terms may be computed anywhere between; partial sums that something else uses stay apart."""
    one, two = cr.Dense(2, "tanh", name="one"), cr.Dense(2, name="two")

    def formula(x):
        partial = x + one(x) + x * 2.0
        return partial + two(x) + np.exp(x) + partial * x + one(two(x))

    network = cr.Network(formula, dtype="float64").build(2)
    found = network.evaluation(np.ones((1, 2)))
    program = check(scoped(found).program)
    sums = [equation for equation in program.equations if equation.scope == "sum"]
    assert [equation.op.name for equation in sums] == ["add"] * 4
    places = [i for i, equation in enumerate(program.equations) if equation.scope == "sum"]
    assert places == list(range(places[0], places[0] + 4))
    assert {e.output for e in program.equations} <= {e.output for e in found.evaluation.program.equations}
    check_picture(network.draw(np.ones((1, 2))))
    assert texts_of(network.draw(np.ones((1, 2)), depth=5)).count("+") >= 6


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([cr.Flatten(), cr.Dense(3)], (2, 2)),
        ([cr.Dense(3), np.tanh, cr.Dense(2)], (2,)),
        ([cr.Dropout(0.5), cr.Dense(3, "softmax")], (2,)),
        ([cr.Dense(3, lambda x: np.maximum(x, 0.0) ** 2)], (2,)),
        ([cr.Activation("relu")], (3,)),
        (lambda x, y: {"a": cr.Dense(2, name="one")(x), "b": x * y} if False else x * y, (2,)),
    ],
    ids=["flatten", "function", "dropout", "own activation", "activation alone", "no layers"],
)
def test_layers_of_every_kind(layers, shape):
    network = cr.Network(layers)
    network.build(*[shape] * len(network.input_names))
    check_picture(network.draw())
    X = [np.full((2, *shape), 0.5) for _ in network.input_names]
    check_picture(network.draw(X[0] if len(X) == 1 else tuple(X)))


def test_a_network_trained_on_labels():
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    network = cr.Network([cr.Dense(3, "tanh"), cr.Dense(2)])
    network.fit(X, ["a", "b", "b", "a"], epochs=2, progress=False)
    drawing = network.draw(X, ["a", "b", "b", "a"])
    check_picture(drawing)
    assert any(text.startswith("4 rows") for text in texts_of(drawing))


def test_what_is_refused():
    with pytest.raises(NotBuiltError):
        cr.Network([cr.Dense(1)]).draw()
    network = row(2, 1)
    with pytest.raises(SettingError, match="y without X"):
        network.draw(y=[[1.0]])
    for wrong in ({"depth": -1}, {"digits": 0}):
        with pytest.raises(SettingError):
            network.draw(**wrong)


@pytest.mark.parametrize("sizes", [(784, 100, 10), (40, 3, 40), (3, 2000, 1)], ids=str)
def test_large_layers_unfold_to_the_largest_of_their_weights(sizes):
    network = row(*sizes)
    random = np.random.default_rng(1)
    X, y = random.normal(size=(2, sizes[0])), random.normal(size=(2, sizes[-1]))
    for name in network.layers:
        weight = network.parameters[name]["weight"]
        drawing = network.draw(X, y, loss="squared_error", focus=name)
        check_picture(drawing)
        assert drawing.scene.height < PAGE[1] + 100  # with its title, key and notes
        drawn = {group.tip.split(" = ")[0] for group in drawing.scene.groups() if f"{name}.weight[" in group.tip}
        shown = np.array([weight[tuple(map(int, re.findall(r"\d+", key.split("[")[1])))] for key in drawn])
        assert 8 <= len(drawn) <= 24
        assert np.sort(np.abs(shown)).tolist() == np.sort(np.abs(weight).ravel())[-len(drawn) :].tolist()
        said = next(text for text in texts_of(drawing) if text.endswith("of Σ|w|"))
        count, every, share = re.fullmatch(r"(\d+) of ([\d,]+) weights, ([\d.e+]+) % of Σ\|w\|", said).groups()
        assert (int(count), int(every.replace(",", ""))) == (len(drawn), weight.size)
        assert float(share) == pytest.approx(100 * np.abs(shown).sum() / np.abs(weight).sum(), rel=0.06)


def test_columns_are_headed_by_the_letters_of_formulas():
    found = row(2, 3, 1, seed=0).evaluation(np.ones((1, 2)), np.ones((1, 1)), loss="squared_error")
    names = {"dense_1.weight": "u", "dense_1.bias": "c"}
    texts = texts_of(draw_network(found, row(2, 3, 1).layers, symbols=names))
    assert {"w", "∂L/∂w", "b", "u", "∂L/∂u", "c"} <= set(texts)


def test_the_largest_weights_may_be_zero_or_not_finite():
    assert Strongest.of(np.zeros((3, 2))).share == 1.0
    wild = np.array([[np.nan, np.inf], [-np.inf, 1.0]])
    assert Strongest.of(wild, connections=2).inputs == {0: (1,), 1: (0,)}
