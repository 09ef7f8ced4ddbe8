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
