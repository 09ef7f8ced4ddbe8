"""From the start of a process to a trained XOR: imports, compilation and training included."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec

CACHE = "CHAINRULE_CACHE"
"""Names the folder of chainrule's machine code; `off` switches it off."""

DATA = """
import numpy as np
X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([[0], [1], [1], [0]], np.float32)
"""

CHAINRULE = """
import chainrule as cr
network = cr.Network([cr.Dense(2, "sigmoid"), cr.Dense(1, "sigmoid")], seed=3)
history = network.fit(X, y, loss="squared_error", optimizer=cr.SGD(5.0), epochs=500, batch_size=None, progress=False)
print(history["loss"][-1])
"""

JAX = """
import jax, jax.numpy as jnp, optax
def loss(parameters, x, t):
    for weight, bias in parameters:
        x = jax.nn.sigmoid(x @ weight + bias)
    return jnp.mean(jnp.square(x - t))
random = np.random.default_rng(0)
parameters = [(random.normal(size=s).astype(np.float32), np.zeros(s[1], np.float32)) for s in ((2, 2), (2, 1))]
optimizer = optax.sgd(5.0)
def step(state, _):
    parameters, kept = state
    value, gradient = jax.value_and_grad(loss)(parameters, X, y)
    updates, kept = optimizer.update(gradient, kept)
    return (optax.apply_updates(parameters, updates), kept), value
train = jax.jit(lambda state: jax.lax.scan(step, state, length=2000))
print(train((parameters, optimizer.init(parameters)))[1][-1])
"""

TORCH = """
import torch
torch.manual_seed(1)
torch.set_num_threads(1)
network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Sigmoid(), torch.nn.Linear(2, 1), torch.nn.Sigmoid())
optimizer = torch.optim.SGD(network.parameters(), lr=5.0)
x, t = torch.from_numpy(X), torch.from_numpy(y)
for _ in range(2000):
    optimizer.zero_grad()
    value = torch.nn.functional.mse_loss(network(x), t)
    if value < 0.01:
        break
    value.backward()
    optimizer.step()
print(float(value))
"""

SCIKIT_LEARN = """
from sklearn.neural_network import MLPClassifier
network = MLPClassifier((2,), "logistic", solver="lbfgs", alpha=0.0, max_iter=500, random_state=3).fit(X, y[:, 0])
print(np.mean((network.predict_proba(X)[:, 1] - y[:, 0]) ** 2))
"""

CONTENDERS = {
    "Python and NumPy alone": ("numpy", "print(0.0)"),
    "chainrule, no cache": ("chainrule", CHAINRULE),
    "chainrule, warm cache": ("chainrule", CHAINRULE),
    "JAX": ("optax", JAX),
    "PyTorch": ("torch", TORCH),
    "scikit-learn": ("sklearn", SCIKIT_LEARN),
}
"""The module that must be installed, and what is run after `DATA`; it prints its last loss."""


def seconds(code: str, cache: str) -> float:
    """How long a fresh process takes; its loss must be under 0.01."""
    started = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", DATA + code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, CACHE: cache},
    )
    taken = time.perf_counter() - started
    if not float(run.stdout) < 0.01:
        raise AssertionError(f"XOR was not learned, its loss is {run.stdout.strip()}:\n{code}")
    return taken


def main(rounds: int = 7) -> list[tuple[str, float]]:
    """Medians in milliseconds, after a first round that is not counted."""
    times: dict[str, list[float]] = {name: [] for name, (module, _) in CONTENDERS.items() if find_spec(module)}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds + 1):
            for name in times:
                taken = seconds(CONTENDERS[name][1], folder if "warm" in name else "off")
                if turn:
                    times[name].append(1000 * taken)
    return [(name, statistics.median(values)) for name, values in times.items()]


if __name__ == "__main__":
    for name, time_taken in main():
        print(f"{name:24} {time_taken:8.0f} ms")
