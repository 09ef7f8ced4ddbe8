"""Layers that bring what is between to one size: what they compute, and that it does not depend on where and how large."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, ShapeError


class TestLayerNorm:
    X = np.random.default_rng(0).normal(3.0, 5.0, size=(6, 4))

    def test_every_sample_has_mean_0_and_deviation_1(self) -> None:
        y = cr.Network([cr.LayerNorm(epsilon=0.0)], dtype="float64").build(4)(self.X)
        np.testing.assert_allclose(y.mean(axis=1), 0.0, atol=1e-12)
        np.testing.assert_allclose(y.std(axis=1), 1.0, rtol=1e-12)

    def test_size_and_place_of_a_sample_do_not_count(self) -> None:
        network = cr.Network([cr.LayerNorm(epsilon=0.0)], dtype="float64").build(4)
        np.testing.assert_allclose(network(7.0 * self.X - 2.0), network(self.X), rtol=1e-9)

    def test_by_hand(self) -> None:
        """Mean 2, variance 1: (±1/√(1 + 3)) · (2, 3) + (10, 20)."""
        network = cr.Network([cr.LayerNorm(3.0, scale=[2.0, 3.0], shift=[10.0, 20.0])], dtype="float64").build(2)
        np.testing.assert_allclose(network(np.array([[1.0, 3.0]])), [[9.0, 21.5]], rtol=1e-12)

    def test_features_are_the_last_axis_of_sequences(self) -> None:
        network = cr.Network([cr.LayerNorm()], dtype="float64").build((5, 4))
        X = np.random.default_rng(1).normal(size=(2, 5, 4))
        rows = cr.Network([cr.LayerNorm()], dtype="float64").build(4)
        np.testing.assert_allclose(network(X), rows(X.reshape(10, 4)).reshape(2, 5, 4), rtol=1e-12)

    @pytest.mark.parametrize("part", ["scale", "shift"])
    def test_without_a_part_it_has_no_such_parameter(self, part: str) -> None:
        network = cr.Network([cr.LayerNorm(**{part: None}, name="norm")]).build(3)
        assert set(network.parameters["norm"]) == {"scale", "shift"} - {part}

    def test_a_feature_that_never_changes_is_0(self) -> None:
        assert (cr.Network([cr.LayerNorm()]).build(1)(np.ones((3, 1))) == 0).all()

    def test_penalties_leave_the_shift_alone(self) -> None:
        network = cr.Network([cr.LayerNorm(name="norm"), cr.Dense(1)]).build(3)
        assert network.model.biases == {"norm.shift", "dense_0.bias"}

    @pytest.mark.parametrize(
        "settings", [{"epsilon": -1.0}, {"epsilon": "small"}, {"scale": "many"}, {"shift": [np.nan]}]
    )
    def test_settings_are_checked(self, settings: Any) -> None:
        with pytest.raises(cr.ChainruleError, match=r"epsilon|many|finite"):
            cr.LayerNorm(**settings)

    def test_a_sample_without_features_has_none_to_normalise(self) -> None:
        with pytest.raises(ShapeError, match="features"):
            cr.Network([cr.LayerNorm()]).build(())


class TestBatchNorm:
    X = np.random.default_rng(0).normal(3.0, 5.0, size=(7, 3))

    def network(self, **settings: Any) -> cr.Network:
        return cr.Network([cr.BatchNorm(name="norm", **settings)], dtype="float64").build(3)

    def trained(self, network: cr.Network, X: Any) -> Any:
        """What a pass of training gives."""
        return network.model.apply(network.parameters, [X], np.uint32(0)).outputs

    def test_in_training_every_feature_has_mean_0_and_deviation_1(self) -> None:
        y = self.trained(self.network(epsilon=0.0), self.X)
        np.testing.assert_allclose(y.mean(axis=0), 0.0, atol=1e-12)
        np.testing.assert_allclose(y.std(axis=0), 1.0, rtol=1e-12)

    def test_predictions_take_the_running_ones(self) -> None:
        network = self.network(epsilon=0.0, scale=2.0, shift=1.0)
        network.parameters = {"norm.mean": [1.0, 2.0, 3.0], "norm.variance": [4.0, 9.0, 16.0]}
        np.testing.assert_allclose(network(self.X), 2.0 * (self.X - [1, 2, 3]) / [2, 3, 4] + 1.0, rtol=1e-12)

    @pytest.mark.parametrize("engine", ["numpy", "llvm"])
    @pytest.mark.parametrize("gradients", ["chain rule", "numerical"])
    def test_running_ones_are_means_over_the_steps(self, engine: str, gradients: str) -> None:
        """Worked out by NumPy from the batches, which are the rows in order: 3, 3 and a last one, that changes nothing."""
        network = cr.Network([cr.BatchNorm(0.6, name="norm"), cr.Dense(1)], dtype="float64", seed=0)
        network.fit(
            self.X,
            self.X[:, :1],
            epochs=2,
            batch_size=3,
            shuffle=False,
            engine=engine,
            gradients=gradients,
            progress=False,
        )
        mean, variance = np.zeros(3), np.ones(3)
        for rows in [self.X[:3], self.X[3:6]] * 2:
            mean = 0.6 * mean + 0.4 * rows.mean(axis=0)
            variance = 0.6 * variance + 0.4 * rows.var(axis=0, ddof=1)
        np.testing.assert_allclose(network.parameters["norm"]["mean"], mean, rtol=1e-9)
        np.testing.assert_allclose(network.parameters["norm"]["variance"], variance, rtol=1e-9)

    def test_a_whole_training_by_hand(self) -> None:
        """Gradient descent on y = scale · x̂ + shift, whose x̂ no parameter moves."""
        network = self.network(epsilon=0.0)
        y = np.random.default_rng(1).normal(size=(7, 3))
        network.fit(self.X, y, optimizer=cr.SGD(0.3), epochs=5, batch_size=None, progress=False)
        x = (self.X - self.X.mean(axis=0)) / self.X.std(axis=0)
        scale, shift = np.ones(3), np.zeros(3)
        for _ in range(5):
            slope = 2 * (x * scale + shift - y) / 3 / 7
            scale, shift = scale - 0.3 * (slope * x).sum(axis=0), shift - 0.3 * slope.sum(axis=0)
        np.testing.assert_allclose(network.parameters["norm"]["scale"], scale, rtol=1e-9)
        np.testing.assert_allclose(network.parameters["norm"]["shift"], shift, rtol=1e-9)

    def test_gradients_go_through_the_mean_and_the_variance_of_the_batch(self) -> None:
        network = self.network()
        cr.check_grads(lambda x: self.trained(network, x) ** 3, (self.X,))

    def test_statistics_are_over_all_axes_but_the_features(self) -> None:
        network = cr.Network([cr.BatchNorm(epsilon=0.0)], dtype="float64").build((4, 3))
        X = np.random.default_rng(1).normal(size=(2, 4, 3))
        y = network.model.apply(network.parameters, [X], np.uint32(0))
        rows = X.reshape(8, 3)
        np.testing.assert_allclose(y.outputs.reshape(8, 3), (rows - rows.mean(axis=0)) / rows.std(axis=0), rtol=1e-9)
        np.testing.assert_allclose(
            y.running["batchnorm_0"]["variance"], 0.9 + 0.1 * rows.var(axis=0, ddof=1), rtol=1e-9
        )

    def test_a_layer_called_twice_goes_on_from_the_first_call(self) -> None:
        norm = cr.BatchNorm(name="norm")
        network = cr.Network(lambda x: norm(x) + norm(2.0 * x), dtype="float64").build(3)
        running = network.model.apply(network.parameters, [self.X], np.uint32(0)).running["norm"]["mean"]
        np.testing.assert_allclose(running, (0.9 * 0.1 + 0.1 * 2.0) * self.X.mean(axis=0), rtol=1e-12)

    def test_penalties_and_decay_leave_the_running_ones_alone(self) -> None:
        networks = [self.network() for _ in range(2)]
        for network, penalty in zip(networks, (0.0, 0.5), strict=True):
            network.fit(
                self.X, self.X, optimizer=cr.AdamW(0.1, weight_decay=penalty), l2=penalty, epochs=3, progress=False
            )
        for name in ("mean", "variance"):
            np.testing.assert_array_equal(*(network.parameters["norm"][name] for network in networks))
        assert not np.allclose(*(network.parameters["norm"]["scale"] for network in networks))

    @pytest.mark.parametrize("gradients", ["chain rule", "numerical"])
    def test_they_have_no_part_in_the_length_of_a_gradient(self, gradients: str) -> None:
        """A batch of one row is normalised by the running ones, which its loss depends on and no gradient moves."""
        network = cr.Network([cr.BatchNorm(epsilon=0.0, name="norm")], dtype="float64").build(3)
        x, y = self.X[:1], np.array([[5.0, -2.0, 1.0]])
        network.fit(x, y, optimizer=cr.SGD(1.0), clip_norm=0.1, epochs=1, gradients=gradients, progress=False)
        slope = 2 * (x - y)[0] / 3
        length = np.sqrt(((slope * x[0]) ** 2 + slope**2).sum())
        np.testing.assert_allclose(network.parameters["norm"]["shift"], -0.1 * slope / length, rtol=1e-4)

    @pytest.mark.parametrize("gradients", ["chain rule", "numerical"])
    def test_they_are_found_where_nothing_is_learned(self, gradients: str) -> None:
        network = self.network(scale=None, shift=None)
        step = network.step_by_step(self.X, self.X, gradients=gradients)
        assert not step.gather.gradients
        np.testing.assert_allclose(step.update.after["norm"]["mean"], 0.1 * self.X.mean(axis=0), rtol=1e-12)
        assert "norm.mean" in str(step.update)

    def test_frozen_ones_stay(self) -> None:
        network = cr.Network([cr.BatchNorm(name="norm"), cr.Dense(1)], dtype="float64", frozen=["norm"]).build(3)
        network.fit(self.X, self.X[:, :1], epochs=3, progress=False)
        assert (network.parameters["norm"]["mean"] == 0).all()
        assert (network.parameters["norm"]["variance"] == 1).all()

    def test_going_on_is_as_if_it_had_not_stopped(self) -> None:
        def made() -> cr.Network:
            return cr.Network([cr.Dense(4), cr.BatchNorm(name="norm"), cr.Dense(1)], dtype="float64", seed=2)

        settings: Any = {"batch_size": 2, "progress": False, "optimizer": cr.Adam(0.01)}
        whole, parts = made(), made()
        whole.fit(self.X, self.X[:, :1], epochs=6, **settings)
        parts.fit(self.X, self.X[:, :1], epochs=2, **settings)
        parts.fit(self.X, self.X[:, :1], epochs=6, continue_from=parts.run, **settings)
        for layer, own in whole.parameters.items():
            for name, value in own.items():
                np.testing.assert_array_equal(parts.parameters[layer][name], value)

    def test_early_stopping_restores_the_running_ones_of_its_epoch(self) -> None:
        seen = []
        network = cr.Network([cr.Dense(4), cr.BatchNorm(name="norm"), cr.Dense(1)], dtype="float64", seed=2)
        history = network.fit(
            self.X, self.X[:, :1], epochs=8, batch_size=3, optimizer=cr.SGD(0.01), validation_data=(self.X, self.X[:, :1]),
            early_stopping=cr.EarlyStopping(patience=8), progress=False, callbacks=[lambda end: seen.append(end.parameters)],
        )  # fmt: skip
        best = seen[history.best_epoch]
        np.testing.assert_array_equal(network.parameters["norm"]["mean"], best["norm"]["mean"])
        np.testing.assert_allclose(network.evaluate(self.X, self.X[:, :1])["loss"], min(history["val_loss"]), rtol=1e-6)

    def test_every_moment_of_a_recording(self) -> None:
        seen = []
        network = cr.Network([cr.Dense(4), cr.BatchNorm(name="norm"), cr.Dense(1)], dtype="float64", seed=2)
        network.fit(
            self.X, self.X[:, :1], epochs=6, batch_size=3, record=True, progress=False,
            callbacks=[lambda end: seen.append(end.parameters)],
        )  # fmt: skip
        recording = network.recording
        for epoch, parameters in enumerate(seen, 1):
            now = recording.at(recording.step_of_epoch(epoch)).parameters
            for name, value in parameters["norm"].items():
                np.testing.assert_array_equal(now["norm"][name], value)

    def test_a_step_to_walk_through_tells_gradients_of_what_is_learned_alone(self) -> None:
        network = cr.Network([cr.BatchNorm(name="norm"), cr.Dense(1)], dtype="float64", seed=2).build(3)
        step = network.step_by_step(self.X, self.X[:, :1])
        assert set(step.gather.gradients["norm"]) == {"scale", "shift"}
        np.testing.assert_allclose(step.update.after["norm"]["mean"], 0.1 * self.X.mean(axis=0), rtol=1e-12)

    def test_the_doctor_sees_the_gradients_of_a_training_step(self) -> None:
        """A bias before a normalisation by the batch has none: it moves the mean as well."""
        network = cr.Network([cr.Dense(3, name="d"), cr.BatchNorm(name="norm"), cr.Dense(1)], dtype="float64", seed=2)
        found = {p.name: p.gradient for p in network.build(3).diagnose(self.X, self.X[:, :1]).parameters}
        assert found["d.bias"] == pytest.approx(0.0, abs=1e-12)
        assert found["d.weight"] > 1e-3

    def test_derivatives_by_hyperparameters_go_through_the_running_ones(self) -> None:
        """Beside finite differences of whole trainings."""
        network = cr.Network([cr.Dense(3, "tanh"), cr.BatchNorm(name="norm"), cr.Dense(1)], dtype="float64", seed=2)
        data, validation = (self.X, self.X[:, :1]), (self.X[:4], self.X[:4, 1:2])
        settings: Any = {"epochs": 3, "batch_size": 3, "l2": 0.01}

        def loss(rate: float) -> float:
            own = cr.Network([cr.Dense(3, "tanh"), cr.BatchNorm(name="norm"), cr.Dense(1)], dtype="float64", seed=2)
            own.fit(*data, optimizer=cr.SGD(rate), progress=False, **settings)
            return float(own.evaluate(*validation)["loss"])

        found = cr.hypergradient(network, data, validation, by="learning_rate", optimizer=cr.SGD(0.05), **settings)
        assert float(found["learning_rate"]) == pytest.approx((loss(0.05 + 1e-6) - loss(0.05 - 1e-6)) / 2e-6, rel=1e-4)

    def test_saved_and_loaded(self, tmp_path: Any) -> None:
        network = self.network()
        network.fit(self.X, self.X, epochs=2, progress=False)
        network.save(tmp_path / "norm.safetensors")
        np.testing.assert_array_equal(cr.load(tmp_path / "norm.safetensors")(self.X), network(self.X))

    def test_rows_are_predicted_apart(self) -> None:
        network = self.network()
        np.testing.assert_array_equal(network(self.X), np.concatenate([network(row[None]) for row in self.X]))

    def test_in_the_body_of_a_loop_it_is_refused(self) -> None:
        norm = cr.BatchNorm()

        def function(x: Any) -> Any:
            return cr.scan(lambda h, _: (norm(h), None), x, length=3)[0]

        with pytest.raises(SettingError, match=r"body of a loop.*cr\.LayerNorm"):
            cr.Network(function).build(3)

    @pytest.mark.parametrize("settings", [{"epsilon": -1.0}, {"momentum": 1.5}, {"scale": "many"}, {"shift": [np.nan]}])
    def test_settings_are_checked(self, settings: Any) -> None:
        with pytest.raises(cr.ChainruleError, match=r"epsilon|momentum|many|finite"):
            cr.BatchNorm(**settings)


def test_what_runs_is_not_trained() -> None:
    with pytest.raises(SettingError, match="trainable=False"):
        cr.ParameterSpec((3,), running=True)
