"""`check_grads`: exact derivatives compared with finite differences, along random directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from chainrule.autodiff.arguments import leaves_of
from chainrule.autodiff.modes import MODES, as_mode
from chainrule.autodiff.transforms import belongs, jvp, vjp
from chainrule.errors import GradientMismatchError, SettingError
from chainrule.tracing import trees
from chainrule.tracing.traces.tape import Tape

TOLERANCE = {2: 5e-2, 4: 2e-2, 8: 1e-5}
"""Allowed relative difference by size of the number in bytes."""

STEP = {2: 1e-1, 4: 1e-2, 8: 1e-4}
"""Step of the fourth-order central difference, in units of the number, by its size in bytes."""


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
        Allowed absolute and relative difference, beside what rounding makes of the finite difference: ε·|f|/step, and what it changes
        by from step to step. By default 0 and, by dtype, 1e-5 for float64; so small derivatives are checked as large ones are.
    eps : float, optional
        Step of the finite difference, in units of max(1, |x|) for every number x. By default by dtype, 1e-4 for float64, and
        smaller where the function changes too fast for it, as at the edge of its domain.

    Raises
    ------
    SettingError
        When nothing would be checked: no mode, an order below 1, arguments that are no tuple.
    GradientMismatchError
        Naming an argument and index where they differ, with both values and the relative error.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.check_grads(lambda x: np.tanh(x) * x, (np.array([0.5, -1.0]),), order=3)
    """
    SettingError.unless_callable("check_grads", function, "cr.check_grads(f, (x,))")
    for name, value in (("atol", atol), ("rtol", rtol)):
        if value is not None:
            SettingError.unless_number("check_grads", name, value, at_least=0.0)
    if eps is not None:
        SettingError.unless_number("check_grads", "eps", eps, above=0.0)
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
    size = min((np.real(leaf).dtype.itemsize for leaf in leaves), default=8)
    tolerance = TOLERANCE[min(size, 8)]
    limits = _Limits(
        0.0 if atol is None else atol,
        tolerance if rtol is None else rtol,
        STEP[min(size, 8)] if eps is None else eps,
        eps,
    )
    names = [path for i in range(len(args)) for path in trees.paths(structure.children[i], f"argument {i}")]

    def flat(*values: Any) -> list[Any]:
        outputs: list[Any] = trees.flatten(function(*trees.unflatten(structure, list(values))))[0]
        if not outputs or not values:
            raise SettingError(
                f"check_grads was given a function of {len(values)} arrays that gives {len(outputs)}, so nothing would be checked. "
                "Give its arguments, and return what has a derivative."
            )
        return outputs

    _check(flat, leaves, names, order, chosen, limits, np.random.default_rng(0), "")


class _Limits(NamedTuple):
    """What is allowed and how steps are taken; `eps` of `None` lets them shrink where the function is not smooth enough."""

    absolute: float
    relative: float
    step: float
    eps: float | None

    def close(self, a: Any, b: Any, noise: Any = 0.0) -> bool:
        """Whether two derivatives are the same within what is allowed, and within what rounding makes of the second."""
        return bool(np.all(np.abs(a - b) <= self.absolute + noise + self.relative * np.maximum(np.abs(a), np.abs(b))))

    def all_close(self, found: Sequence[Any], expected: Sequence[Any], noise: Sequence[Any]) -> bool:
        """The same of several arrays."""
        return all(map(self.close, found, expected, noise))


def _check(
    flat: Callable[..., list[Any]],
    leaves: list[Any],
    names: list[str],
    order: int,
    modes: tuple[str, ...],
    limits: _Limits,
    random: np.random.Generator,
    path: str,
) -> None:
    for direction in _directions(leaves, random):
        _check_along(flat, leaves, names, order, modes, limits, direction, random, path)


def _check_along(
    flat: Callable[..., list[Any]],
    leaves: list[Any],
    names: list[str],
    order: int,
    modes: tuple[str, ...],
    limits: _Limits,
    direction: list[Any],
    random: np.random.Generator,
    path: str,
) -> None:
    weights: list[Any] = []
    if "forward" in modes:
        _, tangent = jvp(flat, leaves, direction)
        numerical, noise = _numerical(flat, leaves, direction, limits, lambda y, n: limits.all_close(tangent, y, n))
        for i, (exact, expected, own) in enumerate(zip(tangent, numerical, noise, strict=True)):
            _compare(exact, expected, limits, own, f"{path}forward mode, output {i}, along a random direction")
    if "reverse" in modes:
        values, pullback = vjp(flat, *leaves)
        weights = [_random_like(np.asarray(y, np.result_type(np.asarray(y), np.float16)), random) for y in values]
        gradients = pullback(weights)
        exact = _product(gradients, direction)
        expected, doubt = _weighted(flat, leaves, direction, limits, weights, exact)
        if not limits.close(exact, expected, doubt):
            _name_a_wrong_one(flat, leaves, names, weights, gradients, limits, direction, path)
            _compare(exact, expected, limits, doubt, f"{path}reverse mode, along a random direction")
    if order > 1:
        if "forward" in modes:
            _check(lambda *x: jvp(flat, list(x), direction)[1], leaves, names, order - 1, modes, limits, random, f"{path}derivative of forward mode: ")  # fmt: skip  # noqa: E501
        if "reverse" in modes:
            _check(lambda *x: list(vjp(flat, *x)[1](weights)), leaves, names, order - 1, modes, limits, random, f"{path}derivative of reverse mode: ")  # fmt: skip  # noqa: E501


def _directions(leaves: list[Any], random: np.random.Generator) -> list[list[Any]]:
    """Random directions in units of the numbers, one for all that are of like size: beside 1e8 a slope by 1 is not seen."""
    units = [np.maximum(1.0, np.abs(np.where(np.isfinite(x), x, 1.0)).astype(float)) for x in leaves]
    sizes = [np.floor(np.log10(unit) / 3.0) for unit in units]
    whole = [
        _random_like(np.asarray(unit, np.result_type(np.real(x), x, float)), random) * unit
        for unit, x in zip(units, leaves, strict=True)
    ]
    found = sorted({float(size) for part in sizes for size in part.ravel()}) or [0.0]
    return [
        [np.asarray(d * (part == size), x.dtype) for d, part, x in zip(whole, sizes, leaves, strict=True)]
        for size in found
    ]


def _numerical(
    flat: Callable[..., list[Any]],
    leaves: list[Any],
    direction: list[Any],
    limits: _Limits,
    agrees: Callable[[list[Any], list[Any]], bool],
) -> tuple[list[Any], list[Any]]:
    """The finite difference along a direction, and about how much of it may be rounding.

    Where it does not agree, it is taken with many steps; if none agrees, the one is chosen that changes least from step to step,
    measured by itself: near the edge of a domain, or a kink, and in a wave at large numbers, a step must be smaller than
    elsewhere; where values are large, larger. What it changes by counts as rounding, and what the rounding of all that is
    computed on the way may make of it: values may be small differences of large numbers.
    """
    with np.errstate(all="ignore"):
        best, rounding = _along(flat, leaves, direction, limits.step)
        if limits.eps is not None or agrees(best, rounding):
            return best, rounding
        least, before, chosen = np.inf, best, limits.step
        for step in (100.0 * limits.step * 7.0**-k for k in range(15)):
            found, noise = _along(flat, leaves, direction, step)
            slope, doubt = _largest(found), _largest(noise)
            if doubt <= limits.absolute + limits.relative * slope and agrees(found, noise):
                return found, noise
            changes = [2.0 * np.abs(a - b) + n for a, b, n in zip(found, before, noise, strict=True)]
            change = _largest(changes)
            if change <= least * slope or not np.isfinite(least):
                best, rounding, least, chosen = found, changes, change / slope if slope else np.inf, step
            before = found
        on_the_way = 8.0 * _rounding(flat, leaves) * (1.0 + 1.0 / chosen)
        return best, [noise + on_the_way for noise in rounding]


def _rounding(flat: Callable[..., list[Any]], leaves: list[Any]) -> float:
    """How much the results change, all together, when everything on the way is rounded: Σ ε·|v|·|∂y/∂v|."""
    with Tape() as tape:
        results = [x for x in flat(*map(tape.variable, leaves)) if belongs(x, tape)]
    random = np.random.default_rng(1)  # lest parts cancel that belong to several results
    values = [*leaves, *(node[3] for node in tape.nodes if node is not None)]
    places = [i for i, node in enumerate(tape.nodes) if i and (node is not None or i <= len(leaves))]
    found = tape.pull(results, [1.0 + _random_like(x.inner, random) for x in results], places)
    return sum(
        float(np.sum(np.abs(value * slope))) * float(np.finfo(value.dtype).eps)
        for value, slope in zip(values, found, strict=True)
        if slope is not None and value.dtype.kind in "fc"
    )


def _largest(values: list[Any]) -> float:
    return max((float(np.max(np.abs(y), initial=0.0)) for y in values), default=0.0)


def _along(
    flat: Callable[..., list[Any]], leaves: list[Any], direction: list[Any], eps: float
) -> tuple[list[Any], list[Any]]:
    """The derivative along a direction by a central difference of fourth order, and about how much rounding makes of it.

    Rounded are values, by about the largest of an array, and places, which are in units of x.
    """
    four = list(zip(*(_moved(flat, leaves, direction, s * eps) for s in (-1, 1, -2, 2)), strict=True))
    kinds = [x.dtype for x in (*leaves, *(values[0] for values in four)) if x.dtype.kind in "fc"]
    precision = max((float(np.finfo(kind).eps) for kind in kinds), default=0.0)
    sizes = [_largest([p]) + _largest([np.abs(s - q) + np.abs(r - p)]) / eps for p, q, r, s in four]
    return (
        [(8 * (q - p) - (s - r)) / (12 * eps) for p, q, r, s in four],
        [np.full(values[0].shape, 8.0 * precision * size / eps) for values, size in zip(four, sizes, strict=True)],
    )


def _weighted(
    flat: Callable[..., list[Any]],
    leaves: list[Any],
    direction: list[Any],
    limits: _Limits,
    weights: list[Any],
    exact: float,
) -> tuple[float, float]:
    """The finite difference of the weighted sum of all outputs, and about how much of it may be rounding."""

    def doubt(noise: list[Any]) -> float:
        return sum(float(np.sum(np.abs(w) * n)) for w, n in zip(weights, noise, strict=True))

    found, noise = _numerical(
        flat, leaves, direction, limits, lambda y, n: limits.close(exact, _product(weights, y), doubt(n))
    )
    return _product(weights, found), doubt(noise)


def _moved(flat: Callable[..., list[Any]], leaves: list[Any], direction: list[Any], by: float) -> list[Any]:
    return [
        np.asarray(y) for y in flat(*((x + by * t).astype(x.dtype) for x, t in zip(leaves, direction, strict=True)))
    ]


def _random_like(x: Any, random: np.random.Generator) -> Any:
    """A random direction of about unit length; of complex numbers in both parts."""
    direction = random.normal(size=x.shape)
    if x.dtype.kind == "c":
        direction = direction + 1j * random.normal(size=x.shape)
    return np.asarray(direction / max(1.0, np.sqrt(x.size)), x.dtype)


def _product(a: Sequence[Any], b: Sequence[Any]) -> float:
    """What cotangents say of a direction: Re Σ g·t."""
    return sum(float(np.real(np.sum(x * y))) for x, y in zip(a, b, strict=True))


def _compare(
    exact: Any, expected: Any, limits: _Limits, noise: Any, what: str, name: str = "", place: Any = None
) -> None:
    """Complain where two derivatives differ most, at the index that it has in them or that is given."""
    if limits.close(exact, expected, noise):
        return
    error = np.abs(exact - expected) - noise - limits.relative * np.maximum(np.abs(exact), np.abs(expected))
    worst = np.unravel_index(int(np.argmax(np.where(np.isnan(error), np.inf, error))), np.shape(error))
    a, b = np.asarray(exact)[worst].item(), np.asarray(expected)[worst].item()
    noise = float(np.broadcast_to(noise, np.shape(error))[worst])
    place = worst if place is None else place
    index = f"[{', '.join(map(str, place))}]" if place else ""
    where = f"{what}{f', {name}' if name else ''}{f' at {index}' if index else ''}"
    raise GradientMismatchError(
        f"{where}: the derivative is {a!r}, the finite difference {b!r}, "
        f"relative error {abs(a - b) / max(abs(a), abs(b), 1e-300):.3g} "
        f"(allowed: {limits.absolute + noise:.3g} + {limits.relative:g} relative)."
    )


def _name_a_wrong_one(
    flat: Callable[..., list[Any]],
    leaves: list[Any],
    names: list[str],
    weights: list[Any],
    gradients: Sequence[Any],
    limits: _Limits,
    direction: list[Any],
    path: str,
) -> None:
    """Name an argument and an index whose derivative is wrong: of the numbers along a direction, always the worse half."""

    starts = np.cumsum([0, *(x.size for x in leaves)])

    def difference(part: Any) -> tuple[float, float, float]:
        own = [
            _only(d, part[(part >= a) & (part < b)] - a) for d, a, b in zip(direction, starts, starts[1:], strict=False)
        ]
        exact = _product(gradients, own)
        return exact, *_weighted(flat, leaves, own, limits, weights, exact)

    part = np.flatnonzero(np.concatenate([np.ravel(d) for d in direction]))
    while len(part) > 1:
        halves = np.array_split(part, 2)
        errors = [abs(exact - found) for exact, found, _ in map(difference, halves)]
        part = halves[0] if not errors[0] < errors[1] else halves[1]
    exact, found, noise = difference(part)
    at = int(part[0])
    for name, leaf, step in zip(names, leaves, direction, strict=True):
        if at < leaf.size:
            unit = np.ravel(step)[at].item()
            unit = abs(unit) if isinstance(unit, complex) else unit
            place = np.unravel_index(at, leaf.shape)
            _compare(exact / unit, found / unit, limits, noise / abs(unit), f"{path}reverse mode", name, place)
            return
        at -= leaf.size


def _only(direction: Any, places: Any) -> Any:
    """A direction with nothing but the numbers at these places."""
    kept = np.zeros(direction.size, direction.dtype)
    kept[places] = np.ravel(direction)[places]
    return kept.reshape(direction.shape)
