"""Trainings killed at random instants and gone on with, for `training/test_checkpoints_killed.py`.

    python tests/killing.py KIND ENGINES KILLS SEED

A process makes copies of itself. Each trains with checkpoints, and is killed, interrupted, or has for a while a full disk or a folder
that cannot be written to; the next goes on and is stopped too; the last one must end with the bits of a training that was left alone.
Where copies of a process that has trained are no good (threads of libraries are not copied) every copy trains once before.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.network.files.reading import read
from chainrule.tabular.learning import members, under_way

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(240, 3))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)

Facts = dict[str, Any]
"""All that must be the same, as bytes; how long epochs took is not."""


class Noted:
    """A callback whose state is what it has seen; it ends the training when it has seen enough."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def __call__(self, end: Any) -> bool:
        self.seen.append(end.metrics["loss"])
        return len(self.seen) == 125

    def state_dict(self) -> Any:
        return {"seen": self.seen}

    def load_state_dict(self, state: Any) -> None:
        self.seen = list(state["seen"])


@dataclass(frozen=True)
class Recurrent(cr.Layer):
    """h = tanh(W·h + U·x) over the second axis of the input; the last h."""

    units: int = 6

    def parameters(self, *shapes: Any) -> Any:
        return {
            "W": cr.ParameterSpec((self.units, self.units), "glorot_uniform"),
            "U": cr.ParameterSpec((shapes[0][-1], self.units), "glorot_uniform"),
        }

    def forward(self, parameters: Any, *inputs: Any) -> Any:
        (x,) = inputs
        first = np.zeros((x.shape[0], self.units), x.dtype)
        step = lambda h, row: (np.tanh(h @ parameters["W"] + row @ parameters["U"]), None)  # noqa: E731
        return cr.scan(step, first, np.swapaxes(x, 0, 1))[0]


@dataclass(frozen=True)
class Fit:
    """A training of a network, by what `fit` is given."""

    layers: tuple[Any, ...]
    given: dict[str, Any]
    every: int | str
    repeat: int = 1
    shape: tuple[int, ...] = (3,)
    noted: bool = False
    megabytes: float | None = None
    is_copied = True

    def __call__(self, engine: str, path: Path | None) -> tuple[Facts, bool]:
        """What comes of it, or of what is left of one that was kept there; and whether it was interrupted."""
        noted = Noted()
        given: dict[str, Any] = {"callbacks": [noted] if self.noted else [], "progress": False}
        data: tuple[Any, ...] = np.tile(X, (self.repeat, 1)).reshape(-1, *self.shape), np.tile(Y, self.repeat)
        data = data if self.megabytes is None else (cr.ArrayDataset(*data, megabytes=self.megabytes),)
        if path is not None and any(path.parent.glob("run.ckpt*")):
            net = cr.resume(path, *data, **given, custom={"Recurrent": Recurrent})
        else:
            net = cr.Network([*self.layers, cr.Dense(2)], seed=3)
            kept = {} if path is None else {"checkpoint": path, "every": self.every}
            net.fit(*data, **self.given, **given, **kept, engine=engine)
        return facts_of(net, noted.seen), net.history is not None and net.history.interrupted


def facts_of(net: cr.Network, seen: list[float]) -> Facts:
    assert net.run is not None
    found = {"seen": seen, **facts_of_history(net.history)}
    for what, own in (("left", net.parameters), ("last", net.run.parameters), ("state", net.run.optimizer_state)):
        found |= {f"{what} {path}": x for path, x in flat(own).items()}
    return found | {"steps": net.run.steps, "streams": net.run.streams, "plateau": net.run.plateau}


def facts_of_history(history: Any) -> Facts:
    columns = {name: history.column(name).tobytes() for name in history if name != "seconds"}
    return {"stopped": history.stopped, "best": history.best_epoch, **columns}


def flat(tree: Any, path: str = "") -> dict[str, bytes]:
    if isinstance(tree, dict):
        return {name: x for key, value in tree.items() for name, x in flat(value, f"{path}.{key}").items()}
    return {path: np.asarray(tree).tobytes()}


class Table:
    """A training on a table, whose networks are kept within their training as often as can be."""

    is_copied = False  # Polars' threads are not

    def __call__(self, engine: str, path: Path | None) -> tuple[Facts, bool]:
        members._engine = lambda: engine
        under_way.SECONDS = 0.0
        table = {"a": X[:, 0].round(3), "b": np.where(X[:, 1] > 0, "up", "down"), "y": X[:, 2].round(2) + Y}
        recipe = cr.Recipe(hidden=(6,), width=3, dropout=0.1, schedule="plateau")
        given: dict[str, Any] = {"seconds": None, "folds": 3, "epochs": 30, "recipe": recipe, "progress": False}
        model, kept = cr.TableModel(**given, threads=2, search=False), {}
        if path is not None:
            kept = {"resume" if any(path.parent.glob("run.ckpt*")) else "checkpoint": path}
        model.fit(table, "y", **kept)
        assert model.learned is not None
        found = {
            "said": model.scores.outputs.tobytes(),
            "epochs": model.learned.epochs,
            **flat(model.network.parameters),
        }
        for place, history in enumerate(model.learned.histories):
            found |= {f"{place} {name}": x for name, x in facts_of_history(history).items()}
        return found, model.interrupted


DENSE, ADAM = cr.Dense(8, "relu"), cr.Adam(cr.WarmUp(cr.Cosine(0.01, epochs=150), epochs=5))
KINDS: dict[str, Any] = {
    "plain": Fit((DENSE,), {"epochs": 200, "batch_size": 24, "optimizer": "sgd"}, 1),
    "dropout": Fit((DENSE, cr.Dropout(0.2)), {"epochs": 150, "batch_size": 24, "optimizer": ADAM}, "0.003s"),
    "watched": Fit(
        (cr.Dense(8, "tanh"), cr.BatchNorm()),
        {
            "epochs": 90,
            "batch_size": 16,
            "validation_split": 0.2,
            "early_stopping": cr.EarlyStopping(30),
            "optimizer": cr.Adam(cr.OnPlateau(0.05, patience=3, factor=0.7)),
        },
        2,
    ),
    "within": Fit(  # epochs so long that most moments lie within one; the first is the best, and restored as it began
        (cr.Dense(8, "tanh"), cr.Dropout(0.1)),
        {
            "epochs": 3,
            "batch_size": 1,
            "early_stopping": cr.EarlyStopping(2, monitor="loss", min_delta=0.01),
            "optimizer": cr.SGD(cr.WarmUp(cr.ConstantRate(0.5), epochs=2.5)),
        },
        "0.002s",
        repeat=4,
    ),
    "told": Fit((DENSE,), {"epochs": 150, "batch_size": 48}, 1, noted=True),
    "whole": Fit((DENSE,), {"epochs": 400, "batch_size": None, "early_stopping": 50, "clip_norm": 1.0}, "0.003s"),
    "loop": Fit((Recurrent(),), {"epochs": 60, "batch_size": 24, "validation_split": 0.1}, "0.003s", shape=(3, 1)),
    "stored": Fit(  # read window by window, a dozen an epoch
        (DENSE, cr.Dropout(0.1)),
        {"epochs": 12, "batch_size": 8, "validation_split": 0.1},
        "0.002s",
        megabytes=0.001,
    ),
    "table": Table(),
}

COPIED = ("llvm", "numpy")
"""Engines of which a copy of a process that has trained trains on; those of others have threads of their own."""

# --- what happens to a training


def sends(*numbers: signal.Signals) -> Callable[[int, Path], None]:
    """Signals one after the other."""

    def send(copy: int, folder: Path) -> None:
        for number in numbers:
            os.kill(copy, number)
            time.sleep(0.0005)

    return send


def is_full(copy: int, folder: Path) -> None:
    """No file of it may grow, so what is being written ends within; after a while it is killed, or there is room again."""
    before = resource.prlimit(copy, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    time.sleep(0.02)
    if CHANCE.random() < 0.5:
        resource.prlimit(copy, resource.RLIMIT_FSIZE, before)
    time.sleep(0.01)
    os.kill(copy, signal.SIGKILL)


def is_read_only(copy: int, folder: Path) -> None:
    """Nothing can be written in its folder; after a while it is killed, or it can."""
    folder.chmod(0o555)
    time.sleep(0.02)
    if CHANCE.random() < 0.5:
        folder.chmod(0o755)
    time.sleep(0.01)
    os.kill(copy, signal.SIGKILL)
    folder.chmod(0o755)


KILL, TERM, HANGUP, CTRL_C = signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT
WAYS = [
    sends(KILL),
    sends(KILL),
    sends(TERM),
    sends(HANGUP, HANGUP),
    sends(CTRL_C),
    sends(CTRL_C, CTRL_C),
    sends(*[CTRL_C] * 9),
    is_read_only,
]
WAYS += [is_full] if hasattr(resource, "prlimit") else []
"""Half of the trainings are killed before they know of it."""

CHANCE = random.Random(0)
CAPABILITIES = 0x20080522
"""The version of what `capset` is told by."""


def obey() -> None:
    """Be kept from writing by what folders say, as an administrator is not."""
    header = (ctypes.c_uint32 * 2)(CAPABILITIES, 0)
    ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)())


DONE, FAILED, INTERRUPTED, REFUSED = range(4)


Work = Callable[[Path | None], tuple[Facts, bool]]


def copied(work: Work, path: Path | None, *, is_warm: bool) -> tuple[int, int]:
    """A copy of this process that trains; its number, and a pipe that says when it begins, and then what came of it."""
    hears, says = os.pipe()
    copy = os.fork()
    if copy:
        os.close(says)
        return copy, hears
    status = FAILED
    try:
        if not os.getuid():
            obey()
        warnings.filterwarnings("ignore", message=".*could not be written", category=RuntimeWarning)
        if not is_warm:
            work(None)
        os.write(says, b".")
        facts, interrupted = work(path)
        status = INTERRUPTED if interrupted else DONE
        with os.fdopen(says, "wb") as file:
            pickle.dump(facts, file)
    except BrokenPipeError:
        pass
    except KeyboardInterrupt:
        status = INTERRUPTED
    except SettingError as error:
        status = REFUSED if "cannot be written" in str(error) else FAILED
        if status == FAILED:
            traceback.print_exc()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
    raise AssertionError


def in_a_copy(work: Work, path: Path | None, *, is_warm: bool) -> tuple[Facts, float]:
    """What comes of it, and after how many seconds."""
    copy, hears = copied(work, path, is_warm=is_warm)
    os.read(hears, 1)
    began = time.perf_counter()
    with os.fdopen(hears, "rb") as file:
        content = file.read()
    assert os.waitpid(copy, 0)[1] == 0
    return pickle.loads(content), time.perf_counter() - began


def is_stopped(after: float, way: Callable[[int, Path], None], work: Work, path: Path, *, is_warm: bool) -> bool:
    """Whether a copy of this process was stopped while it trained; otherwise it was done before."""
    copy, hears = copied(work, path, is_warm=is_warm)
    folder = path.parent
    os.read(hears, 1)
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError):
        way(copy, folder)
    status = os.waitpid(copy, 0)[1]
    os.close(hears)
    folder.chmod(0o755)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) != FAILED, "it failed before it was stopped"
    return os.WIFSIGNALED(status) or os.WEXITSTATUS(status) in (INTERRUPTED, REFUSED)


def main(name: str, engine: str, kills: int, seed: int) -> tuple[int, int]:
    """So many, two in a row; says how many it were, and how many files there were after them, all of which could be read."""
    kind, kept, killed = KINDS[name], 0, 0
    CHANCE.seed(f"{name} {engine} {seed}")
    work, is_warm = partial(kind, engine), kind.is_copied and engine in COPIED
    if is_warm:
        work(None)
    wanted, _ = in_a_copy(work, None, is_warm=is_warm)
    with tempfile.TemporaryDirectory() as folder:
        _, longest = in_a_copy(work, Path(folder, "run.ckpt"), is_warm=is_warm)
    while killed < kills:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "run.ckpt")
            for _ in range(2):
                died = is_stopped(CHANCE.uniform(0, longest), CHANCE.choice(WAYS), work, path, is_warm=is_warm)
                killed, longest = killed + died, longest * (1.0 if died else 0.9)
                for file in path.parent.glob("run.ckpt*"):
                    read(file)  # whole, whatever was being done
                    kept += 1
            found, _ = in_a_copy(work, path, is_warm=is_warm)
            different = [key for key in {**wanted, **found} if wanted.get(key) != found.get(key)]
            assert not different, (
                f"{name} on {engine}: {different} {[(wanted.get(k), found.get(k)) for k in different][:1]}"
            )
            left = {file.name for file in path.parent.iterdir()}
            assert left <= {"run.ckpt", "run.ckpt.1", "run.ckpt.2"}, left
    return killed, kept


if __name__ == "__main__":
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # of copies of a process that has threads
    warnings.filterwarnings("ignore", message=".*fork", category=RuntimeWarning)
    counts = [main(sys.argv[1], engine, int(sys.argv[3]), int(sys.argv[4])) for engine in sys.argv[2].split(",")]
    print(*map(sum, zip(*counts, strict=True)))
