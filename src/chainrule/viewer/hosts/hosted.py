"""What hosts make of a view: a widget in a notebook, a page in the browser, a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import SettingError
from chainrule.explanation.drawing import Drawing
from chainrule.notebooks import Shown
from chainrule.viewer.session import Session
from chainrule.viewer.subject import Subject

if TYPE_CHECKING:
    from chainrule.viewer.hosts.page import Page
    from chainrule.viewer.hosts.widget import Widget

NO_WIDGET = 'This is a picture. To click on its numbers: <code>pip install "chainrule[view]"</code>.'


class Hosted(Shown):
    """A view of a subject, as far as hosts are concerned, which are loaded when they are needed.

    Attributes
    ----------
    subject : Subject
        What it is of.
    session : Session
        The parts that are shown, and the commands.
    """

    subject: Subject
    session: Session

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._page: Page | None = None
        self._widget: Widget | None = None

    # --- in a notebook

    @property
    def widget(self) -> Any:
        """The widget that a notebook shows, for those that want to be given it: `mo.ui.anywidget(view.widget)`.

        Raises
        ------
        MissingExtraError
            Without the extra `view`.
        """
        from chainrule.viewer.hosts.widget import Widget

        if self._widget is None:
            self._widget = Widget(self.session)
        return self._widget

    def _repr_html_(self) -> str:
        """The picture as it is now, for pages that do not show widgets, or where there is none."""
        note = "" if self._has_widget() else f"<p>{NO_WIDGET}</p>"
        html: str = Drawing(self.subject.drawn())._repr_html_()
        return html + note

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        """The widget, where there can be one, and the picture."""
        forms = super()._repr_mimebundle_(include, exclude)
        if not self._has_widget():
            return forms
        widget, metadata = self.widget._repr_mimebundle_()
        if "google.colab" in sys.modules:  # which takes HTML before all else
            forms.pop("text/html", None)
        return {**widget, **forms}, metadata

    def _display_(self) -> Any:
        """What marimo shows."""
        return self.widget if self._has_widget() else Drawing(self.subject.drawn())

    @staticmethod
    def _has_widget() -> bool:
        return find_spec("anywidget") is not None

    # --- a file

    def save(
        self,
        path: str | PathLike[str],
        *,
        frames: int | Sequence[int] | None = None,
        select: Sequence[str] | None = None,
        panels: Sequence[str] | None = None,
        progress: bool | None = None,
    ) -> Path:
        """Write one HTML file that replays the training, without Python, a network or any other file.

        It has what is shown at moments from the first step to the last, and the reasons for numbers at some of these moments; the
        step that is shown has every operation as a moment of its own. Numbers have all their digits. Steps that are not among them,
        and what needs Python, cannot be gone to. What was set by hand is taken back.

        Parameters
        ----------
        path : str or path
            Where to write; it ends in `.html`. A file that is there is replaced as a whole, or, where that fails, stays as it was.
        frames : int or sequence of int, optional
            How many steps, evenly spread, or which ones. By default all where they are some 600 or fewer, or as many as fit a file
            of some 3 MB.
        select : sequence of str, optional
            The numbers whose gradients are explained in the file, at the step that is shown and some others. By default all in the
            picture where these are some 130 or fewer, at as many moments as make 400 derivations.
        panels : sequence of str, optional
            The panels that it has besides data and curves, of `view.parts["meta"]["panels"]`. By default those that are open, and all
            that take no long time; "surface", the loss landscape, takes most.
        progress : bool, optional
            Whether to show how far it is, as `fit` does; by default when standard error is a terminal.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        SettingError
            When `frames` is neither, or names steps that there are not, or `select` and `panels` what there is not; or the path has
            another ending.
        OSError
            When there is no such folder, or no room.

        Examples
        --------
        >>> import chainrule as cr
        >>> a, b = cr.values(a=2.0, b=-3.0)
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cr.view((a * b).named("L")).save(f"{folder}/product.html").name
        'product.html'
        """
        from chainrule.network.files.writing import replace_file
        from chainrule.viewer.hosts.documents import place_of_file, saved_file
        from chainrule.viewer.hosts.replay import packed, replay

        place = place_of_file(path)
        recording = replay(self.session, frames, select, panels, progress)
        replace_file(place, [saved_file(self.subject.title, packed(recording)).encode(errors="replace")])
        return place

    # --- a page in the browser

    def open(self, *, browser: bool = True) -> str:
        """Show it on a page of this machine's own, in a browser: without one, open the address that is returned.

        The page is served from a thread of its own, to this machine alone, and ends with the process; `wait` keeps a script alive.
        An address opens the page once, in one browser, and there in any number of tabs; `url` is the next one.

        Parameters
        ----------
        browser : bool
            Whether a browser is opened too.

        Returns
        -------
        str
            The address.

        Raises
        ------
        MissingExtraError
            Without the extra `view`.
        """
        from chainrule.viewer.hosts.page import Page

        if self._page is None:
            self._page = Page(self.session, self.subject.title)
        url = self._page.url
        if browser:
            import webbrowser

            webbrowser.open(url)
        return url

    @property
    def url(self) -> str | None:
        """The address that opens the page next; `None` where it is not open."""
        return None if self._page is None else self._page.url

    def wait(self) -> None:
        """Return when Ctrl-C or another thread has closed the page: the last line of a script.

        Raises
        ------
        SettingError
            Where `open` was not called.
        """
        if self._page is None:
            raise SettingError("wait was called of a view that is on no page; call open first.")
        try:
            self._page.wait()
        except KeyboardInterrupt:
            self.close()

    def close(self) -> None:
        """End the page, the widget and a training under way; `open` begins anew."""
        page, self._page = self._page, None
        widget, self._widget = self._widget, None
        for host in (page, widget):
            if host is not None:
                host.close()
        if "pause" in self.session.commands:
            self.session.do("pause")
        self.session.close()
