"""`fit`: the steps it takes, compared with loops written by hand, and everything that may happen around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.choice import names
from chainrule.errors import DataError, SettingError, UnknownNameError
from chainrule.training.between_epochs.watching import Watch
from making import moons

X, Y = moons(30)
VALUES = np.c_[np.sin(X[:, 0]), X[:, 1] ** 2]


def small(**options: Any) -> cr.Network:
    return cr.Network([cr.Dense(4, "tanh"), cr.Dense(2)], **{"dtype": "float64", "seed": 1, **options})


def weights_of(network: cr.Network) -> list[Any]:
    return [value for own in network.parameters.values() for value in own.values()]


def same(a: cr.Network, b: cr.Network) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(weights_of(a), weights_of(b), strict=True))


def by_hand(network: cr.Network, order: Any, batch: int, rate: float, l2: float = 0.0) -> tuple[list[Any], list[float]]:
    """Gradient descent on half the squared error of a 2-4-2 tanh network, with the derivatives written out."""
    W, b, V, c = (value.copy() for value in weights_of(network))
    losses = []
    for rows_of_epoch in order:
        total = 0.0
        for begin in range(0, len(X), batch):
            rows = rows_of_epoch[begin : begin + batch]
            x, t = X[rows], VALUES[rows]
            h = np.tanh(x @ W + b)
            y = h @ V + c
            total += 0.5 * float(np.sum((y - t) ** 2))
            dy = (y - t) / len(rows)
            dh = (dy @ V.T) * (1 - h**2)
            V, c = V * (1 - rate * l2) - rate * h.T @ dy, c - rate * dy.sum(axis=0)
            W, b = W * (1 - rate * l2) - rate * x.T @ dh, b - rate * dh.sum(axis=0)
        losses.append(total / len(X))
    return [W, b, V, c], losses


class TestSteps:
    engine: str

    @pytest.fixture(autouse=True, params=names())
    def every_engine(self, request: pytest.FixtureRequest) -> None:
        self.engine = request.param

    def test_batches_in_order_as_by_hand_with_a_smaller_last_one(self) -> None:
        network = small().build(2)
        expected, losses = by_hand(network, [np.arange(30)] * 5, 8, 0.1)
        history = network.fit(
            X,
            VALUES,
            loss="l2_norm",
            optimizer=cr.SGD(0.1),
            epochs=5,
            batch_size=8,
            shuffle=False,
            engine=self.engine,
            progress=False,
        )
        for ours, theirs in zip(weights_of(network), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10)
        np.testing.assert_allclose(history["loss"], losses, rtol=1e-10)

    def test_shuffled_batches_as_by_hand(self) -> None:
        network = small().build(2)
        random = np.random.default_rng([7, 0])
        order = random.permuted(np.tile(np.arange(30), (3, 1)), axis=1)
        assert (np.sort(order, axis=1) == np.arange(30)).all()
        expected, losses = by_hand(network, order, 8, 0.1)
        history = network.fit(
            X,
            VALUES,
            loss="l2_norm",
            optimizer=cr.SGD(0.1),
            epochs=3,
            batch_size=8,
            seed=7,
            engine=self.engine,
            progress=False,
        )
        for ours, theirs in zip(weights_of(network), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10)
        np.testing.assert_allclose(history["loss"], losses, rtol=1e-10)

    @pytest.mark.parametrize("batch_size", [1, 7, 29, 30, 31, 1000, None])
    def test_any_batch_size(self, batch_size: int | None) -> None:
        network = small().build(2)
        expected, _ = by_hand(network, [np.arange(30)] * 2, batch_size or 30, 0.05)
        network.fit(
            X, VALUES, loss="l2_norm", optimizer=cr.SGD(0.05), epochs=2, batch_size=batch_size, shuffle=False,
            engine=self.engine, progress=False,
        )  # fmt: skip
        for ours, theirs in zip(weights_of(network), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9)

    def test_weight_decay_is_nielsens_factor(self) -> None:
        """w ← (1 − ηλ/n) w − η ∂C/∂w, biases not decayed; here l2 = λ/n."""
        network = small().build(2)
        expected, _ = by_hand(network, [np.arange(30)] * 4, 10, 0.1, l2=5.0 / 30)
        network.fit(
            X, VALUES, loss="l2_norm", optimizer=cr.SGD(0.1), epochs=4, batch_size=10, shuffle=False, l2=5.0 / 30,
            engine=self.engine, progress=False,
        )  # fmt: skip
        for ours, theirs in zip(weights_of(network), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10)

    def test_l1_pulls_every_weight_by_the_same_amount(self) -> None:
        flat = lambda a, t: np.sum(0.0 * a, axis=-1)  # noqa: E731
        network = cr.Network([cr.Dense(2, weight=[[0.5, -0.5], [0.3, 2.0]], bias=1.0)], dtype="float64")
        network.fit(
            X,
            VALUES,
            loss=flat,
            optimizer=cr.SGD(0.1),
            l1=0.2,
            epochs=1,
            batch_size=None,
            engine=self.engine,
            progress=False,
        )
        np.testing.assert_allclose(network.parameters["dense_0"]["weight"], [[0.48, -0.48], [0.28, 1.98]])
        assert (network.parameters["dense_0"]["bias"] == 1).all()

    def test_penalties_are_part_of_the_reported_loss(self) -> None:
        flat = lambda a, t: np.sum(0.0 * a, axis=-1)  # noqa: E731
        network = cr.Network([cr.Dense(2, weight=[[1.0, -2.0], [3.0, 0.0]], bias=5.0)], dtype="float64")
        history = network.fit(
            X, VALUES, loss=flat, optimizer=cr.SGD(0), l1=0.1, l2=0.01, epochs=1, engine=self.engine, progress=False
        )
        assert history["loss"] == [pytest.approx(0.1 * 6 + 0.5 * 0.01 * 14)]

    def test_clipping_by_value(self) -> None:
        pull = lambda a, t: np.sum(a * np.array([10.0, -0.1]), axis=-1)  # noqa: E731
        network = cr.Network([cr.Dense(2, weight=0.0)], dtype="float64")
        network.fit(
            X,
            VALUES,
            loss=pull,
            optimizer=cr.SGD(1.0),
            clip_value=0.5,
            epochs=1,
            batch_size=None,
            engine=self.engine,
            progress=False,
        )
        np.testing.assert_allclose(network.parameters["dense_0"]["bias"], [-0.5, 0.1])

    def test_clipping_by_norm_of_all_gradients_together(self) -> None:
        pull = lambda a, t: np.sum(a * np.array([3.0, 4.0]), axis=-1)  # noqa: E731
        for bound, length in ((1.0, 1.0), (100.0, None)):
            network = cr.Network([cr.Dense(2, weight=0.0)], dtype="float64")
            network.fit(
                X,
                VALUES,
                loss=pull,
                optimizer=cr.SGD(1.0),
                clip_norm=bound,
                epochs=1,
                batch_size=None,
                engine=self.engine,
                progress=False,
            )
            moved = np.concatenate([value.ravel() for value in weights_of(network)])
            gradient = np.concatenate([np.outer(X.mean(axis=0), [3, 4]).ravel(), [3, 4]])
            expected = gradient / np.linalg.norm(gradient) if length else gradient
            np.testing.assert_allclose(-moved, expected, rtol=1e-9)

    def test_starts_from_the_parameters_as_they_are(self) -> None:
        twice, once = small(), small()
        options: dict[str, Any] = {"optimizer": cr.SGD(0.1), "shuffle": False, "engine": self.engine, "progress": False}
        twice.fit(X, VALUES, epochs=2, **options)
        twice.fit(X, VALUES, epochs=3, **options)
        once.fit(X, VALUES, epochs=5, **options)
        assert same(twice, once)

    def test_given_data_are_not_written_to(self) -> None:
        x, y = X.astype(np.float32), VALUES.astype(np.float32)
        kept = x.copy(), y.copy()
        small(dtype="float32").fit(x, y, epochs=2, engine=self.engine, progress=False)
        assert np.array_equal(x, kept[0])
        assert np.array_equal(y, kept[1])

    def test_parameters_read_before_stay_as_they_were(self) -> None:
        network = small().build(2)
        before = weights_of(network)
        kept = [value.copy() for value in before]
        network.fit(X, VALUES, epochs=2, engine=self.engine, progress=False)
        assert all(np.array_equal(a, b) for a, b in zip(before, kept, strict=True))


class TestSeeds:
    """The same seed gives the same bits, whatever is watched and however fast the machine is."""

    engine: str

    @pytest.fixture(autouse=True, params=names())
    def every_engine(self, request: pytest.FixtureRequest) -> None:
        self.engine = request.param

    def trained(self, *, dtype: str = "float32", **options: Any) -> cr.Network:
        network = cr.Network([cr.Dense(6, "relu"), cr.Dropout(0.3), cr.Dense(2)], seed=2, dtype=dtype)
        network.fit(
            X, Y, **{"epochs": 9, "batch_size": 8, "seed": 5, "engine": self.engine, "progress": False, **options}
        )
        return network

    def test_same_seed_same_bits(self) -> None:
        assert same(self.trained(), self.trained())

    def test_another_seed_other_weights(self) -> None:
        assert not same(self.trained(), self.trained(seed=6))

    def test_a_callback_changes_nothing(self) -> None:
        assert same(self.trained(), self.trained(callbacks=[lambda end: None]))

    def test_validation_data_change_nothing(self) -> None:
        assert same(self.trained(), self.trained(validation_data=(X[:5], Y[:5])))

    def test_progress_changes_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert same(self.trained(), self.trained(progress=True))
        assert "loss" in capsys.readouterr().err

    @pytest.mark.parametrize("seconds", [0.0, 1e-5, 1e-3, 10.0])
    def test_the_speed_of_the_machine_changes_nothing(self, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
        expected = self.trained(epochs=40)
        monkeypatch.setattr("chainrule.training.steps.blocks.BLOCK_SECONDS", seconds)
        network = self.trained(epochs=40)
        assert same(network, expected)
        assert network.history is not None
        assert network.history.epochs == 40
        assert network.history["loss"] == expected.history["loss"]  # type: ignore[union-attr]

    def test_float64(self) -> None:
        network = self.trained(dtype="float64")
        assert {value.dtype.name for value in weights_of(network)} == {"float64"}
        assert same(network, self.trained(dtype="float64"))

    def test_float32_follows_float64(self) -> None:
        for single, double in zip(weights_of(self.trained()), weights_of(self.trained(dtype="float64")), strict=True):
            assert single.dtype == np.float32
            np.testing.assert_allclose(single, double, atol=1e-4)

    def test_rows_come_in_a_new_order_in_every_epoch(self) -> None:
        """Only the first step of each epoch has a rate; it lowers the weight of the row it was made with."""
        only_first = lambda epoch: np.where(epoch % 1 == 0, 1.0, 0.0)  # noqa: E731
        network = cr.Network([cr.Dense(1, weight=0.0, bias=None)], dtype="float64")
        network.fit(
            np.eye(30), np.zeros((30, 1)), loss=lambda a, t: np.sum(a, axis=-1), optimizer=cr.SGD(only_first),
            epochs=12, batch_size=1, engine=self.engine, progress=False,
        )  # fmt: skip
        firsts = -network.parameters["dense_0"]["weight"][:, 0]
        assert firsts.sum() == 12
        assert (firsts > 0).sum() > 6


class TestWeights:
    def test_integer_sample_weights_are_repeated_rows(self) -> None:
        counts = np.random.default_rng(0).integers(0, 4, 30)
        weighted, repeated = small(), small()
        options: dict[str, Any] = {"epochs": 6, "batch_size": None, "optimizer": cr.Adam(0.05), "progress": False}
        a = weighted.fit(X, Y, sample_weight=counts, **options)
        b = repeated.fit(np.repeat(X, counts, axis=0), np.repeat(Y, counts), **options)
        for ours, theirs in zip(weights_of(weighted), weights_of(repeated), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(a["loss"], b["loss"], rtol=1e-9)
        np.testing.assert_allclose(a["accuracy"], b["accuracy"], rtol=1e-9)
        scored = weighted.evaluate(X, Y, sample_weight=counts)
        expected = weighted.evaluate(np.repeat(X, counts, axis=0), np.repeat(Y, counts))
        assert scored == pytest.approx(expected, rel=1e-9)

    def test_class_weights_are_sample_weights_by_label(self) -> None:
        labels = np.where(Y == 1, "spam", "ham")
        by_class, by_row = small(), small()
        options: dict[str, Any] = {"epochs": 4, "batch_size": 8, "progress": False}
        by_class.fit(X, labels, class_weight={"spam": 3.0, "ham": 0.5}, **options)
        by_row.fit(X, labels, sample_weight=np.where(Y == 1, 3.0, 0.5), **options)
        assert same(by_class, by_row)

    def test_balanced_gives_every_class_the_same_sum(self) -> None:
        y = np.array([0] * 25 + [1] * 5)
        balanced, by_row = small(), small()
        options: dict[str, Any] = {"epochs": 4, "batch_size": 8, "progress": False}
        balanced.fit(X, y, class_weight="balanced", **options)
        by_row.fit(X, y, sample_weight=np.where(y == 1, 30 / (2 * 5), 30 / (2 * 25)), **options)
        assert same(balanced, by_row)

    def test_both_multiply(self) -> None:
        both, product = small(), small()
        w = np.linspace(0.5, 2, 30)
        both.fit(X, Y, sample_weight=w, class_weight={1: 2.0}, epochs=2, progress=False)
        product.fit(X, Y, sample_weight=w * np.where(Y == 1, 2, 1), epochs=2, progress=False)
        assert same(both, product)

    def test_a_batch_of_weight_zero_changes_nothing(self) -> None:
        """The others count half as much again: weights are on the scale of their mean over all rows, 2/3."""
        network, w = small().build(2), np.ones(30)
        w[:10] = 0
        network.fit(
            X, VALUES, sample_weight=w, batch_size=10, epochs=1, shuffle=False, optimizer=cr.SGD(0.1), progress=False
        )
        rest = small()
        rest.fit(X[10:], VALUES[10:], batch_size=10, epochs=1, shuffle=False, optimizer=cr.SGD(0.15), progress=False)
        for ours, theirs in zip(weights_of(network), weights_of(rest), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)

    @pytest.mark.parametrize("weights", [np.ones(29), -np.ones(30), np.full(30, np.nan), np.zeros(30), ["a"] * 30, 1.0])
    def test_nonsense_is_refused(self, weights: Any) -> None:
        with pytest.raises(DataError, match="weight"):
            small().fit(X, Y, sample_weight=weights, progress=False)

    def test_class_weight_nonsense_is_refused(self) -> None:
        with pytest.raises(DataError, match="class_weight names 7, which is no label"):
            small().fit(X, Y, class_weight={7: 1.0}, progress=False)
        with pytest.raises(SettingError, match="'balanced' or a dict"):
            small().fit(X, Y, class_weight="equal", progress=False)
        with pytest.raises(SettingError, match="targets are labels"):
            small().fit(X, VALUES, class_weight="balanced", progress=False)


class TestFrozen:
    def test_frozen_parameters_stay_and_the_others_move_as_if_alone(self) -> None:
        network = small(frozen=["dense_0", "*.bias"]).build(2)
        before = {layer: dict(own) for layer, own in network.parameters.items()}
        network.fit(X, VALUES, epochs=3, optimizer=cr.SGD(0.1, momentum=0.9), progress=False)
        after = network.parameters
        assert list(after) == list(before)
        assert np.array_equal(after["dense_0"]["weight"], before["dense_0"]["weight"])
        assert np.array_equal(after["dense_1"]["bias"], before["dense_1"]["bias"])
        assert not np.array_equal(after["dense_1"]["weight"], before["dense_1"]["weight"])

    def test_given_to_fit_for_one_time(self) -> None:
        network = small(frozen=["dense_0"]).build(2)
        first = network.parameters["dense_0"]["weight"]
        network.fit(X, VALUES, epochs=1, frozen=[], progress=False)
        assert not np.array_equal(network.parameters["dense_0"]["weight"], first)

    def test_layers_may_say_what_is_not_learned(self) -> None:
        class Shift(cr.Layer):
            def parameters(self, shape: Any) -> Any:
                return {"by": cr.ParameterSpec((shape[-1],), "ones", trainable=False)}

            def forward(self, parameters: Any, x: Any) -> Any:
                return x + parameters["by"]

        network = cr.Network([Shift(), cr.Dense(2)])
        network.fit(X, VALUES, epochs=2, progress=False)
        assert (network.parameters["shift_0"]["by"] == 1).all()

    def test_unknown_and_everything(self) -> None:
        with pytest.raises(UnknownNameError, match=r"dense_7\.\*"):
            small(frozen=["dense_7.*"]).fit(X, VALUES, progress=False)
        with pytest.raises(SettingError, match="nothing to learn"):
            small(frozen=["*"]).fit(X, VALUES, progress=False)


class TestValidation:
    def test_split_is_held_out(self) -> None:
        network = small()
        history = network.fit(X, VALUES, validation_split=0.2, seed=3, epochs=4, optimizer=cr.SGD(0.1), progress=False)
        held = np.sort(np.random.default_rng([3, 2]).permutation(30)[:6])
        kept = np.setdiff1d(np.arange(30), held)
        alone = small()
        other = alone.fit(
            X[kept], VALUES[kept], validation_data=(X[held], VALUES[held]), seed=3, epochs=4, optimizer=cr.SGD(0.1),
            progress=False,
        )  # fmt: skip
        assert same(network, alone)
        assert history["val_loss"] == other["val_loss"]

    def test_metrics_are_those_of_evaluate(self) -> None:
        network = small()
        history = network.fit(X, Y, validation_data=(X[:7], Y[:7]), epochs=3, l2=0.1, progress=False)
        assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"}
        metrics = network.evaluate(X[:7], Y[:7])
        expected = {"loss": history["val_loss"][-1], "accuracy": history["val_accuracy"][-1]}
        assert metrics == pytest.approx(expected, rel=1e-6)

    def test_labels_missing_in_validation_data_are_fine_and_new_ones_are_not(self) -> None:
        network = cr.Network([cr.Dense(3)])
        y = np.array(["a", "b", "c"] * 10)
        network.fit(X, y, validation_data=(X[:2], ["b", "b"]), epochs=1, progress=False)
        with pytest.raises(DataError, match=r"has not learned: \['d'\]"):
            network.fit(X, y, validation_data=(X[:2], ["b", "d"]), epochs=1, progress=False)

    def test_nonsense(self) -> None:
        for share in (1.0, -0.1, "half"):
            with pytest.raises(SettingError, match="validation_split"):
                small().fit(X, Y, validation_split=share, progress=False)
        with pytest.raises(SettingError, match="leaves none"):
            small().fit(X[:1], VALUES[:1], validation_split=0.5, progress=False)
        with pytest.raises(SettingError, match="both given"):
            small().fit(X, Y, validation_split=0.5, validation_data=(X, Y), progress=False)
        with pytest.raises(SettingError, match="pair"):
            small().fit(X, Y, validation_data=X, progress=False)


class TestStopping:
    def test_early_stopping_restores_the_best_weights(self) -> None:
        seen: list[Any] = []
        network = small()
        history = network.fit(
            X[:8], VALUES[:8], validation_data=(X[8:], VALUES[8:]), epochs=500, optimizer=cr.Adam(0.1),
            early_stopping=15, callbacks=[lambda end: seen.append(end.parameters)], progress=False,
        )  # fmt: skip
        assert history.stopped == "early stopping"
        best = int(np.argmin(history["val_loss"]))
        assert history.best_epoch == best == history.epochs - 16
        assert np.array_equal(network.parameters["dense_0"]["weight"], seen[best]["dense_0"]["weight"])
        assert network.evaluate(X[8:], VALUES[8:])["loss"] == pytest.approx(min(history["val_loss"]), rel=1e-6)

    def test_best_weights_are_restored_after_the_last_epoch_too(self) -> None:
        network = small()
        rate = lambda epoch: np.where(epoch < 3, 0.05, 2.0)  # noqa: E731
        history = network.fit(
            X, VALUES, epochs=6, batch_size=None, optimizer=cr.SGD(rate), early_stopping=100,
            validation_data=(X, VALUES), progress=False,
        )  # fmt: skip
        assert history.stopped == "finished"
        assert network.evaluate(X, VALUES)["loss"] == pytest.approx(min(history["val_loss"]), rel=1e-6)

    def test_true_is_the_usual_patience(self) -> None:
        flat = lambda a, t: np.sum(0.0 * a, axis=-1)  # noqa: E731
        history = small().fit(X, VALUES, loss=flat, epochs=50, early_stopping=True, progress=False)
        assert history.epochs == 1 + cr.EarlyStopping().patience
        assert small().fit(X, VALUES, loss=flat, epochs=50, early_stopping=False, progress=False).epochs == 50

    def test_without_restoring(self) -> None:
        seen: list[Any] = []
        network = small()
        history = network.fit(
            X[:8], VALUES[:8], validation_data=(X[8:], VALUES[8:]), epochs=300, optimizer=cr.Adam(0.1),
            early_stopping=cr.EarlyStopping(5, restore_best=False), callbacks=[lambda end: seen.append(end.parameters)],
            progress=False,
        )  # fmt: skip
        assert history.stopped == "early stopping"
        assert np.array_equal(network.parameters["dense_0"]["weight"], seen[-1]["dense_0"]["weight"])

    def test_monitor_accuracy_upwards(self) -> None:
        network = small()
        rule = cr.EarlyStopping(patience=8, monitor="val_accuracy")
        history = network.fit(
            X, Y, validation_data=(X, Y), epochs=400, early_stopping=rule, optimizer=cr.Adam(0.02), progress=False
        )
        assert network.evaluate(X, Y)["accuracy"] == max(history["val_accuracy"])

    def test_small_improvements_do_not_count(self) -> None:
        rule = cr.EarlyStopping(patience=3, min_delta=1e9)
        history = small().fit(X, VALUES, epochs=50, early_stopping=rule, progress=False)
        assert history.epochs == 4

    @pytest.mark.parametrize(
        ("losses", "kept"),
        [([2, 4, 1, 3], "after 2"), ([5, 2, 1, 3], "before 2"), ([1, 2], "before 0"), ([3, 1, 0.5], "after 2")],
    )
    def test_of_an_epoch_of_several_steps_the_better_end(self, losses: list[float], kept: str) -> None:
        """A mean over an epoch's steps speaks of its end if the next is no worse than the one before, else of its beginning."""
        watch, history = Watch(cr.EarlyStopping(9), validated=False, steps_per_epoch=2), cr.History()
        for epoch, loss in enumerate(losses):
            history.extend({"loss": [loss]})
            watch.see(history, [{"at": f"before {epoch}"}, {"at": f"after {epoch}"}].__getitem__)
        assert watch.best is not None
        assert watch.best.parameters == {"at": kept}

    def test_nonsense(self) -> None:
        for given in (0, -1, 2.5, "yes"):
            with pytest.raises(SettingError, match=r"patience.*positive integer"):
                small().fit(X, Y, early_stopping=given, progress=False)
        with pytest.raises(UnknownNameError, match=r"metric to monitor named 'val_loss'.*Known: .*loss"):
            small().fit(X, Y, early_stopping=cr.EarlyStopping(monitor="val_loss"), progress=False)

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (True, "stopped by a callback"),
            (np.bool_(True), "stopped by a callback"),
            ("good enough", "good enough"),
            ("finished", "stopped by a callback"),  # how trainings end that no callback ends
            ("interrupted", "stopped by a callback"),
        ],
    )
    def test_a_callback_stops(self, answer: Any, said: str) -> None:
        history = small().fit(
            X, Y, epochs=9, callbacks=[lambda end: answer if end.epoch == 3 else None], progress=False
        )
        assert history.epochs == 4
        assert history.stopped == said

    @pytest.mark.parametrize("answer", [None, False, "", 0, 1.0, [], np.array([True])])
    def test_it_goes_on_after_any_other_answer(self, answer: Any) -> None:
        history = small().fit(X, Y, epochs=3, callbacks=[lambda end: answer], progress=False)
        assert (history.epochs, history.stopped) == (3, "finished")

    def test_a_callback_sees_metrics_and_parameters(self) -> None:
        seen: list[cr.EpochEnd] = []
        network = small()
        history = network.fit(X, Y, epochs=3, callbacks=[seen.append], progress=False)
        assert [end.epoch for end in seen] == [0, 1, 2]
        assert [end.metrics["loss"] for end in seen] == history["loss"]
        assert np.array_equal(seen[-1].parameters["dense_1"]["bias"], network.parameters["dense_1"]["bias"])
        seen[-1].parameters["dense_1"]["bias"][:] = 99  # its own copy
        assert not (network.parameters["dense_1"]["bias"] == 99).any()

    def test_interrupt_keeps_what_was_learned(self) -> None:
        def interrupt(end: cr.EpochEnd) -> None:
            if end.epoch == 2:
                raise KeyboardInterrupt

        stopped, three = small(), small()
        history = stopped.fit(X, VALUES, epochs=50, callbacks=[interrupt], progress=False)
        three.fit(X, VALUES, epochs=3, progress=False)
        assert history.interrupted
        assert history.epochs == 3
        assert stopped.history is history
        assert same(stopped, three)
        assert stopped.predict(X).shape == (30, 2)

    def test_interrupt_in_the_middle_of_a_step(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from chainrule.engines.loop import StepRunner

        network, calls = small().build(2), []
        run = StepRunner.run

        def interrupted(self: Any, *args: Any) -> Any:
            calls.append(1)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return run(self, *args)

        monkeypatch.setattr(StepRunner, "run", interrupted)
        history = network.fit(X, Y, epochs=1000, engine="numpy", progress=False)
        assert history.interrupted
        assert history.epochs < 1000

    def test_another_error_of_a_callback_is_passed_on(self) -> None:
        def broken(end: cr.EpochEnd) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            small().fit(X, Y, callbacks=[broken], progress=False)

    def test_what_is_no_callback(self) -> None:
        with pytest.raises(SettingError, match="cannot be called"):
            small().fit(X, Y, callbacks=[3], progress=False)
        with pytest.raises(SettingError, match=r"callbacks.*list"):
            small().fit(X, Y, callbacks=print, progress=False)
        with pytest.raises(SettingError, match="give it as early_stopping="):
            small().fit(X, Y, callbacks=[cr.EarlyStopping(3)], progress=False)


class TestDropoutInTraining:
    def test_prediction_and_evaluation_use_every_neuron(self) -> None:
        network = cr.Network([cr.Dense(20, "relu"), cr.Dropout(0.5), cr.Dense(2)])
        network.fit(X, Y, epochs=2, progress=False)
        W, b = network.parameters["dense_0"].values()
        V, c = network.parameters["dense_1"].values()
        x = X.astype(np.float32)
        np.testing.assert_allclose(network(X), np.maximum(x @ W + b, 0) @ V + c, rtol=1e-4, atol=1e-5)
        assert np.array_equal(network(X), network(X))

    def test_masks_change_from_step_to_step(self) -> None:
        sums: list[float] = []
        network = cr.Network([cr.Dropout(0.5), cr.Dense(1, weight=1.0)])
        network.fit(
            np.ones((1, 64)), [[0.0]], optimizer=cr.SGD(0.0), epochs=12, progress=False,
            callbacks=[lambda end: sums.append(end.metrics["loss"] ** 0.5)],
        )  # fmt: skip
        assert len(set(sums)) > 6
        assert np.mean(sums) == pytest.approx(64, rel=0.15)


class TestHistory:
    def test_metrics(self) -> None:
        history = small().fit(X, Y, epochs=5, progress=False)
        assert len(history) == history.epochs == 5
        assert list(history) == ["loss", "accuracy", "learning_rate", "seconds"]
        assert "loss" in history
        assert "val_loss" not in history
        assert all(seconds > 0 for seconds in history["seconds"])
        assert history.passes == {"forward": 5, "backward": 5}
        assert "5 epochs, finished" in repr(history)

    def test_unknown_figure(self) -> None:
        history = small().fit(X, Y, epochs=1, progress=False)
        with pytest.raises(UnknownNameError, match="did you mean 'accuracy'"):
            history["acuracy"]

    def test_every_output_has_axes_of_its_own(self) -> None:
        one, two = cr.Dense(2, name="one"), cr.Dense(2, name="two")
        network = cr.Network(lambda x: {"one": one(x), "two": two(x)})
        history = network.fit(X, {"one": Y, "two": 1 - Y}, epochs=3, validation_split=0.3, progress=False)
        axes = history.plot().axes
        assert [a.get_ylabel() for a in axes] == ["loss", "accuracy_one", "accuracy_two"]
        for a in axes:
            lines = {line.get_label(): list(line.get_ydata()) for line in a.lines}
            name = a.get_ylabel()
            assert lines == {"training": history[name], "validation": history[f"val_{name}"]}

    def test_every_metric_is_drawn(self) -> None:
        history = small().fit(X, Y, epochs=3, validation_split=0.3, metrics=["auc"], progress=False)
        axes = {a.get_ylabel(): a for a in history.plot().axes}
        assert list(axes) == ["loss", "accuracy", "auc"]
        assert list(axes["auc"].lines[0].get_ydata()) == history["val_auc"]

    def test_plot(self, tmp_path: Any) -> None:
        history = small().fit(X, Y, validation_split=0.3, early_stopping=2, epochs=4, progress=False)
        figure = history.plot(tmp_path / "curve.png")
        assert (tmp_path / "curve.png").read_bytes()[:4] == b"\x89PNG"
        assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "accuracy"]
        with pytest.raises(SettingError, match=r"'curve\.xyz', whose ending is no format of pictures; use one of"):
            history.plot(tmp_path / "curve.xyz")

    def test_silent_when_not_at_a_terminal(self, capsys: pytest.CaptureFixture[str]) -> None:
        small().fit(X, Y, epochs=2)
        captured = capsys.readouterr()
        assert captured.out == captured.err == ""
