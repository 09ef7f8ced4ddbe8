"""What an engine is: it turns Programs, and loops over them, into numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

import numpy as np

from chainrule.engines.loop import Runner, Shuffling, StepRunner, TrainingLoop
from chainrule.tracing.program import Program


class Workspace:
    """A function's inputs in one place, for calls again and again by one thread at a time.

    What is written into `inputs` stays there from one run to the next, so that inputs that do not change are written once.

    Attributes
    ----------
    inputs : list of arrays
        To be written into.
    """

    def __init__(self, program: Program, call: Callable[..., tuple[Any, ...]]) -> None:
        self.inputs: list[Any] = [np.zeros(x.shape, x.dtype) for x in program.inputs]
        self._call = call

    def run(self) -> Sequence[Any]:
        """The outputs for the inputs as they are: to be copied, for the next run may write over them."""
        return self._call(*self.inputs)


class Workspaces(list[Workspace]):
    """A function's workspaces that no call is using; whoever has taken one appends it when it is done.

    Every call has one for itself: those of several threads, and one that comes in the middle of another in the same thread,
    from a signal's handler or from what Python carries out when it frees an object.
    """

    def take(self, make: Callable[..., Workspace], *arguments: Any) -> Workspace:
        """One that is free, or a new one."""
        try:
            return self.pop()
        except IndexError:
            return make(*arguments)


class Executable:
    """A Program as a function of flat arrays that gives a tuple of flat arrays; it may be called from several threads.

    Parameters
    ----------
    program : Program
        What is computed.
    call : callable
        Computes it, from arrays of the Program's shapes and dtypes.
    """

    def __init__(self, program: Program, call: Callable[..., tuple[Any, ...]]) -> None:
        self.program = program
        self._call = call

    def __call__(self, *inputs: Any) -> tuple[Any, ...]:
        """The outputs, which are the caller's own, for inputs of the Program's shapes."""
        arrays = [np.asarray(value, x.dtype) for value, x in zip(inputs, self.program.inputs, strict=True)]
        return tuple([np.array(value)[()] for value in self._call(*arrays)])

    def workspace(self) -> Workspace:
        """A place for inputs that are held from call to call."""
        return Workspace(self.program, self._call)

    @property
    def stages(self) -> Mapping[str, Callable[[], str]]:
        """What becomes of the Program on its way, by name, as functions that give it as text; the Program itself apart."""
        return {}


class Engine(ABC):
    """What turns Programs, and loops over them, into numbers.

    An engine receives equations and knows no derivative, layer, loss or optimizer. It computes what NumPy computes, to
    rounding: the same random numbers, the same order of rows, the same bits from one run to the next. To add one, derive
    from this class, say how a Program becomes an `Executable`, and add a line to `ENGINES` (`engines/choice.py`). What
    takes long to load is imported when something is computed, never with the module.

    Attributes
    ----------
    name : str
        What users call it: `engine="llvm"`.
    preparing : float
        About how many seconds making a function takes: what must be saved before networks are asked in this way unasked.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> from chainrule.engines import ENGINES, Engine, Executable, evaluate
    >>> class Leaves(Engine):
    ...     name = "leaves"
    ...
    ...     def executable(self, program):
    ...         return Executable(program, lambda *inputs: tuple(map(np.asarray, evaluate(program, *inputs))))
    >>> program = cr.trace(lambda x: (np.sin(x), x + 1.0), np.zeros(2))
    >>> Leaves().executable(program)(np.zeros(2))
    (array([0., 0.]), array([1., 1.]))
    """

    name: str
    preparing: float = 0.0

    @property
    def missing(self) -> str | None:
        """A library that it needs and that is not installed here; `None` if nothing is missing."""
        return None

    @property
    def leads(self) -> bool:
        """Whether this process writes what is kept of a training: one does, of those that carry it out together."""
        return True

    @property
    def setting(self) -> str:
        """What the environment says about the code to be made: what is remembered of this engine is remembered by it too."""
        return ""

    def refusal(self, program: Program, data: Sequence[Any] = ()) -> str | None:
        """Why it cannot compute a Program, or run it on such data, naming the operations or kinds of number.

        `None` if it can, so that what is not refused is computed.
        """
        return None

    @abstractmethod
    def executable(self, program: Program) -> Executable:
        """A Program that it does not refuse, as a function of arrays."""

    def runner(
        self, loop: TrainingLoop, data: Sequence[Any], threads: int | None = None, held_out: Sequence[Any] = ()
    ) -> Runner:
        """A training loop that it does not refuse, ready to run on the data in at most so many threads.

        What the loop measures it measures on the arrays held out. Unless an engine has a way of its own, a loop over steps in
        Python.
        """
        return StepRunner(loop, data, self.executable, held_out)

    def shuffle(self, random: np.random.Generator, orders: Any) -> None:
        """Shuffle every row of an int32 array in place, with the numbers that NumPy draws."""
        orders[...] = random.permuted(orders.astype(np.int64), axis=1)  # which NumPy shuffles twice as fast

    def shuffling(self, random: np.random.Generator, orders: Any) -> Shuffling | None:
        """The same, to be done by a crew before a call of a runner (`Apart.begun`); `None` where it cannot be left to one.

        The generator stays where it is, and is to be given the state that is told afterwards.
        """
        return None

    def seconds(self, held: int, computed: int, rows: int) -> float:
        """About how long a function of rows takes that holds so many numbers and computes so many for each row.

        An estimate from sizes, and never a measured time, so that the same calls are carried out in the same way every
        time. Infinite where nothing is known: such an engine is only taken when it is asked for.
        """
        return inf

    def memory(self, loop: TrainingLoop) -> tuple[list[int], int] | None:
        """The bytes of every array of a loop's state, and of all that it holds; `None` where memory is taken as it goes."""
        return None

    def load(self) -> None:  # noqa: B027
        """Load now, instead of with the first Program, what takes long to be loaded: for modules that are there to train."""
