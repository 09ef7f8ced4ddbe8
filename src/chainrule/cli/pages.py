"""Chapters of text shown page by page at a terminal, with keys to go on, back or away; at once anywhere else."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import typer

from chainrule.cli.console import heading, say
from chainrule.training.between_epochs.progress import is_terminal

LEAVE, BACK = ("q", "Q", "\x1b", "\x04"), ("b", "B", "\x1b[D", "\x1b[5~")
"""Keys: q, escape, Ctrl-D; b, the arrow to the left, page up."""


class Page(NamedTuple):
    """Lines that fit the terminal, the title above the first ones of a chapter, which chapter, and whether it ends here."""

    title: str
    text: str
    chapter: int
    ends: bool


def leaf_through(chapters: Mapping[str, Callable[[], None]]) -> None:
    """Show what prints itself, chapter by chapter, as far as somebody wants to read; nobody is asked where nobody is."""
    asked = is_terminal(sys.stdin) and is_terminal(sys.stdout)
    coming = _pages(chapters, shutil.get_terminal_size((80, 24)).lines if asked else None)
    pages: list[Page] = []
    place = 0
    while True:
        if place == len(pages):
            pages.append(next(coming))
        page = pages[place]
        if page.title:
            heading(f"{page.chapter} of {len(chapters)} · {page.title}")
            say()
        say(page.text)
        if page.ends and page.chapter == len(chapters):
            return
        place += 1
        if not asked:
            continue
        key = _key(page.ends, place > 1)
        if key in LEAVE:
            say(f"  stopped after {page.chapter} of {len(chapters)}")
            return
        if key in BACK:
            place = max(place - 2, 0)


def _pages(chapters: Mapping[str, Callable[[], None]], height: int | None) -> Iterator[Page]:
    """The chapters in pages of at most so many lines, broken at empty ones where there are some."""
    for number, (title, chapter) in enumerate(chapters.items(), 1):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            chapter()
        lines, own = printed.getvalue().splitlines(), title
        while lines or own:
            room = len(lines) if height is None else max(height - 2 - 3 * bool(own), 8)
            cut = room if len(lines) > room else len(lines)
            if cut < len(lines):
                cut = next((i + 1 for i in range(cut - 1, cut // 2, -1) if not lines[i]), cut)
            yield Page(own, "\n".join(lines[:cut]), number, cut == len(lines))
            lines, own = lines[cut:], ""


def _key(ends: bool, back: bool) -> str:
    """The key pressed, asked for in a line that goes away again."""
    prompt = f"  — any key {'for the next stage' if ends else 'to read on'}{', b to go back' * back}, q to quit — "
    typer.echo(prompt, nl=False)
    try:
        return str(typer.getchar())
    except EOFError:
        return "q"
    finally:
        typer.echo("\r" + " " * len(prompt) + "\r", nl=False)
