"""`view`: a network, a value or a function as something to look into, change and go through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import SettingError, UnknownNameError, shortened
from chainrule.explanation import Value
from chainrule.explanation.drawing import Drawing
from chainrule.network.explaining import objective_of
from chainrule.network.network import Network
from chainrule.notebooks import Shown
from chainrule.training import Recording
from chainrule.viewer.component import Component
from chainrule.viewer.components.about import About
from chainrule.viewer.components.changes import Changes
from chainrule.viewer.components.examination import Examination
from chainrule.viewer.components.looks import Looks
from chainrule.viewer.components.picture import Picture
from chainrule.viewer.components.plane import Plane
from chainrule.viewer.components.reasons import Reasons
from chainrule.viewer.components.settings import Settings
from chainrule.viewer.components.teaching import Teaching
from chainrule.viewer.components.time import Time
from chainrule.viewer.lessons import LESSONS, Lesson
from chainrule.viewer.networks import NetworkSubject
from chainrule.viewer.session import Session
from chainrule.viewer.subject import Subject
from chainrule.viewer.topics import Topics
from chainrule.viewer.trainer import Plan
from chainrule.viewer.values import GraphSubject

if TYPE_CHECKING:
    from chainrule.viewer.hosts.page import Page
    from chainrule.viewer.hosts.widget import Widget


NO_WIDGET = 'This is a picture. To click on its numbers: <code>pip install "chainrule[view]"</code>.'


class View(Shown):
    """What `view` gives: a notebook shows it; `do` does in Python what a click does.

    Attributes
    ----------
    session : Session
        The parts that are shown, and the commands.

    Examples
    --------
    >>> import chainrule as cr
    >>> a, b = cr.values(a=2.0, b=-3.0)
    >>> shown = cr.view((a * b).named("L"))
    >>> shown.do("select", key="a")
    >>> shown.parts["selection"]["gradient"]
    -3.0
    >>> shown.do("set", key="b", value=5.0)
    >>> shown.parts["selection"]["gradient"], shown.parts["change"]["true"]
    (5.0, 16.0)
    """

    def __init__(self, subject: Subject, components: list[Component], lesson: Lesson | None = None) -> None:
        self.subject = subject
        if lesson is not None:
            components = [
                *components,
                Teaching(subject, lesson, lambda name, given: self.session.carry_out(name, given)),
            ]
        commands = [name for component in components for name in component.commands()]
        panels = [own.name for component in components for own in component.parts().values() if own.panel]
        about = About(subject, [*commands, "hello", "panel"], panels)
        self.session = Session(subject.topics, [about, *components])
        self._page: Page | None = None
        self._widget: Widget | None = None
        if lesson is not None:
            self.do("train", wait=True)
            self.do("lesson", to=0)

    @property
    def parts(self) -> Mapping[str, Any]:
        """What is shown, by the names of the protocol."""
        return self.session.parts

    def do(self, command: str, /, **arguments: Any) -> Any:
        """Carry out a command, as a click would; `parts` is then what is shown."""
        return self.session.do(command, **arguments)

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
        return {**widget, **forms}, metadata

    def _display_(self) -> Any:
        """What marimo shows."""
        return self.widget if self._has_widget() else Drawing(self.subject.drawn())

    @staticmethod
    def _has_widget() -> bool:
        return find_spec("anywidget") is not None

    # --- a file

    def save(self, path: str | PathLike[str], *, frames: int | Sequence[int] = 120, select: Sequence[str] | None = None) -> Path:
        """Write one HTML file that replays the training, without Python, a network or any other file.

        It has the picture, the plane, the curves and all else that is shown, at moments from the first step to the last, and the reasons
        for numbers at some of these moments; the step that is shown has every operation as a moment of its own. Numbers have
        all their digits. Steps that are not among them, and what needs Python, cannot be gone to. What was set by hand is taken back.

        Parameters
        ----------
        path : str or path
            Where to write.
        frames : int or sequence of int
            How many steps, evenly spread, or which ones.
        select : sequence of str, optional
            The numbers whose gradients are explained in the file. By default all in the picture where these are 200 or fewer,
            at as many moments as make 600 derivations.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        SettingError
            When `frames` is neither, or `select` names what is not there.

        Examples
        --------
        >>> import chainrule as cr
        >>> a, b = cr.values(a=2.0, b=-3.0)
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cr.view((a * b).named("L")).save(f"{folder}/product.html").name
        'product.html'
        """
        from chainrule.viewer.hosts.documents import saved_file
        from chainrule.viewer.hosts.replay import packed, replay

        recording = replay(self.session, frames, select)
        written = Path(path)
        written.write_text(saved_file(self.subject.title, packed(recording)), encoding="utf-8", newline="\n")
        return written

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
        """Show the page until Ctrl-C, or until another thread closes it: the last line of a script.

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
        """End the page and the widget; `open` begins anew."""
        page, self._page = self._page, None
        widget, self._widget = self._widget, None
        for host in (page, widget):
            if host is not None:
                host.close()
        self.session.close()

    def __repr__(self) -> str:
        return f"View({self.subject.title})"


def view(
    what: Any,
    *data: Any,
    loss: Any = None,
    optimizer: Any = "adam",
    epochs: int = 200,
    batch_size: int | None = 32,
    seed: int = 0,
    l2: float = 0.0,
    symbols: Mapping[str, str] | None = None,
    digits: int = 4,
) -> View:
    """Look into a network, a value or a function: every number's derivation, changes by hand, steps forwards and backwards.

    Parameters
    ----------
    what : Network, Value or callable
        A network, with its data `X, y`, or without where it was trained with `record=True`; a value that was computed from
        others; a plain NumPy function, with its arguments.
    *data
        `X, y` of a network, as for `fit`; the arguments of a function.
    loss, optimizer, epochs, batch_size, seed, l2
        How the network is trained in the view, as for `fit`. The network itself stays as it is.
    symbols : mapping, optional
        Other names in formulas, such as `{"hidden.weight": "w"}`.
    digits : int
        Significant digits of numbers; two more in derivations.

    Returns
    -------
    View

    Raises
    ------
    SettingError
        When it is given anything else.

    Examples
    --------
    >>> import chainrule as cr
    >>> X, y = cr.datasets.xor()
    >>> network = cr.Network([cr.Dense(3, "tanh", name="hidden"), cr.Dense(1, name="output")])
    >>> shown = cr.view(network, X, y, loss="mse", optimizer=cr.SGD(0.5), epochs=50)
    >>> shown.do("train", wait=True)
    >>> shown.parts["position"]["steps"]
    50
    >>> shown.do("go", step=7)
    >>> shown.do("select", key="hidden.weight[0, 1]")
    >>> shown.parts["derivation"]["kind"]
    'derivation'
    """
    topics = Topics()
    if isinstance(what, Network):
        plan = Plan(optimizer, epochs, batch_size, seed, 0.0, l2)
        return _of_network(what, data, loss, plan, topics, symbols, digits)
    if isinstance(what, Value) and not data:
        subject = GraphSubject.of_value(topics, what, digits)
    elif callable(what):
        subject = GraphSubject.of_function(topics, what, data, digits)
    else:
        raise SettingError(
            f"view was given {shortened(what)}; give a network with its data, a cr.Value, or a function with its arguments."
        )
    return View(subject, [Picture(subject), Reasons(subject), Changes(subject)])


def lesson(name: str) -> View:
    """A lesson that comes with the library: "neuron", "layers", "xor" or "vanishing".

    >>> from chainrule.viewer import lesson
    >>> shown = lesson("neuron")
    >>> shown.do("lesson", to=1)
    >>> shown.do("answer", id=1, text="0.1")
    False
    >>> shown.do("answer", id=1, text="0.2")
    True
    """
    if name not in LESSONS:
        raise UnknownNameError.among("lesson", name, LESSONS)
    chosen = LESSONS[name]
    network, X, y = chosen.network()
    plan = Plan(chosen.optimizer, chosen.epochs, chosen.batch_size)
    return _of_network(network, (X, y), chosen.loss, plan, Topics(), chosen.symbols, 4, chosen)


def _of_network(
    network: Network,
    data: tuple[Any, ...],
    loss: Any,
    plan: Plan,
    topics: Topics,
    symbols: Mapping[str, str] | None,
    digits: int,
    taught: Lesson | None = None,
) -> View:
    recording: Recording | None = None
    if data:
        if len(data) != 2:
            raise SettingError(f"view was given a network and {len(data)} further arguments; give X and y.")
        objective, batch = objective_of(network, *data, loss, l2=plan.l2)
    elif network.recording is not None:
        recording = network.recording
        objective, batch = recording.rule.objective, recording.data
        plan.optimizer = recording.rule.optimizer
    else:
        raise SettingError(
            "view was given a network without data, and no training of it was recorded. Give view(network, X, y), or train it by "
            "network.fit(X, y, record=True)."
        )
    subject = NetworkSubject(topics, network, objective, batch, symbols, digits)
    time = Time(subject, plan, recording)
    components: list[Component] = [Picture(subject), Reasons(subject), Changes(subject)]
    return View(subject, [*components, time, Settings(time), Plane(time), Looks(time), Examination(time)], taught)
