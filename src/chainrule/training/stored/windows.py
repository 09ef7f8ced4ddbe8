"""A training loop over stored rows: an engine's runner on two windows, one of which is read while the other is learned from."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.engines import Runner, State, TrainingLoop
from chainrule.training.stored.arrays import Store
from chainrule.training.stored.layout import Orders, Share, Window

MakeRunner = Callable[[list[Any]], Runner]
"""What makes the engine's runner for its arrays."""

HEARING = 0.1
"""Seconds after which Ctrl-C is heard: libraries such as Polars let the system go on with a wait that a signal interrupts."""

LINE = 64
"""Bytes of a cache line."""

PATIENCE = 1.0
"""Seconds that the end of a training waits for a source of rows."""


class WindowedRunner:
    """A runner whose data are a store's.

    An engine's runner has arrays of two windows' length, read where they lie. Steps whose rows are in them are carried out in one
    call; a batch may have rows of both. While one half is learned from, the rows of the next window are read into the other.
    What a runner does not need of any batch, since another process computes that part, is not read.
    """

    def __init__(self, loop: TrainingLoop, store: Store, make: MakeRunner) -> None:
        self._loop, self._store = loop, store
        rows, size = store.rows, loop.batch_size
        rest = rows % size
        room = 2 * store.layout.window + size  # the last step of the inner epochs is only taken where one ends
        room += (rest - room) % size
        arrays = [_aligned((room, *shape), dtype) for shape, dtype in store.kinds]
        window = store.layout.window
        self._steps, self._inner_steps = loop.steps_per_epoch(rows), loop.steps_per_epoch(room)
        self._order = np.zeros((1, room), np.int32)
        self._runner = runner = make(arrays)
        share = all_rows if store.dataset.in_order else runner.share  # of what comes in order nothing can be left out
        self._halves = [
            _Half(store, [x[begin : begin + window] for x in arrays], begin, share) for begin in (0, window)
        ]

    @property
    def state(self) -> State:
        """The state after the last finished step."""
        return self._runner.state

    @property
    def longer(self) -> float:
        """As the engine's own runner."""
        return self._runner.longer

    def agreed(self, number: int) -> int:
        """As the engine's own runner."""
        return self._runner.agreed(number)

    def share(self, rows: int) -> tuple[int, int]:
        """As the engine's own runner."""
        return self._runner.share(rows)

    def load(self, state: Sequence[Any]) -> None:
        """Go on from another state."""
        self._runner.load(state)

    def rest(self) -> None:
        """Read no more than what is being read."""
        for half in self._halves:
            half.rest()

    def run(self, order: Orders, first: int, count: int, scalars: list[Any]) -> Any:
        """Carry out steps; see `Runner`."""
        report, done = np.zeros((count, self._loop.reported)), 0
        while done < count:
            epoch, step = divmod(first + done, self._steps)
            taken, place = self._ready(order, epoch, step, min(count - done, self._steps - step))
            part = [s[done : done + taken] for s in scalars]
            report[done : done + taken] = self._runner.run(self._order, place, taken, part)
            done += taken
        return report

    def _ready(self, order: Orders, epoch: int, step: int, most: int) -> tuple[int, int]:
        """Have the rows of the next steps in their places; gives how many steps, and the first one's number for the runner."""
        size, rows = self._loop.batch_size, self._store.rows
        windows = order.epoch(epoch)
        begin = step * size
        at = next(i for i, window in enumerate(windows) if begin < window.end)
        half = self._held(windows[at], None)
        last = windows[at].end == rows
        whole = -(-(rows - begin) // size) if last else (windows[at].end - begin) // size
        taken = max(1, min(most, whole))
        end = min(begin + taken * size, rows)
        places = half.places[begin - windows[at].begin : end - windows[at].begin]
        if whole:
            following = windows[at + 1] if not last else order.epoch(epoch + 1)[0]
            self._other(half).begin(following)
        else:  # a batch with rows of two windows
            other = self._held(windows[at + 1], half)
            places = np.concatenate([places, other.places[: end - windows[at].end]])
        place = self._inner_steps - taken if end == rows else 0
        where = self._order.shape[1] - len(places) if end == rows else 0
        self._order[0, where : where + len(places)] = places
        return taken, place

    def _held(self, window: Window, beside: _Half | None) -> _Half:
        """The half that has a window, in which it is read if it is in none; not the one `beside` which it is needed."""
        for half in self._halves:
            if half.window == window:
                half.wait()
                return half
        half = self._halves[0] if beside is None else self._other(beside)
        half.begin(window)
        half.wait()
        return half

    def _other(self, half: _Half) -> _Half:
        return self._halves[self._halves[0] is half]


def all_rows(rows: int) -> tuple[int, int]:
    """The share of a process that needs all rows of a batch."""
    return 0, rows


def _aligned(shape: tuple[int, ...], dtype: Any) -> Any:
    """Zeros that begin where a cache line does: JAX reads such arrays where they lie, and copies others with every call."""
    size = math.prod(shape) * dtype.itemsize
    room = np.zeros(size + LINE, np.uint8)
    begin = -room.ctypes.data % LINE
    return room[begin : begin + size].view(dtype).reshape(shape)


class _Half:
    """Room for one window, read by a thread of its own, which nobody has to wait for who is interrupted."""

    def __init__(self, store: Store, arrays: list[Any], begin: int, share: Share) -> None:
        self._store, self._arrays, self._begin, self._share = store, arrays, begin, share
        self._reading: _Reading | None = None
        self.window: Window | None = None
        self.places: Any = None

    def begin(self, window: Window) -> None:
        """Have a window read, unless it is here or on its way."""
        if self.window == window and (self._reading is None or self._reading.is_alive):
            return
        if self._reading is not None:
            self._reading.stop()
        self.window = self.places = None
        self._reading = _Reading(self._store, self._arrays, window, self._share)
        self.window = window  # last: whoever is interrupted before this begins anew

    def wait(self) -> None:
        """Until the window is here; raises what kept it from being read."""
        if self._reading is not None and not self._reading.is_alive:  # in a copy of the process
            assert self.window is not None
            self._reading = _Reading(self._store, self._arrays, self.window, self._share)
        if self._reading is not None:
            try:
                self._reading.result()
            except Exception:
                self.window = self._reading = None
                raise
        if self.places is None:
            assert self.window is not None
            self.places = (self._begin + self.window.places).astype(np.int32)
        self._reading = None

    def rest(self) -> None:
        """Read no further, and wait a little for what is being read; a source that does not answer holds nobody up."""
        if self._reading is not None:
            self.window = None
            self._reading.stop(PATIENCE)


class _Reading:
    """A window that is being read."""

    def __init__(self, store: Store, arrays: list[Any], window: Window, share: Share) -> None:
        self._store, self._arrays, self._window, self._share = store, arrays, window, share
        self._done, self._stopped, self._process = threading.Event(), False, os.getpid()
        self._error: BaseException | None = None
        try:
            threading.Thread(target=self._read, name="chainrule reading", daemon=True).start()
        except RuntimeError:  # the system has no more threads
            self._read()

    @property
    def is_alive(self) -> bool:
        """Whether it was begun by this process, whose thread it is."""
        return self._process == os.getpid()

    def _read(self) -> None:
        try:
            for at, begin, end in self._window.parts(self._share):
                if self._stopped:
                    break
                self._store.read_into([x[at : at + end - begin] for x in self._arrays], begin, end)
        except BaseException as error:
            self._error = error
        self._done.set()

    def result(self) -> None:
        """Wait until it has ended; raises what it did."""
        while not self._done.wait(HEARING):
            pass
        if self._error is not None:
            raise self._error

    def stop(self, seconds: float | None = None) -> None:
        """Wait until the block that is being read has ended, whatever came of it, or so long."""
        self._stopped = True
        end = math.inf if seconds is None else time.monotonic() + seconds
        while self.is_alive and not self._done.wait(HEARING) and time.monotonic() < end:
            pass
