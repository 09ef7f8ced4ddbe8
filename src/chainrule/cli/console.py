"""What the commands print: plain text, notes, errors and small pictures of characters."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from textwrap import wrap
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from chainrule.training.between_epochs.progress import Lasting

BLOCKS = "▁▂▃▄▅▆▇█"
SHADES = " ░▒▓█"


def output() -> Console:
    """Standard output, as it is now."""
    return _console(sys.stdout)


def errors() -> Console:
    """Standard error, as it is now."""
    return _console(sys.stderr)


def _console(stream: object) -> Console:
    return Console(file=cast(IO[str], Lasting(stream)), highlight=False)


def say(text: str = "", style: str = "") -> None:
    """Print a line, its brackets and all as they are."""
    _print(output(), Text(text, style=style))


def show(text: str, marked: Mapping[str, str]) -> None:
    """Print text whose lines are as they should be, in colours where there are any: patterns with their styles."""
    shown = Text(text)
    for pattern, style in marked.items():
        shown.highlight_regex(pattern, style)
    output().print(shown, soft_wrap=True)


def heading(text: str) -> None:
    """Print the title of a section, after an empty line."""
    say()
    say(text, "bold")


def note(text: str, to_errors: bool = False) -> None:
    """Print a remark: with a dot before it, dimmed."""
    console = errors() if to_errors else output()
    _print(console, Text("· ", style="yellow").append(_filled(console, text, 2), style="dim"))


def complain(message: str) -> None:
    """Print an error, in red, to standard error."""
    console = errors()
    _print(console, Text.assemble(("Error: ", "bold red"), (_filled(console, message, 7), "red")))


def _filled(console: Console, text: str, begun: int) -> str:
    """At a terminal, lines broken between words so that what goes on stands below its beginning; `begun` columns are taken."""
    if not console.is_terminal:
        return text
    lines = []
    for number, line in enumerate(text.split("\n")):
        own = " " * (begun if not number else len(line) - len(line.lstrip()) + 3)
        room = max(console.width, 2 * begun + 20)
        pieces = wrap(
            " " * begun * (not number) + line,
            room,
            subsequent_indent=own,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines.append("\n".join(pieces)[begun * (not number) :] if pieces else "")
    return "\n".join(lines)


def _print(console: Console, text: Text) -> None:
    """Print, broken between words at a terminal, and a line as one line anywhere else."""
    console.print(text, soft_wrap=not console.is_terminal)


def sparkline(values: Iterable[float], width: int = 48) -> str:
    """A curve one line high: every character the mean of its share of the values.

    Examples
    --------
    >>> sparkline([3.0, 2.0, 1.0, 0.5, 0.25, 0.1])
    '█▆▃▂▁▁'
    """
    curve = np.array([value for value in values if np.isfinite(value)], dtype=float)
    if not len(curve):
        return ""
    points = np.array([part.mean() for part in np.array_split(curve, min(width, len(curve)))])
    low, high = points.min(), points.max()
    heights = (points - low) / (high - low if high > low else 1.0) * (len(BLOCKS) - 1)
    return "".join(BLOCKS[round(height)] for height in heights)


def shaded(images: Iterable[NDArray[np.uint8]], top: int = 16, gap: str = "    ") -> list[str]:
    """Small grey images side by side, as lines of text two characters a pixel.

    Examples
    --------
    >>> import numpy as np
    >>> for line in shaded([np.array([[0, 16], [16, 4]]), np.array([[8, 8], [0, 0]])]):
    ...     print(line.rstrip())
      ██    ▒▒▒▒
    ██░░
    """
    shades = [np.round(np.asarray(image) / top * (len(SHADES) - 1)).astype(int) for image in images]
    rows = range(shades[0].shape[0])
    return [gap.join("".join(SHADES[level] * 2 for level in image[row]) for image in shades) for row in rows]
