"""Where values live: buffers with padded rows, and views that read them through strides."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.ops.axes import Kept, Links, Picked, Put, Regrouped
from chainrule.ops.lazy import cached_property

ALIGNMENT = 64

PAGE = 4096
"""Rows a whole number of pages long all begin in the same place of the cache, and drive each other out of it."""


BARRIER = 8
"""Where in the arena threads count their arrivals; behind it lies what else they tell each other there."""

ARRIVALS, PATIENCE, HELD_UP, END, MEETING = range(5)
"""What threads that meet tell each other, in numbers of 8 bytes: their arrivals; looks at them after which one counts as held up;
whether one was; the steps after which they part."""

REST = 1024
"""Looks at the arrivals between two times that the system may run another thread in this one's place."""


STATUS_BYTES = 4
"""Bytes of the status, at the beginning of the arena."""


def status(arena: Any) -> Any:
    """The status at the beginning of an arena of bytes: 0 while every index was in bounds."""
    return arena[:STATUS_BYTES].view(np.int32)


def meeting(arena: Any) -> Any:
    """What threads that meet tell each other, in an arena of bytes."""
    return arena[BARRIER : BARRIER + 8 * MEETING].view(np.int64)


def lanes(length: int, widest: int) -> int:
    """Numbers in one vector along an axis of this length: a power of two, no more than the machine's widest."""
    if length >= widest:
        return widest
    width = 1
    while width < length:
        width *= 2
    return width


def padded(length: int, widest: int) -> int:
    """The length of an axis in memory, a whole number of vectors."""
    width = lanes(length, widest)
    return -(-length // width) * width


def long_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape without axes of length 1, which take no part in where numbers lie."""
    return tuple(n for n in shape if n != 1)


def storage_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """How numbers of this kind lie in memory: booleans as bytes."""
    return np.dtype(np.uint8) if dtype == np.bool_ else dtype


@dataclass(eq=False)
class Buffer:
    """Memory for one array: rows along the last long axis are padded to whole vectors, and off whole pages.

    `offset` is its place in bytes, set by the memory plan: in the arena, or in the memory that a thread has for itself where it
    is `private`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    widest: int
    offset: int = -1
    private: bool = False

    @cached_property
    def memory_shape(self) -> tuple[int, ...]:
        """The long axes, the last of them padded."""
        long = long_axes(self.shape)
        if not long:
            return ()
        row, size = padded(long[-1], self.widest), storage_type(self.dtype).itemsize
        if len(long) > 1 and row * size % PAGE == 0:
            row += ALIGNMENT // size
        return (*long[:-1], row)

    @cached_property
    def nbytes(self) -> int:
        """Size in bytes."""
        return math.prod(self.memory_shape) * storage_type(self.dtype).itemsize

    def view(self) -> View:
        """The whole array."""
        return View(self, 0, self._strides, self.shape)

    @cached_property
    def _strides(self) -> tuple[int, ...]:
        strides = []
        memory = list(self.memory_shape)
        for n in reversed(self.shape):
            if n == 1:
                strides.append(0)
            else:
                memory.pop()
                strides.append(math.prod(self.memory_shape[len(memory) + 1 :]))
        return tuple(reversed(strides))

    def array(self, arena: Any) -> Any:
        """The buffer's numbers in an arena of bytes, as an array of the long axes without padding."""
        flat = arena[self.offset : self.offset + self.nbytes].view(storage_type(self.dtype))
        whole = flat.reshape(self.memory_shape)
        return whole[..., : long_axes(self.shape)[-1]] if self.memory_shape else whole


@dataclass(frozen=True, eq=False)
class View:
    """An array read through strides, counted in numbers, from a place in a buffer; a repeated axis has stride 0."""

    buffer: Buffer
    start: Any  # a number, or a position that the running code finds
    strides: tuple[int, ...]
    shape: tuple[int, ...]

    def along(self, space: tuple[int, ...]) -> tuple[int, ...]:
        """Strides over a space that this array broadcasts to."""
        missing = len(space) - len(self.shape)
        return (0,) * missing + tuple(0 if n == 1 else s for n, s in zip(self.shape, self.strides, strict=True))

    def through(self, links: Links, shape: tuple[int, ...]) -> View:
        """What a layout makes of it whose axes are kept, picked from or split; new axes are repeated."""
        start, strides = self.start, [0] * len(shape)
        for link in links:
            if isinstance(link, Regrouped):
                (source,) = link.sources
                for i, target in enumerate(link.targets):
                    strides[target] = self.strides[source] * math.prod(shape[t] for t in link.targets[i + 1 :])
                continue
            assert isinstance(link, Kept | Picked)
            stride = self.strides[link.source]
            if isinstance(link, Picked):
                start, stride = start + link.start * stride, stride * link.step
            if link.target is not None:
                strides[link.target] = stride
        return View(self.buffer, start, tuple(strides), shape)

    def part(self, links: Links, shape: tuple[int, ...]) -> View:
        """Where an array of this shape is put whose axes are kept or put into this one's."""
        start, strides = self.start, [0] * len(shape)
        for link in links:
            assert isinstance(link, Kept | Put)
            stride = self.strides[link.target]
            if isinstance(link, Put):
                start, stride = start + link.start * stride, stride * link.step
            if link.source is not None:
                strides[link.source] = stride
        return View(self.buffer, start, tuple(strides), shape)


def long_strides(view: View) -> tuple[int, ...]:
    """Strides along the axes that are longer than 1."""
    return tuple(s for s, n in zip(view.strides, view.shape, strict=True) if n != 1)


@dataclass
class Arena:
    """A plan of memory: offsets handed out one after another, and given back when a value is done with.

    It is the arena, or `private`: what a thread has for itself. At the beginning are the status, a number that machine code sets
    when an index was out of bounds, and the count of threads' arrivals.
    """

    size: int = ALIGNMENT
    free: list[tuple[int, int]] = field(default_factory=list)
    private: bool = False

    def take(self, nbytes: int) -> int:
        """A place for so many bytes: the smallest free one that fits, or new memory at the end."""
        wanted = -(-max(nbytes, 1) // ALIGNMENT) * ALIGNMENT
        fitting = sorted((size, offset) for offset, size in self.free if size >= wanted)
        if fitting:
            size, offset = fitting[0]
            self.free.remove((offset, size))
            if size > wanted:
                self.free.append((offset + wanted, size - wanted))
            return offset
        offset = self.size
        self.size += wanted
        return offset

    def give_back(self, offset: int, nbytes: int) -> None:
        """Memory that may be used again; neighbours are joined."""
        size = -(-max(nbytes, 1) // ALIGNMENT) * ALIGNMENT
        for other, length in list(self.free):
            if other + length == offset:
                self.free.remove((other, length))
                offset, size = other, size + length
            elif offset + size == other:
                self.free.remove((other, length))
                size += length
        self.free.append((offset, size))
