"""Arrays of any dtype, byte order, layout, subclass, in memory or on disk: the same training, or refused."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from trying import ENGINES

random = np.random.default_rng(0)
NUMBERS = random.integers(0, 2, (25, 3))
TARGETS = NUMBERS[:, 0] + 2 * NUMBERS[:, 1]

KINDS = [np.dtype(kind) for kind in ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "g")]
DTYPES = sorted({kind.newbyteorder(order) for kind in KINDS for order in "<>"}, key=str)
"""Every real dtype in both byte orders."""


class Subclass(np.ndarray):  # type: ignore[type-arg]
    """What packages of units and of tables derive from arrays."""


def on_disk(x: Any, folder: Path, offset: int = 0) -> Any:
    order = "C" if x.flags.c_contiguous else "F"
    path = folder / f"{len(list(folder.iterdir()))}"
    file = np.memmap(path, x.dtype, "w+", offset=offset, shape=x.shape, order=order)
    file[...] = x
    return file


def misaligned(x: Any) -> Any:
    return np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape)


WAYS: dict[str, Any] = {
    "as it is": lambda x, folder: x,
    "columns first": lambda x, folder: np.asfortranarray(x),
    "backwards": lambda x, folder: np.ascontiguousarray(x[::-1])[::-1],
    "every second": lambda x, folder: np.repeat(x, 2, axis=0)[::2],
    "misaligned": lambda x, folder: misaligned(x),
    "read only": lambda x, folder: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
    "a subclass": lambda x, folder: x.view(Subclass),
    "a masked array": lambda x, folder: np.ma.masked_array(x),
    "a list": lambda x, folder: x.tolist(),
    "objects": lambda x, folder: x.astype(object),
    "on disk": on_disk,
    "on disk, misaligned": lambda x, folder: on_disk(x, folder, 3),
    "on disk, columns first": lambda x, folder: on_disk(np.asfortranarray(x), folder),
    "on disk, every second": lambda x, folder: on_disk(np.repeat(x, 2, axis=0), folder)[::2],
}


def outcome(x: Any, y: Any, weights: Any, engine: str, loss: Any = None) -> list[Any]:
    network = cr.Network([cr.Dense(4, "tanh"), cr.Dense(1 if loss else 4)], seed=1)
    history = network.fit(
        x,
        y,
        sample_weight=weights,
        epochs=2,
        batch_size=10,
        engine=engine,
        loss=loss,
        optimizer=cr.SGD(0.1),
        progress=False,
    )
    return [*(v for own in network.parameters.values() for v in own.values()), history["loss"], network(x)]


@pytest.fixture(scope="module")
def expected() -> dict[tuple[str, Any], list[Any]]:
    x, weights = NUMBERS.astype(np.float32), 1.0 + (TARGETS > 1)
    return {
        (engine, loss): outcome(x, TARGETS.astype(np.float32 if loss else int), weights, engine, loss)
        for engine in ENGINES
        for loss in (None, "squared_error")
    }


def agrees(found: list[Any], expected: list[Any]) -> bool:
    return all(np.allclose(a, b, rtol=1e-5, atol=1e-6) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("engine", [*ENGINES, "auto"])
@pytest.mark.parametrize("way", WAYS)
def test_inputs(way: str, engine: str, expected: Any, tmp_path: Path) -> None:
    """`auto` takes everything; an engine asked for may refuse, and says why."""
    weights = 1.0 + (TARGETS > 1)
    for dtype in DTYPES:
        x = WAYS[way](NUMBERS.astype(dtype), tmp_path)
        try:
            found = outcome(x, TARGETS, weights, engine)
        except cr.errors.UnsupportedError:
            assert engine not in ("auto", "numpy"), dtype
            assert "on disk" in way, dtype
            continue
        assert agrees(found, expected["llvm" if engine == "auto" else engine, None]), dtype


@pytest.mark.parametrize("way", WAYS)
def test_targets_and_weights(way: str, expected: Any, tmp_path: Path) -> None:
    x = NUMBERS.astype(np.float32)
    whole = [dtype for dtype in DTYPES if dtype.kind in "iu"]
    for dtype, loss in itertools.chain(((d, None) for d in whole), ((d, "squared_error") for d in DTYPES)):
        if dtype.kind == "b":
            continue
        y = WAYS[way](TARGETS.astype(dtype), tmp_path)
        weights = WAYS[way]((1 + (TARGETS > 1)).astype(dtype), tmp_path)
        if loss and way == "objects":  # which are labels, or refused
            continue
        assert agrees(outcome(x, y, weights, "llvm", loss), expected["llvm", loss]), (dtype, loss)


@pytest.mark.parametrize("batch_size", [10, None])
def test_rows_held_out_of_what_is_on_disk(batch_size: int | None, tmp_path: Path) -> None:
    """Those that are left to learn from are in memory then, in whole batches, and in this CPU's byte order."""
    given: dict[str, Any] = {"validation_split": 0.2, "batch_size": batch_size, "epochs": 2, "progress": False}
    losses = []
    for dtype in DTYPES:
        network = cr.Network([cr.Dense(4)], seed=1)
        losses.append(network.fit(on_disk(NUMBERS.astype(dtype), tmp_path), TARGETS, **given)["val_loss"])
    np.testing.assert_allclose(losses, losses[:1] * len(DTYPES), rtol=1e-6)


REFUSED: dict[str, Any] = {
    "complex": NUMBERS + 0j,
    "dates": NUMBERS.astype("M8[D]"),
    "times": NUMBERS.astype("m8[s]"),
    "rows with fields": np.zeros((25, 3), [("a", "f4")]),
    "records": np.rec.array(np.zeros((25, 3), [("a", "f4")])),
    "bytes without meaning": np.zeros((25, 3), "V4"),
    "text": np.full((25, 3), "a"),
    "whole numbers beyond all": [[10**400] * 3] * 25,
    "arrays in an array": np.frompyfunc(lambda i: NUMBERS, 1, 1)(NUMBERS),
    "too large for float32": NUMBERS * 1e300,
    "a generator": (row for row in NUMBERS),
    "nothing": None,
    "no rows on disk": None,
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_has_no_numbers_is_refused(kind: str, tmp_path: Path) -> None:
    x = on_disk(NUMBERS, tmp_path)[:0] if kind == "no rows on disk" else REFUSED[kind]
    for call in (
        lambda: cr.Network([cr.Dense(1)]).fit(x, TARGETS, progress=False),
        lambda: cr.Network([cr.Dense(1)]).build(3).predict(x),
        lambda: cr.Network([cr.Dense(1)]).build(3)(x),
    ):
        with pytest.raises((cr.errors.DataError, cr.errors.ShapeError), match="X "):
            call()


@pytest.mark.parametrize("rows", [30, 25, 7])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_training_has_its_data_to_itself(rows: int, engine: str) -> None:
    """Also where batches divide the rows, so that nothing need be filled up."""
    given = [random.normal(size=(rows, 3)).astype(np.float32) for _ in range(4)]
    x, y, vx, vy = given
    weights = np.ones(rows, np.float32)

    def change(end: Any) -> None:
        for array in (*given, weights):
            array[...] = 7.0

    def trained(callbacks: Any) -> Any:
        network = cr.Network([cr.Dense(3)])
        copies = [np.array(array) for array in given]
        options = {"epochs": 4, "batch_size": 10, "engine": engine, "progress": False, "loss": "squared_error"}
        history = network.fit(x, y, validation_data=(vx, vy), sample_weight=weights, callbacks=callbacks, **options)
        for array, copy in zip(given, copies, strict=True):
            array[...] = copy
        weights[...] = 1.0
        return history["loss"], history["val_loss"]

    assert trained([change]) == trained([])
