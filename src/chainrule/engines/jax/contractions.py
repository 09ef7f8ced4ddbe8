"""Products of two arrays summed over shared axes, as XLA's general dot product."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from chainrule.ops.kinds.contraction import parse

WIDER = {np.dtype(np.bool_): np.dtype(np.int32), np.dtype(np.float16): np.dtype(np.float32)}
"""What products are added up in, where not in their own dtype: of truth values it is counted how many hold."""


def contracted(left: Any, right: Any, subscripts: str, rounded: bool) -> Any:
    """The contraction of two arrays of one dtype; `rounded` to bfloat16 before, if they are float32, and added up in float32."""
    parts, kind = parse(subscripts), left.dtype
    if not parts.summed:
        return _multiplied(left, right, parts)
    inside = WIDER.get(np.dtype(kind), kind)
    if inside != kind and kind == np.bool_:
        left, right = left.astype(inside), right.astype(inside)
    if rounded and kind == np.float32:
        left, right = left.astype(jnp.bfloat16), right.astype(jnp.bfloat16)
    first, second, own, other = parts.left, parts.right, parts.rows, parts.columns
    if parts.result.startswith(parts.shared + other) and other:
        left, right, first, second, own, other = right, left, second, first, other, own
    summed, shared = (
        ([first.index(c) for c in letters], [second.index(c) for c in letters])
        for letters in (parts.summed, parts.shared)
    )
    product = lax.dot_general(
        left, right, (summed, shared), precision=lax.Precision.HIGHEST, preferred_element_type=inside
    )
    order = parts.shared + own + other
    product = lax.transpose(product, [order.index(c) for c in parts.result])
    return product > 0 if kind == np.bool_ else product.astype(kind)


def _multiplied(left: Any, right: Any, parts: Any) -> Any:
    """With nothing to be summed: numbers times numbers."""
    lengths = dict(zip(parts.left + parts.right, left.shape + right.shape, strict=True))
    shape = [lengths[c] for c in parts.result]
    factors = []
    for x, term in ((left, parts.left), (right, parts.right)):
        order = sorted(range(len(term)), key=lambda i, term=term: parts.result.index(term[i]))  # type: ignore[misc]
        targets = [parts.result.index(term[i]) for i in order]
        factors.append(lax.broadcast_in_dim(lax.transpose(x, order), shape, targets))
    return factors[0] & factors[1] if left.dtype == np.bool_ else factors[0] * factors[1]
