"""`numpy.fft`: transforms of any length, along one axis or several, in both directions, of real and of complex numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError, shortened
from chainrule.ops.fourier import OTHER_WAY
from chainrule.ops.functions.function import array, function, ndim, one_axis, whole, wholes
from chainrule.ops.functions.shaping import cut_along, roll
from chainrule.ops.operation import Example, copied, example

Axes = Sequence[int] | None


def _function(*examples: Example, **named: Any) -> Callable[[Any], Any]:
    """Registers an implementation for the function of its name in `numpy.fft`."""

    def register(implementation: Any) -> Any:
        name = named.get("name", implementation.__name__)
        return function(*examples, name=name, numpy=(getattr(np.fft, name),))(implementation)

    return register


def _norm(norm: Any) -> str:
    if norm is None:
        return "backward"
    if norm not in OTHER_WAY:
        raise SettingError(f"norm was given as {shortened(norm)}; use None, 'backward', 'ortho' or 'forward'.")
    return str(norm)


def _sized(m: Any, a: Any, n: Any, axis: int) -> Any:
    """The first n elements along an axis, or all and zeros behind them."""
    length = a.shape[axis]
    n = length if n is None else whole(n, "n")
    if n < 1:
        raise ShapeError(
            f"a Fourier transform of {n} points was asked for, of shape {a.shape} along axis {axis}; give at least one."
        )
    if n < length:
        return cut_along(m, a, axis, 0, n)
    if n == length:
        return a
    shape = (*a.shape[:axis], n, *a.shape[axis + 1 :])
    stop = tuple(length if i == axis else None for i in range(ndim(a)))
    return m.embed(a, shape=shape, start=(None,) * ndim(a), stop=stop, step=(1,) * ndim(a))


def _placed(a: Any, s: Any, axes: Any) -> tuple[list[int], list[int]]:
    """The axes of a transform along several, counted from the front, and how long each is to be: as it was before the first."""
    if axes is None:
        axes = range(ndim(a)) if s is None else range(ndim(a) - len(wholes(s, "s")), ndim(a))
    places = [one_axis(axis, ndim(a), "axes") for axis in wholes(tuple(axes), "axes")]
    lengths: list[int] = [-1] * len(places) if s is None else [*wholes(s, "s")]
    if len(lengths) != len(places):
        raise ShapeError(f"s was given as {shortened(s)} for the axes {tuple(axes)}; give a length for every axis.")
    return places, [a.shape[place] if n == -1 else n for place, n in zip(places, lengths, strict=True)]


def _transformed(m: Any, a: Any, n: Any, axis: Any, norm: Any, inverse: bool) -> Any:
    a = array(a)
    axis = one_axis(axis, ndim(a))
    return m.fft(_sized(m, a, n, axis), axis=axis, inverse=inverse, norm=_norm(norm))


def _transformed_along(m: Any, a: Any, s: Any, axes: Any, norm: Any, inverse: bool) -> Any:
    a = array(a)
    places, lengths = _placed(a, s, axes)
    for axis, n in zip(reversed(places), reversed(lengths), strict=True):
        a = _transformed(m, a, n, axis, norm, inverse)
    return a


def _only_real(a: Any, called: str, instead: str) -> Any:
    a = array(a)
    if a.dtype.kind == "c":
        raise SettingError(
            f"{called} takes real numbers, and was given complex ones (dtype {a.dtype}). Use {instead}, or give np.real of them."
        )
    return a


@_function(example((6,)), example((3, 4), 5, axis=0, norm="ortho"), example((5,), 3, norm="forward"))
def fft(m: Any, a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Σⱼ aⱼ·e^(−2πi·jk/n) along an axis, the discrete Fourier transform."""
    return _transformed(m, a, n, axis, norm, inverse=False)


@_function(example((6,)), example((3, 4), 5, axis=0, norm="ortho"), example((5,), 3, norm="forward"))
def ifft(m: Any, a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Σₖ aₖ·e^(2πi·jk/n)/n along an axis, the inverse transform."""
    return _transformed(m, a, n, axis, norm, inverse=True)


@_function(example((3, 4)), example((3, 4), s=(2, 5), norm="ortho"))
def fft2(m: Any, a: Any, s: Axes = None, axes: Axes = (-2, -1), norm: str | None = None) -> Any:
    """The transform along two axes."""
    return _transformed_along(m, a, s, axes, norm, inverse=False)


@_function(example((3, 4)), example((3, 4), s=(2, 5), norm="ortho"))
def ifft2(m: Any, a: Any, s: Axes = None, axes: Axes = (-2, -1), norm: str | None = None) -> Any:
    """The inverse transform along two axes."""
    return _transformed_along(m, a, s, axes, norm, inverse=True)


@_function(example((2, 3, 2)), example((3, 4), s=(2, -1), axes=(1, 0)))
def fftn(m: Any, a: Any, s: Axes = None, axes: Axes = None, norm: str | None = None) -> Any:
    """The transform along several axes."""
    return _transformed_along(m, a, s, axes, norm, inverse=False)


@_function(example((2, 3, 2)), example((3, 4), s=(2, -1), axes=(1, 0)))
def ifftn(m: Any, a: Any, s: Axes = None, axes: Axes = None, norm: str | None = None) -> Any:
    """The inverse transform along several axes."""
    return _transformed_along(m, a, s, axes, norm, inverse=True)


@_function(example((6,)), example((3, 4), 5, axis=0, norm="ortho"), example((5,), 3, norm="forward"))
def rfft(m: Any, a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The first half of the transform of real numbers; the other half is its mirror image, conjugated."""
    a = _only_real(a, "np.fft.rfft", "np.fft.fft")
    axis = one_axis(axis, ndim(a))
    return m.rfft(_sized(m, a, n, axis), axis=axis, norm=_norm(norm))


@_function(example((4,)), example((3, 4), 5, axis=0, norm="ortho"), example((5,), 3, norm="forward"))
def irfft(m: Any, a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The n real numbers whose transform begins with these; by default 2·(number of them − 1)."""
    a = array(a)
    axis = one_axis(axis, ndim(a))
    length = 2 * (a.shape[axis] - 1) if n is None else whole(n, "n")
    if length < 1:
        raise ShapeError(
            f"an inverse transform of {length} points was asked for, of shape {a.shape} along axis {axis}; give n, at least 1."
        )
    return m.irfft(_sized(m, a, length // 2 + 1, axis), length=length, axis=axis, norm=_norm(norm))


@_function(example((3, 4)), example((3, 4), s=(2, 5), norm="ortho"))
def rfft2(m: Any, a: Any, s: Axes = None, axes: Axes = (-2, -1), norm: str | None = None) -> Any:
    """The transform of real numbers along two axes, of which the last is halved."""
    return rfftn(m, a, s, axes, norm)


@_function(example((3, 4)), example((3, 4), s=(2, 5), norm="ortho"))
def irfft2(m: Any, a: Any, s: Axes = None, axes: Axes = (-2, -1), norm: str | None = None) -> Any:
    """The inverse of `rfft2`."""
    return irfftn(m, a, s, axes, norm)


@_function(example((2, 3, 2)), example((3, 4), s=(2, -1), axes=(1, 0)))
def rfftn(m: Any, a: Any, s: Axes = None, axes: Axes = None, norm: str | None = None) -> Any:
    """The transform of real numbers along several axes, of which the last is halved."""
    a = array(a)
    places, lengths = _placed(a, s, axes)
    a = rfft(m, a, lengths[-1], places[-1], norm)
    return _transformed_along(m, a, lengths[:-1], places[:-1], norm, inverse=False)


@_function(example((2, 3, 2)), example((3, 4), s=(2, -1), axes=(1, 0)))
def irfftn(m: Any, a: Any, s: Axes = None, axes: Axes = None, norm: str | None = None) -> Any:
    """The inverse of `rfftn`."""
    a = array(a)
    places, lengths = _placed(a, s, axes)
    a = _transformed_along(m, a, lengths[:-1], places[:-1], norm, inverse=True)
    return irfft(m, a, None if s is None else lengths[-1], places[-1], norm)


@_function(example((4,)), example((3, 4), 5, axis=0, norm="ortho"))
def hfft(m: Any, a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The transform of numbers whose other half is their mirror image, conjugated: it is real."""
    return irfft(m, m.conjugate(array(a)), n, axis, OTHER_WAY[_norm(norm)])


@_function(example((6,)), example((3, 4), 5, axis=0, norm="ortho"))
def ihfft(m: Any, a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of `hfft`."""
    return m.conjugate(rfft(m, _only_real(a, "np.fft.ihfft", "np.fft.ifft"), n, axis, OTHER_WAY[_norm(norm)]))


@_function(example((5,)), example((3, 4), axes=1))
def fftshift(m: Any, x: Any, axes: Any = None) -> Any:
    """Frequencies in ascending order, the zero in the middle."""
    return _shifted(m, x, axes, lambda n: n // 2)


@_function(example((5,)), example((3, 4), axes=1))
def ifftshift(m: Any, x: Any, axes: Any = None) -> Any:
    """The inverse of `fftshift`."""
    return _shifted(m, x, axes, lambda n: -(n // 2))


def _shifted(m: Any, x: Any, axes: Any, by: Callable[[int], int]) -> Any:
    x = array(x)
    places = range(ndim(x)) if axes is None else [one_axis(axis, ndim(x), "axes") for axis in wholes(axes, "axes")]
    shifted = x
    for axis in places:
        shifted = roll(m, shifted, by(x.shape[axis]), axis)
    return copied(m, x) if shifted is x else shifted
