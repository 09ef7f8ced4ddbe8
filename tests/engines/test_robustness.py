"""Whatever machine code is given, it answers rightly or refuses: it never reads or writes where it should not."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import TrainingLoop, make_runner

random = np.random.default_rng(0)
X = random.normal(size=(45, 6)).astype(np.float32)
LABELS = np.argmax(X[:, :3], axis=1)


def misaligned(x: Any) -> Any:
    """The same numbers one byte after where such numbers should begin."""
    return np.frombuffer(b"\0" + np.ascontiguousarray(x).tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape)


WAYS: dict[str, Callable[[Any], Any]] = {
    "columns first": np.asfortranarray,
    "every second": lambda x: np.repeat(x, 2, axis=0)[::2],
    "backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "misaligned": misaligned,
    "other bytes": lambda x: x.astype(x.dtype.newbyteorder()),
    "wider": lambda x: x.astype(np.float64 if x.dtype.kind == "f" else np.int64),
    "broadcast": lambda x: np.broadcast_to(x, (2, *x.shape))[1],
}


def fitted(x: Any, y: Any) -> dict[str, Any]:
    network = cr.Network([cr.Dense(9, "tanh"), cr.Dense(3)], seed=1)
    network.fit(x, y, epochs=3, batch_size=10, engine="llvm", progress=False)
    return {f"{a}.{b}": v for a, own in network.parameters.items() for b, v in own.items()}


@pytest.mark.parametrize("way", WAYS)
def test_data_lying_in_memory_in_any_way(way: str) -> None:
    expected = fitted(X, LABELS)
    x, y = WAYS[way](X), WAYS[way](LABELS)
    x.flags.writeable = False
    y.flags.writeable = False
    for name, value in fitted(x, y).items():
        np.testing.assert_array_equal(value, expected[name])


@pytest.mark.parametrize("way", WAYS)
def test_arguments_of_functions_lying_in_memory_in_any_way(way: str) -> None:
    function = cr.jit(lambda x: np.tanh(x) @ x.T + np.sum(x, axis=1))
    x = WAYS[way](X)
    x.flags.writeable = False
    np.testing.assert_allclose(function(x), np.tanh(X) @ X.T + np.sum(X, axis=1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("offset", [0, 1, 2, 7])
def test_files_on_disk_that_begin_anywhere(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "rows"
    path.write_bytes(b"\0" * offset + X.tobytes())
    file = np.memmap(path, np.float32, "r", offset=offset, shape=X.shape)
    expected = fitted(X, LABELS)
    for name, value in fitted(file, LABELS).items():
        np.testing.assert_array_equal(value, expected[name])


def test_a_loop_is_given_what_it_was_made_for() -> None:
    program = cr.simplify(
        cr.trace(lambda w, x, rate: (w - rate * np.sum(x), np.sum(w)), np.ones(3), np.ones((4, 3)), np.float64(0.1))
    )
    loop = TrainingLoop(program, None, 1, 4)
    data, order, rates = np.ones((8, 3)), np.arange(8, dtype=np.int32)[None], np.full(2, 0.1)
    for bad in (np.ones((7, 3)), np.ones((8, 2)), np.ones((8, 3), np.float32), np.ones(24)):
        with pytest.raises(cr.ChainruleError):
            make_runner(loop, [bad], "llvm")
    runner = make_runner(loop, [data], "llvm")
    runner.load([np.zeros(3)])
    assert runner.run(order, 0, 2, [rates]).shape == (2, 1)
    for bad_order in (order + 1, order - 1, order[:, :7], np.zeros((1, 9), np.int32)):
        with pytest.raises(cr.ChainruleError):
            runner.run(bad_order, 0, 2, [rates])
    for first, count in ((0, 3), (2, 1), (-1, 1), (0, -1)):
        with pytest.raises(cr.ChainruleError):
            runner.run(order, first, count, [np.full(abs(count), 0.1)])
    for bad_rates in (np.full(1, 0.1), np.full(2, 0.1, np.float32), np.full((2, 1), 0.1)):
        with pytest.raises(cr.ChainruleError):
            runner.run(order, 0, 2, [bad_rates])


BAD = """
    import warnings; import numpy as np, chainrule as cr
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 6)); y = np.argmax(X[:, :3], axis=1)
    def network(): return cr.Network([cr.Dense(9, "tanh"), cr.Dense(3)])
    def fit(X, y, **options): network().fit(X, y, epochs=2, progress=False, engine="llvm", **options)
    def changed(x, value, place=(3, 2)):
        x = np.array(x, float); x[place[: x.ndim]] = value; return x
    good = network(); good.fit(X, y, epochs=1, progress=False, engine="llvm")
    fast = good.compiled()
    soft = np.full((40, 3), 1 / 3)
    refused = [
        lambda: fit(changed(X, np.nan), y), lambda: fit(changed(X, np.inf), y), lambda: fit(changed(X, 1e300), y),
        lambda: fit(X[:39], y), lambda: fit(X, y[:39]), lambda: fit(X[0], y), lambda: fit(X[:0], y[:0]),
        lambda: fit(X, np.arange(40) % 4), lambda: fit(X, changed(y, -1).astype(int)), lambda: fit(X, changed(y, 1e9)),
        lambda: fit(X, changed(y, 2**62).astype(np.uint64)), lambda: fit(X, [None, *y[1:]]),
        lambda: fit(X, changed(y, np.nan)), *(lambda t=t: fit(X, t, loss="cross_entropy") for t in (soft * 2, soft - 1)),
        lambda: fit(X, y, sample_weight=np.ones(39)), lambda: fit(X, y, sample_weight=changed(np.ones(40), np.nan)),
        lambda: fit(X, y, batch_size=0), lambda: fit(X, y, batch_size=-3), lambda: fit(X, y, epochs=0),
        lambda: fit(X, y, validation_data=(X[:, :5], y)), lambda: fit(X, y, validation_data=(X, y + 7)),
        lambda: good.fit(X[:, :5], y, progress=False),
        lambda: good.evaluate(X, y + 3, engine="llvm"), lambda: good.evaluate(X[:5], y, engine="llvm"),
        lambda: good.predict(X[:, :5], engine="llvm"), lambda: good.predict(X[:0], engine="llvm"),
        lambda: fast.predict(X[:, :5]), lambda: fast.predict(changed(X, np.nan)), lambda: fast(X[0]), lambda: fast("X"),
        lambda: cr.jit(lambda x: x @ x)(X), lambda: cr.jit(lambda x, i: x[i])(X, np.array([40])),
        lambda: cr.jit(lambda x, i: x[i])(X, np.array([-41])), lambda: cr.jit(lambda x: x)(np.array(["a"])),
        lambda: cr.jit(lambda x: x)(np.array([object()])),
    ]
    for i, call in enumerate(refused):
        try:
            call()
        except (cr.ChainruleError, IndexError, TypeError) as error:
            assert str(error), i
        else:
            raise AssertionError(f"case {i} was let through")
    warnings.filterwarnings("ignore", "the columns of X are of very different sizes")
    extremes = [0.0, -0.0, 1e-45, 3e38, -3e38]
    for value in extremes:
        fast.predict_proba(np.full((3, 6), value, np.float32))
        try:
            fit(changed(X, value), y)
        except cr.ChainruleError:
            pass
    tiny = cr.Network([cr.Dense(1)]); tiny.fit(X[:1], X[:1, 0], epochs=1, progress=False, engine="llvm")
    print("survived")
"""


def test_bad_input_is_refused_and_never_a_crash() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(BAD)], env=os.environ, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout.strip()) == (0, "survived"), run.stderr[-2000:]


DAMAGED = """
    import os, pathlib, shutil, numpy as np, chainrule as cr
    folder = pathlib.Path(os.environ["CHAINRULE_CACHE"])
    x = np.arange(5.0)
    def compiled(factor): return cr.jit(lambda x: x * factor)(x)
    assert compiled(2.0)[1] == 2.0
    (kept,) = folder.iterdir()
    whole = kept.read_bytes()
    assert compiled(3.0)[1] == 3.0
    (other,) = set(folder.iterdir()) - {kept}
    def flipped(place): return whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    damages = [
        b"", whole[:31], whole[:32], whole[:-1], whole[: len(whole) // 2], whole + b"\\0", whole[32:], b"\\0" * len(whole),
        *(flipped(i) for i in np.linspace(0, len(whole) - 1, 12).astype(int)), other.read_bytes(),
    ]
    for i, damage in enumerate(damages):
        kept.write_bytes(damage)
        np.testing.assert_array_equal(compiled(2.0), 2.0 * x, str(i))
        assert kept.read_bytes() == whole, f"damage {i} was left as it was"
    kept.unlink()
    kept.mkdir()  # nothing can be read or kept: computed all the same
    np.testing.assert_array_equal(compiled(2.0), 2.0 * x)
    print("survived")
"""


def test_damaged_machine_code_on_disk_is_never_run(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(DAMAGED)],
        env={**os.environ, "CHAINRULE_CACHE": str(tmp_path / "cache")}, capture_output=True, text=True,
    )  # fmt: skip
    assert (run.returncode, run.stdout.strip()) == (0, "survived"), run.stderr[-2000:]
