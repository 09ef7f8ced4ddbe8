"""Train on rows of a file that is never in memory as a whole, be stopped, and go on to the same bits."""

import tempfile
from pathlib import Path

import numpy as np

import chainrule as cr

folder, rows = Path(tempfile.mkdtemp()), 50_000
X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float32, (rows, 20))
for begin in range(0, rows, 10_000):  # as a program would that measures something
    X[begin : begin + 10_000] = np.random.default_rng(begin).normal(size=(10_000, 20))
y = np.asarray(X[:, 0] * X[:, 1] > 0)


def rows_of_the_file() -> cr.Dataset:
    """Two windows of half a megabyte, of the file's four."""
    return cr.ArrayDataset(np.load(folder / "X.npy", mmap_mode="r"), y, megabytes=1)


def network() -> cr.Network:
    """Always the same."""
    return cr.Network([cr.Dense(32, "relu"), cr.Dense(1)], seed=1)


whole, stopped = network(), network()
whole.fit(rows_of_the_file(), epochs=6, progress=False)
stopped.fit(rows_of_the_file(), epochs=3, progress=False)
stopped.fit(rows_of_the_file(), epochs=6, continue_from=stopped.run, progress=False)

same = all(
    (whole.parameters[layer][name] == x).all() for layer, own in stopped.parameters.items() for name, x in own.items()
)
print("accuracy:", round(whole.evaluate(rows_of_the_file())["accuracy"], 3))
print("the same to the bit after a stop:", same)
