"""The description and the arrays of a model file, read with nothing in it believed before it is checked.

Its digest finds accidents; it is no signature, so a file with a right
one may still have been made to do harm.
"""

from __future__ import annotations

import json
import math
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import MissingFileError, ModelFileError, OtherFormatError
from chainrule.network.files.description import BYTES, digest_of, parsed, plain, short
from chainrule.network.files.storage import DIGEST, FORMAT, KEY
from chainrule.network.files.tensors import DTYPES


def read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The description and the arrays of a file.

    Of the description it is known that it is what was saved, and no more.

    Raises
    ------
    MissingFileError
        When there is no such file.
    ModelFileError
        When it is damaged, truncated or of another kind.
    OtherFormatError
        When it is whole, and another version wrote it.
    """
    MissingFileError.unless_there(path)
    try:
        with _opened(path) as file:
            header, begin = _header(file)
            metadata = header.pop("__metadata__", {})
            if not isinstance(metadata, dict) or KEY not in metadata:
                raise ModelFileError(
                    f"{path} is a safetensors file, but not one that chainrule wrote: it has no architecture in it. Build the "
                    "network and give it the arrays: network.parameters = …"
                )
            text = metadata[KEY]
            arrays = _arrays(file, header, begin)
    except (OSError, ValueError, TypeError, RecursionError, MemoryError) as error:
        reason = plain(str(error) or type(error).__name__, 200)
        raise ModelFileError(
            f"{path} cannot be read as a safetensors file ({reason}). It is damaged, truncated or of another kind; save the "
            "network again."
        ) from None
    try:
        described = parsed(text)
        intact = described.pop(DIGEST) == digest_of(json.dumps(described), arrays)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, MemoryError):
        intact = False
    if not intact:
        raise ModelFileError(f"{path} is damaged: what is in it is not what was saved. Save the network again.")
    version = described.get("format")
    if version != FORMAT:
        raise OtherFormatError(
            f"{path} has format {short(version)}, and this chainrule reads format {FORMAT}; use the version that wrote it."
        )
    return described, arrays


def _opened(path: Path) -> BufferedReader:
    """A file to read; what is no file, such as a pipe that nobody writes to, is not waited for."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ValueError("it is no file")
    return os.fdopen(handle, "rb")


def _header(file: BufferedReader) -> tuple[dict[str, Any], int]:
    """The header, and where the arrays begin."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= size - 8:
        raise ValueError(f"a header of {length} bytes in a file of {size}")
    if length > BYTES:
        raise ValueError(f"a header of {length} bytes; at most {BYTES} are read")
    header = parsed(file.read(length).decode())
    if not isinstance(header, dict):
        raise ValueError("its header is no table of arrays")
    return header, 8 + length


def _arrays(file: BufferedReader, header: dict[str, Any], begin: int) -> dict[str, Any]:
    """The arrays; they must fill the file, and every one the bytes that its shape and dtype take."""
    size, places = os.fstat(file.fileno()).st_size - begin, []
    for name, facts in header.items():
        if not isinstance(facts, dict) or set(facts) != {"dtype", "shape", "data_offsets"}:
            raise ValueError(f"no dtype, shape and place for {short(name)}")
        dtype, shape, offsets = DTYPES.get(str(facts["dtype"])), facts["shape"], facts["data_offsets"]
        if dtype is None:
            raise ValueError(f"{short(name)} of dtype {short(facts['dtype'])}")
        if not are_counts(shape) or not are_counts(offsets) or len(offsets) != 2 or len(shape) > 32:
            raise ValueError(f"{short(shape)} and {short(offsets)} for the shape and place of {short(name)}")
        if math.prod(shape) * dtype.itemsize != offsets[1] - offsets[0]:
            raise ValueError(f"{short(offsets[1] - offsets[0])} bytes for {short(name)} of shape {short(shape)}")
        places.append((*offsets, name, dtype, tuple(shape)))
    if _gaps(places, size):
        raise ValueError("its arrays do not fill it")
    arrays = {}
    for first, _, name, dtype, shape in sorted(places):
        array = np.empty(shape, dtype)
        file.seek(begin + first)
        flat: Any = array.reshape(-1).view(np.uint8)  # the same memory
        if file.readinto(flat) != array.nbytes:
            raise ValueError(f"it ends within {short(name)}")
        arrays[name] = array.astype(dtype.newbyteorder("="), copy=False)
    return {name: arrays[name] for name in sorted(arrays)}


def _gaps(places: list[Any], size: int) -> bool:
    """Whether the arrays overlap, leave something out, or end elsewhere than the file."""
    ends = [0, *(place[1] for place in sorted(places))]
    begins = [*(place[0] for place in sorted(places)), size]
    return ends != begins


def are_counts(x: Any) -> bool:
    """Whether this is a list of whole numbers from 0 on."""
    return isinstance(x, list) and all(type(n) is int and n >= 0 for n in x)
