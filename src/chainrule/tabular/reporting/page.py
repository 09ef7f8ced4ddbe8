"""Pages that stand by themselves: HTML with everything in it, light or dark as the reader has it, nothing asked of a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from chainrule.explanation.drawing.drawing import Drawing
from chainrule.explanation.drawing.palette import (
    INK,
    LINE,
    MUTED,
    NEGATIVE,
    NEGATIVE_TEXT,
    PAPER,
    POSITIVE,
    POSITIVE_TEXT,
    RESULT_STROKE,
    SHADES,
)
from chainrule.explanation.rendering.tables import Table

DARK_PAPER = "#161b22"
DARK = {
    INK: "#e6edf3",
    MUTED: "#9aa7b4",
    LINE: "#363d47",
    POSITIVE: "#4aa8e0",
    NEGATIVE: "#f0883e",
    POSITIVE_TEXT: "#7cc0ee",
    NEGATIVE_TEXT: "#f5a36b",
    RESULT_STROKE: "#b9a3e6",
}
"""What the colours of pictures become on a dark page."""

_STYLE = f"""
:root {{ color-scheme: light dark; --ink: {INK}; --muted: {MUTED}; --line: {LINE}; --paper: {PAPER}; --ground: #f3f5f7; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }}
main {{ max-width: 1120px; margin: 0 auto; padding: 24px 20px 60px; }}
h1 {{ font-size: 26px; line-height: 1.25; margin: 8px 0 4px; overflow-wrap: anywhere; }}
h2 {{ font-size: 19px; margin: 34px 0 6px; }}
h3 {{ font-size: 15px; margin: 18px 0 4px; overflow-wrap: anywhere; }}
p {{ margin: 4px 0 10px; max-width: 78ch; overflow-wrap: anywhere; }}
p.about, small, .remarks {{ color: var(--muted); }}
nav {{ display: flex; flex-wrap: wrap; gap: 0 14px; }}
nav a {{ color: inherit; }}
.facts {{ display: flex; flex-wrap: wrap; gap: 10px; margin: 14px 0; }}
.fact {{ background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 8px 14px; }}
.fact b {{ display: block; font-size: 20px; }}
.fact span {{ color: var(--muted); font-size: 13px; }}
.pictures {{ display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start; margin: 10px 0; }}
figure {{ margin: 0; max-width: 100%; }}
figure svg {{ display: block; max-width: 100%; height: auto; }}
.wide {{ overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: 8px;
  padding: 8px 10px; margin: 8px 0; }}
.wide p {{ margin: 2px .7em; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }}
th {{ color: var(--muted); font-weight: 600; vertical-align: bottom; }}
tr + tr > td {{ border-top: 1px solid var(--line); }}
td {{ max-width: 46ch; overflow-wrap: break-word; }}
td[style*=right] {{ white-space: nowrap; }}
summary {{ cursor: pointer; color: var(--muted); }}
"""


def _dark_rules() -> str:
    """Pictures are drawn for white pages; on a dark one their colours are others, by the attributes that name them."""
    shades = {light: _shade(depth) for depth, light in SHADES.items() if abs(depth) <= 8}
    rules = [f'figure [fill="{light}"] {{ fill: {dark}; }}' for light, dark in {**shades, **DARK}.items()]
    rules += [f'figure [stroke="{light}"] {{ stroke: {dark}; }}' for light, dark in DARK.items()]
    rules.append(f'figure text[fill="{PAPER}"] {{ fill: #ffffff; }}')
    root = f":root {{ --ink: {DARK[INK]}; --muted: {DARK[MUTED]}; --line: {DARK[LINE]}; --paper: {DARK_PAPER}; --ground: #0d1117; }}"
    return "@media (prefers-color-scheme: dark) {\n" + "\n".join([root, *rules]) + "\n}"


def _shade(depth: int) -> str:
    """A cell's colour on a dark page: the page's own at 0, the deep colour at the ends."""
    ends = [int(DARK_PAPER[i : i + 2], 16) for i in (1, 3, 5)], (20, 105, 180) if depth > 0 else (190, 80, 10)
    share = abs(depth) / 8
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(*ends, strict=True))


def page(title: str, parts: Iterable[str]) -> str:
    """A whole page; the title is text, parts are HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>{escape(title)}</title><style>{_STYLE}{_dark_rules()}</style></head>\n<body><main>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def section(name: str, title: str, about: str, parts: Sequence[str]) -> str:
    """A heading that can be linked to, a sentence about what follows, and that."""
    said = f'<p class="about">{escape(about)}</p>' if about else ""
    return f'<section id="{escape(name)}"><h2>{escape(title)}</h2>{said}{"".join(parts)}</section>'


def pictures(drawings: Iterable[Drawing]) -> str:
    """Drawings side by side, as many as there is room for."""
    return f'<div class="pictures">{"".join(f"<figure>{x.svg}</figure>" for x in drawings)}</div>'


def table(shown: Table) -> str:
    """A table that is scrolled where it is wider than the page."""
    return f'<div class="wide">{shown._repr_html_()}</div>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Numbers to be seen first, each with what it is."""
    found = "".join(
        f'<div class="fact"><b>{escape(number)}</b><span>{escape(what)}</span></div>' for number, what in pairs
    )
    return f'<div class="facts">{found}</div>'


def folded(summary: str, inner: str) -> str:
    """What is shown when it is asked for."""
    return f"<details><summary>{escape(summary)}</summary>{inner}</details>"


def remarks(texts: Iterable[str]) -> str:
    """Sentences as a list; nothing where there are none."""
    said = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<ul class="remarks">{said}</ul>' if said else ""
