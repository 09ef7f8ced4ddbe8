"""Trainings killed at random instants and gone on with, for `training/test_checkpoints_killed.py`.

A process that has trained once, so that nothing is left to be compiled, makes copies of itself. Each trains with checkpoints, and is
killed or interrupted; the next goes on and is stopped too; the last one must end with the bits of a training that was left alone.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(240, 3))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


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


def network(*layers: Any) -> cr.Network:
    return cr.Network([*layers, cr.Dense(2)], seed=3)


KINDS: dict[str, dict[str, Any]] = {
    "plain": {"layers": [cr.Dense(8, "relu")], "epochs": 200, "batch_size": 24, "optimizer": "sgd", "every": 1},
    "dropout": {
        "layers": [cr.Dense(8, "relu"), cr.Dropout(0.2)],
        "epochs": 150,
        "batch_size": 24,
        "optimizer": cr.Adam(cr.WarmUp(cr.Cosine(0.01, epochs=150), epochs=5)),
        "every": "0.003s",
    },
    "watched": {
        "layers": [cr.Dense(8, "tanh"), cr.BatchNorm()],
        "epochs": 90,
        "batch_size": 16,
        "validation_split": 0.2,
        "early_stopping": cr.EarlyStopping(30),
        "optimizer": cr.Adam(cr.OnPlateau(0.05, patience=3, factor=0.7)),
        "every": 2,
    },
    "within": {  # epochs so long that most moments lie within one; the first is the best, and restored as it began
        "layers": [cr.Dense(8, "tanh"), cr.Dropout(0.1)],
        "epochs": 3,
        "batch_size": 1,
        "repeat": 4,
        "early_stopping": cr.EarlyStopping(2, monitor="loss", min_delta=0.01),
        "optimizer": cr.SGD(cr.WarmUp(cr.ConstantRate(0.5), epochs=2.5)),
        "every": "0.002s",
    },
    "stored": {  # read window by window, a dozen an epoch
        "layers": [cr.Dense(8, "relu"), cr.Dropout(0.1)],
        "epochs": 12,
        "batch_size": 8,
        "megabytes": 0.001,
        "validation_split": 0.1,
        "every": "0.002s",
    },
    "told": {"layers": [cr.Dense(8, "relu")], "epochs": 150, "batch_size": 48, "callback": True, "every": 1},
}


def data(kind: dict[str, Any]) -> tuple[Any, ...]:
    times = kind.get("repeat", 1)
    if "megabytes" in kind:
        return (cr.ArrayDataset(X, Y, megabytes=kind["megabytes"]),)
    return np.tile(X, (times, 1)), np.tile(Y, times)


def fitted(kind: dict[str, Any], engine: str, path: Path | None = None) -> tuple[cr.Network, list[float]]:
    """The network after a fit, or after what is left of one that was kept there; and what its callback has seen."""
    noted = Noted()
    callbacks = [noted] if kind.get("callback") else []
    if path is not None and any(path.parent.glob("run.ckpt*")):
        return cr.resume(path, *data(kind), callbacks=callbacks, progress=False), noted.seen
    net = network(*kind["layers"])
    given = {k: v for k, v in kind.items() if k not in ("layers", "repeat", "callback", "megabytes")}
    if path is None:
        del given["every"]
    net.fit(*data(kind), **given, callbacks=callbacks, checkpoint=path, engine=engine, progress=False)
    return net, noted.seen


def facts(net: cr.Network, seen: list[float]) -> dict[str, Any]:
    """All that must be the same, as bytes; how long epochs took is not."""
    assert net.run is not None
    assert net.history is not None
    found: dict[str, Any] = {"seen": seen, "stopped": net.history.stopped, "best": net.history.best_epoch}
    found |= {name: net.history.column(name).tobytes() for name in net.history if name != "seconds"}
    for what, own in (("left", net.parameters), ("last", net.run.parameters), ("state", net.run.optimizer_state)):
        found |= {f"{what} {path}": x for path, x in flat(own).items()}
    return found | {"steps": net.run.steps, "streams": net.run.streams, "plateau": net.run.plateau}


def flat(tree: Any, path: str = "") -> dict[str, bytes]:
    if isinstance(tree, dict):
        return {name: x for key, value in tree.items() for name, x in flat(value, f"{path}.{key}").items()}
    return {path: np.asarray(tree).tobytes()}


WAYS = [[signal.SIGKILL], [signal.SIGKILL], [signal.SIGTERM], [signal.SIGINT], [signal.SIGINT] * 2, [signal.SIGINT] * 9]
"""Signals one after the other; half of the trainings are killed before they know of it."""


def stopped_after(seconds: float, numbers: list[signal.Signals], kind: dict[str, Any], engine: str, path: Path) -> bool:
    """Whether a copy of this process was stopped while it trained; otherwise it was done before."""
    hears, says = os.pipe()
    copy = os.fork()
    if not copy:
        status = 1
        try:
            os.write(says, b".")
            net, _ = fitted(kind, engine, path)
            status = 2 if net.history is not None and net.history.interrupted else 0
        except KeyboardInterrupt:
            status = 2
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.read(hears, 1)
    time.sleep(seconds)
    for number in numbers:
        os.kill(copy, number)
        time.sleep(0.0005)
    status = os.waitpid(copy, 0)[1]
    os.close(hears)
    os.close(says)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) != 1, "it failed before it was stopped"
    return os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 2


def main(name: str, kills: int, seed: int) -> None:
    """So many on each engine, two in a row."""
    kind, chance, kept = KINDS[name], random.Random(seed), 0
    for engine in ("llvm", "numpy"):
        wanted = facts(*fitted(kind, engine))
        began, killed = time.perf_counter(), 0
        with tempfile.TemporaryDirectory() as folder:
            fitted(kind, engine, Path(folder, "run.ckpt"))
        longest = time.perf_counter() - began
        while killed < kills:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "run.ckpt")
                for _ in range(2):
                    died = stopped_after(chance.uniform(0, longest), chance.choice(WAYS), kind, engine, path)
                    killed, longest = killed + died, longest * (1.0 if died else 0.9)
                    for file in Path(folder).glob("run.ckpt*"):
                        cr.load(file)  # whole, whatever was being done
                        kept += 1
                found = facts(*fitted(kind, engine, path))
                different = [key for key in {**wanted, **found} if wanted.get(key) != found.get(key)]
                assert not different, f"{name} on {engine}: {different}"
                left = {file.name for file in Path(folder).iterdir()}
                assert left <= {"run.ckpt", "run.ckpt.1", "run.ckpt.2"}, left
    print(kept)


if __name__ == "__main__":
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # of copies of a process that has threads
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
