"""Products of two arrays summed over shared axes, as matrix products of ONNX."""

from __future__ import annotations

from chainrule.onnx.lengths import Length, count
from chainrule.onnx.values import Value
from chainrule.ops.kinds.contraction import parse


def contracted(left: Value, right: Value, subscripts: str) -> Value:
    """The contraction of two values of one dtype."""
    parts = parse(subscripts)
    shared, summed, rows, columns = parts.shared, parts.summed, parts.rows, parts.columns
    lengths = dict(zip(parts.left + parts.right, left.shape + right.shape, strict=True))
    if not summed:
        return _placed(left, parts.left, parts.result).by("Mul", _placed(right, parts.right, parts.result))
    if len(summed) == 1 and not shared and rows and columns:  # all other rows of the first are a stack of matrices
        columns_first = _ordered(right, parts.right, summed + columns)
        second = _grouped(columns_first, lengths, summed, columns)
        product = _product(_ordered(left, parts.left, rows + summed), second)
        product = product.reshaped(tuple(lengths[c] for c in rows + columns))
    else:
        first = _grouped(_ordered(left, parts.left, shared + rows + summed), lengths, *shared, rows, summed)
        second = _grouped(_ordered(right, parts.right, shared + summed + columns), lengths, *shared, summed, columns)
        product = _product(first, second).reshaped(tuple(lengths[c] for c in shared + rows + columns))
    return _ordered(product, shared + rows + columns, parts.result)


def _product(left: Value, right: Value) -> Value:
    """Of matrices in the last two axes."""
    shape = (*left.shape[:-1], right.shape[-1])
    return left.named(left.graph.node("MatMul", left.name, right.name), shape)


def _ordered(x: Value, axes: str, wanted: str) -> Value:
    """The axes in another order."""
    return x.transposed(tuple(axes.index(c) for c in wanted))


def _grouped(x: Value, lengths: dict[str, Length], *groups: str) -> Value:
    """Axes that follow each other as one, group by group."""
    return x.reshaped(tuple(count(tuple(lengths[c] for c in group)) for group in groups))


def _placed(x: Value, axes: str, result: str) -> Value:
    """The axes in the order of the result, with axes of length 1 for those that it lacks."""
    ordered = _ordered(x, axes, "".join(c for c in result if c in axes))
    own = iter(ordered.shape)
    return ordered.reshaped(tuple(next(own) if c in axes else 1 for c in result))
