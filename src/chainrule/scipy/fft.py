"""`scipy.fft`, differentiable: Fourier's transforms, those of cosines and of sines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.ops.axes import mixing
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.operation import ArrayType, dtype_of, example, shape_of
from chainrule.scipy.standing import Standing, names_of, numbers
from chainrule.tracing.apply import traced
from scipy import fft as own

standing = Standing(own)


# --- Fourier's transforms, which NumPy has as well


def _given(x: Any) -> Any:
    """Numbers in the precision that SciPy computes in, which has no half one."""
    x = numbers(x)
    return x.astype(np.float32) if x.dtype == np.float16 else x


def _along_one(name: str) -> Callable[..., Any]:
    def function(
        x: Any, n: Any = None, axis: int = -1, norm: Any = None, overwrite_x: bool = False, workers: Any = None,
        *, plan: None = None,
    ) -> Any:  # fmt: skip
        return getattr(np.fft, name)(_given(x), n, axis, norm)

    return function


def _along_several(name: str, count: int | None) -> Callable[..., Any]:
    last = None if count is None else tuple(range(-count, 0))

    def function(
        x: Any, s: Any = None, axes: Any = last, norm: Any = None, overwrite_x: bool = False, workers: Any = None,
        *, plan: None = None,
    ) -> Any:  # fmt: skip
        x = _given(x)
        if axes is None:
            count = len(x.shape) if s is None else len(np.atleast_1d(s))
            axes = tuple(range(-count, 0))
        return getattr(np.fft, name)(x, s, axes, norm)

    return function


for _name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    standing.add(_name, _along_one(_name))
for _name, _count in {"fft2": 2, "ifft2": 2, "rfft2": 2, "irfft2": 2, "fftn": None, "ifftn": None, "rfftn": None, "irfftn": None}.items():  # fmt: skip  # noqa: E501
    standing.add(_name, _along_several(_name, _count))


@standing
def fftshift(x: Any, axes: Any = None) -> Any:
    """The frequency 0 moved to the middle."""
    return np.fft.fftshift(numbers(x), axes)


@standing
def ifftshift(x: Any, axes: Any = None) -> Any:
    """The inverse of `fftshift`."""
    return np.fft.ifftshift(numbers(x), axes)


# --- transforms of cosines and sines: y = C·(w∘x), with C of one type the transpose of another's

BACK = {1: 1, 2: 3, 3: 2, 4: 4}
"""The type whose matrix is transposed; the inverse, but for factors."""
ENDS: dict[tuple[str, int], tuple[int, ...]] = {("dct", 1): (0, -1), ("dct", 3): (0,), ("dst", 3): (-1,)}
"""Which numbers count once, where all others count twice."""


def _weights(name: str, type: int, n: int) -> Any:
    found = np.full(n, 2.0)
    for i in ENDS.get((name, type), ()):
        found[i] = 1.0
    return found


def _shaped(x: Any, axis: int, like: Any) -> Any:
    """A vector along an axis."""
    n = len(like.shape)
    return np.reshape(np.asarray(x, like.dtype), [-1 if i == axis % n else 1 for i in range(n)])


def _kind(kind: np.dtype[Any]) -> np.dtype[Any]:
    """What SciPy computes in: not in half precision."""
    return np.result_type(kind, np.float32) if kind.kind in "fc" else np.dtype(float)


def _transform(name: str) -> Custom:
    function = getattr(own, name)

    def reverse(m: Any, g: Any, y: Any, x: Any, type: int, axis: int) -> list[Any]:
        n = x.shape[axis]
        inner = g / _shaped(_weights(name, BACK[type], n), axis, g)
        return [getattr(m, name)(inner, type=BACK[type], axis=axis) * _shaped(_weights(name, type, n), axis, g)]

    return Custom(
        name,
        value=lambda x, type, axis: function(x, type, axis=axis),
        type=lambda x, type, axis: ArrayType(shape_of(x), _kind(np.dtype(dtype_of(x)))),
        forward=lambda m, tangents, y, x, type, axis: getattr(m, name)(tangents[0], type=type, axis=axis),
        reverse=reverse,
        links=lambda x, type, axis: (mixing(len(shape_of(x)), axis),),
        batched=lambda m, size, batched, x, type, axis: getattr(m, name)(x, type=type, axis=axis + 1),
        latex=rf"\operatorname{{{{{name}}}}} {{0}}",
        differential=rf"\operatorname{{{{{name}}}}} \, d{{0}}",
        examples=(*(example((3, 4), type=i, axis=1) for i in (1, 2, 3, 4)), example((5,), type=2, axis=0)),
        doc=f"scipy.fft.{name} of a type from 1 to 4, without factors.",
        complex=True,
    )


cosine_transform, sine_transform = _transform("dct"), _transform("dst")


def _length(name: str, type: int, n: int) -> float:
    """What the matrix and its inverse's without factors multiply to."""
    return 2.0 * (n + (0 if type > 1 else 1 if name == "dst" else -1))


def _fitted(x: Any, n: int | None, axis: int) -> Any:
    """As many numbers along an axis, cut off or with zeros behind."""
    have = x.shape[axis]
    if n is None or n == have:
        return x
    whole = [(0, 0)] * len(x.shape)
    whole[axis] = (0, max(0, n - have))
    return np.take(x, np.arange(n), axis=axis) if n < have else np.pad(x, whole)


def _scaled(
    name: str, x: Any, type: int, n: int | None, axis: int, norm: Any, orthogonalize: Any, inverse: bool
) -> Any:
    if type not in BACK or norm not in (None, "backward", "ortho", "forward"):
        raise SettingError(
            f"{name} was given type={type!r}, norm={norm!r}; give a type from 1 to 4, and 'backward', 'ortho' or 'forward'."
        )
    x = _given(x)
    x = _fitted(x if x.dtype.kind in "fc" else x * 1.0, n, axis)
    n = x.shape[axis]
    if n < 1 or (n < 2 and (name, type) == ("dct", 1)):
        raise ShapeError(
            f"{name} of type {type} was to transform {n} numbers, of shape {tuple(x.shape)} along axis {axis}; it takes at least "
            f"{2 if (name, type) == ('dct', 1) else 1}."
        )
    kind = BACK[type] if inverse else type
    turned = norm == "ortho" if orthogonalize is None or x.dtype.kind == "c" else bool(orthogonalize)  # as SciPy has it
    ends, outer = ENDS.get((name, kind), ()), ENDS.get((name, BACK[kind]), ())
    before, after = np.ones(n), np.ones(n)
    if turned:
        before[list(ends)], after[list(outer)] = math.sqrt(2.0), math.sqrt(0.5)
    length = _length(name, type, n)
    factor = length**-0.5 if norm == "ortho" else 1.0 / length if (norm == "forward") != inverse else 1.0
    y = getattr(traced, name)(x * _shaped(before, axis, x) if turned else x, type=kind, axis=axis % len(x.shape))
    return y * _shaped(after * factor, axis, y) if turned or factor != 1.0 else y


def _of_one(name: str, inverse: bool) -> Callable[..., Any]:
    def function(
        x: Any, type: int = 2, n: Any = None, axis: int = -1, norm: Any = None, overwrite_x: bool = False, workers: Any = None,
        orthogonalize: Any = None,
    ) -> Any:  # fmt: skip
        return _scaled(name, x, type, n, axis, norm, orthogonalize, inverse)

    return function


def _of_several(name: str, inverse: bool) -> Callable[..., Any]:
    def function(
        x: Any, type: int = 2, s: Any = None, axes: Any = None, norm: Any = None, overwrite_x: bool = False, workers: Any = None,
        *, orthogonalize: Any = None,
    ) -> Any:  # fmt: skip
        x = numbers(x)
        lengths = None if s is None else np.atleast_1d(s).tolist()
        places = range(len(x.shape)) if axes is None else np.atleast_1d(axes).tolist()
        places = places if lengths is None or axes is not None else list(places)[-len(lengths) :]
        for i, axis in enumerate(places):
            x = _scaled(name, x, type, None if lengths is None else lengths[i], axis, norm, orthogonalize, inverse)
        return x

    return function


for _name in ("dct", "dst"):
    standing.add(_name, _of_one(_name, False))
    standing.add(f"i{_name}", _of_one(_name, True))
    standing.add(f"{_name}n", _of_several(_name, False))
    standing.add(f"i{_name}n", _of_several(_name, True))
globals().update(standing.functions)


def __getattr__(name: str) -> object:
    return getattr(own, name)


def __dir__() -> list[str]:
    return names_of(own, standing.functions)
