"""Arrays as safetensors files have them: no code, and nothing is copied to write them.

Such a file is the length of a header in eight bytes, the header in JSON (for every array its dtype, shape and place, and texts
under `__metadata__`), and the arrays' bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

NUMBERS = ("I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64", "F16", "F32", "F64")

DTYPES: dict[str, Any] = {
    "BOOL": np.dtype(np.bool_),
    **{name: np.dtype(f"<{name[0].lower()}{int(name[1:]) // 8}") for name in NUMBERS},
}
"""The kinds of number as such files name them. Networks have F32 or F64, what comes with a training may have others."""

NAMES = {dtype: name for name, dtype in DTYPES.items()}


def safetensors(arrays: Mapping[str, Any], texts: Mapping[str, str]) -> tuple[str, list[Any]]:
    """The header of a file, and all of it in pieces, which are the arrays' own memory.

    Examples
    --------
    >>> header, pieces = safetensors({"a": np.ones(3)}, {"made by": "hand"})
    >>> header.strip()
    '{"__metadata__": {"made by": "hand"}, "a": {"dtype": "F64", "shape": [3], "data_offsets": [0, 24]}}'
    >>> [len(piece) for piece in pieces]
    [8, 104, 24]
    """
    header: dict[str, Any] = {"__metadata__": dict(texts)}
    pieces, end = [], 0
    for name in sorted(arrays, key=lambda name: (-arrays[name].itemsize, name)):  # so that all are aligned
        array = arrays[name].astype(arrays[name].dtype.newbyteorder("<"), order="C", copy=False)
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [begin, end]}
        pieces.append(array.reshape(-1).view(np.uint8).data)
    text = json.dumps(header)
    text += " " * (-len(text) % 8)
    return text, [len(text).to_bytes(8, "little"), text.encode(), *pieces]
