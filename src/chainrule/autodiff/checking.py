"""`check_grads`: exact derivatives compared with finite differences, along random directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.autodiff.arguments import leaves_of
from chainrule.autodiff.modes import MODES, as_mode
from chainrule.autodiff.transforms import jvp, vjp
from chainrule.errors import GradientMismatchError, SettingError
from chainrule.tracing import trees

TOLERANCE = {2: 5e-2, 4: 2e-2, 8: 1e-5}
"""Allowed difference by size of the number in bytes."""

STEP = {2: 1e-1, 4: 1e-2, 8: 1e-4}
"""Step of the fourth-order central difference by size of the number in bytes."""


def check_grads(
    function: Callable[..., Any],
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = MODES,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Check the derivatives of `function` against finite differences.

    Along a random direction t the derivative J·t is compared with a central difference, and in reverse mode
    gᵀJ·t for a random g. For `order` 2 the derivative itself is checked the same way, and so on.

    Parameters
    ----------
    function : callable
        Plain NumPy code of arrays or nested containers of them.
    args : tuple or list
        Its arguments, of real numbers; also a single one: `(x,)`.
    order : int
        How many times to differentiate, once or more.
    modes : sequence of "forward", "reverse"
        Which modes to check; also "fwd" and "rev".
    atol, rtol : float, optional
        Allowed absolute and relative difference; by default by dtype, 1e-5 for float64.
    eps : float, optional
        Step of the finite difference.

    Raises
    ------
    SettingError
        When nothing would be checked: no mode, an order below 1, arguments that are no tuple.
    GradientMismatchError
        Naming the argument, the index, both values and the relative error where they differ most.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.check_grads(lambda x: np.tanh(x) * x, (np.array([0.5, -1.0]),), order=3)
    """
    if not isinstance(args, Sequence):
        raise SettingError(
            f"check_grads was given args={args!r}; give a tuple with one entry for every argument, such as (x,)."
        )
    SettingError.unless_count("check_grads", "order", order)
    given = (modes,) if isinstance(modes, str) else tuple(modes)
    if not given:
        raise SettingError("check_grads was given no modes, so nothing would be checked; use 'forward' or 'reverse'.")
    chosen = tuple(as_mode("check_grads", mode) for mode in given)
    leaves, structure = leaves_of(tuple(args), tuple(range(len(args))))
    size = min((leaf.dtype.itemsize for leaf in leaves), default=8)
    tolerance = TOLERANCE[min(size, 8)]
    limits = (tolerance if atol is None else atol, tolerance if rtol is None else rtol)
    names = [path for i in range(len(args)) for path in trees.paths(structure.children[i], f"argument {i}")]

    def flat(*values: Any) -> list[Any]:
        return trees.flatten(function(*trees.unflatten(structure, list(values))))[0]

    _check(
        flat,
        leaves,
        names,
        order,
        chosen,
        limits,
        STEP[min(size, 8)] if eps is None else eps,
        np.random.default_rng(0),
        "",
    )


def _check(
    flat: Callable[..., list[Any]],
    leaves: list[Any],
    names: list[str],
    order: int,
    modes: tuple[str, ...],
    limits: tuple[float, float],
    eps: float,
    random: np.random.Generator,
    path: str,
) -> None:
    direction = [_random_like(x, random) for x in leaves]
    numerical = _along(flat, leaves, direction, eps)
    weights = [_random_like(np.asarray(y), random) for y in numerical]
    if "forward" in modes:
        _, tangent = jvp(flat, leaves, direction)
        for i, (exact, expected) in enumerate(zip(tangent, numerical, strict=True)):
            _compare(exact, expected, limits, f"{path}forward mode, output {i}, along a random direction")
    if "reverse" in modes:
        _, pullback = vjp(flat, *leaves)
        gradients = pullback(weights)
        exact = sum(float(np.sum(g * t)) for g, t in zip(gradients, direction, strict=True))
        expected = sum(float(np.sum(w * n)) for w, n in zip(weights, numerical, strict=True))
        if not _close(exact, expected, limits):
            _find_worst(flat, leaves, names, weights, gradients, limits, eps, path)
            _compare(exact, expected, limits, f"{path}reverse mode, along a random direction")
    if order > 1:
        if "forward" in modes:
            _check(lambda *x: jvp(flat, list(x), direction)[1], leaves, names, order - 1, modes, limits, eps, random, f"{path}derivative of forward mode: ")  # fmt: skip  # noqa: E501
        if "reverse" in modes:
            _check(lambda *x: list(vjp(flat, *x)[1](weights)), leaves, names, order - 1, modes, limits, eps, random, f"{path}derivative of reverse mode: ")  # fmt: skip  # noqa: E501


def _along(flat: Callable[..., list[Any]], leaves: list[Any], direction: list[Any], eps: float) -> list[Any]:
    """The derivative along a direction by a central difference of fourth order."""
    near = [_moved(flat, leaves, direction, s * eps) for s in (-1, 1)]
    far = [_moved(flat, leaves, direction, s * 2 * eps) for s in (-1, 1)]
    return [(8 * (b - a) - (d - c)) / (12 * eps) for a, b, c, d in zip(near[0], near[1], far[0], far[1], strict=True)]


def _moved(flat: Callable[..., list[Any]], leaves: list[Any], direction: list[Any], by: float) -> list[Any]:
    return [
        np.asarray(y) for y in flat(*((x + by * t).astype(x.dtype) for x, t in zip(leaves, direction, strict=True)))
    ]


def _random_like(x: Any, random: np.random.Generator) -> Any:
    """A random direction of about unit length."""
    return np.asarray(random.normal(size=x.shape) / max(1.0, np.sqrt(x.size)), x.dtype)


def _close(a: Any, b: Any, limits: tuple[float, float]) -> bool:
    return bool(np.all(np.abs(a - b) <= limits[0] + limits[1] * np.maximum(np.abs(a), np.abs(b))))


def _compare(exact: Any, expected: Any, limits: tuple[float, float], what: str, name: str = "") -> None:
    if _close(exact, expected, limits):
        return
    error = np.abs(exact - expected) - limits[1] * np.maximum(np.abs(exact), np.abs(expected))
    place = np.unravel_index(int(np.argmax(np.where(np.isnan(error), np.inf, error))), np.shape(error))
    a, b = float(np.asarray(exact)[place]), float(np.asarray(expected)[place])
    index = f"[{', '.join(map(str, place))}]" if place else ""
    where = f"{what}{f', {name}' if name else ''}{f' at {index}' if index else ''}"
    raise GradientMismatchError(
        f"{where}: the derivative is {a!r}, the finite difference {b!r}, "
        f"relative error {abs(a - b) / max(abs(a), abs(b), 1e-300):.3g} "
        f"(allowed: {limits[0]:g} + {limits[1]:g} relative)."
    )


def _find_worst(
    flat: Callable[..., list[Any]],
    leaves: list[Any],
    names: list[str],
    weights: list[Any],
    gradients: Sequence[Any],
    limits: tuple[float, float],
    eps: float,
    path: str,
) -> None:
    """Compare number by number, to name the argument and index whose derivative is wrong."""
    for i, (name, leaf, gradient) in enumerate(zip(names, leaves, gradients, strict=True)):
        expected = np.zeros(leaf.shape)
        for place in np.ndindex(leaf.shape):
            direction = [np.zeros(x.shape, x.dtype) for x in leaves]
            direction[i][place] = 1
            along = _along(flat, leaves, direction, eps)
            expected[place] = sum(float(np.sum(w * n)) for w, n in zip(weights, along, strict=True))
        _compare(np.asarray(gradient), expected, limits, f"{path}reverse mode", name)
