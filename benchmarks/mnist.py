"""MNIST with the two networks of Nielsen's book, whose test accuracies are published.

    python -m benchmarks.mnist path/to/mnist.npz [--seeds 3]

The archive holds `x_train`, `y_train`, `x_test`, `y_test` as uint8. The first 50,000 images are learned from,
in batches of 10, with pixels divided by 255 and all weights and biases drawn from N(0, 1).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import chainrule as cr

WORKLOADS = {
    "784-30-10, ½Σ squared error, η = 3": {
        "hidden": 30,
        "loss": cr.L2Norm(),
        "optimizer": cr.SGD(3.0),
        "l2": 0.0,
        "expected": "last epoch 94.4 … 95.7 %, best of all seeds ≥ 95.3 % (published: 95.42 %)",
    },
    "784-100-10, cross-entropy per output, η = 0.5, λ = 5": {
        "hidden": 100,
        "loss": cr.BinaryCrossEntropy(over="sum"),
        "optimizer": cr.SGD(0.5),
        "l2": 5.0 / 50_000,
        "expected": "best epoch ≥ 97.4 %",
    },
}


def load(path: Path) -> dict[str, np.ndarray]:
    """Images as rows of numbers from 0 to 1, and labels; the first 50,000 training images."""
    with np.load(path) as archive:
        names = {key.replace("X", "x"): archive[key] for key in archive.files}
    return {
        "X": names["x_train"][:50_000].reshape(-1, 784).astype(np.float32) / 255,
        "y": names["y_train"][:50_000].astype(int),
        "X_test": names["x_test"].reshape(-1, 784).astype(np.float32) / 255,
        "y_test": names["y_test"].astype(int),
    }


def train(
    data: dict[str, np.ndarray], seed: int, epochs: int, hidden: int, loss: cr.Loss, optimizer: cr.Optimizer, l2: float
):
    """The test accuracy after every epoch, and the seconds training took, validation included."""
    normal = cr.Normal(std=1.0)
    layers = [cr.Dense(n, "sigmoid", weight=normal, bias=normal) for n in (hidden, 10)]
    started = time.perf_counter()
    history = cr.Network(layers, seed=seed).fit(
        data["X"],
        data["y"],
        loss=loss,
        optimizer=optimizer,
        epochs=epochs,
        batch_size=10,
        seed=seed,
        l2=l2,
        validation_data=(data["X_test"], data["y_test"]),
        progress=False,
    )
    return np.array(history["val_accuracy"]), time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    arguments = parser.parse_args()
    data = load(arguments.data)
    for name, workload in WORKLOADS.items():
        settings = {key: value for key, value in workload.items() if key != "expected"}
        print(f"{name}; expected: {workload['expected']}", flush=True)
        for seed in range(arguments.seeds):
            accuracy, seconds = train(data, seed, arguments.epochs, **settings)
            print(
                f"  seed {seed}: last {accuracy[-1]:.2%}, best {accuracy.max():.2%} (epoch {accuracy.argmax() + 1}), "
                f"{seconds:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
