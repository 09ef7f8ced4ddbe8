"""`view`: a network, a value or a function as something to look into, change and go through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainrule.errors import SettingError, UnknownNameError, shortened
from chainrule.explanation.values import Value
from chainrule.network.explaining import meanings_of
from chainrule.network.network import Network
from chainrule.training import Objective, Recording
from chainrule.training import Settings as TrainingSettings
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
from chainrule.viewer.components.warps import Warps
from chainrule.viewer.hosts.hosted import Hosted
from chainrule.viewer.lessons import LESSONS, Lesson
from chainrule.viewer.networks import NetworkSubject
from chainrule.viewer.session import Session
from chainrule.viewer.subject import Subject
from chainrule.viewer.topics import Topics
from chainrule.viewer.trainer import Plan
from chainrule.viewer.values import GraphSubject


class View(Hosted):
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
        super().__init__(subject)
        if lesson is not None:
            components = [
                *components,
                Teaching(subject, lesson, lambda name, given: self.session.carry_out(name, given)),
            ]
        commands = [name for component in components for name in component.commands()]
        panels = [own.name for component in components for own in component.parts().values() if own.panel]
        about = About(subject, [*commands, "hello", "panel"], panels)
        self.session = Session(subject.topics, [about, *components])
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
        other = TrainingSettings(frozen=what.frozen)
        plan = Plan(optimizer, epochs, batch_size, seed, 0.0, l2, other=other)
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
    >>> shown.do("answer", question=1, text="0.1")
    False
    >>> shown.do("answer", question=1, text="0.2")
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
        meanings, batch = meanings_of(network, *data, loss)
        objective = Objective(network.model, tuple(meaning.head for meaning in meanings), plan.penalty)
    elif network.recording is not None:
        recording = network.recording
        meanings, objective, batch = list(network.meanings), recording.rule.objective, recording.data
        plan = Plan.of(recording)
    else:
        raise SettingError(
            "view was given a network without data, and no training of it was recorded. Give view(network, X, y), or train it by "
            "network.fit(X, y, record=True)."
        )
    subject = NetworkSubject(topics, network, objective, batch, meanings, symbols, digits)
    time = Time(subject, plan, recording)
    plane = Plane(time)
    about_it: list[Component] = [Picture(subject), Reasons(subject), Changes(subject)]
    in_time: list[Component] = [time, Settings(time), plane, Looks(time), Warps(plane), Examination(time)]
    return View(subject, [*about_it, *in_time], taught)
