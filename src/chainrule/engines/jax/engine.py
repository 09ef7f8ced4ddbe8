"""The engine `jax`, as the rest of the library sees it. Nothing of JAX is loaded before something is computed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from re import fullmatch
from typing import Any

from chainrule.engines.engine import Engine, Executable
from chainrule.engines.loop import Runner, TrainingLoop
from chainrule.engines.whole_numbers import is_partial, of_numbers
from chainrule.errors import SettingError, UnknownNameError, shortened
from chainrule.forks import compiling
from chainrule.tracing.program import Literal, Program, Variable, bodies_of

SIZES = {"float": (16, 32, 64), "complex": (64, 128), "int": (8, 16, 32, 64), "uint": (8, 16, 32, 64)}
DTYPES = ("bool", *(f"{kind}{size}" for kind, sizes in SIZES.items() for size in sizes))
"""Kinds of number that JAX has as NumPy has them."""

PRECISIONS = ("float32", "bfloat16")

ALL = "all"
"""As many devices as there are."""


@dataclass(frozen=True)
class JaxEngine(Engine):
    """JAX: Programs compiled by XLA for this CPU, a GPU or a TPU. Given wherever an engine is named.

    Parameters
    ----------
    device : str, optional
        "cpu", "gpu", "tpu", or one of several, "cuda:1". By default the one that JAX prefers.
    precision : {"float32", "bfloat16"}
        What the factors of float32 products are rounded to. Sums, parameters and what the optimizer keeps stay float32.
    devices : int or "all", optional
        Over how many devices the rows of every batch are shared out in training, those of all processes together. The losses
        are those of one device to rounding.
    split : int
        Over how many of them the columns of wide weights are shared out as well, for networks that one device has no room for.

    Raises
    ------
    UnknownNameError
        For another precision.
    SettingError
        For a device that is no name, and numbers of devices that are none.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> square = cr.jit(lambda x: x * x, engine=cr.JaxEngine(device="cpu"))
    >>> square(np.array([1.0, 3.0]))
    array([1., 9.])
    """

    device: str | None = None
    precision: str = "float32"
    devices: int | str | None = None
    split: int = 1

    name = "jax"
    preparing = 0.5

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UnknownNameError.among("precision", self.precision, PRECISIONS)
        if isinstance(self.devices, str) and self.devices != ALL:
            raise SettingError(
                f"JaxEngine was given devices={shortened(self.devices)}; give a number of devices, or {ALL!r} for all there are."
            )
        if self.devices not in (None, ALL):
            SettingError.unless_count("JaxEngine", "devices", self.devices)
        SettingError.unless_count("JaxEngine", "split", self.split)
        if self.device is not None and not (isinstance(self.device, str) and fullmatch(r"\w+(:\d+)?", self.device)):
            raise SettingError(
                f"JaxEngine was given device={shortened(self.device)}; give a text such as 'cpu' or 'cuda:1'."
            )

    @property
    def missing(self) -> str | None:
        """`jax`, where it is not installed."""
        return None if find_spec("jax") else "jax"

    @property
    def leads(self) -> bool:
        """Whether this is the first of the processes that train together."""
        if self.devices is None or self.missing is not None:
            return True
        _load()
        from chainrule.engines.jax.mesh import is_first

        return is_first()

    def refusal(self, program: Program, data: Sequence[Any] = ()) -> str | None:
        """Operations and kinds of number that JAX has not as NumPy has them; a device that is not there."""
        if _loaded and _loaded[0] != os.getpid():
            from chainrule.engines.jax.settings import COPY

            return COPY
        _load()
        from chainrule.engines.jax.settings import device_of

        if self.device is not None:
            try:
                device_of(self.device)
            except (RuntimeError, IndexError):
                return f"JAX has no device {self.device!r} here"
        spread = self._settings().spread
        return (None if spread is None else spread.refusal) or _not_computed(program)

    def executable(self, program: Program) -> Executable:
        """The Program compiled by XLA."""
        _load()
        from chainrule.engines.jax.executable import JaxExecutable

        return JaxExecutable(program, self._settings())

    def runner(
        self, loop: TrainingLoop, data: Sequence[Any], threads: int | None = None, held_out: Sequence[Any] = ()
    ) -> Runner:
        """Many steps in one loop of XLA's, whose own libraries decide about threads."""
        _load()
        from chainrule.engines.jax.runner import JaxRunner
        from chainrule.engines.jax.shared_runner import SharedRunner

        return (JaxRunner if self.devices is None else SharedRunner)(loop, data, held_out, self._settings())

    def _settings(self) -> Any:
        from chainrule.engines.jax.mesh import Spread
        from chainrule.engines.jax.settings import Settings

        count = 0 if self.devices == ALL else self.devices
        spread = None if count is None else Spread(int(count), self.split)
        return Settings(self.device, self.precision == "bfloat16", spread)


_loaded: list[int] = []
"""The process that has loaded JAX."""


def _load() -> None:
    """Import JAX, where it is first needed."""
    with compiling:
        import chainrule.engines.jax.runner  # noqa: F401
    if not _loaded:
        _loaded.append(os.getpid())


@lru_cache(maxsize=64)
def _not_computed(program: Program) -> str | None:
    """What of a Program JAX does not compute, looked for once."""
    kinds = sorted({str(x.dtype) for x in _arrays(program)} - {*DTYPES})
    if kinds:
        return f"JAX has arrays of {', '.join(DTYPES)}, and here are some of {', '.join(kinds)}"
    names = sorted(set(_names(program, dict.fromkeys(of_numbers(program), 1))))
    return f"JAX does not compute these operations as NumPy does: {', '.join(names)}" if names else None


def _arrays(program: Program) -> list[Any]:
    """All that has a dtype in a Program and its loops."""
    atoms = [x for e in program.equations for x in (*e.inputs, e.output)] + [*program.inputs, *program.outputs]
    own = [
        x if isinstance(x, Variable) else x.value
        for x in atoms
        if not isinstance(x, Literal) or hasattr(x.value, "dtype")
    ]
    return own + [x for e in program.equations for body in bodies_of(e) for x in _arrays(body)]


def _names(program: Program, numbers: Any) -> list[str]:
    """The operations that JAX does not compute; `numbers` are known before a call, when it is made sure that they have a result."""
    from chainrule.engines.jax.evaluation import computes

    found = []
    for e in program.equations:
        bodies = bodies_of(e)
        if bodies:
            found += [name for body in bodies for name in _names(body, {})]
        elif is_partial(e, numbers) or not computes(e):
            found.append(e.op.name)
    return found
