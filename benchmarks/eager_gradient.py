"""The gradient of Σ tanh(xW + b)² at 8×8: eager, as a Program, by hand, and by the peers that are installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

import chainrule as cr
from benchmarks.timing import microseconds

random = np.random.default_rng(0)
x, W, b = random.normal(size=(8, 8)), random.normal(size=(8, 8)), random.normal(size=8)


def loss(W, b):
    return np.sum(np.tanh(x @ W + b) ** 2)


def by_hand():
    y = np.tanh(x @ W + b)
    d = 2 * y * (1 - y * y)
    return x.T @ d, d.sum(axis=0)


def with_torch() -> Callable[[], object]:
    import torch

    torch.set_num_threads(1)
    tx = torch.tensor(x)
    tW, tb = (torch.tensor(value, requires_grad=True) for value in (W, b))

    def gradient():
        tW.grad = tb.grad = None
        torch.sum(torch.tanh(tx @ tW + tb) ** 2).backward()
        return tW.grad.numpy(), tb.grad.numpy()

    return gradient


def with_autograd() -> Callable[[], object]:
    import autograd
    import autograd.numpy as anp

    gradient = autograd.grad(lambda p: anp.sum(anp.tanh(anp.dot(x, p[0]) + p[1]) ** 2))
    return lambda: gradient((W, b))


def main() -> list[tuple[str, float]]:
    """Times in microseconds, after checking that all agree."""
    eager = cr.grad(loss, argnums=(0, 1))
    program = cr.simplify(cr.trace(eager, W, b))
    contenders: dict[str, Callable[[], object]] = {
        "NumPy by hand": by_hand,
        "chainrule, eager": lambda: eager(W, b),
        "chainrule, Program": lambda: cr.evaluate(program, W, b),
    }
    if find_spec("torch"):
        contenders["PyTorch, eager"] = with_torch()
    if find_spec("autograd"):
        contenders["HIPS autograd"] = with_autograd()
    for name, call in contenders.items():
        for found, expected in zip(call(), by_hand(), strict=True):  # type: ignore[call-overload]
            np.testing.assert_allclose(found, expected, rtol=1e-10, err_msg=name)
    return list(microseconds(contenders).items())


if __name__ == "__main__":
    for name, time in main():
        print(f"{name:20} {time:8.1f} µs")
