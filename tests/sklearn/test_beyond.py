"""What scikit-learn's multilayer perceptrons do not have."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification, make_regression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

import chainrule as cr
from chainrule.sklearn import MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)


def test_rare_classes_can_count_for_more() -> None:
    A, b = make_classification(400, 5, weights=[0.95], flip_y=0.05, random_state=0)
    plain = MLPClassifier(random_state=0, max_iter=60).fit(A, b)
    weighed = MLPClassifier(random_state=0, max_iter=60, class_weight="balanced").fit(A, b)
    assert (weighed.predict(A) == 1).sum() > (plain.predict(A) == 1).sum()
    by_hand = MLPClassifier(random_state=0, max_iter=60).fit(
        A, b, sample_weight=np.where(b, 400 / b.sum() / 2, 200 / (b == 0).sum())
    )
    np.testing.assert_allclose(weighed.loss_curve_, by_hand.loss_curve_, rtol=1e-9)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "log_cosh", cr.Huber(delta=0.3)])
def test_losses_for_values(loss: Any) -> None:
    A, b = make_regression(150, 3, noise=0.1, random_state=0)
    model = MLPRegressor(loss, random_state=0, learning_rate_init=0.02).fit(A, b / b.std())
    assert model.score(A, b / b.std()) > 0.9


def test_losses_for_labels() -> None:
    model = MLPClassifier(loss="hinge", random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    assert not hasattr(model, "predict_proba")
    two = MLPClassifier(loss="cross_entropy", random_state=0).fit(X[:100], y[:100])
    assert two.coefs_[-1].shape[1] == 2
    assert two.predict_proba(X[:100]).shape == (100, 2)
    by_label = MLPClassifier(loss="binary_cross_entropy", random_state=0).fit(X, y)
    np.testing.assert_allclose(by_label.predict_proba(X).sum(axis=1), 1.0)
    with pytest.raises(ValueError, match="several labels at once"):
        MLPClassifier(loss="hinge").fit(X, np.eye(3, dtype=int)[y])


def squash(x: Any) -> Any:
    return x / (1.0 + np.abs(x))


def test_an_activation_for_each_layer() -> None:
    model = MLPClassifier((8, 6), activation=["gelu", squash], random_state=0, learning_rate_init=0.02).fit(X, y)
    assert model.score(X, y) > 0.9
    first, second = model.hidden_activations(X)
    assert (first.shape, second.shape) == ((150, 8), (150, 6))
    z = first @ model.coefs_[1] + model.intercepts_[1]
    np.testing.assert_allclose(second, squash(z), rtol=1e-12)


def test_dropout_depends_on_the_seed_and_is_for_training_only() -> None:
    models = [MLPClassifier(dropout=0.3, random_state=s, max_iter=20).fit(X, y) for s in (0, 0, 1)]
    assert models[0].loss_curve_ == models[1].loss_curve_ != models[2].loss_curve_
    np.testing.assert_array_equal(models[0].predict_proba(X), models[0].predict_proba(X))
    without = MLPClassifier(random_state=0, max_iter=20).fit(X, y)
    assert without.loss_curve_[-1] < models[0].loss_curve_[-1]
    assert MLPClassifier((4, 4), dropout=[0.0, 0.5], max_iter=2).fit(X, y).n_layers_ == 4


def test_any_optimizer() -> None:
    for optimizer in ("nadam", cr.AdamW(0.01, weight_decay=0.1), cr.SGD(cr.Cosine(0.1, epochs=30), momentum=0.9)):
        model = MLPClassifier(optimizer=optimizer, random_state=0, max_iter=60).fit(X, y)
        assert model.score(X, y) > 0.85
    assert MLPClassifier(solver="lbfgs", optimizer="rprop", max_iter=3).fit(X, y).n_iter_ == 3
    MLPClassifier(solver="lbfgs", optimizer="adam").partial_fit(X, y, classes=[0, 1, 2])


def test_validation_data_of_ones_own() -> None:
    kept, held = np.arange(150) % 3 > 0, np.arange(150) % 3 == 0
    model = MLPClassifier(random_state=0, max_iter=30).fit(X[kept], y[kept], validation_data=(X[held], y[held]))
    assert len(model.loss_curve_) == len(model.validation_loss_curve_) == len(model.validation_scores_) == 30
    assert model.validation_scores_[-1] == model.score(X[held], y[held])
    p = model.predict_proba(X[held])[np.arange(held.sum()), y[held]]
    np.testing.assert_allclose(model.validation_loss_curve_[-1], -np.log(p).mean(), rtol=1e-9)
    plain = MLPClassifier(random_state=0, max_iter=30).fit(X[kept], y[kept])
    assert plain.loss_curve_ == model.loss_curve_  # being looked at changes nothing
    stopped = MLPClassifier(random_state=0, early_stopping=True, n_iter_no_change=2, learning_rate_init=0.05)
    stopped.fit(X[kept], y[kept], validation_data=(X[held], y[held]))
    assert stopped.score(X[held], y[held]) == stopped.best_validation_score_ == max(stopped.validation_scores_)


def test_callbacks() -> None:
    seen: list[Any] = []

    def watch(end: cr.EpochEnd) -> Any:
        seen.append((end.epoch, end.metrics["loss"], end.parameters["dense_0"]["weight"].copy()))
        return end.epoch == 6 and "seven are enough"

    model = MLPRegressor(random_state=0, callbacks=watch).fit(X, y)
    assert [epoch for epoch, *_ in seen] == list(range(7))
    assert [loss for _, loss, _ in seen] == model.loss_curve_
    np.testing.assert_array_equal(seen[-1][2], model.coefs_[0])
    assert model.n_iter_ == 7


def test_callbacks_of_scikit_learn() -> None:
    callback = pytest.importorskip("sklearn.callback")

    class Log:
        def __init__(self) -> None:
            self.events: list[Any] = []

        def setup(self, estimator: Any, context: Any) -> None:
            self.events.append("setup")

        def teardown(self, estimator: Any, context: Any) -> None:
            self.events.append("teardown")

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            self.events.append(f"begin {context.task_name}")

        def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any) -> Any:
            self.events.append(f"end {context.task_name}")
            if context.task_name == "epoch" and fitted_estimator is not None:
                self.events.append(round(fitted_estimator.score(X, y), 3))
                return len([e for e in self.events if e == "end epoch"]) == 4
            return False

    log = Log()
    assert isinstance(log, callback.FitCallback)
    model = MLPClassifier(random_state=0, max_iter=10).set_callbacks(log).fit(X, y)
    assert model.n_iter_ == 4
    assert log.events[:3] == ["setup", "begin fit", "begin epoch"]
    assert log.events[-2:] == ["end fit", "teardown"]
    assert log.events.count("begin epoch") == log.events.count("end epoch") == 4
    assert [e for e in log.events if isinstance(e, float)][-1] == round(model.score(X, y), 3)
    MLPClassifier(random_state=0, max_iter=3).set_callbacks(callback.ScoringMonitor(scoring="accuracy")).fit(X, y)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_input_gradients(solver: str) -> None:
    A, b = make_regression(6, 3, n_targets=2, random_state=0)
    model = MLPRegressor(solver=solver, activation="tanh", random_state=0, max_iter=30).fit(A, b / 50)
    gradient = model.input_gradient(A, b / 50)
    step = 1e-6
    for column in range(3):
        move = np.zeros(3)
        move[column] = step
        losses = [0.5 * ((model.predict(A + sign * move) - b / 50) ** 2).sum(axis=1) for sign in (1, -1)]
        np.testing.assert_allclose(gradient[:, column], (losses[0] - losses[1]) / (2 * step), rtol=1e-5, atol=1e-7)


def test_a_weight_is_explained() -> None:
    """By the loss as it is written in books: the derivation's value is the gradient of the loss that is learned from."""
    A, b = make_regression(5, 3, n_targets=2, random_state=0)
    A, b = A / 2, b / 100
    for model, rows, targets in (
        (MLPRegressor(hidden_layer_sizes=4, activation="tanh", random_state=0, max_iter=3).fit(A, b), A, b),
        (MLPClassifier(4, "tanh", random_state=0, max_iter=3).fit(X, y), X[48:53], y[48:53]),
        (MLPClassifier(4, "tanh", random_state=0, max_iter=3).fit(X[:100], y[:100]), X[48:53], y[48:53]),
        (
            NetworkClassifier(random_state=0, max_iter=3).fit(X, np.array(["x", "y", "z"])[y]),
            X[48:50],
            np.array(["x"] * 2),
        ),
    ):
        weights = model.network_.parameters["dense_0"]["weight"]

        def loss(
            change: float, model: Any = model, rows: Any = rows, targets: Any = targets, weights: Any = weights
        ) -> Any:
            model.network_.parameters["dense_0"]["weight"][1, 2] += change
            try:
                if isinstance(model, MLPRegressor):
                    return 0.5 * ((model.predict(rows) - targets) ** 2).sum(axis=1).mean()
                places = np.searchsorted(model.classes_, targets)
                return -np.log(model.predict_proba(rows)[np.arange(len(rows)), places]).mean()
            finally:
                weights[1, 2] -= change

        explained = model.explain(rows, targets, "dense_0.weight[1, 2]")
        assert explained.value == pytest.approx((loss(1e-6) - loss(-1e-6)) / 2e-6, rel=1e-5, abs=1e-8)
        assert "∂L/∂dense_0.weight[1, 2]" in str(explained)
        assert "minimum" not in str(explained)


def test_engines_agree() -> None:
    machine, numpy = (MLPClassifier(random_state=0, max_iter=9, engine=e).fit(X, y) for e in ("llvm", "numpy"))
    np.testing.assert_allclose(machine.loss_curve_, numpy.loss_curve_, rtol=1e-12)
    machine, numpy = (
        MLPClassifier(random_state=0, max_iter=9, solver="lbfgs", engine=e).fit(X, y) for e in ("llvm", "numpy")
    )
    np.testing.assert_allclose(machine.loss_, numpy.loss_, rtol=1e-9)


def test_any_network_as_an_estimator() -> None:
    pattern = cr.Network([cr.Dense(10, "silu"), cr.Dropout(0.1), cr.Dense(10, "tanh", name="last"), cr.Dense(7)])
    model = NetworkClassifier(pattern, optimizer=cr.Adam(0.01), random_state=0, validation_split=0.2)
    names = np.array(["x", "y", "z"])
    model.fit(X, names[y])
    assert model.score(X, names[y]) > 0.9
    assert model.network_.layers["dense_1"].units == 3  # as many as there are classes
    assert len(model.validation_loss_curve_) == model.n_iter_ == 200
    assert pattern.history is None
    again = clone(model).fit(X, names[y])
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert model.input_gradient(X, names[y]).shape == X.shape


def test_a_function_as_an_estimator() -> None:
    f, g = cr.Dense(8, "tanh", name="f"), cr.Dense(1, name="g")
    A, b = make_regression(100, 4, random_state=0)
    model = NetworkRegressor(cr.Network(lambda x: g(f(x)) + x[:, :1]), optimizer=cr.Adam(0.02), random_state=0)
    assert model.fit(A, b / b.std()).score(A, b / b.std()) > 0.95


def test_settings_inside_settings() -> None:
    pattern = cr.Network([cr.Dense(4, "relu", name="hidden"), cr.Dense(3)])
    model = NetworkClassifier(pattern, optimizer="sgd", loss="cross_entropy", max_iter=5, random_state=0)
    params = model.get_params()
    assert params["network__hidden__units"] == 4
    assert params["optimizer__momentum"] == 0.0
    grid = {
        "network__hidden__units": [3, 9],
        "network__hidden__activation": ["tanh"],
        "optimizer__learning_rate": [1e-4, 0.5],
    }
    search = GridSearchCV(model, grid, cv=3).fit(X, y)
    assert search.best_params_["optimizer__learning_rate"] == 0.5
    best = search.best_estimator_
    assert best.network_.layers["hidden"].activation == "tanh"
    assert best.network_.layers["hidden"].units == search.best_params_["network__hidden__units"]
    assert pattern.function.layers[0].units == 4
    assert model.optimizer == "sgd"
    for wrong in ("network__hiden__units", "optimizer__rate"):
        with pytest.raises(ValueError, match="Invalid parameter"):
            model.set_params(**{wrong: 1})


def test_a_fitted_network_is_gone_on_from() -> None:
    network = cr.Network([cr.Dense(8, "relu"), cr.Dense(3)], dtype="float64")
    network.fit(X, y, epochs=60, optimizer=cr.Adam(0.02), progress=False)
    before = network.evaluate(X, y)["loss"]
    model = NetworkClassifier(network, max_iter=1, random_state=0).fit(X, y)
    assert model.loss_curve_[0] == pytest.approx(before, rel=1e-6)
    assert network.evaluate(X, y)["loss"] == before


def test_without_scikit_learn_the_extra_is_named() -> None:
    code = (
        "import sys, importlib.machinery as m\n"
        "find = m.PathFinder.find_spec\n"
        "m.PathFinder.find_spec = lambda name, *a, **k: None if name.split('.')[0] == 'sklearn' else find(name, *a, **k)\n"
        "import chainrule\n"
        "try:\n    import chainrule.sklearn\n"
        "except ImportError as error:\n    print(error)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert 'pip install "chainrule[sklearn]"' in found
