"""The perceptron learns AND and OR, is shown never to learn XOR, and follows Rosenblatt's rule step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, NotBuiltError, SettingError, ShapeError

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)


@pytest.mark.parametrize("y", [[0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]])
def test_learns_what_a_line_separates(y: list[int]) -> None:
    perceptron = cr.Perceptron().fit(X, y)
    assert perceptron.predict(X).tolist() == y
    assert perceptron.converged
    assert perceptron.separable
    assert "separates" in perceptron.summary()


@pytest.mark.parametrize("y", [[0, 1, 1, 0], [1, 0, 0, 1]])
def test_shows_that_no_line_separates_exclusive_or(y: list[int]) -> None:
    perceptron = cr.Perceptron().fit(X, y, epochs=1000)
    assert not perceptron.converged
    assert perceptron.separable is False
    assert len(perceptron.errors) < 20  # it is seen to go round in circles, long before 1000 passes
    assert all(perceptron.errors)
    assert "No line separates" in perceptron.summary()


def test_follows_the_rule() -> None:
    y = [0, 1, 1, 1]
    w, b, mistakes = np.zeros(2), 0.0, []
    for _ in range(20):
        wrong = 0
        for x, t in zip(X, y, strict=True):
            a = 1.0 if w @ x + b > 0 else 0.0
            w, b, wrong = w + 0.5 * (t - a) * x, b + 0.5 * (t - a), wrong + int(a != t)
        mistakes.append(wrong)
        if not wrong:
            break
    perceptron = cr.Perceptron(learning_rate=0.5).fit(X, y)
    assert np.array_equal(perceptron.weight, w)
    assert perceptron.bias == b
    assert perceptron.errors == mistakes
    assert np.array_equal(perceptron.linear(X), X @ w + b)


def test_novikoffs_bound_holds() -> None:
    random = np.random.default_rng(0)
    normal = np.array([3.0, -2.0, 1.0]) / 14**0.5
    samples = random.normal(size=(300, 3))
    samples = samples[np.abs(samples @ normal) > 0.1]
    perceptron = cr.Perceptron().fit(samples, samples @ normal > 0, epochs=10000)
    extended = np.c_[samples, np.ones(len(samples))]
    radius, margin = np.linalg.norm(extended, axis=1).max(), np.abs(samples @ normal).min()
    assert perceptron.converged
    assert sum(perceptron.errors) <= (radius / margin) ** 2


def test_goes_on_from_where_it_was() -> None:
    perceptron = cr.Perceptron().fit(X, [0, 0, 0, 1], epochs=1)
    assert perceptron.converged is False
    assert perceptron.separable is None
    assert "more passes may" in perceptron.summary()
    assert perceptron.fit(X, [0, 0, 0, 1]).converged


def test_any_two_boolean_targets() -> None:
    assert cr.Perceptron().fit(X.tolist(), [False, False, False, True]).predict(X.tolist()).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("samples", "targets", "settings", "error", "words"),
    [
        (X, [0, 1], {}, ShapeError, "one target for each sample"),
        (X[0], [0, 1], {}, ShapeError, "samples, features"),
        (X[:0], [], {}, ShapeError, r"\(0, 2\)"),
        (X, [0, 1, 2, 1], {}, DataError, "targets 0 and 1"),
        (X, ["no", "no", "no", "yes"], {}, DataError, "targets 0 and 1"),
        (X * np.nan, [0, 1, 1, 1], {}, DataError, "NaN"),
        (X, [0, 1, 1, 1], {"epochs": 0}, SettingError, "epochs=0.*positive integer"),
    ],
)
def test_errors(samples: Any, targets: Any, settings: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        cr.Perceptron().fit(samples, targets, **settings)


def test_errors_of_use() -> None:
    with pytest.raises(NotBuiltError, match=r"call fit\(X, y\) first"):
        cr.Perceptron().predict(X)
    trained = cr.Perceptron().fit(X, [0, 0, 0, 1])
    with pytest.raises(ShapeError, match=r"2 features.*\(4, 3\)"):
        trained.predict(np.ones((4, 3)))
    with pytest.raises(ShapeError, match=r"2 features.*\(4, 3\)"):
        trained.fit(np.ones((4, 3)), [0, 0, 0, 1])
    with pytest.raises(SettingError, match=r"learning_rate=0\.0; it must be more than 0"):
        cr.Perceptron(learning_rate=0.0)


AND = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]


def rosenblatt(X, y, *, theta=None, at_zero=0, rate=1.0, passes=20):
    """The rule, number by number, with a threshold that is learned or fixed."""
    w, b = [0.0] * len(X[0]), 0.0 if theta is None else -theta
    for _ in range(passes):
        mistakes = 0
        for x, t in zip(X, y, strict=True):
            z = sum(wi * xi for wi, xi in zip(w, x, strict=True)) + b
            error = t - (1 if z > 0 else at_zero if z == 0 else 0)
            mistakes += error != 0
            w = [wi + rate * error * xi for wi, xi in zip(w, x, strict=True)]
            b += rate * error if theta is None else 0
        if not mistakes:
            break
    return w, b


@pytest.mark.parametrize("theta", [None, 0.0, 0.5, 1.5, -1.0])
@pytest.mark.parametrize("at_zero", [0, 1])
@pytest.mark.parametrize("y", [[0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 0, 0]])
def test_settings_follow_the_rule_number_by_number(theta, at_zero, y):
    found = cr.Perceptron(0.5, threshold=theta, fires_at_zero=bool(at_zero)).fit(AND[0], y)
    w, b = rosenblatt(AND[0], y, theta=theta, at_zero=at_zero, rate=0.5, passes=len(found.errors))
    assert found.weight.tolist() == w
    assert found.bias == b
    if theta is not None:
        assert found.bias == -theta
    if found.converged:
        assert found.predict(AND[0]).tolist() == y


def test_step_at_zero():
    assert cr.Perceptron(1.0, [1.0, 1.0]).predict([[1, -1]]).tolist() == [0]
    assert cr.Perceptron(1.0, [1.0, 1.0], fires_at_zero=True).predict([[1, -1]]).tolist() == [1]


def test_a_fixed_threshold_proves_nothing_by_circling():
    """With θ = 0 there is no line through the origin for NOT-like labels; with θ > 0 a circle is no proof."""
    x, y = [[0.0], [1.0]], [1, 0]
    origin = cr.Perceptron(threshold=0.0).fit(x, y)
    assert origin.separable is False
    assert "No line through the origin" in origin.summary()
    assert cr.Perceptron(threshold=1.0).fit(x, y).separable is None


def test_lists_masks_and_columns():
    given = cr.Perceptron(1.0, [0.0, 0.0], 0.0).fit(*AND)
    assert given.predict(AND[0]).tolist() == AND[1]
    assert cr.Perceptron().fit(AND[0], np.array(AND[1])[:, None]).weight.tolist() == given.weight.tolist()
    with pytest.raises(DataError, match="NaN"):
        cr.Perceptron().fit(np.ma.masked_array(AND[0], np.array(AND[0]) == 1), AND[1])
    with pytest.raises(DataError, match="0 and 1"):
        cr.Perceptron().fit(AND[0], np.ma.masked_array(AND[1], [1, 0, 0, 0]))
    with pytest.raises(DataError, match=r"0 and 1.*astype\(int\)"):
        cr.Perceptron().fit(AND[0], ["a", "b", "a", "b"])
    with pytest.raises(SettingError, match="threshold"):
        cr.Perceptron(bias=1.0, threshold=2.0)
