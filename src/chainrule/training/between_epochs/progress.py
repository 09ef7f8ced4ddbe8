"""How far a training run is, for whoever looks: a progress bar at a terminal, or anything else that shows it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any, Protocol, cast


class Display(Protocol):
    """Something that shows how far training is; it is told within epochs too, some thirty times a second."""

    def update(self, epochs: float, metrics: Mapping[str, float]) -> None:
        """Show that so many epochs are done, with the latest metrics."""


class Silent:
    """Shows nothing."""

    def update(self, epochs: float, metrics: Mapping[str, float]) -> None:
        """Do nothing."""


class Bar:
    """A bar with the latest loss and accuracy beside it."""

    def __init__(self, progress: Any, task: Any, *, short: bool) -> None:
        self._progress, self._task, self._short = progress, task, short

    def update(self, epochs: float, metrics: Mapping[str, float]) -> None:
        """Move the bar."""
        shown = "  ".join(
            f"{name} {_number(name, value)}"
            for name, value in metrics.items()
            if name not in ("seconds", "learning_rate")
        )
        if self._short:
            shown = shown.replace("accuracy", "acc")
        self._progress.update(self._task, completed=epochs, metrics=shown)


def _number(name: str, value: float) -> str:
    return f"{value:.1%}" if "accuracy" in name else f"{value:.4f}" if abs(value) >= 1e-3 else f"{value:.2e}"


def is_open(stream: Any) -> bool:
    """Whether a stream can be written to: programs with windows have none, and those in the background may close it."""
    return stream is not None and not getattr(stream, "closed", False)


def is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal; one that does not say is none."""
    ask = getattr(stream, "isatty", None)
    return is_open(stream) and ask is not None and bool(ask())


GONE = (errno.EPIPE, errno.EIO)
"""What goes wrong in writing where nobody reads any longer: whoever read has enough, as `head -1`, or the terminal is closed."""


class Lasting:
    """A stream that is written to no further once nobody reads it; the work goes on, for its results are kept.

    Examples
    --------
    >>> import os
    >>> begin, end = os.pipe()
    >>> with open(begin) as reader, open(end, "w") as stream:
    ...     reader.close()
    ...     Lasting(stream).write("a line"), Lasting(stream).flush()
    (6, None)
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> Any:
        """Write, or nothing."""
        return self._tried(self._stream.write, text)

    def flush(self) -> None:
        """Write what waits to be written."""
        self._tried(self._stream.flush)

    def _tried(self, do: Callable[..., Any], *given: Any) -> Any:
        try:
            return do(*given)
        except OSError as error:
            if error.errno not in GONE:
                raise
            nowhere = os.open(os.devnull, os.O_WRONLY)
            with suppress(OSError):  # it may be no file of the system's
                os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
            return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def display(count: int, wanted: bool | Display | None, what: str = "epoch") -> Iterator[Display]:
    """A display that is given; a bar if it is wanted, or if nothing is said and standard error is a terminal; otherwise silence."""
    if hasattr(wanted, "update"):  # as isinstance with a protocol asks, which takes longer than a small network's epoch
        yield cast(Display, wanted)
        return
    if wanted is False or not is_open(sys.stderr) or (wanted is None and not is_terminal(sys.stderr)):
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    console = Console(file=cast(IO[str], Lasting(sys.stderr)))
    wide = console.width >= 110
    columns: list[ProgressColumn] = [
        TextColumn(what),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        BarColumn(bar_width=24 if wide else 8),
    ]
    if wide:
        columns.append(TimeElapsedColumn())
    columns.append(TextColumn("{task.fields[metrics]}", table_column=Column(no_wrap=True)))
    with Progress(*columns, console=console, refresh_per_second=10) as progress:
        yield Bar(progress, progress.add_task("training", total=count, metrics=""), short=not wide)
