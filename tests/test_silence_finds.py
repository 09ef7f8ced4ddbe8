"""The net of `test_silence.py` finds faults: each that outside trials had found is put back, and a program shows it.

A fault is put back where it was mended, by taking away what mended it.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import chainrule as cr
import test_silence
from chainrule.ops import REGISTRY, eager
from chainrule.tracing import numpy_interface, plain
from chainrule.tracing.corners import roots
from chainrule.tracing.traces import tape
from expectations import BROKEN

Patch = pytest.MonkeyPatch
apply = import_module("chainrule.tracing.apply")  # the package's `apply` is its function


def conditions_as_factors(patch: Patch) -> None:
    """D1: what a condition is multiplied by was the condition itself, also where it is neither 0 nor 1."""
    by_condition = lambda condition, like: np.asarray(condition) * np.ones(np.shape(like), like.dtype)  # noqa: E731
    object.__setattr__(REGISTRY["indicator"], "evaluate", by_condition)
    object.__setattr__(REGISTRY["logical_not"], "evaluate", lambda condition: 1.0 - np.asarray(condition))


def buffers_by_reference(patch: Patch) -> None:
    """D2: a tape held the arrays themselves that a program went on to change."""
    patch.setattr(tape.Tape, "keep", lambda self, array, reader: array)


def copies_without_origin(patch: Patch) -> None:
    """D3: a deep copy of a traced value was a copy of all that it was computed from."""
    patch.delattr(numpy_interface.ArrayInterface, "__deepcopy__")
    patch.delattr(numpy_interface.ArrayInterface, "__reduce_ex__")


def levels_by_thread(patch: Patch) -> None:
    """D4: levels of traces were counted in every thread anew."""
    depths = threading.local()

    def enter(self: Any) -> Any:
        self.level = depths.now = getattr(depths, "now", 0) + 1
        self.open = self.real = True
        return self

    leave = apply.Trace.__exit__

    def exit(self: Any, *error: Any) -> None:
        depths.now -= 1
        leave(self, *error)

    patch.setattr(apply.Trace, "__enter__", enter)
    patch.setattr(apply.Trace, "__exit__", exit)


def complex_numbers_as_real_ones(patch: Patch) -> None:
    """D5: complex arrays took part, by the rules for real ones: |z| was differentiated as if z were real."""
    object.__setattr__(
        REGISTRY["absolute"], "partials", (lambda m, y, x: m.sign(x if x.dtype.kind == "f" else m.real(x)),)
    )
    object.__setattr__(REGISTRY["absolute"], "squared", lambda m, x: m.square(x if x.dtype.kind == "f" else m.real(x)))


def names_bound_anew(patch: Patch) -> None:
    """D6: `x += y` gave the name x another value, and other names kept the old one."""
    for name in ("add", "sub", "mul", "truediv"):
        patch.delattr(numpy_interface.ArrayInterface, f"__i{name}__")


def masks_dropped(patch: Patch) -> None:
    """D7: masked arrays and matrices took part as plain ones."""
    patch.setattr(plain, "array_of", np.asarray)


def no_square_of_roots(patch: Patch) -> None:
    """D10: even powers of |x| and of norms had the derivatives of these at 0."""
    patch.setattr(roots.Roots, "smooth", lambda self, m, op, inputs, attributes: None)


def roots_of_later_numbers(patch: Patch) -> None:
    """|x|² was x² of what x had been made by then."""
    patch.setattr(apply, "_as_now", lambda known, x: x)


def text_of_numbers(patch: Patch) -> None:
    """A traced value in a form (`f"{x:.3f}"`) was the text of its number alone, from which `float` made a plain one."""
    patch.setattr(numpy_interface.Wrapped, "__format__", lambda self, form: format(self.inner, form))


FAULTS: dict[Callable[[Patch], None], str] = {
    conditions_as_factors: "conditions",
    buffers_by_reference: "buffers used again",
    copies_without_origin: "copies",
    levels_by_thread: "derivatives in threads",
    complex_numbers_as_real_ones: "complex numbers",
    names_bound_anew: "in place",
    masks_dropped: "subclasses",
    no_square_of_roots: "zeros",
    roots_of_later_numbers: "written to",
    text_of_numbers: "numbers read from text",
}
"""What puts a fault back, and the habit of the programs that show it."""


@test_silence.EXACT
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("put_back", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_put_back_is_found(put_back: Any, monkeypatch: Patch) -> None:
    monkeypatch.setitem(BROKEN, FAULTS[put_back], "put back")  # so that the program that shows it is not made small
    monkeypatch.setattr(test_silence, "EXAMPLES", 2000)  # it ends with the first that is wrong
    before = {op: copy.copy(vars(op)) for op in REGISTRY.values()}
    vars(eager).clear()  # which remembers how operations are evaluated
    put_back(monkeypatch)
    try:
        with pytest.raises(AssertionError):
            test_silence.test_programs_with_habits(FAULTS[put_back])
    finally:
        for op, declared in before.items():
            vars(op).update(declared)
        vars(eager).clear()
        monkeypatch.undo()
    assert cr.grad(lambda x: np.sum(np.where(x, x * x, 0.0)))(np.array([3.0])) == 6.0, "it is still there"
