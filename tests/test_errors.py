"""The family of errors: what each is also, what its docstring claims, and how its messages are made."""

from __future__ import annotations

import pickle
import re
import sys
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.errors import (
    ChainruleError,
    DataError,
    DerivativeLostError,
    DifferentiationError,
    DivergedError,
    InPlaceError,
    MissingExtraError,
    ModelFileError,
    NotBuiltError,
    ProgramError,
    SettingError,
    ShapeError,
    TracingError,
    UnknownNameError,
    UnsupportedError,
    nearest,
)
from chainrule.network.advice import NOT_TAKEN
from making import moons

FAMILY = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ChainruleError)]
X, Y = moons(20)
BUILTIN = {
    ShapeError: ValueError,
    DataError: ValueError,
    errors.MatrixError: np.linalg.LinAlgError,
    SettingError: ValueError,
    errors.ArgumentError: TypeError,
    UnknownNameError: LookupError,
    errors.NoLengthError: TypeError,
    TracingError: RuntimeError,
    DifferentiationError: TypeError,
    errors.GradientMismatchError: AssertionError,
    ProgramError: ValueError,
    DivergedError: ArithmeticError,
    ModelFileError: ValueError,
    errors.MissingFileError: FileNotFoundError,
    NotBuiltError: RuntimeError,
    errors.LostProcessError: RuntimeError,
    MissingExtraError: ImportError,
}


@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)
class TestFamily:
    def test_is_caught_as_one_family_and_as_pythons_own(self, kind: Any) -> None:
        assert kind is ChainruleError or any(
            issubclass(kind, mine) and issubclass(kind, BUILTIN[mine]) for mine in BUILTIN
        )

    def test_says_what_it_is_for(self, kind: Any) -> None:
        assert kind.__doc__
        assert kind.__name__ in errors.__doc__  # type: ignore[operator]

    def test_travels_between_processes(self, kind: Any) -> None:
        error = kind("something", epoch=3, batch=1, place="there") if kind is DivergedError else kind("something")
        copy = pickle.loads(pickle.dumps(error))
        assert type(copy) is kind
        assert str(copy) == "something"
        assert vars(copy) == vars(error)


def in_place(x: Any) -> Any:
    y = np.zeros(2)
    y[0] = x[0]
    return y


def branching(x: Any) -> Any:
    return x if x > 0 else -x


DOCUMENTED = [  # what the docstrings say fails
    (ShapeError, lambda: cr.Network([cr.Dense(1)]).build(2)(np.zeros((5, 3))), r"\(5, 3\).*\(2,\)"),
    (DataError, lambda: cr.Network([cr.Dense(1)]).fit(X * np.nan, Y), "NaN"),
    (SettingError, lambda: cr.Dropout(1.5), "rate=1.5"),
    (UnknownNameError, lambda: cr.Dense(3, "rleu"), "relu"),
    (TracingError, lambda: cr.trace(branching, 1.0), "where"),
    (DerivativeLostError, lambda: cr.grad(lambda x: __import__("math").sin(x))(1.0), "np.sin"),
    (InPlaceError, lambda: cr.grad(lambda x: np.sum(in_place(x)))(np.ones(2)), "np.stack"),
    (UnsupportedError, lambda: cr.grad(lambda x: np.sum(np.spacing(x)))(np.ones(2)), "np.abs"),
    (DifferentiationError, lambda: cr.grad(lambda x: x)(3), "3.0|float"),
    (NotBuiltError, lambda: cr.Network([cr.Dense(3)]).predict(X), r"fit\(X, y\)"),
]


@pytest.mark.parametrize(("kind", "call", "words"), DOCUMENTED, ids=lambda x: getattr(x, "__name__", ""))
def test_what_the_docstrings_say_fails_fails(kind: Any, call: Any, words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        call()
    assert len(str(caught.value)) > 30  # what was given, what was expected, what to do


class TestNames:
    @pytest.mark.parametrize(
        ("call", "right"),
        [
            (lambda: cr.Dense(2, "sigmiod"), "sigmoid"),
            (lambda: cr.Dense(2, weight="orthgonal"), "orthogonal"),
            (lambda: cr.Network([cr.Dense(1)]).fit(X, Y, loss="binary_crossentropy"), "binary_cross_entropy"),
            (lambda: cr.Network([cr.Dense(1)]).fit(X, Y, optimizer="rmsporp"), "rmsprop"),
            (lambda: cr.Network([cr.Dense(1)]).fit(X, Y, engine="nunpy"), "numpy"),
            (lambda: cr.Network([cr.Dense(1)], frozen=["dense_0.wieght"]).fit(X, Y), "dense_0.weight"),
            (lambda: cr.Network([cr.Dense(1)], parameters={"dense_0.bais": 1}).build(2), "dense_0.bias"),
        ],
    )
    def test_the_nearest_right_one_is_offered(self, call: Any, right: str) -> None:
        with pytest.raises(UnknownNameError, match=f"did you mean '{right}'"):
            call()

    def test_all_are_listed_when_none_is_near(self) -> None:
        with pytest.raises(UnknownNameError) as caught:
            cr.Network([cr.Dense(1)]).fit(X, Y, loss="qqq")
        message = str(caught.value)
        assert "did you mean" not in message
        assert all(name in message for name in cr.training.LOSSES)

    def test_nearest(self) -> None:
        assert "'relu'" in nearest("rleu", ["relu", "tanh"])
        assert nearest("zzz", ["relu"]) == ""
        assert "'auc'" in nearest("AUC", ["auc", "mae"])


class TestNumbers:
    @pytest.mark.parametrize("value", [None, "1", True, float("nan"), float("inf"), 1j, [1], -0.1, 1.0])
    def test_what_is_no_number_within_bounds(self, value: Any) -> None:
        with pytest.raises(SettingError, match=r"Thing was given size=.*at least 0 and less than 1"):
            SettingError.unless_number("Thing", "size", value, at_least=0, below=1)

    @pytest.mark.parametrize("value", [0, 0.5, np.float32(0.25), np.int64(0)])
    def test_what_is(self, value: Any) -> None:
        SettingError.unless_number("Thing", "size", value, at_least=0, below=1)

    @pytest.mark.parametrize("value", [0, -1, 1.0, "1", True, None])
    def test_what_is_no_count(self, value: Any) -> None:
        with pytest.raises(SettingError, match="positive integer"):
            SettingError.unless_count("Thing", "size", value)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"epochs": 0}, "epochs=0.*positive integer"),
            ({"epochs": 2.5}, "epochs=2.5"),
            ({"batch_size": -1}, "batch_size=-1.*positive integer"),
            ({"batch_size": "all"}, "batch_size='all'"),
            ({"seed": -1}, "seed=-1.*from 0 on"),
            ({"seed": None}, "seed=None"),
            ({"l1": -1}, "l1=-1.*at least 0"),
            ({"l2": "a"}, "l2='a'"),
            ({"clip_norm": 0}, "clip_norm=0.*more than 0"),
            ({"clip_value": float("nan")}, "clip_value=nan"),
            ({"gradients": "exact"}, "'chain rule' or 'numerical'"),
            ({"loss": 3}, "is no loss"),
            ({"optimizer": 3}, "is no optimizer"),
            ({"frozen": [1]}, "frozen"),
        ],
    )
    def test_settings_of_fit(self, options: Any, words: str) -> None:
        with pytest.raises(SettingError, match=words):
            cr.Network([cr.Dense(1)]).fit(X, Y, progress=False, **options)


def test_a_missing_library_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    history = cr.Network([cr.Dense(1)]).fit(X, Y, epochs=1, progress=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.delitem(sys.modules, "chainrule.training.learning_curves", raising=False)
    with pytest.raises(MissingExtraError, match=r'History\.plot needs matplotlib.*pip install "chainrule\[plot\]"'):
        history.plot()


def test_layers_without_their_methods_say_which() -> None:
    class Empty(cr.Layer):
        pass

    with pytest.raises(SettingError, match=r"Empty has no forward"):
        cr.Network([Empty()]).build(1)


def test_a_step_function_is_refused_with_advice() -> None:
    with pytest.raises(DifferentiationError, match=r"no derivative reaches any parameter.*step.*cr\.Perceptron"):
        cr.Network([cr.Dense(1, "step")]).fit(X, Y, loss="squared_error", progress=False)


def test_an_output_that_cannot_be_trained() -> None:
    with pytest.raises(ShapeError, match=r"\(batch, outputs\).*\(batch, 3, 4\).*cr\.Flatten"):
        cr.Network([cr.Dense(4)]).fit(np.ones((20, 3, 2)), Y, progress=False)


def test_a_network_without_anything_to_learn() -> None:
    with pytest.raises(SettingError, match="no parameters to learn"):
        cr.Network([cr.Activation("tanh")]).fit(X, X, progress=False)
    with pytest.raises(ShapeError, match="depends on no input and no parameter"):
        cr.Network(lambda x: np.ones((2, 1))).build(3)


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda: cr.Network(cr.Dense(2), cr.Dense(1)), r"in one list, cr\.Network\(\["),
        (lambda: cr.Network([cr.Dense(1)], sed=1), "did you mean 'seed'"),
        (lambda: cr.Network([cr.Dense(1)]).fit(np.ones((4, 2)), np.ones(4), 30), r"fit\(X, y, epochs=30\)"),
        (lambda: cr.Network([cr.Dense(1)]).fit(np.ones((4, 2))), "'y'; give it"),
        (lambda: cr.Network([cr.Dense(1)]).fit(np.ones((4, 2)), np.ones(4), epoch=3), "did you mean 'epochs'"),
        *(
            (
                lambda name=name: cr.Network([cr.Dense(1)]).fit(np.ones((4, 2)), np.ones(4), **{name: 1}),
                re.escape(advice),
            )
            for name, advice in NOT_TAKEN.items()
        ),
    ],
)
def test_arguments_of_other_libraries_are_answered_by_what_to_write(call, advice):
    with pytest.raises(cr.errors.ArgumentError, match=advice):
        call()


def test_errors_inside_are_their_own():
    def broken(end):
        raise TypeError("mine")

    with pytest.raises(TypeError, match=r"^mine$"):
        cr.Network([cr.Dense(1)]).fit(np.ones((4, 2)), np.ones(4), epochs=1, progress=False, callbacks=[broken])


@pytest.mark.parametrize("symbols", [3, "w", ["w"], {"dense_0.weight": 3}, {3: "w"}], ids=repr)
def test_symbols_are_texts(symbols):
    network, X, y = cr.Network([cr.Dense(1)]).build(2), np.ones((1, 2)), np.ones((1, 1))
    with pytest.raises(SettingError, match="explain was given symbols="):
        network.explain(X, y, "dense_0.weight[0, 0]", symbols=symbols)
    with pytest.raises(SettingError, match="view was given symbols="):
        cr.view(network, X, y, symbols=symbols)
