"""A step shown is the step `fit` takes: bit for bit, on every engine; and every number in it is what its name says."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.dom import minidom

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import SettingError, UnknownNameError
from chainrule.explanation.rendering.tables import table_of
from chainrule.explanation.training_steps.updates import formulas_of_update
from chainrule.training import OPTIMIZERS as OPTIMIZERS_BY_NAME
from trying import examples

STAGES = ("initial", "forward", "loss", "backward", "gather", "update")

OPTIMIZERS = (cr.SGD(0.1), cr.SGD(0.1, momentum=0.9, nesterov=True), cr.Adam(0.01), cr.RMSprop(0.01), cr.AdaGrad(0.1))


@st.composite
def cases(draw: Any) -> tuple[Any, Any, Any, dict[str, Any]]:
    """How to make a network, data, and options of fit."""
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    widths = draw(st.lists(st.integers(1, 20), min_size=1, max_size=2))
    kinds = [draw(st.sampled_from(["tanh", "relu", "sigmoid", "gelu", "softplus"])) for _ in widths]
    layers: list[Any] = [cr.Dense(n, kind) for n, kind in zip(widths, kinds, strict=True)]
    if draw(st.booleans()):
        layers.insert(1, cr.Dropout(0.3))
    outputs = draw(st.integers(2, 4))
    layers.append(cr.Dense(outputs))
    rows, features = draw(st.sampled_from([1, 2, 7, 40])), draw(st.integers(1, 9))
    X = random.normal(size=(rows, features))
    options: dict[str, Any] = {"optimizer": draw(st.sampled_from(OPTIMIZERS)), "l2": draw(st.sampled_from([0.0, 0.01]))}
    options["clip_norm"] = draw(st.sampled_from([None, 0.1]))
    options["seed"] = draw(st.integers(0, 5))
    if draw(st.booleans()):
        options["loss"], y = "cross_entropy", np.arange(rows) % outputs
    else:
        y = random.normal(size=(rows, outputs))
    dtype, seed = draw(st.sampled_from(["float32", "float64"])), draw(st.integers(0, 99))
    return lambda: cr.Network(layers, seed=seed, dtype=dtype), X, y, options


def assert_same_bits(found: Any, expected: Any) -> None:
    assert {k: list(v) for k, v in found.items()} == {k: list(v) for k, v in expected.items()}
    for layer, own in expected.items():
        for name, value in own.items():
            assert found[layer][name].dtype == value.dtype
            np.testing.assert_array_equal(found[layer][name], value, err_msg=f"{layer}.{name}")


@pytest.mark.parametrize(("engine", "number"), [("numpy", 30), ("llvm", 5)])
def test_a_step_is_the_step_of_fit_bit_for_bit(engine: str, number: int) -> None:
    @examples(number)
    @given(cases())
    def check(case: Any) -> None:
        make, X, y, options = case
        shown, fitted = make(), make()
        step = shown.step_by_step(X, y, engine=engine, **options)
        history = fitted.fit(X, y, epochs=1, batch_size=len(X), engine=engine, progress=False, **options)
        assert_same_bits(step.update.after, fitted.parameters)
        assert step.loss.value == history["loss"][0]
        assert step.exact
        assert_same_bits(shown.parameters, make().build(X.shape[1]).parameters)  # the network is left as it was

    check()


def test_the_default_engine_is_that_of_fit() -> None:
    make = lambda: cr.Network([cr.Dense(5, "tanh"), cr.Dense(1)], seed=2)  # noqa: E731
    X, y = np.random.default_rng(0).normal(size=(9, 3)), np.ones(9)
    shown, fitted = make(), make()
    step = shown.step_by_step(X, y)
    fitted.fit(X, y, epochs=1, batch_size=9, progress=False)
    assert_same_bits(step.update.after, fitted.parameters)


def test_values_in_between_are_numpys_where_an_engine_would_round_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    from chainrule.explanation.training_steps import stepping

    make_runner = stepping.make_runner

    class Otherwise:
        """A runner whose values are all a little off."""

        def __init__(self, runner: Any) -> None:
            self.load, self.run, self._runner = runner.load, runner.run, runner

        @property
        def state(self) -> list[Any]:
            return [x * (1 + 1e-6) for x in self._runner.state]

    def other(loop: Any, data: Any, engine: str, threads: Any) -> Any:
        runner = make_runner(loop, data, "numpy", threads)
        return runner if engine == "numpy" else Otherwise(runner)

    make = lambda: cr.Network([cr.Dense(5, "tanh"), cr.Dense(1)], seed=2)  # noqa: E731
    X, y = np.random.default_rng(0).normal(size=(9, 3)), np.ones(9)
    by_numpy, fitted = make().step_by_step(X, y, engine="numpy"), make()
    monkeypatch.setattr(stepping, "make_runner", other)
    step = make().step_by_step(X, y)
    fitted.fit(X, y, epochs=1, batch_size=9, progress=False)
    assert not step.exact
    assert_same_bits(step.update.after, fitted.parameters)
    np.testing.assert_array_equal(step.forward.layers[0].z, by_numpy.forward.layers[0].z)


WAYS: dict[str, dict[str, Any]] = {
    "all rows": {"optimizer": "adam"},
    "a rate for every step": {"optimizer": cr.SGD(cr.Cosine(0.5, epochs=4)), "batch_size": 3},
    "a smaller last batch": {"optimizer": cr.SGD(0.1, momentum=0.9), "batch_size": 4, "seed": 3},
    "in order": {"optimizer": "rmsprop", "batch_size": 2, "shuffle": False, "l2": 0.01},
    "nudged": {"optimizer": cr.SGD(0.3), "batch_size": 4, "gradients": "numerical"},
}


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
@pytest.mark.parametrize("middle", [[], [cr.Dropout(0.5)]])
@pytest.mark.parametrize("way", WAYS)
def test_following_steps_are_those_of_a_longer_fit(way: str, middle: list[Any], engine: str) -> None:
    """Mini-batch by mini-batch, to the bit: orders, smaller last batches, learning rates and random numbers."""
    make = lambda: cr.Network([cr.Dense(5, "tanh"), *middle, cr.Dense(1)], seed=2)  # noqa: E731
    X, y = np.random.default_rng(0).normal(size=(9, 3)), np.ones(9)
    options = {"batch_size": 9, **WAYS[way], "engine": engine}
    steps = [make().step_by_step(X, y, **options)]
    per_epoch = -(-9 // options["batch_size"])
    for _ in range(2 * per_epoch - 1):
        steps.append(steps[-1].following())
    fitted = make()
    history = fitted.fit(X, y, epochs=2, progress=False, record=True, **options)
    assert_same_bits(steps[-1].update.after, fitted.parameters)
    assert history.passes["forward"] == len(steps) * (steps[0].nudges.passes["forward"] if way == "nudged" else 1)
    for number, step in enumerate(steps):
        assert step.number == number
        assert step.exact
        batch = fitted.recording.batch(number)
        np.testing.assert_array_equal(step.rows, batch.rows)
        assert step.update.learning_rate == batch.learning_rate
        assert all(len(layer.a) == len(step.rows) for layer in step.forward)
        assert_same_bits(step.initial.parameters, fitted.recording.at(number).parameters)
    again = steps[-1].preceding()
    assert str(again) == str(steps[-2])
    assert str(steps[0].preceding()) == str(steps[0])
    if per_epoch > 1:
        assert f"mini-batch {per_epoch} of {per_epoch} in epoch 2: row" in steps[-1].initial.says


@examples(20)
@given(cases())
def test_every_number_is_what_its_name_says(case: Any) -> None:
    """Neuron by neuron, by the formulas of C1 and C2."""
    make, X, y, options = case
    network = make()
    step = network.step_by_step(X, y, engine="numpy", **options)
    tolerance: Any = {"rtol": 1e-9, "atol": 1e-12} if network.dtype == np.float64 else {"rtol": 1e-3, "atol": 1e-5}
    for reading in step.forward.layers:
        if reading.z is None:
            continue
        for neuron in reading.neurons:
            z = reading.inputs[0] @ neuron.weights + neuron.bias
            np.testing.assert_allclose(neuron.z, z, **tolerance)
    names = [layer.name for layer in step.backward]
    assert names == [layer.name for layer in step.forward][::-1]
    for layer in step.backward:
        if layer.dz is None:
            continue
        penalty = options["l2"] * network.parameters[layer.name]["weight"]
        for j, neuron in enumerate(layer.neurons):
            np.testing.assert_allclose(neuron.weights - penalty[:, j], layer.inputs[0].T @ neuron.delta, **tolerance)
            np.testing.assert_allclose(neuron.bias, neuron.delta.sum(), **tolerance)
        passed_on = sum(neuron.passed_on for neuron in layer.neurons)
        before = names.index(layer.name) + 1
        if before < len(names):
            np.testing.assert_allclose(step.backward.layers[before].da, passed_on, **tolerance)
        weight_gradient = step.gather.gradients[layer.name]["weight"]
        np.testing.assert_array_equal(np.stack([n.weights for n in layer.neurons], axis=1), weight_gradient)


def test_activations_slopes_are_the_derivatives_by_formula() -> None:
    network = cr.Network([cr.Dense(3, "sigmoid", name="hidden"), cr.Dense(2)], dtype="float64")
    step = network.step_by_step(np.ones((4, 2)), np.ones((4, 2)))
    a, hidden = step.forward["hidden"].a, step.backward["hidden"]
    np.testing.assert_allclose(hidden.dz, hidden.da * a * (1 - a), rtol=1e-13)


class TestMazur:
    def step(self) -> Any:
        hidden = cr.Dense(2, "sigmoid", weight=[[0.15, 0.25], [0.20, 0.30]], bias=0.35, name="hidden")
        output = cr.Dense(2, "sigmoid", weight=[[0.40, 0.50], [0.45, 0.55]], bias=0.60, name="output")
        network = cr.Network([hidden, output], dtype="float64", frozen=["*.bias"]).build(2)
        return network.step_by_step([[0.05, 0.10]], [[0.01, 0.99]], loss="l2_norm", optimizer=cr.SGD(0.5))

    def test_the_published_numbers(self) -> None:
        step = self.step()
        assert step.forward.layers[0].neurons[0].z[0] == pytest.approx(0.3775, rel=1e-12)
        assert step.forward["output"].neurons[0].a[0] == pytest.approx(0.75136507, abs=5e-9)
        assert step.loss.value == pytest.approx(0.29837110876000267, rel=1e-15)
        assert step.loss.gradient[0, 0] == pytest.approx(0.74136507, abs=5e-9)
        assert step.backward["output"].neurons[0].delta[0] == pytest.approx(0.138498562, abs=5e-10)
        assert step.backward["hidden"].da[0, 0] == pytest.approx(0.036350306, abs=5e-10)
        assert step.gather.gradients["hidden"]["weight"][0, 0] == pytest.approx(0.00043856773447434674, rel=1e-13)
        assert step.update.after["output"]["weight"][0, 0] == pytest.approx(0.3589164797178846, rel=1e-15)

    def test_the_error_after_one_step_is_not_that_of_hidden_gradients_from_new_weights(self) -> None:
        after = self.step().following().loss.value
        assert after == pytest.approx(0.29102777369359933, rel=1e-14)
        assert after != pytest.approx(0.29102792390544197, rel=1e-9)  # with Mazur's slip


def test_walking_forwards_and_back() -> None:
    network = cr.Network([cr.Dense(3, "tanh", name="hidden"), cr.Dense(1, name="output")])
    step = network.step_by_step(np.ones((2, 2)), [[0.0], [1.0]], engine="numpy")
    whole = [step.next() for _ in STAGES]
    assert whole == list(step)
    assert step.next() is step.update
    assert [step.back() for _ in STAGES[:-1]] == list(step)[-2::-1]
    assert step.back() is step.initial
    assert step.here is step.initial
    pages = [step.next("layer") for _ in range(7)]
    assert [page.title for page in pages] == [
        *["Forward pass"] * 2, "Loss", *["Backward pass"] * 2, "Gather the gradients", "Update",
    ]  # fmt: skip
    assert [page.layers[0].name for page in pages[:2]] == ["hidden", "output"]
    assert [page.layers[0].name for page in pages[3:5]] == ["output", "hidden"]
    assert step.back("layer").title == "Gather the gradients"
    with pytest.raises(SettingError, match="stage"):
        step.next("neuron")


def test_a_table_leaves_out_no_single_row_or_column() -> None:
    for rows in range(1, 20):
        for columns in range(1, 12):
            for count in (1, 2, 3):
                arrays = {str(k): np.ones((rows, columns)) for k in range(count)}
                table = table_of("", arrays, 3, axes=("inputs", "units"))
                assert "1 more" not in table.note.replace("1 more rows", "")
                assert ("more" in table.note) == (len(table.rows) < rows or len(table.heads) - 1 < columns * count)


SIGNS = {
    "′": "_new",
    "·": "*",
    "−": "-",
    "²": "**2",
    "^": "**",
    "√": "np.sqrt",
    "η": "rate",
    "clip": "np.clip",
    "sign": "np.sign",
}


def number_of(formula: str, known: dict[str, float]) -> float:
    """What a formula gives, read by Python in the signs of its own language."""
    formula = re.sub(r"\b(w|g|t|η)\(", r"\1*(", formula)
    for sign, typed in SIGNS.items():
        formula = formula.replace(sign, typed)
    return float(eval(formula, {"np": np}, known))


OWN = {
    **OPTIMIZERS_BY_NAME,
    "momentum": cr.SGD(0.1, momentum=0.9),
    "nesterov": cr.SGD(0.1, momentum=0.9, nesterov=True),
    "under the root": cr.AdaGrad(epsilon_under_root=True),
    "plain": cr.Adam(beta1=0.0),
}


@pytest.mark.parametrize("name", OWN)
def test_formulas_of_an_update_give_the_update(name: str) -> None:
    """Read as Python, from what the optimizer kept before, they give what its own code gives."""
    optimizer, random = OWN[name], np.random.default_rng(1)
    formulas = formulas_of_update(optimizer, (2, 3))
    assert list(formulas) == [*optimizer.initial_state(np.zeros((2, 3))), "w"]
    w = random.normal(size=(2, 3))
    state = dict(optimizer.initial_state(w))
    for t in (1.0, 2.0, 3.0):
        g = random.normal(size=w.shape)
        new, after = optimizer.update(g, w, state, 0.1, t)
        for place in np.ndindex(w.shape):
            known = {"w": w[place], "g": g[place], "rate": 0.1, "t": t} | {key: x[place] for key, x in state.items()}
            for key, formula in formulas.items():
                left, right = formula.text.split(" = ", 1)
                assert left == f"{key}′"
                known[f"{key}_new"] = number_of(right, known)
                assert known[f"{key}_new"] == pytest.approx({**after, "w": new}[key][place], rel=1e-9), formula.text
        w, state = new, dict(after)


def test_the_table_of_an_update_has_what_the_optimizer_keeps() -> None:
    network = cr.Network([cr.Dense(3, "tanh", name="hidden"), cr.Dense(1, name="output")])
    first = network.step_by_step(np.ones((2, 2)), [0.0, 1.0], optimizer=cr.Adam(0.1), frozen=["output"])
    second = first.following()
    weight = second.update.tables[0]
    assert weight.heads == ("input, unit", "w", "g", "mean", "mean′", "mean_square", "mean_square′", "w′")
    assert len(weight.rows) == 6
    assert [row[3] for row in weight.rows] == [
        row[4] for row in first.update.tables[0].rows
    ]  # mean, from the step before
    assert "t = 2" in second.update.says
    assert second.update.tables[2].heads == ("input, unit", "w", "w′")


def test_calls_of_a_shared_layer_have_numbers_of_their_own() -> None:
    shared = cr.Dense(3, "tanh", name="g")
    network = cr.Network([shared, shared, cr.Dense(1)], dtype="float64").build(3)
    X, y = np.random.default_rng(0).normal(size=(4, 3)), [0.0, 1.0, 2.0, 3.0]
    step = network.step_by_step(X, y)
    assert [layer.name for layer in step.forward] == ["g", "g#2", "dense_0"]
    assert [layer.name for layer in step.backward] == ["dense_0", "g#2", "g"]
    assert [layer.name for layer in network.forward(X)] == ["g", "g#2", "dense_0"]
    first, second = step.backward["g"], step.backward["g#2"]
    for j in range(3):
        np.testing.assert_allclose(first.neurons[j].weights, X.T @ first.dz[:, j])
        np.testing.assert_allclose(second.neurons[j].weights, step.forward["g"].a.T @ second.dz[:, j])
        both = first.neurons[j].weights + second.neurons[j].weights
        np.testing.assert_allclose(both, step.gather.gradients["g"]["weight"][:, j])
        assert first.neurons[j].bias + second.neurons[j].bias == pytest.approx(step.gather.gradients["g"]["bias"][j])


def test_tables() -> None:
    network = cr.Network([cr.Dense(30, "tanh", name="hidden"), cr.Dense(2, name="output")])
    step = network.step_by_step(np.ones((20, 2)), [0, 1] * 10, engine="numpy")
    text = str(step)
    for number, title in enumerate(["Initialise", "Forward pass", "Loss", "Backward pass", "Gather", "Update"], 1):
        assert f"{number}. {title}" in text
    assert "… and 18 more rows, 17 more samples" in text
    for table in step.update.tables:
        minidom.parseString(f"<all>{table._repr_html_()}</all>")
    assert max(map(len, text.splitlines())) <= 120


def test_errors_say_what_to_do() -> None:
    network = cr.Network([cr.Dense(1, name="output")])
    step = network.step_by_step(np.ones((2, 2)), [0.0, 1.0])
    with pytest.raises(UnknownNameError, match="output"):
        step.forward["hidden"]
    with pytest.raises(AttributeError, match="gradients"):
        _ = step.gather.weights


def test_json_has_every_number_by_its_key():
    network = cr.Network([cr.Dense(3, "tanh", name="h"), cr.Dropout(0.5), cr.Dense(2, name="o")]).build(2)
    X, y = np.array([[0.4, -0.7], [0.1, 0.3]]), np.array([0, 1])
    step = network.step_by_step(X, y, optimizer=cr.Adam(0.1), clip_norm=0.01)
    data = json.loads(step.to("json"))
    assert (data["version"], data["kind"], data["exact"]) == (1, "training step", step.exact)
    stages = {stage["name"]: stage["numbers"] for stage in data["stages"]}
    assert list(stages) == ["initial", "forward", "loss", "backward", "gather", "update"]

    def array(stage, key):
        found = stages[stage][key]
        return np.array(found["values"], found["dtype"]).reshape(found["shape"])

    for name, own in network.parameters.items():
        for key, x in own.items():
            assert np.array_equal(array("initial", f"{name}.{key}"), x)
            assert np.array_equal(array("gather", f"∂L/∂{name}.{key}"), step.gather.gradients[name][key])
            assert np.array_equal(array("update", f"{name}.{key}"), step.update.after[name][key])
    assert np.array_equal(array("forward", "h.z"), step.forward["h"].z)
    assert np.array_equal(array("backward", "∂L/∂h.z"), step.backward["h"].dz)
    assert stages["loss"]["L"]["values"] == step.loss.value
    assert data["stages"][-1]["formulas"]
    assert step.to("text") == str(step)
    with pytest.raises(cr.ChainruleError, match="json"):
        step.to("pdf")


def test_nudges_are_those_of_a_fit_by_nudging() -> None:
    """Every loss computed again by itself, the quotients of it, and the exact gradient beside them."""
    make = lambda: cr.Network([cr.Dense(2, "sigmoid", name="h"), cr.Dense(1, "sigmoid", name="o")], seed=1)  # noqa: E731
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1.0], [1.0], [0.0]])
    options: dict[str, Any] = {"loss": "squared_error", "optimizer": cr.SGD(2.0)}
    step, fitted = make().step_by_step(X, y, gradients="numerical", **options), make()
    fitted.fit(X, y, gradients="numerical", epochs=1, batch_size=4, progress=False, **options)
    assert_same_bits(step.update.after, fitted.parameters)
    nudges, exact = step.nudges, make().step_by_step(X, y, **options).gather.gradients
    assert nudges.passes == {"forward": 10, "backward": 0}
    start = {layer: {k: np.array(v, float) for k, v in own.items()} for layer, own in step.initial.parameters.items()}

    def loss(p: Any) -> float:
        hidden = 1 / (1 + np.exp(-(X @ p["h"]["weight"] + p["h"]["bias"])))
        return float(np.mean((1 / (1 + np.exp(-(hidden @ p["o"]["weight"] + p["o"]["bias"]))) - y) ** 2))

    assert nudges.before == pytest.approx(loss(start), rel=1e-6)  # a metric, in float32
    for layer, own in start.items():
        for name, values in own.items():
            for place in np.ndindex(values.shape):
                kept, before = values[place], loss(start)
                values[place] += 1e-4
                assert nudges.after[layer][name][place] == pytest.approx(loss(start), rel=1e-13)
                assert nudges.measured[layer][name][place] == pytest.approx((loss(start) - before) / 1e-4, abs=1e-10)
                values[place] = kept
            np.testing.assert_allclose(nudges.exact[layer][name], exact[layer][name], rtol=1e-4)
            np.testing.assert_allclose(nudges.measured[layer][name], nudges.exact[layer][name], atol=1e-4)
    table = step.nudges.tables[1]
    assert table.heads == ("input, unit", "w", "L(w + ε)", "ΔL/ε", "∂L/∂w")
    data = json.loads(step.to("json"))["stages"]
    assert [stage["name"] for stage in data] == ["initial", "forward", "loss", "nudges", "gather", "update"]
    assert data[3]["numbers"]["L(h.bias + ε)"]["values"] == nudges.after["h"]["bias"].tolist()
    with pytest.raises(AttributeError, match="nudges"):
        _ = step.backward


def test_nudges_of_many_parameters_are_those_of_a_fit() -> None:
    """So many that they are nudged batch by batch, in a loop."""
    make = lambda: cr.Network([cr.Dense(40, "tanh"), cr.Dense(40, "tanh"), cr.Dense(1)], seed=1)  # noqa: E731
    X, y = np.array([[0.1, 0.4], [-0.3, 0.2]]), np.array([0.5, -0.5])
    step, fitted = make().step_by_step(X, y, gradients="numerical"), make()
    fitted.fit(X, y, gradients="numerical", epochs=1, batch_size=2, progress=False)
    assert_same_bits(step.update.after, fitted.parameters)
    nudges = step.nudges
    assert nudges.passes == {"forward": 1 + 1801, "backward": 0}
    for layer, own in nudges.exact.items():
        for name, exact in own.items():
            np.testing.assert_allclose(nudges.measured[layer][name], exact, atol=1e-3)


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_tables_are_no_wider_than_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that find no room stand below, behind the words of their rows again; none is lost."""
    monkeypatch.setenv("COLUMNS", str(columns))
    network = cr.Network([cr.Dense(3, "tanh", name="h"), cr.Dense(2, name="o")], dtype="float64")
    step = network.step_by_step(np.ones((4, 2)), np.ones((4, 2)), loss="mse", optimizer=cr.Adam(0.1), engine="numpy")
    for stage in step:
        for table in stage.tables:
            lines = str(table).splitlines()[1:]
            assert max(map(len, lines)) <= columns
            cells = [cell for line in lines for cell in line.split()]
            for row in (table.heads, *table.rows):
                assert all(word in cells for cell in row for word in cell.split())
