"""What all explanations share that are had in several forms: `to(form)`, text where they are printed, Markdown in notebooks."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from chainrule.errors import UnknownNameError
from chainrule.notebooks import Shown

WIDTH = 80
"""Characters of a line of sentences."""


class Written(Shown):
    """An explanation that is had as text and in other forms."""

    __slots__ = ()

    def forms(self) -> Mapping[str, Callable[[Any], str]]:
        """What writes it in every form it has, by the form's name."""
        raise NotImplementedError

    def to(self, form: str) -> str:
        """The explanation in another form, such as "text", "markdown" or "json": one of those in `forms()`.

        Raises
        ------
        UnknownNameError
            For a form that it does not have; the message names those it has.
        """
        forms = self.forms()
        if form not in forms:
            raise UnknownNameError.among("form", form, forms)
        return forms[form](self)

    def __str__(self) -> str:
        return self.to("text")

    __repr__ = __str__

    def _repr_markdown_(self) -> str | None:
        return self.to("markdown") if "markdown" in self.forms() else None


def from_story(
    tell: Callable[[Any], Any], forms: Mapping[str, Callable[[Any], str]]
) -> dict[str, Callable[[Any], str]]:
    """What writes an explanation in these forms, each from what is told of it."""

    def writing(write: Callable[[Any], str]) -> Callable[[Any], str]:
        return lambda own: write(tell(own))

    return {form: writing(write) for form, write in forms.items()}


def filled(text: str, begin: str) -> list[str]:
    """A sentence in lines of at most 80 characters where words are not longer, the following ones under the first's text."""
    return textwrap.wrap(text, WIDTH, initial_indent=begin, subsequent_indent=" " * len(begin), break_long_words=False)
