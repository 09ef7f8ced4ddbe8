"""Filters along one axis: recursive ones, also forwards and backwards, their frequency responses, and smoothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.matrices import like
from chainrule.ops.operation import ArrayType, at, dtype_of, example, shape_of
from chainrule.scipy.standing import is_traced, numbers
from chainrule.tracing.apply import traced
from scipy import signal

# --- a recursion as an operation


def _cut(m: Any, x: Any, start: int | None, stop: int | None, step: int = 1) -> Any:
    """Part of the last axis."""
    before = (None,) * (len(x.shape) - 1)
    return m.slice(x, start=(*before, start), stop=(*before, stop), step=(1,) * len(before) + (step,))


def _late(m: Any, x: Any, by: int) -> Any:
    """x[n − k], and 0 before there is any."""
    n = x.shape[-1]
    if by >= n:
        return np.zeros(tuple(x.shape), x.dtype)
    before = (None,) * (len(x.shape) - 1)
    return m.embed(
        _cut(m, x, 0, n - by), shape=tuple(x.shape), start=(*before, by), stop=(*before, n), step=(1,) * len(x.shape)
    )


def _coefficient(m: Any, a: Any, k: int) -> Any:
    return m.slice(a, start=(k,), stop=(k + 1,), step=(1,), drop=(0,))


def _recursion_forward(m: Any, tangents: Any, y: Any, u: Any, a: Any) -> Any:
    side = tangents[0]
    if tangents[1] is not None:
        for k in range(a.shape[0]):
            term = _coefficient(m, tangents[1], k) * _late(m, y, k)
            side = -term if side is None else side - term
    return m.recursion(side, a)


def _recursion_reverse(m: Any, g: Any, y: Any, u: Any, a: Any) -> list[Any]:
    w = _cut(m, m.recursion(_cut(m, g, None, None, -1), a), None, None, -1)
    every = tuple(range(len(y.shape)))
    by_a = [m.sum(w * _late(m, y, k), axis=every, keepdims=False) for k in range(a.shape[0])]
    return [like(m, w, u), like(m, -m.concatenate(*(m.reshape(x, shape=(1,)) for x in by_a), axis=0), a)]


def _kind(u: Any, a: Any) -> np.dtype[Any]:
    kind = np.result_type(dtype_of(u), dtype_of(a))
    return kind if kind.kind in "fc" else np.dtype(float)


def _recursion(u: Any, a: Any) -> Any:
    if not a.size or not a[0]:
        raise ShapeError(
            "a filter was given a denominator a that is empty, or whose first number is 0; leave leading zeros out."
        )
    inner = np.result_type(_kind(u, a), np.float32)  # SciPy has no half precision
    return signal.lfilter(np.ones(1, inner), np.asarray(a, inner), np.asarray(u, inner)).astype(_kind(u, a))


recursion = Custom(
    "recursion",
    value=_recursion,
    type=lambda u, a: ArrayType(shape_of(u), _kind(u, a)),
    forward=_recursion_forward,
    reverse=_recursion_reverse,
    latex=r"\operatorname{{recursion}}\left({0}, {1}\right)",
    differential=r"\operatorname{{recursion}}\left(d{0} - d{1} * y, {1}\right)",
    undefined=(at("{1} whose first number is 0", np.ones(2), np.array([0.0, 1.0])),),
    examples=(example((6,), np.array([1.5, -0.6, 0.2])), example((2, 3), np.array([2.0, 0.5]))),
    doc="The y with Σₖ aₖ·y[n − k] = u[n] along the last axis, and 0 before it.",
    complex=True,
)


# --- filters of SciPy's


def _vector(x: Any, called: str) -> Any:
    x = numbers(x)
    if len(x.shape) > 1 or x.shape == (0,):
        raise ShapeError(f"{called} was given coefficients of shape {tuple(x.shape)}; give one axis of them.")
    return np.reshape(x, -1)


def _along(b: Any, x: Any) -> Any:
    """The whole convolution along the last axis."""
    return traced.convolution_in_space(x, np.reshape(b, (1,) * (len(x.shape) - 1) + (-1,)), mode="full")


def lfilter(b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """The y with Σ aₖ·y[n − k] = Σ bₖ·x[n − k] along an axis; with `zi`, what it starts from, also what it ends with."""
    b, a, x = _vector(b, "lfilter"), _vector(a, "lfilter"), np.moveaxis(numbers(x), axis, -1)
    b, a, n = b / a[0], a / a[0], x.shape[-1]
    states = max(b.shape[0], a.shape[0]) - 1
    driven = _along(b, x)
    driven = np.pad(driven, ((0, 0),) * (len(x.shape) - 1) + ((0, max(0, states + n - driven.shape[-1])),))
    if zi is not None:
        start = np.moveaxis(numbers(zi), axis, -1) if len(np.shape(zi)) == len(x.shape) else numbers(zi)
        start = np.broadcast_to(start, (*x.shape[:-1], states))
        driven = driven + np.pad(start, ((0, 0),) * (len(x.shape) - 1) + ((0, driven.shape[-1] - states),))
    y = traced.recursion(driven[..., :n], a) if a.shape[0] > 1 else driven[..., :n]
    if zi is None:
        return np.moveaxis(y, -1, axis)
    left = driven[..., n : n + states]
    returned = _along(a, y)[..., n:]
    left = left - np.pad(returned, ((0, 0),) * (len(x.shape) - 1) + ((0, states - returned.shape[-1]),))
    return np.moveaxis(y, -1, axis), np.moveaxis(left, -1, axis)


def lfilter_zi(b: Any, a: Any) -> Any:
    """What a filter starts from so that its answer to a step is steady from the first number on."""
    b, a = _vector(b, "lfilter_zi"), _vector(a, "lfilter_zi")
    size = max(b.shape[0], a.shape[0])
    b, a = (np.pad(c / a[0], (0, size - c.shape[0])) for c in (b, a))
    steps = b[1:] - a[1:] * b[0]
    first = np.sum(steps) / np.sum(a)
    return np.cumsum(a[:-1]) * first - np.concatenate([np.zeros(1, steps.dtype), np.cumsum(steps[:-1])])


def _extended(x: Any, edge: int, padtype: str | None) -> Any:
    """The signal with its ends mirrored, along the last axis."""
    n = x.shape[-1]
    if padtype is None or edge == 0:
        return x
    if edge >= n:
        raise ShapeError(f"filtfilt was given {n} numbers and padlen={edge}; give more, or a smaller padlen.")
    first, last = x[..., :1], x[..., -1:]
    before, behind = x[..., edge:0:-1], x[..., -2 : -(edge + 2) : -1]
    if padtype == "odd":
        before, behind = 2.0 * first - before, 2.0 * last - behind
    elif padtype == "constant":
        before, behind = (np.broadcast_to(end, (*x.shape[:-1], edge)) for end in (first, last))
    elif padtype != "even":
        raise SettingError(f"filtfilt was given padtype={padtype!r}; known are 'odd', 'even', 'constant' and None.")
    return np.concatenate([before, x, behind], axis=-1)


def filtfilt(
    b: Any, a: Any, x: Any, axis: int = -1, padtype: str | None = "odd", padlen: int | None = None, method: str = "pad",
    irlen: None = None,
) -> Any:  # fmt: skip
    """A filter forwards and then backwards, with no delay; the ends mirrored."""
    if method != "pad":
        raise SettingError(f"filtfilt of traced values was given method={method!r}; it takes method='pad' only.")
    b, a, x = _vector(b, "filtfilt"), _vector(a, "filtfilt"), np.moveaxis(numbers(x), axis, -1)
    edge = 0 if padtype is None else 3 * max(a.shape[0], b.shape[0]) if padlen is None else int(padlen)
    n, start = x.shape[-1], lfilter_zi(b, a)
    y = _extended(x, edge, padtype)
    for _ in range(2):
        y = np.flip(lfilter(b, a, y, zi=start * y[..., :1])[0], -1)
    return np.moveaxis(y[..., edge : edge + n], -1, axis)


def sosfilt(sos: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """Filters of second order, one after the other; with `zi`, what they start from, also what they end with."""
    sos, x = numbers(sos), numbers(x)
    if len(sos.shape) != 2 or sos.shape[1] != 6:
        raise ShapeError(f"sosfilt was given sections of shape {tuple(sos.shape)}; give six numbers for each, a row.")
    if zi is None:
        for section in sos:
            x = lfilter(section[:3], section[3:], x, axis)
        return x
    ends = []
    for section, start in zip(sos, numbers(zi), strict=True):
        x, end = lfilter(section[:3], section[3:], x, axis, start)
        ends.append(end)
    return x, np.stack(ends)


def freqz(
    b: Any, a: Any = 1, worN: Any = 512, whole: bool = False, plot: None = None, fs: float = 2 * np.pi,
    include_nyquist: bool = False,
) -> Any:  # fmt: skip
    """Frequencies, and the filter's complex response there, Σ bₖ·z⁻ᵏ/Σ aₖ·z⁻ᵏ with z = e^(iω)."""
    b, a = _vector(b, "freqz"), _vector(a, "freqz")
    w = (
        numbers(worN)
        if is_traced(worN)
        else signal.freqz(np.ones(1, b.dtype), np.ones(1, a.dtype), worN, whole, None, fs, include_nyquist)[0]
    )
    back = np.exp(-1j * w.real * (2.0 * np.pi / fs))
    return w, np.polyval(np.flip(b), back) / np.polyval(np.flip(a), back)


def hilbert(x: Any, N: int | None = None, axis: int = -1) -> Any:
    """The analytic signal x + i·H(x), whose spectrum has no negative frequencies."""
    x = numbers(x)
    n = x.shape[axis] if N is None else int(N)
    if x.dtype.kind == "c" or n < 1:
        raise ShapeError(f"hilbert was given numbers of dtype {x.dtype}, {n} of them; give real ones, at least one.")
    kept = np.zeros(n, np.result_type(x.dtype, np.float32) if x.dtype.kind == "f" else float)
    kept[0], kept[1 : (n + 1) // 2] = 1.0, 2.0
    if n % 2 == 0:
        kept[n // 2] = 1.0
    kept = kept.reshape([-1 if i == axis % len(x.shape) else 1 for i in range(len(x.shape))])
    return np.fft.ifft(np.fft.fft(x, n, axis) * kept, axis=axis)


def detrend(data: Any, axis: int = -1, type: str = "linear", bp: Any = 0, overwrite_data: bool = False) -> Any:
    """A signal less its mean, or less a straight line by least squares between every two of the points `bp`."""
    if type not in ("linear", "l", "constant", "c"):
        raise SettingError(f"detrend was given type={type!r}; known are 'linear' and 'constant'.")
    x = np.moveaxis(numbers(data), axis, -1)
    if type.startswith("c"):
        return np.moveaxis(x - np.mean(x, axis=-1, keepdims=True), -1, axis)
    ends = sorted({0, x.shape[-1], *np.ravel(bp).astype(int).tolist()})
    parts = []
    for start, stop in pairwise(ends):
        line = np.stack([np.ones(stop - start), np.arange(stop - start)], axis=1)
        there, back = (w.astype(np.result_type(x.dtype, np.float32)) for w in (np.linalg.pinv(line).T, line.T))
        fitted = (x[..., start:stop] @ there) @ back
        parts.append(x[..., start:stop] - fitted)
    return np.moveaxis(np.concatenate(parts, axis=-1), -1, axis)


MARGINS = {"mirror": "reflect", "nearest": "edge", "constant": "constant", "wrap": "wrap"}
"""SciPy's names of what is beyond the ends, and NumPy's."""


def savgol_filter(
    x: Any, window_length: int, polyorder: int, deriv: int = 0, delta: float = 1.0, axis: int = -1, mode: str = "interp",
    cval: float = 0.0,
) -> Any:  # fmt: skip
    """Polynomials by least squares in a window around every number, or their derivatives (Savitzky and Golay 1964)."""
    if mode != "interp" and mode not in MARGINS:
        raise SettingError(
            f"savgol_filter was given mode={mode!r}; known are 'interp', {', '.join(map(repr, MARGINS))}."
        )
    x, half = np.moveaxis(numbers(x), axis, -1), window_length // 2
    x = x if x.dtype in (np.float32, np.complex64) or x.dtype.kind == "c" else x.astype(float)
    kind = x.real.dtype
    weights = signal.savgol_coeffs(window_length, polyorder, deriv, delta).astype(kind)
    if mode != "interp":
        given: dict[str, Any] = {"constant_values": cval} if mode == "constant" else {}
        beyond: Any = MARGINS[mode]
        x = np.pad(x, ((0, 0),) * (len(x.shape) - 1) + ((window_length - 1 - half, half),), beyond, **given)
    inside = _along(weights, x)[..., window_length - 1 : x.shape[-1]]
    if mode == "interp":
        ends = signal.savgol_filter(np.eye(window_length), window_length, polyorder, deriv, delta, axis=0).astype(kind)
        first = x[..., :window_length] @ ends[:half].T
        last = x[..., -window_length:] @ ends[window_length - half :].T
        inside = np.concatenate([first, inside[..., 2 * half - window_length + 1 :], last], axis=-1)
    return np.moveaxis(inside, -1, axis)


FUNCTIONS: tuple[Callable[..., Any], ...] = (
    lfilter, lfilter_zi, filtfilt, sosfilt, freqz, hilbert, detrend, savgol_filter,
)  # fmt: skip
"""Those that stand for SciPy's functions of the same name."""
