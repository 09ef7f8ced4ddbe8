"""Every exported layer: the shape it promises, rows that do not see each other, and its gradient."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import NotBuiltError, SettingError, ShapeError
from chainrule.tracing.passes.rowwise import is_rowwise
from chainrule.tracing.program import axes_of
from making import called, exported, made, with_a_category

KINDS = exported(cr.Layer)
VARIANTS = [
    cr.Dense(3),
    cr.Dense(3, "tanh", bias=None),
    cr.Dense(3, "softmax"),
    cr.Dense(2, np.sin, weight="orthogonal", bias=0.5),
    cr.Dense(2, weight=cr.Parameter((4, 2), "normal"), bias=cr.Parameter((2,), 0.1)),
    cr.Dropout(0.0),
    cr.Activation("gelu"),
]
LAYERS = [made(kind) for kind in KINDS] + VARIANTS


def network_of(layer: Any, shape: Any = 4, dtype: str = "float64") -> cr.Network:
    network = cr.Network(called(layer), dtype=dtype, seed=3).build(shape)
    random = np.random.default_rng(1)
    unlearned = network.model.unlearned  # deviations and variances, which are positive
    network.parameters = {  # biases are drawn too: zeros would hide a bias that is forgotten
        f"{layer}.{name}": (np.abs if f"{layer}.{name}" in unlearned else np.positive)(random.normal(size=value.shape))
        for layer, own in network.parameters.items()
        for name, value in own.items()
    }
    return network


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
class TestEveryLayer:
    def test_shape_is_as_promised_for_any_number_of_rows(self, layer: Any) -> None:
        network = network_of(layer)
        for rows in (1, 2, 7):
            assert network(np.ones((rows, 4))).shape == (rows, *network.model.outputs.shape)

    def test_a_batch_is_its_rows_stacked_if_rows_are_proven_apart(self, layer: Any) -> None:
        """And only then, but where an operation says nothing of its axes, which leaves it open."""
        network = network_of(layer)
        X = with_a_category(np.random.default_rng(0).normal(size=(5, 4)))
        program = cr.trace(lambda p, x: network.model.apply(p, [x]).outputs, network.parameters, X)
        one_by_one = np.concatenate([network(row[None]) for row in X])
        if is_rowwise(program, len(program.inputs) - 1):
            np.testing.assert_allclose(network(X), one_by_one, rtol=1e-12, atol=1e-14)
        elif all(axes_of(equation) is not None for equation in program.equations):
            assert not np.allclose(network(X), one_by_one)

    def test_gradient_with_respect_to_parameters_and_inputs(self, layer: Any) -> None:
        network = network_of(layer)
        X = with_a_category(np.random.default_rng(0).normal(size=(3, 4)))
        cr.check_grads(lambda p, x: network.model.apply(p, [x]).outputs, (network.parameters, X))

    def test_gradient_with_random_numbers_as_in_training(self, layer: Any) -> None:
        network = network_of(layer)
        X = with_a_category(np.random.default_rng(0).normal(size=(3, 4)))
        key = np.uint32(7)
        cr.check_grads(lambda p, x: network.model.apply(p, [x], key).outputs, (network.parameters, X), order=1)

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_numbers_keep_their_kind(self, layer: Any, dtype: str) -> None:
        network = network_of(layer, dtype=dtype)
        X = np.ones((2, 4), dtype)
        assert network(X).dtype == dtype
        assert network.model.apply(network.parameters, [X], np.uint32(1)).outputs.dtype == dtype

    def test_is_a_value_that_can_be_compared_hashed_and_copied(self, layer: Any) -> None:
        assert layer == layer
        assert hash(layer) == hash(layer)
        assert repr(replace(layer)) == repr(layer)
        assert repr(replace(layer, name="mine")).endswith("name='mine')")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_what_it_is(kind: Any) -> None:
    assert len(kind.__doc__.strip()) > 40


@pytest.mark.parametrize("name", list(cr.nn.ACTIVATIONS))
def test_dense_is_activation_of_x_times_w_plus_b(name: str) -> None:
    network = network_of(cr.Dense(3, name, name="d"))
    X = np.random.default_rng(0).normal(size=(5, 4))
    z = np.array(
        [[sum(X[r, i] * network.parameters["d"]["weight"][i, j] for i in range(4)) for j in range(3)] for r in range(5)]
    )
    z = z + network.parameters["d"]["bias"]
    np.testing.assert_allclose(network(X), cr.nn.activation(name)(z), rtol=1e-12)


def test_dense_joins_several_inputs() -> None:
    layer = cr.Dense(2)
    network = cr.Network(lambda x, y: layer(x, y)).build(3, 1)
    W, b = network.parameters["dense_0"].values()
    x, y = np.ones((2, 3), np.float32), 2 * np.ones((2, 1), np.float32)
    np.testing.assert_allclose(network(x, y), np.concatenate([x, y], axis=1) @ W + b, rtol=1e-6)


def test_dense_works_on_the_last_axis_of_sequences() -> None:
    network = network_of(cr.Dense(3), (5, 4))
    X = np.random.default_rng(0).normal(size=(2, 5, 4))
    W, b = network.parameters["dense_0"].values()
    np.testing.assert_allclose(network(X)[1, 2], X[1, 2] @ W + b, rtol=1e-12)


def test_flatten_keeps_the_order_of_numbers() -> None:
    X = np.arange(24.0).reshape(2, 3, 4)
    assert np.array_equal(cr.Network([cr.Flatten()]).build((3, 4))(X), X.reshape(2, 12))


def test_weights_are_drawn_to_suit_the_activation() -> None:
    def spread(activation: str) -> float:
        network = cr.Network([cr.Dense(400, activation)]).build(300)
        return float(network.parameters["dense_0"]["weight"].std())

    assert spread("relu") == pytest.approx((2 / 300) ** 0.5, rel=0.02)
    assert spread("tanh") == pytest.approx((2 / 700) ** 0.5, rel=0.02)
    assert spread("selu") == pytest.approx((1 / 300) ** 0.5, rel=0.02)


class TestDropout:
    X = np.ones((200, 50), np.float32)

    def trained(self, rate: float, key: int) -> Any:
        network = cr.Network([cr.Dropout(rate)]).build(50)
        return network.model.apply({}, [self.X], np.uint32(key)).outputs

    @pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
    def test_expected_value_stays(self, rate: float) -> None:
        outputs = self.trained(rate, 5)
        assert set(np.unique(outputs)) == {np.float32(0), np.float32(1 / (1 - rate))}
        assert (outputs == 0).mean() == pytest.approx(rate, abs=0.02)
        assert outputs.mean() == pytest.approx(1.0, abs=0.1)

    def test_prediction_leaves_every_number(self) -> None:
        assert np.array_equal(cr.Network([cr.Dropout(0.5)]).build(50)(self.X), self.X)

    def test_same_key_same_mask_other_key_other_mask(self) -> None:
        assert np.array_equal(self.trained(0.5, 1), self.trained(0.5, 1))
        agreement = [(self.trained(0.5, i) == self.trained(0.5, i + 1)).mean() for i in range(20)]
        assert np.allclose(agreement, 0.5, atol=0.03)  # independent of each other, neighbouring keys too

    def test_two_layers_drop_different_numbers(self) -> None:
        first, second = cr.Dropout(), cr.Dropout()
        network = cr.Network(lambda x: (first(x), second(x)))
        a, b = network.build(50).model.apply({}, [self.X], np.uint32(1)).outputs
        assert (a == b).mean() == pytest.approx(0.5, abs=0.03)

    def test_rows_and_columns_are_dropped_independently(self) -> None:
        kept = self.trained(0.5, 9) > 0
        for axis in (0, 1):
            means = kept.mean(axis=axis)
            expected = (0.25 / kept.shape[axis]) ** 0.5
            assert means.std() == pytest.approx(expected, rel=0.3)


class TestParameter:
    def test_stands_for_an_array(self) -> None:
        a, b = cr.Parameter((3,), [1.0, 2.0, 3.0], name="a"), cr.Parameter((), 2.0, name="b")
        network = cr.Network(lambda x: np.exp(a)[:2] * x + b**2 - a.sum(), dtype="float64").build(2)
        x = np.array([[1.0, -1.0]])
        np.testing.assert_allclose(network(x), np.exp([1.0, 2.0]) * x + 4 - 6)

    def test_two_alike_are_two(self) -> None:
        a, b = cr.Parameter((1,)), cr.Parameter((1,))
        assert a != b
        assert list(cr.Network(lambda x: x * a + b).build(1).parameters) == ["parameter_0", "parameter_1"]


class TestSharing:
    def test_a_layer_called_twice_has_one_set_of_parameters(self) -> None:
        shared = cr.Dense(2, "tanh", name="shared")
        network = cr.Network([shared, shared], dtype="float64").build(2)
        W, b = network.parameters["shared"].values()
        X = np.array([[0.3, -0.4]])
        np.testing.assert_allclose(network(X), np.tanh(np.tanh(X @ W + b) @ W + b))
        cr.check_grads(lambda p: network.model.apply(p, [X]).outputs, (network.parameters,))

    def test_equal_layers_made_apart_are_two(self) -> None:
        network = cr.Network([cr.Dense(2), cr.Dense(2)]).build(2)
        assert list(network.parameters) == ["dense_0", "dense_1"]

    def test_a_weight_shared_between_layers_collects_both_gradients(self) -> None:
        W = cr.Parameter((2, 2), "normal", name="W")
        network = cr.Network([cr.Dense(2, "tanh", weight=W), cr.Dense(2, weight=W)], dtype="float64").build(2)
        assert set(network.parameters) == {"W", "dense_0", "dense_1"}
        cr.check_grads(lambda p: network.model.apply(p, [np.ones((1, 2))]).outputs, (network.parameters,))


class TestErrors:
    @pytest.mark.parametrize("units", [0, -3, 2.5, "3", True, None])
    def test_units_must_be_a_positive_integer(self, units: Any) -> None:
        with pytest.raises(SettingError, match="positive integer"):
            cr.Dense(units)

    @pytest.mark.parametrize("bias", [True, False, np.False_])
    def test_no_bias_is_none(self, bias: Any) -> None:
        with pytest.raises(SettingError, match="bias=None"):
            cr.Dense(3, bias=bias)
        assert set(cr.Network([cr.Dense(3, bias=None)]).build(2).parameters["dense_0"]) == {"weight"}

    @pytest.mark.parametrize("rate", [1.0, -0.1, float("nan"), "half", None])
    def test_rate_must_leave_something(self, rate: Any) -> None:
        with pytest.raises(SettingError, match=r"rate=.*at least 0 and less than 1"):
            cr.Dropout(rate)

    def test_outside_a_network(self) -> None:
        with pytest.raises(NotBuiltError, match=r"outside a network.*cr\.Network"):
            cr.Dense(3)(np.ones((2, 2)))

    def test_made_inside_the_function(self) -> None:
        with pytest.raises(NotBuiltError, match="Make every layer once, outside"):
            cr.Network(lambda x: cr.Dense(3)(x)).build(2)(np.ones((1, 2)))

    @pytest.mark.parametrize("name", ["", 3, ("a",)])
    def test_a_name_is_text(self, name: Any) -> None:
        layer = cr.Dense(2, name=name)
        for layers in ([layer], lambda x: layer(x)):
            with pytest.raises(SettingError, match=r"was given name=.*some text, or nothing.*_0\."):
                cr.Network(layers).build(2)

    def test_two_layers_of_one_name(self) -> None:
        with pytest.raises(ShapeError, match="two different layers are named 'a'"):
            cr.Network([cr.Dense(2, name="a"), cr.Dense(2, name="a")]).build(2)

    def test_shapes_that_do_not_fit_name_the_layer(self) -> None:
        odd = cr.Dense(2, weight=np.ones((5, 2)), name="odd")
        with pytest.raises(ShapeError, match=r"\(5, 2\).*\(4, 2\)"):
            cr.Network([odd]).build(4)
        tied = cr.Dense(2, weight=cr.Parameter((5, 2)), name="tied")
        with pytest.raises(ShapeError, match="layer 'tied'"):
            cr.Network([tied]).build(4)

    def test_output_without_batch(self) -> None:
        with pytest.raises(ShapeError, match="batch as its first axis"):
            cr.Network(lambda x: np.sum(x)).build(2)


def test_no_activation_is_the_identity() -> None:
    assert cr.Dense(3, None) == cr.Dense(3)
    assert repr(cr.Dense(3, None)) == "Dense(units=3)"
    assert cr.Activation(None) == cr.Activation("identity")
    x = np.ones((2, 2))
    np.testing.assert_array_equal(cr.Network([cr.Dense(3, None)]).build(2)(x), cr.Network([cr.Dense(3)]).build(2)(x))


@pytest.mark.parametrize("start", ["zeros", "ones", 2.5, "normal"])
def test_a_parameter_of_no_axes_stays_one(start: Any, tmp_path: Any) -> None:
    p = cr.Parameter((), start, name="p")

    def function(x: Any) -> Any:
        return x * p

    network = cr.Network(function).build(2)
    assert network.parameters["p"]["value"].shape == ()
    network.fit(np.ones((4, 2)), np.full((4, 2), 3.0), epochs=2, progress=False)
    assert network.parameters["p"]["value"].shape == ()
    network.save(tmp_path / "p.safetensors")
    loaded = cr.load(tmp_path / "p.safetensors", function=function)
    assert loaded.parameters["p"]["value"].shape == ()
    assert loaded.parameters["p"]["value"] == network.parameters["p"]["value"]
