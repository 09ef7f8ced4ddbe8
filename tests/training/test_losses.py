"""Every loss: its value by an independent formula, its gradient, its rows, its ends, and its dtypes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, SettingError, ShapeError, UnknownNameError
from chainrule.training import LOSSES, as_loss
from making import exported, made, numerical_gradient, targets_for


def softmax(z: Any) -> list[float]:
    total = sum(math.exp(v) for v in z)
    return [math.exp(v) / total for v in z]


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def mean(values: Any) -> float:
    values = list(values)
    return sum(values) / len(values)


FORMULAS: dict[str, Any] = {  # of one row of outputs and one row of targets, number by number, as the papers have them
    "squared_error": lambda a, t: mean((x - y) ** 2 for x, y in zip(a, t, strict=True)),
    "l2_norm": lambda a, t: 0.5 * sum((x - y) ** 2 for x, y in zip(a, t, strict=True)),
    "absolute_error": lambda a, t: mean(abs(x - y) for x, y in zip(a, t, strict=True)),
    "huber": lambda a, t: mean(
        0.5 * (x - y) ** 2 if abs(x - y) <= 1 else abs(x - y) - 0.5 for x, y in zip(a, t, strict=True)
    ),
    "log_cosh": lambda a, t: mean(math.log(math.cosh(x - y)) for x, y in zip(a, t, strict=True)),
    "binary_cross_entropy": lambda z, t: mean(
        -y * math.log(sigmoid(x)) - (1 - y) * math.log(1 - sigmoid(x)) for x, y in zip(z, t, strict=True)
    ),
    "cross_entropy": lambda z, t: -math.log(softmax(z)[int(t)]),
    "hinge": lambda z, t: max(0.0, 1 + max(x for x, y in zip(z, t, strict=True) if not y) - float(np.dot(z, t))),
    "poisson": lambda z, t: mean(math.exp(x) - y * x for x, y in zip(z, t, strict=True)),
    "kl_divergence": lambda z, t: sum(y * math.log(y / p) for y, p in zip(t, softmax(z), strict=True)),
}
ROWS, WIDTH = 6, 3


def scores(seed: int = 1, scale: float = 2.0) -> Any:
    return scale * np.random.default_rng(seed).normal(size=(ROWS, WIDTH))


@pytest.mark.parametrize("name", FORMULAS)
def test_value_by_the_formula(name: str) -> None:
    targets = targets_for(LOSSES[name], ROWS, WIDTH)
    expected = [FORMULAS[name](z, t) for z, t in zip(scores(), targets, strict=True)]
    values = LOSSES[name](scores(), targets)
    assert values.shape == (ROWS,)
    np.testing.assert_allclose(values, expected, rtol=1e-10)


@pytest.mark.parametrize("name", LOSSES)
class TestEveryLoss:
    def test_gradient(self, name: str) -> None:
        targets = targets_for(LOSSES[name], ROWS, WIDTH)
        gradient = cr.grad(lambda z: np.mean(LOSSES[name](z, targets)))(scores())
        numerical = numerical_gradient(lambda z: np.mean(LOSSES[name](z, targets)), scores())
        np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-9)
        cr.check_grads(lambda z: LOSSES[name](z, targets), (scores(),))

    def test_rows_are_taken_one_by_one(self, name: str) -> None:
        targets = targets_for(LOSSES[name], ROWS, WIDTH)
        singles = [LOSSES[name](scores()[i : i + 1], targets[i : i + 1])[0] for i in range(ROWS)]
        np.testing.assert_allclose(LOSSES[name](scores(), targets), singles, rtol=1e-12)

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_finite_for_scores_of_a_thousand(self, name: str, dtype: str) -> None:
        targets = targets_for(LOSSES[name], ROWS, WIDTH).astype(dtype)
        far = np.array(np.sign(scores()) * 1000, dtype)
        if LOSSES[name].link == "exp":
            far = -np.abs(far)  # a rate of e^1000 is beyond every float
        value, gradient = cr.value_and_grad(lambda z: np.mean(LOSSES[name](z, targets)))(far)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
        assert value.dtype == gradient.dtype == dtype

    def test_never_below_what_a_perfect_prediction_gives(self, name: str) -> None:
        if name == "poisson":
            return  # a likelihood less a constant: it has no lower bound of 0
        values = LOSSES[name](scores(scale=20.0), targets_for(LOSSES[name], ROWS, WIDTH))
        assert (values >= -1e-12).all()

    def test_can_be_trained_with_by_its_name(self, name: str) -> None:
        loss = LOSSES[name]
        X = np.random.default_rng(0).normal(size=(40, 4))
        targets = targets_for(loss, 40, WIDTH)
        network = cr.Network([cr.Dense(WIDTH)])
        history = network.fit(X, targets, loss=name, epochs=30, optimizer=cr.Adam(0.03), progress=False)
        assert history["loss"][-1] < history["loss"][0]
        outputs, values = network(X), network.predict(X)
        if loss.task == "regression":
            np.testing.assert_allclose(values, cr.nn.activation(loss.link)(outputs), rtol=1e-6)
        if loss.link in ("softmax", "sigmoid"):
            proba = network.predict_proba(X)
            assert proba.shape == (40, WIDTH)
            assert ((proba >= 0) & (proba <= 1)).all()

    def test_reported_loss_is_the_mean_over_rows(self, name: str) -> None:
        X = np.random.default_rng(0).normal(size=(10, 4))
        targets = targets_for(LOSSES[name], 10, WIDTH)
        network = cr.Network([cr.Dense(WIDTH)], dtype="float64")
        network.fit(X, targets, loss=name, epochs=1, progress=False)
        expected = np.mean(LOSSES[name](network(X), targets))
        assert network.evaluate(X, targets)["loss"] == pytest.approx(expected, rel=1e-12)

    def test_is_a_value_known_by_name(self, name: str) -> None:
        assert as_loss(name) is LOSSES[name]
        assert as_loss(type(LOSSES[name])) == LOSSES[name]
        assert hash(LOSSES[name]) == hash(type(LOSSES[name])())


def test_every_exported_loss_is_known_by_name() -> None:
    assert set(exported(cr.Loss)) == {type(loss) for loss in LOSSES.values()}
    assert set(FORMULAS) <= set(LOSSES)
    for name in set(LOSSES) - set(FORMULAS):  # what has no formula here shows values in its docstring
        assert ">>>" in (LOSSES[name].__doc__ or "")


@pytest.mark.parametrize("kind", [k for k in exported(cr.Loss) if hasattr(made(k), "over")])
def test_sum_over_outputs_is_mean_times_their_number(kind: Any) -> None:
    targets = targets_for(made(kind), ROWS, WIDTH)
    np.testing.assert_allclose(kind(over="sum")(scores(), targets), 3 * kind()(scores(), targets), rtol=1e-12)
    with pytest.raises(SettingError, match="'mean' or 'sum'"):
        kind(over="max")


class TestForms:
    def test_class_numbers_and_one_hot_rows_agree(self) -> None:
        class_indices = np.array([0, 2, 1, 1, 0, 2])
        np.testing.assert_allclose(
            cr.CrossEntropy()(scores(), class_indices), cr.CrossEntropy()(scores(), np.eye(3)[class_indices])
        )

    def test_kl_is_cross_entropy_less_entropy(self) -> None:
        t = targets_for(cr.KLDivergence(), ROWS, WIDTH)
        entropy = -np.sum(t * np.log(t), axis=1)
        np.testing.assert_allclose(cr.KLDivergence()(scores(), t), cr.CrossEntropy()(scores(), t) - entropy)

    def test_kl_of_one_hot_rows(self) -> None:
        t = np.eye(3)[[0, 2, 1, 1, 0, 2]]
        np.testing.assert_allclose(cr.KLDivergence()(scores(), t), cr.CrossEntropy()(scores(), t))

    def test_one_score_of_two_is_the_difference_of_two_scores(self) -> None:
        z = scores()[:, :2]
        class_indices = np.array([0, 1, 1, 0, 1, 0])
        np.testing.assert_allclose(
            cr.BinaryCrossEntropy()(z[:, 1:] - z[:, :1], class_indices[:, None]), cr.CrossEntropy()(z, class_indices)
        )

    def test_hinge_of_one_output(self) -> None:
        z, t = np.array([[2.0], [0.5], [-3.0]]), np.array([[1.0], [1.0], [1.0]])
        assert cr.Hinge()(z, t).tolist() == [0, 0.5, 4]
        assert cr.Hinge()(-z, -t).tolist() == [0, 0.5, 4]

    def test_huber_joins_its_halves(self) -> None:
        loss = cr.Huber(delta=2.0)
        values = loss(np.array([[1.0], [2.0], [2.0 + 1e-9], [5.0]]), np.zeros((4, 1)))
        np.testing.assert_allclose(values, [0.5, 2.0, 2.0, 2 * (5 - 1)], rtol=1e-8)
        with pytest.raises(SettingError, match="must be more than 0"):
            cr.Huber(delta=0)

    def test_squared_error_is_a_minus_y_squared(self) -> None:
        assert cr.SquaredError()(np.array([[3.0]]), np.array([[1.0]])).tolist() == [4.0]
        assert cr.grad(lambda a: cr.SquaredError()(a, np.array([[1.0]]))[0])(np.array([[3.0]])).tolist() == [[4.0]]

    def test_derivative_of_l2_norm_is_y_minus_t(self) -> None:
        y, t = scores(), scores(seed=2)
        np.testing.assert_allclose(cr.grad(lambda y: np.sum(cr.L2Norm()(y, t)))(y), y - t, rtol=1e-12)

    def test_derivative_of_cross_entropies_is_prediction_minus_target(self) -> None:
        z, t = scores(), np.eye(3)[[0, 2, 1, 1, 0, 2]]
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(cr.grad(lambda z: np.sum(cr.CrossEntropy()(z, t)))(z), p - t, atol=1e-12)
        loss = cr.BinaryCrossEntropy(over="sum")
        np.testing.assert_allclose(
            cr.grad(lambda z: np.sum(loss(z, t)))(z), 1 / (1 + np.exp(-z)) - t, rtol=1e-9, atol=1e-12
        )

    def test_log_cosh_far_and_near(self) -> None:
        values = cr.LogCosh()(np.array([[1e5], [-1e5], [1e-3]]), np.zeros((3, 1)))
        np.testing.assert_allclose(values, [1e5 - math.log(2), 1e5 - math.log(2), 0.5e-6], rtol=1e-5)


class TestYourOwn:
    X = np.linspace(-1, 1, 30)[:, None]

    def learned(self, loss: Any) -> float:
        network = cr.Network([cr.Dense(1)], dtype="float64")
        network.fit(self.X, 2 * self.X, loss=loss, optimizer=cr.SGD(0.3), epochs=60, progress=False)
        return float(network.parameters["dense_0"]["weight"][0, 0])

    def test_function_of_rows(self) -> None:
        assert self.learned(lambda a, t: np.sum((a - t) ** 2, axis=-1)) == pytest.approx(2, abs=1e-3)

    def test_function_that_gives_one_number(self) -> None:
        assert self.learned(lambda a, t: np.mean((a - t) ** 2)) == pytest.approx(2, abs=1e-3)

    def test_class(self) -> None:
        class Tilted(cr.Loss):
            def __call__(self, outputs: Any, targets: Any) -> Any:
                d = outputs - targets
                return np.sum(np.maximum(d, -d) ** 2, axis=-1)

        assert self.learned(Tilted()) == pytest.approx(2, abs=1e-2)
        assert self.learned(Tilted) == pytest.approx(2, abs=1e-2)

    def test_wrong_shape_is_said(self) -> None:
        with pytest.raises(cr.ChainruleError, match=r"gave shape \(\d+, 1, 1\).*one number for every sample"):
            self.learned(lambda a, t: ((a - t) ** 2)[:, :, None])

    def test_not_differentiable_is_said(self) -> None:
        with pytest.raises(cr.ChainruleError, match=r"no derivative reaches any parameter.*sign"):
            self.learned(lambda a, t: np.sum(np.sign(a - t), axis=-1))
        with pytest.raises(cr.ChainruleError, match=r"no derivative reaches any parameter.*equal"):
            self.learned(lambda a, t: np.mean(np.equal(a, t).astype(float)))

    def test_unknown_and_nonsense(self) -> None:
        with pytest.raises(UnknownNameError, match="did you mean 'cross_entropy'"):
            as_loss("cros_entropy")
        with pytest.raises(SettingError, match="is no loss"):
            as_loss(3)
        with pytest.raises(SettingError, match="write one"):
            cr.Loss()(1, 2)


class TestLossesCalledDirectly:
    SCORES = np.full((2, 3), 0.3)

    @pytest.mark.parametrize("targets", [[0, 3], [-1, 0], [0.5, 1.0], np.array([0, 5])])
    def test_cross_entropy_takes_classes_that_are_there(self, targets: Any) -> None:
        with pytest.raises(DataError, match=r"class number .* whole numbers from 0 to 2"):
            cr.CrossEntropy()(self.SCORES, targets)

    def test_one_class_number_for_every_row(self) -> None:
        with pytest.raises(ShapeError, match=r"class numbers of shape \(3,\)"):
            cr.CrossEntropy()(self.SCORES, [0, 1, 2])
        np.testing.assert_allclose(cr.CrossEntropy()(self.SCORES, [0, 2]), np.log(3.0))

    def test_hinge_takes_signs(self) -> None:
        with pytest.raises(DataError, match="−1 and 1"):
            cr.Hinge()(np.zeros((2, 1)), [0, 1])
        np.testing.assert_allclose(cr.Hinge()(np.full((2, 1), 0.5), [-1, 1]), [1.5, 0.5])


def test_a_function_of_one_output_may_give_its_shape():
    """As other libraries' elementwise losses do: of one output that is the sample's loss, of several it is refused."""
    X = np.random.default_rng(0).normal(size=(20, 3))
    weights = np.arange(20.0)

    def trained(loss, **more):
        network = cr.Network([cr.Dense(1)], seed=1)
        return network.fit(X, X[:, 0], loss=loss, epochs=3, batch_size=7, progress=False, **more)["loss"]

    for more in ({}, {"sample_weight": weights}):
        expected = trained(lambda outputs, targets: np.mean(np.abs(outputs - targets), axis=-1), **more)
        assert trained(lambda outputs, targets: np.abs(outputs - targets), **more) == expected
    with pytest.raises(
        ShapeError, match=r"gave shape \(1, 3\).*or one number in all: np\.mean\(values, axis=-1\), or np\.sum"
    ):
        cr.Network([cr.Dense(3)]).fit(X, X, loss=lambda outputs, targets: np.abs(outputs - targets), progress=False)
