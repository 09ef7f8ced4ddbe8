"""States of callbacks: what is kept comes back the same and of the same types, and what is not is told."""

from __future__ import annotations

import collections
import enum
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.network.files.reading import read
from chainrule.network.files.storage import FORMAT, content_of
from chainrule.network.files.tensors import NAMES
from chainrule.network.files.values import Reader
from chainrule.training.between_epochs.states import DTYPES, NUMBERS, Unkept, plain_copy
from chainrule.training.between_epochs.states import state_of as asked_of
from training.test_checkpoints import StoppedError, names, stopping
from training.test_continuing import X, Y, alike, network, trained
from trying import examples


class Holding:
    """A callback whose state is what it is given, from an epoch on."""

    def __init__(self, state: Any, since: int = -1) -> None:
        self.state, self.since, self.epoch = state, since, -1
        self.given: list[Any] = []

    def __call__(self, end: Any) -> None:
        self.epoch = end.epoch

    def state_dict(self) -> Any:
        return self.state if self.epoch >= self.since else "as yet nothing"

    def load_state_dict(self, state: Any) -> None:
        self.given.append(state)


def exactly(a: Any, b: Any) -> bool:
    """Whether two values are the same in type and in every bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(exactly, a, b))
    if isinstance(a, dict):
        return exactly(list(a.items()), list(b.items()))
    if isinstance(a, np.ndarray | np.generic):
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    return bool(a == b) or repr(a) == repr(b) == "nan"


def numbers_of(dtype: Any) -> Any:
    return arrays.from_dtype(dtype, allow_nan=False).map(dtype.type)


texts = st.text(st.characters(codec="utf-8"), max_size=5)
keys = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
leaves = keys | st.sampled_from(sorted(DTYPES, key=str)).flatmap(
    lambda dtype: numbers_of(dtype) | arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0, max_side=3))
)
states = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(state=states)
@examples(100)
def test_a_state_comes_back_from_a_file_as_it_was(state: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "state"
    path.write_bytes(b"".join(content_of({"format": FORMAT}, {}, {"states": [asked_of(Holding(state))]})))
    described, found = read(path)
    assert exactly(Reader({}, found).values(described["training"]), {"states": [state]})


def test_a_callback_is_given_what_it_had(tmp_path: Path) -> None:
    state = {"least": np.float32(0.1), 3: (1, [None, True, np.arange(3)], float("-inf")), "": np.float64("nan")}
    with pytest.raises(StoppedError):
        trained(network(), callbacks=[Holding(state), stopping(2)], checkpoint=tmp_path / "run.ckpt", every=1)
    again = Holding(None)
    cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=[again, stopping(9)])
    assert exactly(again.given, [state])


def test_every_kind_of_number_that_files_hold_may_be_kept() -> None:
    assert set(NAMES) == DTYPES
    for kind in NUMBERS.values():
        assert exactly(plain_copy({kind(1): [kind(0)]}), {kind(1): [kind(0)]})


class Pair(NamedTuple):
    a: int
    b: int


class Colour(enum.IntEnum):
    RED = 1


class Text(str):
    __slots__ = ()


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
REFUSED = {
    "an object": object(),
    "a set": {1},
    "a named tuple": Pair(1, 2),
    "an ordered dict": collections.OrderedDict(a=1),
    "a default dict": collections.defaultdict(int),
    "a member of an enumeration": Colour.RED,
    "a text of another type": Text("a"),
    "bytes": b"a",
    "a fraction": Fraction(1, 3),
    "a complex number": 1j,
    "a long number": np.longdouble(1),
    "complex numbers": np.ones(2, complex),
    "texts": np.array(["a"]),
    "objects": np.array([None]),
    "a date": np.datetime64("2020-01-01"),
    "numbers the other way round": np.ones(2, ">f8"),
    "a matrix": np.ma.masked_array([1.0], [True]),
    "a function": print,
    "a setting": cr.Adam(),
    "itself": ENDLESS,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_come_back_as_something_else_is_refused_before_the_first_step(name: str, tmp_path: Path) -> None:
    for state in (REFUSED[name], {"deep": [(REFUSED[name],)]}):
        assert isinstance(asked_of(Holding(state)), Unkept)
        with pytest.raises(
            SettingError, match=r"the callback Holding has a state that no checkpoint can hold: .*; give "
        ):
            trained(network(), callbacks=[Holding(state)], checkpoint=tmp_path / "run.ckpt")
    assert names(tmp_path) == []


def test_a_state_is_kept_as_it_was_when_it_was_asked_for() -> None:
    state: dict[str, Any] = {"a": [1, (np.ones(2), {"b": 2})]}
    kept = plain_copy(state)
    state["a"][1][0][0], state["a"][1][1]["b"] = 5.0, 6
    state["a"].append(3)
    assert exactly(kept, {"a": [1, (np.ones(2), {"b": 2})]})


def test_a_state_that_no_file_holds_any_more_ends_nothing(tmp_path: Path) -> None:
    """All else is kept: what was lost is told when it happens, once, and when the training is gone on with."""
    path, whole, other = tmp_path / "run.ckpt", trained(network()), Holding({"kept": 1})
    callbacks = [Holding([Fraction(1, 3)], since=1), other, stopping(4)]
    with pytest.warns(RuntimeWarning, match="is kept without this state") as told, pytest.raises(StoppedError):
        trained(network(), callbacks=callbacks, checkpoint=path, every=1)
    assert len(told) == 1
    assert cr.load(path).run.epochs >= 3
    again, other = Holding(None), Holding(None)
    with pytest.warns(RuntimeWarning, match=r"Holding has a state .*Fraction.* So that callback begins anew"):
        net = cr.resume(path, X, Y, callbacks=[again, other, stopping(9)])
    assert alike(net, whole)
    assert (again.given, other.given) == ([], [{"kept": 1}])


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16])
def test_settings_that_are_numbers_of_numpy(kind: Any, tmp_path: Path) -> None:
    """A training with them could be kept and never be gone on with: they came back as Python's, and counted as others."""
    given: dict[str, Any] = {
        "optimizer": cr.SGD(cr.Cosine(kind(0.125), epochs=np.int64(6)), momentum=kind(0.5)),
        "early_stopping": cr.EarlyStopping(np.int32(5), monitor="loss", min_delta=kind(0)),
        "l2": kind(0.25),
        "clip_norm": kind(2),
    }
    with pytest.raises(StoppedError):
        trained(network(), **given, callbacks=[stopping(2)], checkpoint=tmp_path / "run.ckpt", every=1)
    again = cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=[stopping(9)])
    assert alike(again, trained(network(), **given))
