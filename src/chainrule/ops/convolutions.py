"""Convolutions of arrays along all their axes: y[n] = Σⱼ a[n − j]·b[j], whose derivatives are convolutions again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.ops.kinds.custom import Custom
from chainrule.ops.matrices import like
from chainrule.ops.notation import PRODUCT, SIGN, Notation
from chainrule.ops.operation import ArrayType, Example, dtype_of, example, shape_of


def _shape(a: Any, b: Any, mode: str) -> tuple[int, ...]:
    sign = 1 if mode == "full" else -1
    return tuple(n + sign * (k - 1) for n, k in zip(shape_of(a), shape_of(b), strict=True))


def reversed_in_all_axes(m: Any, x: Any) -> Any:
    """The elements from the last to the first."""
    whole = (None,) * len(x.shape)
    return m.slice(x, start=whole, stop=whole, step=(-1,) * len(x.shape))


def _by_windows(m: Any, a: Any, b: Any, mode: str, batched: tuple[bool, bool] = (False, False)) -> Any:
    """Every number as the product of a window of `a` with `b` reversed; a batch's axis is the first of what is batched."""
    lead = tuple(x.shape[:1] if mine else () for x, mine in zip((a, b), batched, strict=True))
    kernel, whole = tuple(b.shape[len(lead[1]) :]), tuple(a.shape[len(lead[0]) :])
    if mode == "full":
        before = tuple(k - 1 for k in kernel)
        room = tuple(n + 2 * k for n, k in zip(whole, before, strict=True))
        ends = tuple(n + k for n, k in zip(whole, before, strict=True))
        first = (None,) * len(lead[0])
        a = m.embed(a, shape=lead[0] + room, start=first + before, stop=first + ends, step=(1,) * len(a.shape))
        whole = room
    numbered = np.arange(math.prod(whole)).reshape(whole)
    windows = np.lib.stride_tricks.sliding_window_view(numbered, kernel)
    shape, places = windows.shape[: len(whole)], windows.reshape(-1, math.prod(kernel))
    taken = m.take(m.reshape(a, shape=(*lead[0], math.prod(whole))), places, axis=len(lead[0]))
    turned = m.slice(
        b, start=(None,) * len(b.shape), stop=(None,) * len(b.shape), step=(1,) * len(lead[1]) + (-1,) * len(kernel)
    )
    flat = m.reshape(turned, shape=(*lead[1], math.prod(kernel)))
    letters = ["z" if mine else "" for mine in batched]
    found = m.einsum(taken, flat, subscripts=f"{letters[0]}ok,{letters[1]}k->{max(letters)}o")
    return m.reshape(found, shape=(*found.shape[:-1], *shape))


def convolution_of(name: str, value: Callable[..., Any], doc: str, examples: tuple[Example, ...]) -> Custom:
    """An operation with this value, of mode "full", or "valid" where the first array is the longer one along every axis."""

    def convolved(m: Any, a: Any, b: Any, mode: str) -> Any:
        return getattr(m, name)(a, b, mode=mode)

    def forward(m: Any, tangents: Any, y: Any, a: Any, b: Any, mode: str) -> Any:
        by_a = None if tangents[0] is None else convolved(m, tangents[0], b, mode)
        by_b = None if tangents[1] is None else convolved(m, a, tangents[1], mode)
        return by_b if by_a is None else by_a if by_b is None else by_a + by_b

    def reverse(m: Any, g: Any, y: Any, a: Any, b: Any, mode: str) -> list[Any]:
        turned = reversed_in_all_axes(m, b)
        if mode == "full":
            found = (convolved(m, g, turned, "valid"), convolved(m, g, reversed_in_all_axes(m, a), "valid"))
        else:
            by_b = convolved(m, a, reversed_in_all_axes(m, g), "valid")
            found = (convolved(m, g, turned, "full"), reversed_in_all_axes(m, by_b))
        return [like(m, g, x) for g, x in zip(found, (a, b), strict=True)]

    return Custom(
        name,
        notation=Notation(
            strength=PRODUCT,
            operands=(PRODUCT, SIGN),
            typed_with=lambda mode: "{0} ∗ {1}",
            rule="derivative of the convolution",
        ),
        value=value,
        type=lambda a, b, mode: ArrayType(_shape(a, b, mode), np.result_type(dtype_of(a), dtype_of(b))),
        forward=forward,
        reverse=reverse,
        simpler=_by_windows,
        batched=lambda m, size, batched, a, b, mode: _by_windows(m, a, b, mode, tuple(batched)),
        latex="{0} * {1}",
        differential="d{0} * {1} + {0} * d{1}",
        doc=doc,
        examples=examples,
        complex=True,
    )


convolution = convolution_of(
    "convolution",
    lambda a, b, mode: np.convolve(a, b, mode),
    "np.convolve of two vectors, the longer one first.",
    (example((5,), (3,), mode="full"), example((5,), (2,), mode="valid"), example((3,), (3,), mode="valid")),
)
