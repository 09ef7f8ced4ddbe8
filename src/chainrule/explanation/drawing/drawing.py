"""`Drawing`: a picture that a notebook shows, and that can be saved as SVG, PNG or PDF."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from chainrule.errors import SettingError, UnknownNameError
from chainrule.explanation.drawing.data import data_of
from chainrule.explanation.drawing.figure import to_figure
from chainrule.explanation.drawing.scene import Scene
from chainrule.explanation.drawing.svg import to_svg
from chainrule.explanation.rendering.json_form import written
from chainrule.notebooks import Shown, picture

FORMATS = (".svg", ".png", ".pdf")


@dataclass(frozen=True)
class Drawing(Shown):
    """A picture of values, of a network, or of contributions.

    In a notebook it shows itself. `str(drawing)` says what it is, `drawing.svg` is the SVG as text.

    Attributes
    ----------
    scene : Scene
        The shapes it consists of.
    """

    scene: Scene

    @cached_property
    def svg(self) -> str:
        """The picture as SVG: text that is a file of its own, or part of a page."""
        return to_svg(self.scene)

    def to(self, form: str) -> str:
        """The picture as "svg", or as "json": shapes as data, with the key and the full value of every number.

        Raises
        ------
        UnknownNameError
            When the form is another one.
        """
        forms = {"svg": lambda: self.svg, "json": lambda: written(data_of(self.scene))}
        if form not in forms:
            raise UnknownNameError.among("form", form, forms)
        return forms[form]()

    def figure(self) -> Any:
        """The picture as a `matplotlib.figure.Figure`.

        Raises
        ------
        MissingExtraError
            When matplotlib is not installed.
        """
        return to_figure(self.scene)

    def save(self, path: str | Path, dpi: int = 192) -> Path:
        """Write the picture to a file, in the format its ending tells.

        Parameters
        ----------
        path : str or Path
            Ends in `.svg`, or, with matplotlib installed, in `.png` or `.pdf`.
        dpi : int
            Pixels an inch, for PNG; 96 is the size that SVG has on a page.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        SettingError
            When the ending is another one.
        MissingExtraError
            When matplotlib is needed and not installed.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending == ".svg":
            path.write_text(self.svg, encoding="utf-8")
        elif ending in FORMATS:
            SettingError.unless_count("save", "dpi", dpi)
            self.figure().savefig(path, dpi=dpi)
        else:
            raise SettingError(
                f"a drawing cannot be saved as {path.name!r}; the name must end in {', '.join(FORMATS)}."
            )
        return path

    def _repr_html_(self) -> str:
        return picture(self.svg, self.scene.width, f"{self.scene.title}: {self.scene.description}")

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        size = f"{self.scene.width:.0f} × {self.scene.height:.0f} pixels"
        return f"Drawing({self.scene.title}; {size}; .save('picture.svg') writes it)"
