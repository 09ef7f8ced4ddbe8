"""Rows read window by window: the same training as with arrays in the same order, from every source, and what goes wrong is told."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.sparse

import chainrule as cr
from chainrule.engines import REFERENCE
from chainrule.engines.choice import COMPILER
from chainrule.errors import ChainruleError
from chainrule.network.surveying import survey
from chainrule.training.stored import Layout, Share
from trying import ENGINES
from waiting import LONG

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(1000, 3)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
SMALL = 0.004
"""Megabytes that hold some hundred of these rows in a window."""

ENGINE = next(name for name, engine in ENGINES.items() if engine.missing is None)


def network(outputs: int = 2, *more: Any) -> cr.Network:
    return cr.Network([cr.Dense(6, "tanh"), *more, cr.Dense(outputs)], seed=1)


def numbers(net: cr.Network) -> dict[str, bytes]:
    """All parameters, and the metrics of all epochs, to the bit."""
    assert net.history is not None
    found = {f"{layer}.{name}": x.tobytes() for layer, own in net.parameters.items() for name, x in own.items()}
    return found | {name: net.history.column(name).tobytes() for name in net.history if name != "seconds"}


def fitted(*data: Any, outputs: int = 2, **given: Any) -> cr.Network:
    net = network(outputs, *given.pop("more", ()))
    net.fit(*data, **{"epochs": 3, "engine": ENGINE, "progress": False, **given})
    return net


class InPieces(cr.ArrayDataset):
    """A source of a user's own, with pieces and edges as they come."""

    edges = (0, 1, 130, 131, 700, 1000)  # type: ignore[assignment]

    def pieces(self, begin: int, end: int) -> Iterator[Any]:
        while begin < end:
            stop = min(end, begin + 7)
            yield from super().pieces(begin, stop)
            begin = stop


def batches(x: Any, y: Any, sizes: Any = (64, 3, 200)) -> Any:
    def given() -> Iterator[Any]:
        begin, coming = 0, itertools.cycle(sizes)
        while begin < len(x):
            end = begin + next(coming)
            yield x[begin:end], y[begin:end]
            begin = end

    return given


# --- the order


@pytest.mark.parametrize("edges", [(), (1, 2, 3, 500, 501), range(0, 1000, 3)])
@pytest.mark.parametrize("window", [2, 17, 128, 999, 1000, 5000])
@pytest.mark.parametrize("in_order", [False, True])
def test_an_epoch_has_every_row_once_in_windows_of_whole_blocks(edges: Any, window: int, in_order: bool) -> None:
    class Source(cr.Dataset):
        rows, megabytes = 1000, 2 * window / 2**20

    Source.edges, Source.in_order = (0, *edges, 1000), in_order  # type: ignore[assignment,misc]
    layout = Layout.of(Source(), 1)
    assert layout.window == min(window, 1000)
    sizes = np.diff(layout.edges)
    assert sizes.min() > 0
    assert 8 * sizes.max() <= 8 + 1.6 * window
    orders = layout.orders(np.random.default_rng(3), 2, shuffled=True)
    for epoch in range(2):
        rows = orders[epoch, 0:1000]
        assert (np.sort(rows) == np.arange(1000)).all()
        assert (orders[epoch, 100:250] == rows[100:250]).all()
        for before, after in itertools.pairwise(orders.epoch(epoch)):
            own = np.sort(rows[before.begin : before.end])
            assert len(own) <= layout.window
            assert 2 * len(own) >= layout.window  # two windows hold what is nearest to their meeting
            assert not in_order or own.max() < rows[after.begin : after.end].min()
    assert len({orders[epoch, 0:1000].tobytes() for epoch in range(2)}) == 2
    if not in_order and window < 1000:
        assert orders.epoch(0)[0].blocks != orders.epoch(1)[0].blocks


def test_orders_are_the_same_however_many_are_drawn_at_once() -> None:
    layout = Layout.of(cr.ArrayDataset(X, megabytes=SMALL), 16)
    at_once, one_by_one = np.random.default_rng(5), np.random.default_rng(5)
    wanted = layout.orders(at_once, 3, shuffled=True)
    for epoch in range(3):
        found = layout.orders(one_by_one, 1, shuffled=True)
        assert (found[0, 0:1000] == wanted[epoch, 0:1000]).all()
        if epoch < 2:
            assert found.epoch(1)[0] == wanted.epoch(epoch + 1)[0]  # that comes next is known ahead
    assert at_once.bit_generator.state == one_by_one.bit_generator.state


@pytest.mark.parametrize("batch_size", [48, 64, 40])
@pytest.mark.parametrize("processes", [1, 2, 4, 8])
def test_a_share_of_every_batch_is_as_large_a_share_of_every_window(batch_size: int, processes: int) -> None:
    """Each process reads the rows of its part of the batches and no others, but for those of the last, smaller batch."""
    layout = Layout((0, 90, 100, 370, 500, 640, 700, 900, 1000), 400, in_order=False).in_batches(batch_size, 1.0)
    orders, last = layout.orders(np.random.default_rng(3), 1, shuffled=True), 1000 // batch_size * batch_size
    rows = orders[0, 0:1000]
    assert (np.sort(rows) == np.arange(1000)).all()
    for process in range(processes):

        def share(count: int, own: int = process) -> tuple[int, int]:
            if count % processes:
                return 0, count
            return count * own // processes, count * (own + 1) // processes

        for window in orders.epoch(0):
            read = [row for _, begin, end in window.parts(share) for row in range(begin, end)]
            learned = [
                row
                for batch in range(0, 1000, batch_size)
                for slot, row in enumerate(rows[batch : batch + batch_size])
                if window.begin <= batch + slot < window.end
                and (own := share(min(batch_size, 1000 - batch)))[0] <= slot < own[1]
            ]
            assert len(read) == len(set(read))
            assert set(read) >= set(learned)
            assert set(read) - set(learned) <= set(rows[last:])
            for at, begin, end in window.parts(share):
                held = np.concatenate([np.arange(*block) for block in window.blocks])
                assert (held[at : at + end - begin] == np.arange(begin, end)).all()
    shuffled = sum(abs(int(row) - place) > 100 for place, row in enumerate(rows))
    assert shuffled > 500


# --- the same training


@pytest.mark.parametrize("engine", [name for name, engine in ENGINES.items() if engine.missing is None])
@pytest.mark.parametrize("batch_size", [10, 48])
def test_it_is_the_training_of_arrays_in_the_same_order(engine: str, batch_size: int) -> None:
    dataset = cr.ArrayDataset(X, Y, megabytes=SMALL)
    given = {"batch_size": batch_size, "engine": engine, "more": [cr.Dropout(0.2)]}
    found = fitted(dataset, **given)
    assert found.run is not None
    row_bytes = 4 * 3 + 4 + 4  # inputs, targets of 32 bits, class numbers
    layout = Layout.of(dataset, row_bytes).in_batches(batch_size, SMALL)
    assert len(layout.orders(np.random.default_rng(0), 1, shuffled=True).epoch(0)) > 8
    orders = layout.orders(np.random.default_rng([0, 0]), 3, shuffled=True)
    coming = iter([orders[epoch, 0:1000] for epoch in range(3)])
    wanted = network(2, cr.Dropout(0.2))
    wanted.fit(
        X, Y, epochs=3, batch_size=batch_size, engine=engine, progress=False,
        shuffle=lambda epochs: np.stack([next(coming) for _ in range(epochs)]),
    )  # fmt: skip
    same, other = numbers(found), numbers(wanted)
    if ENGINES[engine] in (REFERENCE, ENGINES[COMPILER]):
        assert same == other
    else:  # what is compiled for arrays of other lengths rounds in other ways
        for name, x in same.items():
            kind = np.float32 if "." in name else np.float64
            np.testing.assert_allclose(np.frombuffer(x, kind), np.frombuffer(other[name], kind), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("batch_size", [25, 32, 39])
def test_batches_of_more_than_half_of_all_rows(batch_size: int) -> None:
    """Where one window holds all, it need not hold two batches."""
    x, y = X[:40], Y[:40]
    dataset = cr.ArrayDataset(x, y)
    given = {"batch_size": batch_size, "engine": "numpy"}
    same, other = (numbers(fitted(*data, shuffle=False, **given)) for data in ((dataset,), (x, y)))
    for name, value in same.items():  # the arrays have a last batch that is filled up
        kind = np.float32 if "." in name else np.float64
        np.testing.assert_allclose(np.frombuffer(value, kind), np.frombuffer(other[name], kind), rtol=1e-5, atol=1e-6)
    assert numbers(fitted(dataset, **given)) != same


def on_disk(folder: Path, x: Any) -> Any:
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode="r")


SOURCES: dict[str, Any] = {
    "arrays": lambda folder: cr.ArrayDataset(X, Y),
    "a file": lambda folder: cr.ArrayDataset(on_disk(folder, X), Y),
    "a file of float64, columns first": lambda folder: cr.ArrayDataset(
        on_disk(folder, np.asfortranarray(X, np.float64)), Y.tolist()
    ),
    "a part of a file": lambda folder: cr.ArrayDataset(on_disk(folder, np.repeat(X, 2, axis=0))[::2], Y),
    "a frame": lambda folder: cr.ArrayDataset(pl.DataFrame(X, ["a", "b", "c"]), pl.Series(Y)),
    "a sparse matrix that has no rows to be cut": lambda folder: cr.ArrayDataset(scipy.sparse.coo_matrix(X), Y),
    "pieces of its own": lambda folder: InPieces(X, Y),
    "a class of one's own": lambda folder: of_its_own(lambda *at: [(X[slice(*at)], Y[slice(*at)], None)], rows=np.int64(1000)),
    "batches": lambda folder: cr.BatchDataset(batches(X, Y), 1000),
    "batches of frames": lambda folder: cr.TableDataset(
        lambda: (pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y}) for x, y in batches(X, Y)()),
        "y", rows=1000,
    ),
    "files of columns": lambda folder: cr.TableDataset(parquet(folder), "y", ["a", "b", "c"]),
}  # fmt: skip


def parquet(folder: Path, ending: str = "parquet") -> Path:
    table = pl.DataFrame({"y": Y, "b": X[:, 1], "a": X[:, 0], "c": X[:, 2]})
    for part, (begin, end) in enumerate(itertools.pairwise((0, 1, 400, 1000))):
        file = folder / f"{part}.{ending}"
        table[begin:end].write_parquet(file) if ending == "parquet" else table[begin:end].write_ipc(file)
    return folder


@pytest.fixture(scope="module")
def in_order() -> dict[str, bytes]:
    return numbers(fitted(X, Y, shuffle=False, batch_size=25, validation_data=(X, Y)))


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_the_training_of_arrays(source: str, tmp_path: Path, in_order: dict[str, bytes]) -> None:
    dataset = SOURCES[source](tmp_path)
    dataset.megabytes = 2 * SMALL
    found = fitted(dataset, shuffle=False, batch_size=25, validation_data=(X, Y))
    assert numbers(found) == in_order
    for one in (dataset, cr.ArrayDataset(X)):
        assert (found.predict(one) == found.predict(X)).all()
    np.testing.assert_allclose(found.predict_proba(dataset), found.predict_proba(X), rtol=1e-6)
    wanted = found.evaluate(X, Y)
    assert found.evaluate(dataset) == pytest.approx(wanted, rel=1e-5)
    assert fitted(dataset, seed=3).history["loss"] == fitted(dataset, seed=3).history["loss"]  # type: ignore[index]


def test_tables_to_predict_need_no_targets(tmp_path: Path) -> None:
    net = fitted(cr.TableDataset(parquet(tmp_path), "y", ["a", "b", "c"]))
    new = pl.DataFrame({"c": X[:, 2], "b": X[:, 1], "a": X[:, 0]})
    new.write_parquet(tmp_path / "new.parquet")
    for dataset in (cr.TableDataset(tmp_path / "new.parquet"), cr.TableDataset(lambda: iter([new]), rows=1000)):
        assert (net.predict(dataset) == net.predict(X)).all()
        with pytest.raises(ChainruleError, match="there are no targets"):
            fitted(dataset)


TARGETS: dict[str, Any] = {
    "numbers": X[:, 0] * X[:, 1],
    "two columns": X[:, :2] ** 2,
    "whole numbers as values": np.round(3 * X[:, :1]),
    "labels": Y,
    "labels of which some come late": np.repeat([4, 7], [990, 10]),
    "text": np.array(["no", "yes"])[Y],
    "objects": np.array(["no", "yes"], object)[Y],
    "booleans": Y > 0,
    "rows with a single 1": np.eye(2)[Y],
    "probabilities": np.stack([0.25 + Y / 2, 0.75 - Y / 2], axis=1),
}
LOSSES = {
    "rows with a single 1": "cross_entropy",
    "probabilities": "cross_entropy",
    "whole numbers as values": "squared_error",
}


@pytest.mark.parametrize("kind", TARGETS)
def test_targets_mean_what_they_mean_as_arrays(kind: str) -> None:
    y = TARGETS[kind]
    outputs = 1 if kind in ("numbers", "whole numbers as values") else 2
    given = {"loss": LOSSES.get(kind), "outputs": outputs, "shuffle": False, "batch_size": 20, "epochs": 2}
    found, wanted = fitted(cr.ArrayDataset(X, y, megabytes=SMALL), **given), fitted(X, y, **given)
    assert numbers(found) == numbers(wanted)
    assert (found.predict(X) == wanted.predict(X)).all()
    assert np.array_equal(found.classes, wanted.classes) if found.classes is not None else wanted.classes is None
    metrics = cr.Network([cr.Dense(outputs)], seed=2).build(3)
    loss = given["loss"] or wanted.meanings[0].head.loss
    assert metrics.evaluate(cr.ArrayDataset(X, y, megabytes=SMALL), loss=loss) == pytest.approx(
        metrics.evaluate(X, y, loss=loss), rel=1e-5
    )


def test_several_inputs_and_outputs_weights_and_standardised_columns() -> None:
    one, two, three = cr.Dense(4, "tanh"), cr.Dense(1), cr.Dense(2)

    def both(a: Any, b: Any) -> Any:
        return {"sum": two(one(np.concatenate([a, b], axis=1))), "same": three(a)}

    y = {"sum": X.sum(axis=1), "same": Y}
    trained = [cr.Network(both, seed=1), cr.Network(both, seed=1)]
    trained[0].fit(
        cr.ArrayDataset((X[:, :1], X[:, 1:]), y, megabytes=SMALL),
        shuffle=False,
        batch_size=20,
        epochs=2,
        progress=False,
    )
    trained[1].fit((X[:, :1], X[:, 1:]), y, shuffle=False, batch_size=20, epochs=2, progress=False)
    assert numbers(trained[0]) == numbers(trained[1])
    weights, rows = RANDOM.uniform(0.5, 2.0, 1000), 5.0 + X * [1.0, 3.0, 2.0]
    for given in ({}, {"class_weight": "balanced"}, {"class_weight": {0: 3.0}}):
        given = {**given, "shuffle": False, "batch_size": 20, "standardise": True}
        found = fitted(cr.ArrayDataset(rows, Y, weights, megabytes=SMALL), **given)
        wanted = fitted(rows, Y, sample_weight=weights, **given)
        for layer, own in wanted.parameters.items():
            for name, x in own.items():
                np.testing.assert_allclose(found.parameters[layer][name], x, rtol=2e-4, atol=2e-5)


# --- rows held out


@pytest.mark.parametrize("share", [0.1, 0.5, 0.003])
@pytest.mark.parametrize("rows", [1000, 4096, 9000])
def test_a_share_is_held_out_of_all_parts_and_the_rest_is_learned_from(share: float, rows: int) -> None:
    whole = cr.ArrayDataset(np.arange(rows)[:, None], np.arange(rows))
    parts = []
    for held in (False, True):
        part = Share(whole, share, 0, held=held)
        found = [
            np.concatenate([y for _, y, _ in part.pieces(begin, end)]) for begin, end in itertools.pairwise(part.edges)
        ]
        parts.append(np.concatenate(found))
        assert len(parts[-1]) == part.rows
        assert (np.diff(parts[-1]) > 0).all()
        third = part.rows // 3
        some = np.concatenate([y for _, y, _ in part.pieces(third, part.rows - third)])
        assert (some == parts[-1][third : part.rows - third]).all()
    assert (np.sort(np.concatenate(parts)) == np.arange(rows)).all()
    assert abs(len(parts[1]) - share * rows) <= 1


@pytest.mark.parametrize("megabytes", [0.01, 1.0])  # in which the rows held out are not kept in memory, and are
def test_rows_held_out_are_measured_and_not_learned_from(megabytes: float) -> None:
    dataset = cr.ArrayDataset(X, Y, megabytes=megabytes)
    found = fitted(dataset, validation_split=0.3, early_stopping=cr.EarlyStopping(5, restore_best=False))
    kept, held = (Share(dataset, 0.3, 0, held=x) for x in (False, True))
    ((x, y, _),) = held.pieces(0, held.rows)
    for name, value in found.evaluate(x, y).items():
        assert found.history[f"val_{name}"][-1] == pytest.approx(value, rel=1e-5)  # type: ignore[index]
    assert numbers(fitted(kept, validation_data=(x, y)))["loss"] == numbers(found)["loss"]
    stored = fitted(kept, validation_data=held)
    assert stored.history["val_loss"] == pytest.approx(found.history["val_loss"], rel=1e-5)  # type: ignore[index]


# --- gone on with


class StoppedError(Exception):
    """What a source raises that has failed."""


class Failing(cr.Dataset):
    """Rows of another source, which fails after so many pieces."""

    def __init__(self, dataset: cr.Dataset, left: float = np.inf) -> None:
        self._dataset, self.left, self.given = dataset, left, 0
        self.rows, self.megabytes, self.in_order = dataset.rows, SMALL, dataset.in_order

    def pieces(self, begin: int, end: int) -> Iterator[Any]:
        for piece in self._dataset.pieces(begin, end):
            self.left, self.given = self.left - 1, self.given + 1
            if self.left < 0:
                raise StoppedError
            yield piece


class Within:
    """What is told how far a training is, and ends it within an epoch: after the first step, which is a call of its own."""

    def update(self, epochs: float, metrics: Any) -> None:
        if epochs % 1:
            raise StoppedError


@pytest.mark.parametrize("source", ["arrays", "batches"])
@pytest.mark.parametrize("share", [0.0, 0.005])
def test_a_training_that_was_stopped_within_an_epoch_ends_with_the_same_bits(
    source: str, share: float, tmp_path: Path
) -> None:
    def dataset() -> cr.Dataset:
        return cr.ArrayDataset(X, Y) if source == "arrays" else cr.BatchDataset(batches(X, Y), 1000)

    given = {"epochs": 3, "batch_size": 24, "more": [cr.Dropout(0.1)], "validation_split": share}
    whole = Failing(dataset())
    wanted = numbers(fitted(whole, **given))
    for stop in (0.5, 0.95, 2.0):
        net, path = network(2, cr.Dropout(0.1)), tmp_path / f"{stop}.ckpt"
        with pytest.raises(StoppedError):
            net.fit(
                Failing(dataset(), int(stop * whole.given)), epochs=3, batch_size=24, validation_split=share, engine=ENGINE,
                checkpoint=path, every="0.001s", progress=Within() if stop > 1 else False,
            )  # fmt: skip
        assert net.run is not None
        assert not reading()
        assert len(net.run.under_way) == 1 or stop < 1
        assert numbers(cr.resume(path, Failing(dataset()), progress=False)) == wanted
        net.fit(
            Failing(dataset()), epochs=3, batch_size=24, validation_split=share, engine=ENGINE, continue_from=net.run,
            progress=False,
        )  # fmt: skip
        assert numbers(net) == wanted
    other = Failing(cr.ArrayDataset(X + 1, Y))
    other.in_order = whole.in_order
    with pytest.raises(cr.errors.SettingError, match="other data"):
        cr.resume(path, other, progress=False)
    other.megabytes *= 2
    with pytest.raises(cr.errors.SettingError, match="windows of"):
        cr.resume(path, other, progress=False)


def test_every_moment_of_a_recording_can_be_had_again() -> None:
    dataset = cr.ArrayDataset(X, Y, megabytes=SMALL)
    net = fitted(dataset, record=True, batch_size=24, more=[cr.Dropout(0.1)])
    recording = net.recording
    assert recording is not None
    last = recording.at(recording.steps)
    assert last.parameters["dense_1"]["weight"].tobytes() == net.parameters["dense_1"]["weight"].tobytes()
    again = network(2, cr.Dropout(0.1))
    again.fit(dataset, epochs=3, batch_size=24, engine=ENGINE, progress=False, continue_from=recording.at(50))
    assert numbers(again) == numbers(net)
    for step in (0, 41, 42, 60):
        rows = recording.batch(step).rows
        assert (recording.data.inputs[0][rows] == X[rows]).all()
        assert (recording.data.class_indices[0][rows] == Y[rows]).all()
    assert len({int(row) for step in range(42) for row in recording.batch(step).rows}) == 1000
    assert recording.branch(40).losses[-1] == recording.losses[-1]


# --- what goes wrong


def changed(place: int, value: Any, column: int = 1) -> Any:
    x = X.astype(np.float64 if not isinstance(value, str) else object)
    x[place, column] = value
    return x


def uneven(at: int, piece: Any) -> Any:
    def given() -> Iterator[Any]:
        for number, batch in enumerate(batches(X, Y, (100,))()):
            yield piece(*batch) if number == at else batch

    return given


def short(folder: Path) -> cr.Dataset:
    """A file that is cut off after it was opened."""
    x = on_disk(folder, np.tile(X, (20, 1)))
    with (folder / "x.npy").open("r+b") as file:
        file.truncate(100_000)
    return cr.ArrayDataset(x, np.tile(Y, 20), megabytes=0.02)


def short_behind_an_offset(folder: Path) -> cr.Dataset:
    """A part of a file, which is cut off within it; what is left is longer than the part."""
    raw = np.zeros(2**20 + X.nbytes, np.uint8)
    raw[2**20 :] = np.frombuffer(X.tobytes(), np.uint8)
    raw.tofile(folder / "x.bin")
    x = np.memmap(folder / "x.bin", np.float32, "r", offset=2**20, shape=X.shape)
    with (folder / "x.bin").open("r+b") as file:
        file.truncate(2**20)
    return cr.ArrayDataset(x, Y)


def frames(changed: Any) -> Any:
    """A function that gives two frames, the second one changed."""

    def given() -> Iterator[Any]:
        for number, (x, y) in enumerate(batches(X, Y, (500,))()):
            part = {"a": x[:, 0], "b": x[:, 1], "y": y}
            yield pl.DataFrame(changed(part) if number else part)

    return given


def rewritten(folder: Path) -> cr.Dataset:
    dataset = cr.TableDataset(parquet(folder), "y")
    pl.DataFrame({"a": [1.0], "b": [1.0], "c": [1.0], "y": [0]}).write_parquet(folder / "1.parquet")
    return dataset


def damaged(folder: Path) -> cr.Dataset:
    file = parquet(folder) / "2.parquet"
    content = bytearray(file.read_bytes())
    content[200:2000] = bytes(1800)
    file.write_bytes(content)
    return cr.TableDataset(folder, "y")


WRONG: dict[str, tuple[Any, str]] = {
    "NaN": (lambda f: cr.ArrayDataset(changed(512, np.nan), Y), r"rows 5\d\d to .*NaN or infinite.*column 1"),
    "a number too large": (lambda f: cr.ArrayDataset(changed(512, 1e300), Y), "too large for float32"),
    "text": (lambda f: cr.ArrayDataset(changed(512, "much"), Y), "no numbers"),
    "no targets": (lambda f: cr.ArrayDataset(X), "no targets"),
    "no rows": (lambda f: cr.ArrayDataset(X[:0], Y[:0]), "no rows"),
    "other rows of targets": (lambda f: cr.ArrayDataset(X, Y[:-1]), "1000, 999 rows"),
    "a weight below 0": (lambda f: cr.ArrayDataset(X, Y, np.where(np.arange(1000) == 512, -1, 1)), "not negative"),
    "no weight": (lambda f: cr.ArrayDataset(X, Y, np.zeros(1000)), "weight 0"),
    "three labels": (lambda f: cr.ArrayDataset(X, np.arange(1000) // 400), "3 classes"),
    "too few batches": (lambda f: cr.BatchDataset(batches(X[:800], Y[:800]), 1000), "ended after 800"),
    "too many batches": (lambda f: cr.BatchDataset(batches(X, Y, (90,)), 900), "990 have come with batch 11"),
    "an empty batch": (lambda f: cr.BatchDataset(uneven(3, lambda x, y: (x[:0], y[:0])), 1000), "batch 4 .*no rows"),
    "a batch of other rows": (lambda f: cr.BatchDataset(uneven(3, lambda x, y: (x, y[1:])), 1000), "99 and 100 rows"),
    "a wider batch": (lambda f: cr.BatchDataset(uneven(3, lambda x, y: (x[:, [0, 1, 2, 0]], y)), 1000), "rows 300 to .*4"),
    "targets of another kind": (
        lambda f: cr.BatchDataset(uneven(3, lambda x, y: (x, y.astype(str))), 1000), "rows 300 to .*one kind",
    ),
    "no batches": (lambda f: cr.BatchDataset(lambda: iter([1]), 1000), "batch 1 .*give a tuple"),
    "a file that became shorter": (short, "has become shorter"),
    "a part of a file that became shorter": (short_behind_an_offset, "has become shorter"),
    "a file that was changed": (rewritten, "1.parquet has been changed"),
    "a damaged file": (damaged, "2.parquet cannot be read"),
    "no such column": (lambda f: cr.TableDataset(parquet(f), "z"), "not 'z'"),
    "a column that a later batch lacks": (
        lambda f: cr.TableDataset(frames(lambda part: {"a": part["a"], "y": part["y"]}), "y", rows=1000), "not 'b'",
    ),
    "a column twice": (lambda f: cr.TableDataset(parquet(f), "y", ["a", "y"]), "given 'y' twice"),
    "the names of columns in a row": (lambda f: cr.TableDataset(parquet(f), "y", "ab"), "not 'ab'"),
    "no name of a column": (lambda f: cr.TableDataset(parquet(f), 3), "target=3; give the name"),
    "a function that gives nothing": (lambda f: cr.BatchDataset(lambda: None, 1000), "gave None"),
    "a target that is not finite": (
        lambda f: cr.ArrayDataset(X, np.where(np.arange(1000) == 512, np.inf, X[:, 0])), r"rows 5\d\d to .*y has 1 NaN or inf",
    ),
    "a target that is too large": (
        lambda f: cr.ArrayDataset(X, np.where(np.arange(1000) == 512, 1e300, X[:, 0].astype(float))),
        r"rows 5\d\d to .*y has 1e\+300",
    ),
    "labels that are dicts": (lambda f: cr.ArrayDataset(X, [{"a": 1}] * 1000), "y has {'a': 1} among its labels"),
    "no such file": (lambda f: cr.TableDataset(f / "none.parquet", "z"), "none.parquet"),
    "no number of rows": (lambda f: of_its_own(rows="1000"), "rows='1000'; it must be"),
    "no rows said": (lambda f: of_its_own(rows=None), "rows=None; it must be"),
    "no number of megabytes": (lambda f: of_its_own(megabytes=np.nan), "megabytes=nan; it must be"),
    "no pieces": (lambda f: of_its_own(lambda begin, end: None), "gave None; give X, y and weights"),
    "a piece of two parts": (lambda f: of_its_own(lambda *at: [(X[slice(*at)], Y[slice(*at)])]), "and None for what is not"),
    "a piece that is an array": (lambda f: of_its_own(lambda begin, end: [X[begin:end]]), "in a tuple"),
    "fewer rows than said": (lambda f: Fewer(X, Y), "must have the same rows"),
    "rows held out that are not kept in memory, of a source read in order": (
        lambda f: (cr.BatchDataset(batches(X, Y), 1000), 0.5), "Give validation_data",
    ),
    "X and y beside it": (lambda f: (cr.ArrayDataset(X, Y), Y), "which it has itself"),
}  # fmt: skip


def of_its_own(pieces: Any = None, **said: Any) -> cr.Dataset:
    """A source of a class of a user's own."""
    made = type("Own", (cr.Dataset,), {"rows": 1000, "pieces": lambda self, begin, end: pieces(begin, end), **said})()
    assert isinstance(made, cr.Dataset)
    return made


class Fewer(cr.ArrayDataset):
    """A source that gives other rows than it was asked for."""

    def pieces(self, begin: int, end: int) -> Iterator[Any]:
        yield from super().pieces(begin, max(begin + 1, end - 1))


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_source_is_told(what: str, tmp_path: Path) -> None:
    make, message = WRONG[what]

    def tried() -> None:
        found = make(tmp_path)
        found = found if isinstance(found, tuple) else (found,)
        if found[0].megabytes > 2 * SMALL:
            found[0].megabytes = 2 * SMALL
        if isinstance(found[-1], float):
            fitted(found[0], validation_split=found[1])
        fitted(*found, batch_size=20)

    with pytest.raises(ChainruleError, match=f"(?s){message}"):
        tried()


MAKERS: dict[Any, dict[str, Any]] = {
    cr.ArrayDataset: {"X": X[:12], "y": Y[:12], "sample_weight": None, "megabytes": 1.0},
    cr.BatchDataset: {"batches": batches(X[:12], Y[:12]), "rows": 12, "megabytes": 1.0},
    cr.TableDataset: {"source": "", "target": "y", "features": None, "weight": None, "rows": None, "megabytes": 1.0},
}
ODD: list[Any] = [
    None,
    True,
    -1,
    10**30,
    float("nan"),
    "none",
    b"x",
    [],
    [1],
    {},
    {"a": 1},
    object(),
    lambda: 1,
    np.ones((2, 2)),
]


@pytest.mark.parametrize("kind", MAKERS, ids=lambda kind: kind.__name__)
def test_whatever_a_dataset_is_made_of_it_works_or_the_error_is_of_the_family(kind: Any, tmp_path: Path) -> None:
    given = {**MAKERS[kind], **({"source": parquet(tmp_path)} if kind is cr.TableDataset else {})}
    for name in given:
        for value in ODD:
            with suppress(ChainruleError):
                fitted(kind(**{**given, name: value}), engine="numpy", epochs=1, batch_size=500)


def test_a_fingerprint_is_that_of_the_rows_however_they_come() -> None:
    y, net = np.array(["no", "yes", "", "o"], object)[np.arange(1000) % 4], network(4).build(3)
    known = {survey(net, cr.BatchDataset(batches(X, y, sizes), 1000)).fingerprint for sizes in ((7,), (64, 3, 200))}
    assert len(known) == 1
    y[[1, 2]] = "ye", "s"
    assert survey(net, cr.ArrayDataset(X, y)).fingerprint not in known


def reading() -> list[str]:
    end = time.monotonic() + 5.0
    while time.monotonic() < end:
        found = [thread.name for thread in threading.enumerate() if thread.name == "chainrule reading"]
        if not found:
            return []
        time.sleep(0.01)
    return found


def test_a_source_that_does_not_answer_can_be_interrupted() -> None:
    answers, waits, answered = threading.Event(), threading.Event(), threading.Event()
    calls = itertools.count()

    def given() -> Iterator[Any]:
        number = next(calls)
        for place, batch in enumerate(batches(X, Y, (100,))()):
            if number == 4 and place == 5:
                waits.set()
                answers.wait(LONG)
                answered.set()
            yield batch

    def interrupts() -> None:
        waits.wait(LONG)
        time.sleep(0.05)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupts)
    thread.start()
    net = network()
    history = net.fit(cr.BatchDataset(given, 1000, megabytes=SMALL), epochs=50, progress=False, engine=ENGINE)
    assert history.interrupted
    assert not answered.is_set()
    thread.join()
    answers.set()
    assert not reading()


@pytest.mark.parametrize("kind", ["arrays", "batches"])
def test_a_copy_of_the_process_reads_while_the_next_window_is_being_read(kind: str) -> None:
    """The thread that reads, and holds the source, is not in the copy."""
    main, ends = threading.current_thread(), []

    class Slow(Failing):
        def pieces(self, begin: int, end: int) -> Iterator[Any]:
            for piece in super().pieces(begin, end):
                time.sleep(0.002 * (threading.current_thread() is not main))
                yield piece

    net, inner = network(), cr.BatchDataset(batches(X, Y), 1000) if kind == "batches" else cr.ArrayDataset(X, Y)
    dataset = Slow(inner)

    def copied(_: Any) -> None:
        copy = os.fork()
        if not copy:
            signal.alarm(int(LONG))
            os._exit(7 if (net.predict(dataset) == net.predict(X)).all() else 1)
        ends.append(os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]))

    net.fit(dataset, epochs=2, progress=False, engine="numpy", callbacks=[copied])
    assert ends == [7, 7]


def test_windows_are_read_when_the_system_has_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    expected = numbers(fitted(cr.ArrayDataset(X, Y, megabytes=SMALL)))
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert numbers(fitted(cr.ArrayDataset(X, Y, megabytes=SMALL))) == expected


# --- memory

CHILD = """
import re, sys
import numpy as np
import chainrule as cr
x, y = (np.load(path, mmap_mode="r") for path in sys.argv[1:3])
few = cr.Network([cr.Dense(8, "relu"), cr.Dense(1)])
given = {"epochs": 1, "batch_size": 256, "progress": False, "engine": sys.argv[3]}
few.fit(cr.ArrayDataset(np.ones((600, 64), np.float32), np.arange(600) % 2, megabytes=8), **given)

def most():  # not `ru_maxrss`, in which is what the process that started this one had
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])

before = most()
net = cr.Network([cr.Dense(8, "relu"), cr.Dense(1)])
for more in {}, {"validation_split": 0.1, "standardise": True}:
    net.fit(cr.ArrayDataset(x, y, megabytes=8), **given, **more)

def batches():  # which end elsewhere than blocks do
    for begin in range(0, len(x), 5000):
        rows = min(5000, len(x) - begin)
        yield np.full((rows, 64), begin % 3, np.float32), np.arange(rows) % 2

net.fit(cr.BatchDataset(batches, len(x), megabytes=8), **given)
net.evaluate(cr.ArrayDataset(x, y, megabytes=8))
net.predict(cr.ArrayDataset(x, megabytes=8))
print((most() - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are told in other units elsewhere")
@pytest.mark.parametrize("engine", [name for name, engine in ENGINES.items() if engine.missing is None])
def test_memory_is_bounded_by_what_is_said(engine: str, tmp_path: Path) -> None:
    rows = 2**18  # 64 megabytes
    for name, shape, dtype in (("x", (rows, 64), np.float32), ("y", (rows,), np.int8)):
        file = np.lib.format.open_memmap(tmp_path / f"{name}.npy", "w+", dtype, shape)
        file[...] = np.resize(RANDOM.integers(0, 2, 2**12 + 1), shape)
        del file
    memory = {
        "MALLOC_MMAP_THRESHOLD_": "65536"
    }  # for glibc to give back at once what is let go of: what is held counts
    said = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "x.npy"), str(tmp_path / "y.npy"), engine],
        capture_output=True, text=True, check=False, env=os.environ | memory | {"CHAINRULE_CACHE": str(tmp_path / "code")},
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    compiling = 60 if engine == "jax" else 0  # by XLA, of what these trainings and answers are
    assert float(said.stdout) < 8 + 20 + compiling  # what is held, and room for pieces under way and answers
