"""Networks as a user meets them: in a row and arbitrary, read neuron by neuron, given parameters, asked for predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, NotBuiltError, SettingError, ShapeError, UnknownNameError
from making import moons, numerical_gradient

X, Y = moons(40)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


class TestReadings:
    """SPEC B1 and B3: z = Σ wᵢxᵢ + b and a = act(z) are there to be read after a forward pass."""

    def test_neuron_by_neuron(self) -> None:
        network = cr.Network(
            [cr.Dense(3, "sigmoid", name="hidden", bias="normal"), cr.Dense(2)], dtype="float64"
        ).build(2)
        reading = network.forward(X[:4])
        hidden = reading["hidden"]
        assert len(reading) == 2
        assert [layer.name for layer in reading] == ["hidden", "dense_0"]
        assert len(hidden.neurons) == 3
        for j, neuron in enumerate(hidden.neurons):
            assert (neuron.layer, neuron.index) == ("hidden", j)
            for row in range(4):
                z = sum(neuron.weights[i] * X[row, i] for i in range(2)) + neuron.bias
                assert neuron.z[row] == pytest.approx(z, rel=1e-12)
                assert neuron.a[row] == pytest.approx(sigmoid(z), rel=1e-12)
            assert np.array_equal(neuron.a, hidden.a[:, j])
        assert np.array_equal(reading[1].inputs[0], hidden.a)
        assert np.array_equal(reading.outputs, network(X[:4]))
        assert "hidden: a (4, 3)" in repr(reading)

    def test_layers_without_activation(self) -> None:
        reading = cr.Network([cr.Flatten(), cr.Dropout()]).build((2, 2)).forward(np.ones((1, 2, 2)))
        assert reading["flatten_0"].z is None
        assert reading["dropout_0"].neurons[3].weights is None

    def test_shared_layers_are_read_call_by_call(self) -> None:
        layer = cr.Dense(2, "tanh", name="twice")
        reading = cr.Network([layer, layer]).build(2).forward(np.ones((1, 2)))
        assert [one.name for one in reading] == ["twice", "twice#2"]
        assert np.array_equal(reading[1].inputs[0], reading["twice"].a)

    def test_unknown_layer(self) -> None:
        with pytest.raises(UnknownNameError, match="did you mean 'dense_0'"):
            cr.Network([cr.Dense(1)]).build(1).forward(np.ones((1, 1)))["dense0"]


class TestParameters:
    def test_read_and_set_by_name(self) -> None:
        network = cr.Network([cr.Dense(2, name="a"), cr.Dense(1, name="b")]).build(3)
        assert network.parameters["a"]["weight"].shape == (3, 2)  # (inputs, outputs)
        network.parameters = {"a.bias": [1, 2], "b": {"weight": [[3], [4]]}}
        assert network.parameters["a"]["bias"].tolist() == [1, 2]
        assert network.parameters["b"]["weight"].tolist() == [[3], [4]]
        assert network.parameters["a"]["bias"].dtype == np.float32

    def test_given_when_made(self) -> None:
        W = np.arange(6.0).reshape(3, 2)
        for given in ({"a.weight": W}, {"a": {"weight": W}}):
            network = cr.Network([cr.Dense(2, name="a")], parameters=given)
            assert np.array_equal(network.build(3).parameters["a"]["weight"], W)

    def test_set_by_copy(self) -> None:
        network, W = cr.Network([cr.Dense(1)], dtype="float64").build(1), np.ones((1, 1))
        network.parameters = {"dense_0.weight": W}
        W[:] = 5
        assert network.parameters["dense_0"]["weight"] == 1

    def test_errors(self) -> None:
        network = cr.Network([cr.Dense(2)]).build(3)
        for given, error, words in [
            ({"dense_0.wieght": 1}, UnknownNameError, "did you mean 'dense_0.weight'"),
            ({"dense_0.weight": np.ones((2, 3))}, ShapeError, r"\(3, 2\).*\(2, 3\)"),
            ({"dense_0.bias": [1.0, np.nan]}, DataError, "NaN or infinite"),
            ({"dense_0.bias": ["a", "b"]}, DataError, "no numbers"),
            ({"dense_0": 3}, UnknownNameError, "dense_0"),
        ]:
            with pytest.raises(error, match=words):
                network.parameters = given
        assert (network.parameters["dense_0"]["bias"] == 0).all()


class TestArbitraryNetworks:
    def test_the_formula_of_the_source(self) -> None:
        """SPEC B4: ŷ = f(g(x,y)) + h(g(x,y)) + exp(f(x)) + σ(x,y) + σ(g(x,y), f(x)) + b."""
        f, g, h = cr.Dense(2, "tanh", name="f"), cr.Dense(2, name="g"), cr.Dense(2, "softplus", name="h")
        s, t = cr.Dense(2, "sigmoid", name="s"), cr.Dense(2, "sigmoid", name="t")
        b = cr.Parameter((2,), "normal", name="b")

        def formula(x: Any, y: Any) -> Any:
            return f(g(x, y)) + h(g(x, y)) + np.exp(f(x)) + s(x, y) + t(g(x, y), f(x)) + b

        network = cr.Network(formula, dtype="float64", seed=5).build(2, 2)
        random = np.random.default_rng(0)
        x, y = random.normal(size=(4, 2)), random.normal(size=(4, 2))
        assert list(network.parameters) == ["g", "f", "h", "s", "t", "b"]

        def plain(p: Any) -> Any:
            def dense(name: str, *inputs: Any) -> Any:
                return np.concatenate(inputs, axis=1) @ p[name]["weight"] + p[name]["bias"]

            inner, fx = dense("g", x, y), np.tanh(dense("f", x))
            return (
                np.tanh(dense("f", inner))
                + np.log(1 + np.exp(dense("h", inner)))
                + np.exp(fx)
                + sigmoid(dense("s", x, y))
                + sigmoid(dense("t", inner, fx))
                + p["b"]["value"]
            )

        np.testing.assert_allclose(network(x, y), plain(network.parameters), rtol=1e-12)
        gradient = cr.grad(lambda p: np.sum(network.model.apply(p, [x, y]).outputs ** 2))(network.parameters)
        for layer, own in network.parameters.items():
            for name, value in own.items():

                def objective(v: Any, layer: str = layer, name: str = name) -> float:
                    p = network.parameters
                    return float(np.sum(plain({**p, layer: {**p[layer], name: v}}) ** 2))

                expected = numerical_gradient(objective, value)
                np.testing.assert_allclose(gradient[layer][name], expected, rtol=1e-6, atol=1e-7)

    def test_a_gradient_by_several_paths_is_the_sum_over_them(self) -> None:
        w = cr.Parameter((), 0.7, name="w")
        network = cr.Network(lambda x: np.sin(w * x) + w * w * x + x, dtype="float64").build(1)
        gradient = cr.grad(lambda p: network.model.apply(p, [np.array([[2.0]])]).outputs[0, 0])(network.parameters)
        assert gradient["w"]["value"] == pytest.approx(np.cos(1.4) * 2 + 2 * 0.7 * 2, rel=1e-12)

    def test_options_of_the_function_are_no_inputs(self) -> None:
        layer = cr.Dense(1, weight=1.0)

        def scaled(x: Any, factor: float = 2.0, *, offset: float = 1.0) -> Any:
            return layer(x) * factor + offset

        assert cr.Network(scaled).input_names == ["x"]
        assert cr.Network(scaled).build(1)([[3.0]]).tolist() == [[7.0]]

    def test_skip_connections_learn(self) -> None:
        first, second, out = cr.Dense(8, "tanh"), cr.Dense(8, "tanh"), cr.Dense(1)

        def residual(x: Any) -> Any:
            h = first(x)
            return out(h + second(h))

        network = cr.Network(residual)
        network.fit(X, Y, epochs=120, optimizer=cr.Adam(0.03), progress=False)
        assert network.evaluate(X, Y)["accuracy"] > 0.95
        assert (network.predict(X) == Y).mean() == pytest.approx(network.evaluate(X, Y)["accuracy"])

    def test_several_inputs(self) -> None:
        layer, out = cr.Dense(6, "tanh"), cr.Dense(1)
        network = cr.Network(lambda left, right: out(layer(left, right)))
        left, right = X[:, :1], X[:, 1:]
        network.fit((left, right), Y, epochs=100, optimizer=cr.Adam(0.05), progress=False)
        by_name = {"right": right, "left": left}
        assert np.array_equal(network.predict((left, right)), network.predict(by_name))
        assert np.array_equal(network(left, right), network((left, right)))
        assert np.array_equal(network.forward(left, right).outputs, network(left, right))
        assert network.evaluate(by_name, Y)["accuracy"] > 0.9
        again = cr.Network(lambda left, right: out(layer(left, right)))
        again.fit(by_name, Y, epochs=100, optimizer=cr.Adam(0.05), progress=False)
        assert np.array_equal(again(left, right), network(left, right))
        for wrong, words in [
            (left, r"inputs left, right"),
            ((left,), "left, right"),
            ((left, right[:5]), "different numbers of rows: 40, 5"),
            ((left, X), r"input right.*\(40, 2\)"),
            ({"left": left, "rihgt": right}, "left, right"),
        ]:
            with pytest.raises(ShapeError, match=words):
                network.predict(wrong)

    @pytest.mark.parametrize("nested", [tuple, list, dict], ids=lambda kind: kind.__name__)
    def test_several_outputs(self, nested: Any) -> None:
        trunk, kind, size = cr.Dense(8, "tanh"), cr.Dense(2), cr.Dense(1)
        names = ("kind", "size") if nested is dict else (0, 1)

        def build(a: Any, b: Any) -> Any:
            return {"kind": a, "size": b} if nested is dict else nested((a, b))

        network = cr.Network(lambda x: build(kind(trunk(x)), size(trunk(x))), dtype="float64")
        labels, values = np.where(Y == 1, "in", "out"), X[:, 0] ** 2
        history = network.fit(
            X, build(labels, values), validation_data=(X, build(labels, values)), epochs=150, optimizer=cr.Adam(0.03),
            progress=False,
        )  # fmt: skip
        predicted = network.predict(X)
        assert isinstance(predicted, nested)
        assert (predicted[names[0]] == labels).mean() > 0.9
        assert predicted[names[1]].shape == (40,)
        assert np.abs(predicted[names[1]] - values).mean() < 0.3
        assert f"accuracy_{names[0]}" in history
        assert f"val_accuracy_{names[0]}" in history
        metrics = network.evaluate(X, build(labels.tolist(), values.tolist()))
        assert metrics == pytest.approx(network.evaluate(X, build(labels, values)))
        raw = network(X)
        expected = np.mean(cr.CrossEntropy()(raw[names[0]], (labels == "out").astype(int))) + np.mean(
            cr.SquaredError()(raw[names[1]], values[:, None])
        )
        assert metrics["loss"] == pytest.approx(expected, rel=1e-9)

    def test_losses_for_each_output(self) -> None:
        a, b = cr.Dense(1), cr.Dense(1)
        network = cr.Network(lambda x: {"a": a(x), "b": b(x)}, dtype="float64")
        y = {"a": X[:, 0], "b": Y}
        network.fit(X, y, loss={"a": cr.Huber(), "b": "hinge"}, epochs=1, progress=False)
        raw = network(X)
        expected = np.mean(cr.Huber()(raw["a"], X[:, :1])) + np.mean(cr.Hinge()(raw["b"], 2.0 * Y[:, None] - 1))
        assert network.evaluate(X, y)["loss"] == pytest.approx(expected, rel=1e-9)
        with pytest.raises(ShapeError, match=r"loss.*'a', 'b'"):
            network.fit(X, y, loss={"a": "huber"}, progress=False)
        with pytest.raises(ShapeError, match=r"outputs a, b"):
            network.fit(X, Y, progress=False)

    def test_class_attributes_serve_as_well(self) -> None:
        class Autoencoder:
            def __init__(self) -> None:
                self.encode, self.decode = cr.Dense(1, "tanh"), cr.Dense(2)

            def __call__(self, x: Any) -> Any:
                return self.decode(self.encode(x))

        network = cr.Network(Autoencoder())
        history = network.fit(X, X, epochs=60, optimizer=cr.Adam(0.05), progress=False)
        assert history["loss"][-1] < 0.8 * history["loss"][0]


class TestEndings:
    """A network may end in the loss's own activation: it is recognised, and stays stable."""

    @pytest.mark.parametrize(("ending", "loss", "width"), [
        ("sigmoid", "binary_cross_entropy", 1), ("sigmoid", "binary_cross_entropy", 2), ("softmax", "cross_entropy", 2),
        ("softmax", "kl_divergence", 2), ("exp", "poisson", 1),
    ])  # fmt: skip
    @pytest.mark.parametrize("how", ["in Dense", "as a layer", "as a function in the row", "called in a function"])
    def test_trains_as_without(self, ending: str, loss: str, width: int, how: str) -> None:
        function = cr.nn.ACTIVATIONS[ending]
        if how == "called in a function" and ending == "exp":
            return  # np.exp is NumPy's own: inside a formula it cannot be told from any other exp
        last = cr.Dense(width, name="last")
        rows: dict[str, Any] = {
            "in Dense": [cr.Dense(width, ending, name="last")],
            "as a layer": [last, cr.Activation(ending)],
            "as a function in the row": [last, function],
            "called in a function": lambda x: function(last(x)),
        }
        ended, plain = (
            cr.Network(rows[how], dtype="float64"),
            cr.Network([cr.Dense(width, name="last")], dtype="float64"),
        )
        y = np.eye(width)[Y] if width > 1 else Y
        start = {"last.weight": np.ones((2, width)), "last.bias": np.linspace(0, 1, width)}
        histories = []
        for network in (ended, plain):
            network.build(2).parameters = start
            histories.append(network.fit(X, y, loss=loss, epochs=5, progress=False))
        np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-12)
        np.testing.assert_allclose(ended.parameters["last"]["weight"], plain.parameters["last"]["weight"], rtol=1e-12)
        np.testing.assert_allclose(ended(X), function(plain(X)), rtol=1e-12)
        assert np.array_equal(ended.predict(X), plain.predict(X))
        if loss != "poisson":
            np.testing.assert_allclose(ended.predict_proba(X), plain.predict_proba(X), rtol=1e-12)

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("ending", ["sigmoid", "softmax"])
    def test_stable_at_scores_of_a_thousand(self, ending: str, dtype: str) -> None:
        width, loss = (1, "binary_cross_entropy") if ending == "sigmoid" else (2, "cross_entropy")
        network = cr.Network([cr.Dense(width, ending, name="d")], dtype=dtype).build(2)
        network.parameters = {"d.weight": [[-1000.0, 0.0][:width], [0.0, 0.0][:width]]}
        x = np.array([[1.0, 0.0], [-1.0, 0.0]])  # scores of class 1 that are wrong by 1000
        y = np.array([1, 0]) if ending == "sigmoid" else np.array([0, 1])
        history = network.fit(x, y, loss=loss, epochs=2, progress=False)
        assert history["loss"][0] == pytest.approx(1000, rel=1e-5)
        assert np.isfinite(network.parameters["d"]["weight"]).all()
        assert np.isfinite(network.predict_proba(x)).all()
        assert network.evaluate(x, y)["loss"] == pytest.approx(1000, rel=1e-2)

    def test_the_wrong_ending_is_said(self) -> None:
        with pytest.raises(SettingError, match=r"ends in sigmoid.*softmax.*binary_cross_entropy"):
            cr.Network([cr.Dense(2, "sigmoid")]).fit(X, Y, loss="cross_entropy", progress=False)
        with pytest.raises(SettingError, match=r"ends in softmax.*sigmoid"):
            cr.Network([cr.Dense(2, "softmax")]).fit(X, Y, loss="binary_cross_entropy", progress=False)

    def test_identities_after_it_hide_nothing(self) -> None:
        plain = cr.Network([cr.Dense(1, "sigmoid", weight=1.0)])
        for ending in (cr.Activation("identity"), lambda x: x, cr.Dropout(0.0)):
            network = cr.Network([cr.Dense(1, "sigmoid", weight=1.0), ending])
            history = network.fit(X, Y, epochs=1, progress=False)
            expected = plain.fit(X, Y, epochs=1, progress=False)
            assert history["loss"] == expected["loss"]
            plain.build(2)

    def test_your_own_function_called_identity_is_not_skipped(self) -> None:
        def identity(x: Any) -> Any:
            return 2 * x

        network = cr.Network([cr.Dense(1, identity, weight=1.0)], dtype="float64")
        network.fit(X, X[:, 0], epochs=1, progress=False)
        assert network.evaluate(X, X[:, 0])["loss"] == pytest.approx(np.mean((network(X)[:, 0] - X[:, 0]) ** 2))

    def test_other_losses_take_the_ending_as_it_is(self) -> None:
        network = cr.Network([cr.Dense(1, "sigmoid")], dtype="float64")
        network.fit(X, Y, loss="squared_error", epochs=2, progress=False)
        assert network.evaluate(X, Y)["loss"] == pytest.approx(np.mean((network(X)[:, 0] - Y) ** 2), rel=1e-12)


class TestUse:
    def test_before_the_shapes_are_known(self) -> None:
        network = cr.Network([cr.Dense(1)])
        for use in (network.predict, network, network.forward):
            with pytest.raises(NotBuiltError, match=r"fit\(X, y\), or build\(2\)"):
                use(X)
        for attribute in ("parameters", "layers"):
            with pytest.raises(NotBuiltError):
                getattr(network, attribute)
        with pytest.raises(NotBuiltError):
            network.summary()

    def test_before_fit(self) -> None:
        network = cr.Network([cr.Dense(2)]).build(2)
        assert np.array_equal(network.predict(X), network(X))
        assert network.classes is None
        with pytest.raises(NotBuiltError, match="has been fitted"):
            network.predict_proba(X)
        with pytest.raises(NotBuiltError, match="has been fitted"):
            network.evaluate(X, Y)

    def test_wrong_width(self) -> None:
        network = cr.Network([cr.Dense(2)]).build(2)
        with pytest.raises(ShapeError, match=r"\(4, 3\).*built for rows of shape \(2,\)"):
            network(np.ones((4, 3)))
        with pytest.raises(ShapeError, match=r"1 inputs \(x\); build was given 2"):
            network.build(2, 3)

    def test_regression_has_no_probabilities(self) -> None:
        network = cr.Network([cr.Dense(1)])
        network.fit(X, X[:, 0], epochs=1, progress=False)
        with pytest.raises(SettingError, match="gives no probabilities"):
            network.predict_proba(X)

    def test_many_rows_are_taken_in_pieces(self) -> None:
        network = cr.Network([cr.Dense(3, "tanh")], dtype="float64").build(2)
        many = np.random.default_rng(0).normal(size=(10000, 2))
        np.testing.assert_allclose(network(many)[9000:], network(many[9000:]), rtol=1e-12)
        wanted = np.c_[many, many[:, :1]]
        network.fit(many, wanted, epochs=1, progress=False)
        expected = np.mean((network(many) - wanted) ** 2)
        assert network.evaluate(many, wanted)["loss"] == pytest.approx(expected, rel=1e-12)

    def test_summary(self) -> None:
        network = cr.Network(
            [cr.Dense(3, "relu", name="hidden"), cr.Dropout(0.2), cr.Dense(2)], frozen=["*.bias"]
        ).build(4)
        text = network.summary()
        assert "hidden" in text
        assert "15" in text
        assert "23 parameters, float32, 92 bytes" in text
        assert "frozen: *.bias" in text
        assert len({len(line) for line in text.splitlines()[:5]}) == 1

    def test_texts(self) -> None:
        assert repr(cr.Network([cr.Dense(3, "relu")])) == "Network([Dense(units=3, activation='relu')])"
        assert repr(cr.Network(lambda x: x)).startswith("Network(")

    def test_a_single_layer_is_a_network(self) -> None:
        assert cr.Network(cr.Dense(3)).build(2)(X).shape == (40, 3)

    @pytest.mark.parametrize("given", [[], 3, None, "relu", [cr.Dense(1), 3]])
    def test_what_is_no_network(self, given: Any) -> None:
        with pytest.raises(SettingError, match="Network was given"):
            cr.Network(given)

    def test_settings(self) -> None:
        for options, words in [
            ({"dtype": "float16"}, "'float32' or 'float64'"),
            ({"dtype": "flaot32"}, "'float32' or 'float64'"),
            ({"seed": -1}, "seed=-1"),
            ({"seed": "a"}, "seed='a'"),
            ({"frozen": [3]}, "frozen"),
        ]:
            with pytest.raises(SettingError, match=words):
                cr.Network([cr.Dense(1)], **options)
        with pytest.raises(SettingError, match="takes no arrays"):
            cr.Network(lambda: 3)
        for size in (0, -2, "a", 2.5):
            with pytest.raises(SettingError, match="size"):
                cr.Network([cr.Dense(1)]).build(size)
        assert cr.Network([cr.Dense(1)], dtype=np.float64, frozen="*.bias").frozen == ("*.bias",)


def test_digits_are_learned() -> None:
    """SPEC D5, end to end: define, fit, watch the loss fall, predict, evaluate on data never seen."""
    digits = cr.datasets.digits()
    pixels, labels = digits.X / digits.X.max(), digits.y
    network = cr.Network([cr.Dense(32, "relu"), cr.Dense(10)])
    history = network.fit(pixels[:1200], labels[:1200], epochs=15, optimizer=cr.Adam(5e-3), progress=False)
    assert history["loss"][-1] < 0.1 * history["loss"][0]
    assert network.evaluate(pixels[1200:], labels[1200:])["accuracy"] > 0.88
