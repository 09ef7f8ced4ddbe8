"""What a notebook shows of an object: a bundle of its forms, from which the front end takes the one that it likes best.

JupyterLab and nbconvert take HTML before Markdown, and these before LaTeX, SVG, PNG and plain text, VS Code and Colab HTML before
all else; and of a notebook that was handed out, and is not trusted, JupyterLab takes MathML, SVG and scripts out of HTML. So
formulas have a form in Markdown, with LaTeX in it, and none in HTML; HTML are tables, and pictures in data URIs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

FORMS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
    "text/plain": "__repr__",
}
"""The method that gives each form, by its MIME type."""


class Shown:
    """What is shown in notebooks: by all its forms at once, for front ends that take bundles, and one by one for others."""

    __slots__ = ()

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """The forms it has, by their MIME types; a method that gives `None` has none."""
        wanted = [form for form in FORMS if (not include or form in include) and form not in (exclude or ())]
        given = {form: getattr(self, FORMS[form])() for form in wanted if hasattr(self, FORMS[form])}
        return {form: text for form, text in given.items() if text is not None}


class Text(str, Shown):
    """Text that is shown as it reads, and not between quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def picture(svg: str, width: float, words: str) -> str:
    """An SVG as HTML that is no wider than the page; `words` are for those who cannot see it."""
    from base64 import b64encode
    from html import escape

    data = b64encode(svg.encode()).decode()
    style = f"width:{width:.0f}px;max-width:100%;height:auto"
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(words)}" style="{style}"/>'


viewers: dict[str, Callable[..., Any]] = {}
"""What packages show of objects that stand below them, by the name of the object's method; `chainrule/__init__.py` puts them in."""
