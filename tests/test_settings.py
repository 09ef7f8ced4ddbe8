"""Every argument of what users call, given values of every kind: it works, or the error is one of the family."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError
from chainrule.training.named import PIECES
from together import together

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)


class Odd:
    """Something that has no meaning for us."""

    def __repr__(self) -> str:
        return "Odd()"


VALUES: dict[str, Any] = {
    "None": None, "True": True, "False": False, "0": 0, "-1": -1, "3": 3, "10**30": 10**30, "10**5000": 10**5000,
    "1/2": 0.5, "nan": float("nan"), "inf": float("inf"), "1j": 1j, "no text": "", "text": "abc", "bytes": b"x",
    "surrogate": "\ud800", "an empty list": [], "a list": [1], "an empty tuple": (), "an empty dict": {}, "a dict": {"a": 1},
    "a set": {1, 2}, "an object": Odd(), "a class": Odd, "a function": lambda *given: 1, "no numbers": np.array([]),
    "numbers": np.ones((2, 2)), "float64": np.float64(2.0), "int64": np.int64(3), "bool_": np.bool_(True),
    "letters": np.array(["a"]), "objects": np.array([Odd()]), "a range": range(3), "...": ...,
}  # fmt: skip


def network() -> cr.Network:
    return cr.Network([cr.Dense(2)])


def derived(call: Any = cr.hypergradient, **given: Any) -> Any:
    """By settings of a training of one step."""
    return call(network(), (X, Y), (X, Y), epochs=1, l2=0.1, engine="numpy", **given)


FITTED = network()
FITTED.fit(X, Y, epochs=1, progress=False)
NEEDED = {
    "units": 2,
    "activation": "relu",
    "rate": 0.1,
    "epochs": 2,
    "after": 0.1,
    "rates": (0.1, 0.2),
    "times": (0, 1),
    "edges": ((0.0, 1.0),),
    "sizes": (3,),
    "members": ((cr.Dense(1),),),
}

CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    **{
        name: (kind, {k: v for k, v in NEEDED.items() if k in inspect.signature(kind).parameters})
        for name, kind in PIECES.items()
    },
    "Network": (cr.Network, {"layers": [cr.Dense(2)]}),
    "EarlyStopping": (cr.EarlyStopping, {}),
    "Perceptron": (cr.Perceptron, {}),
    "fit": (lambda: None, {}),
    "predict": (FITTED.predict, {"X": X}),
    "predict_proba": (FITTED.predict_proba, {"X": X}),
    "evaluate": (FITTED.evaluate, {"X": X, "y": Y}),
    "outputs": (FITTED, {}),
    "forward": (FITTED.forward, {}),
    "build": (lambda *inputs: network().build(*inputs), {}),
    "summary": (FITTED.summary, {}),
    "hypergradient": (
        lambda by="l2", mode="auto", sample_weight=None: derived(by=by, mode=mode, sample_weight=sample_weight),
        {},
    ),
    "tune": (lambda by="l2", descent=None: derived(cr.tune, by=by, trainings=1, descent=descent), {}),
    "compiled": (FITTED.compiled().predict, {}),
    "parameters": (lambda parameters: setattr(network().build(3), "parameters", parameters), {}),
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of the values are names of files."""
    monkeypatch.chdir(tmp_path)


def fit(**given: Any) -> Any:
    return network().fit(**{"X": X, "y": Y, "epochs": 1, "progress": False, **given})


def attempts(name: str, value: Any) -> Iterator[Callable[[], Any]]:
    """Calls in which one argument after the other has this value."""
    if name == "fit":
        for parameter in set(inspect.signature(cr.Network.fit).parameters) - {"self", "progress"}:
            if parameter != "epochs" or not isinstance(value, int) or value < 100:  # which would be carried out
                yield lambda parameter=parameter: fit(**{parameter: value})
        return
    call, needed = CALLS[name]
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            yield lambda: call(value)
        else:
            yield lambda parameter=parameter: call(**{**needed, parameter.name: value})


@together(product(CALLS, VALUES), lambda name, kind: name)
def test_any_value_works_or_is_refused(name: str, kind: str) -> None:
    for attempt in attempts(name, VALUES[kind]):
        try:
            attempt()
        except ChainruleError as error:
            refusal = str(error)
        else:
            continue
        assert 30 < len(refusal) < 2000


@pytest.mark.parametrize("kind", VALUES)
def test_files(kind: str) -> None:
    """What is no name of a file is refused by us, what names none that there can be by the system."""
    value = VALUES[kind]
    FITTED.save("m")
    for call in (
        lambda: FITTED.save(value),
        lambda: FITTED.save("n", notes=value),
        lambda: cr.load(value),
        lambda: cr.load("m", function=value),
        lambda: cr.load("m", custom=value),
    ):
        try:
            call()
        except (ChainruleError, OSError) as error:
            refusal = str(error)
        else:
            continue
        assert len(refusal) > 20


@pytest.mark.parametrize("size", [10**12, 10**15, 10**18, 10**30])
def test_networks_larger_than_any_memory(size: int) -> None:
    for call in (
        lambda: cr.Network([cr.Dense(size)]).build(2),
        lambda: cr.Network([cr.Dense(2)]).build(size),
        lambda: cr.Network([cr.Dense(2**36), cr.Dense(2**36)]).build(2),
        lambda: FITTED.summary(size),
    ):
        try:
            call()
        except cr.errors.SettingError as error:
            refusal = str(error)
        else:
            continue
        assert "memory" in refusal or "at most" in refusal


@pytest.mark.parametrize("batch_size", [np.int64(5), np.int32(12), np.uint8(100)])
def test_whole_numbers_of_numpy(batch_size: Any) -> None:
    found = fit(epochs=np.int64(2), batch_size=batch_size, seed=np.uint32(1), threads=np.int64(1))
    assert found["loss"] == fit(epochs=2, batch_size=int(batch_size), seed=1)["loss"]
