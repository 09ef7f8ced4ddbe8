"""Small random programs with the things programs do: buffers used again, copies, threads, masks, conditions of any kind.

A program is Python source. Its statements make `{out}` from earlier values `{a}` and `{b}`, all of one shape `S`; the same
source runs on traced values and on numbers of 80 bits, so that what it computes is beyond doubt.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import pickle
import textwrap
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import chainrule as cr

SMOOTH = tuple(f"{{out}} = {x}" for x in (
    "np.sin({a})", "np.tanh({a}) + {b}", "{a} * {b}", "{a} - 0.5 * {b}", "{a} / (1.5 + {b} ** 2)", "np.exp(-{a} * {a})",
    "np.sqrt(1.0 + {a} ** 2)", "{a} ** 3", "np.log1p({a} ** 2)", "np.hypot({a}, 1.0)",
    "np.arctan2({a}, 2.0 + {b} ** 2)",
    "np.logaddexp({a}, {b})", "-{a} + C", "{a} * C", "2.0 - {a}", "np.square({a}) * 0.5", "np.where(K > 0, {a}, {b})",
    "{a} - np.mean({a})", "{a} / np.sqrt(1.0 + np.sum({a} * {b}) ** 2)", "{a} * np.sum({b})",
    "np.cos({a}) * np.float64(0.5)",
    "(2.5 + np.sin({a})) ** {b}",
))  # fmt: skip
"""Statements whose derivatives of every order are there for all numbers."""

KINKED = tuple(f"{{out}} = {x}" for x in (
    "np.abs({a}) + {b}", "np.maximum({a}, {b})", "np.minimum({a}, 0.3)", "np.max({a}) * {b}", "np.clip({a}, -0.7, 0.9)",
    "np.min({a}) + {b} * {b}", "np.sign({a}) * {b}", "np.where({a} > {b}, {a}, {b} ** 2)", "{a} % 1.7",
    "np.floor({a}) * {b}",
    "{a} * ({b} > 0)", "cr.relu({a}) + {b}",
))  # fmt: skip

AXES = tuple(f"{{out}} = {x}" for x in (
    "np.cumsum({a}, axis=0)", "{a}[::-1] * {b}", "np.roll({a}, 1, axis=0) + {b}", "np.flip({a}, 0)",
    "{a}.reshape(-1).reshape(S)",
    "np.concatenate([{a}[1:], {b}[:1]])", "np.stack([{a}, {b}]).sum(axis=0)", "{a}.T.T + {b}", "{a}[I] * {b}",
    "np.sum({a}[K > 0]) * {b}",
    "np.take({a}, I, axis=0)", "np.broadcast_to(np.sum({a}, axis=0), S) * {b}", "np.moveaxis({a}[None], 0, -1)[..., 0]",
    "{a} - {b}.mean(axis=0, keepdims=True)", "np.swapaxes({a}[:, None], 0, 1)[0]",
    "np.einsum('i...,i...->...', {a}, {b}) + {a}",
    "np.tile({a}, 2 * (1,))[..., :] * {b}", "np.outer({a}, {b}).sum() + {a}",
    "np.pad({a}, 1)[(slice(1, -1),) * {a}.ndim] + {b}",
))  # fmt: skip

CONDITIONS = (
    "K > 0", "K", "K.astype(np.uint8)", "K.astype(float)", "K.astype(np.float32)", "K.tolist()", "2", "0.0", "True",
    "np.int8(3)",
    "{a}", "{b} > 0.1", "{a} * K", "({b} > 0).astype(int) * 2", "~(K > 0)", "[K][0]", "np.array(2.5)",
    "(K > 0) * 2", "-K",
)  # fmt: skip

CONDITIONAL = (
    *(f"{{out}} = np.where({c}, {{a}}, {{b}})" for c in CONDITIONS),
    *(f"{{out}} = np.where({c}, {{a}}, -1.0) + np.where({c}, 2.0, {{b}})" for c in CONDITIONS),
)


def _loop(update: str, use: str, begin: str = "np.ones(S)") -> str:
    return f"buf = {begin}\n{{out}} = 0.0\nfor k in range(3):\n    {update}\n    {{out}} = {{out}} + {use}"


UPDATES = (
    "buf[...] = k + 1.0", "buf += 1.0", "np.add(buf, 1.0, out=buf)", "buf.fill(k + 1.0)", "np.copyto(buf, k + 1.0)",
    "np.multiply(C, k + 1.0, out=buf)", "view = buf[...]; view[...] = k + 1.0", "buf.reshape(-1)[:] = k + 1.0",
    "buf *= -2.0",
)  # fmt: skip
USES = (
    "{a} * buf", "np.sin(buf * {a})", "{a} / buf", "np.where(buf > 1.5, {a}, {b})", "({a} * {a} + 1.0) ** buf",
    "np.hypot({a}, buf)", "np.hypot({a}, buf) ** 2", "(np.abs({a}) * buf) ** 2",
    "np.maximum({a}, buf - 2.0)", "np.multiply({a}, buf)", "np.sum({a} * buf) * {b}", "np.arctan2({a} * {a}, buf)",
)  # fmt: skip
BUFFERS = (
    *(_loop(update, use) for update in UPDATES for use in USES),
    *(_loop("BUF[...] = k - 0.5", use.replace("buf", "BUF")) for use in USES),
    _loop("buf[...] = (K > k - 1)", "np.where(buf, {a}, {b})", "np.zeros(S, bool)"),
    _loop("buf[...] = (K > k - 1)", "{a} * buf", "np.zeros(S, bool)"),
    "order = I.copy()\n{out} = {a}.reshape(-1)[order]\norder[...] = 0\n{out} = {out}.sum() * {b}",
    "buf = C.copy()\n{out} = np.sum(buf.reshape(-1) @ {a}.reshape(-1)) * {b}\nbuf[...] = 7.0",
    "buf = C.copy()\n{out} = {a} * buf.T.T\nbuf[...] = 7.0",
    "late = {a} * BUF\nBUF[...] = BUF + 1.0\n{out} = late * {b}",
)

COPIES = tuple(f"{{out}} = {x}" for x in (
    "copy.copy({a}) * {b}", "copy.deepcopy({a}) * {b}", "copy.deepcopy([{a}, {{'k': {b}}}])[0] * {b}",
    "np.copy({a})", "{a}.copy()",
    "dataclasses.asdict(Box({a}))['value'] + {b}", "dataclasses.replace(Box({b}), value={a}).value", "+{a} * {b}",
    "dataclasses.astuple(Box({a}))[0] * {b}", "pickle.loads(pickle.dumps({a})) * {b}", "{a}.astype({a}.dtype) * {b}",
    "copy.deepcopy(Box({a} * {b})).value + {a}",
))  # fmt: skip

CONTAINERS = (
    "box = {{'first': [{a}, {b}], 'second': ({a},)}}\n{out} = box['first'][1] * box['second'][0]",
    "{out} = sum([{a}, {b}, {a}])", "{out} = functools.reduce(np.multiply, ({a}, {b}, {a}))",
    "first, second = Pair({a}, {b})\n{out} = first * second + first",
    "{out} = 0.0\nfor k, part in enumerate([{a}, {b}]):\n    {out} = {out} + (k + 1) * part",
    "{out} = Box({a}).value * Box(Box({b})).value.value",
    "parts = [{a}] * 3\nparts[1] = {b}\n{out} = parts[0] * parts[1] + parts[2]",
    "memo = {{}}\nmemo.setdefault('k', {a} * {b})\n{out} = memo.get('k') + memo.pop('k')",
    "{out} = (lambda *args, **kwargs: args[0] * kwargs['z'])({a}, z={b})",
    "{out} = [part * {b} for part in ({a}, {b})][0]",
)  # fmt: skip

SWALLOWED = tuple(
    f"try:\n    {{out}} = {{a}} * {x}\nexcept {error}:\n    {{out}} = {{a}} * 1.0"
    for x in (
        "float(np.sum({b}))",
        "math.tanh(np.sum({b}))",
        "np.asarray({b})",
        "np.array([{b}])[0]",
        "np.sum({b}).item()",
    )
    for error in ("TypeError", "(TypeError, ValueError)")
)

TEXT = tuple(f"{{out}} = {{a}} * float({x})" for x in (
    "format(np.sum({b}), '.17g')", "'{{:.17f}}'.format(np.sum({b}))", "str(np.sum({b}))", "'%.17g' % np.sum({b})",
    "format(-np.abs(np.sum({b})), ' .20f').strip()",
))  # fmt: skip

THREADS = tuple(f"{{out}} = {x}" for x in (
    "nested({a}, C) * {b}", "nested(C, {a}) * {b}", "nested({a}, {b})", "nested(C, {a} * {b}) * {a}",
    "nested({a}, {a})",
))  # fmt: skip

COMPLEX = tuple(f"{{out}} = {x}" for x in (
    "np.abs((0.3 + 0.4j) * {a} + {b}) ** 2", "np.abs(F @ {a}.reshape(-1)).sum() * {b}", "np.real({a} * F0) + {b}",
    "(F0 * {a}).imag * {b}",
    "{a}.astype(complex).real * {b}", "np.linalg.norm(F0 * {a} + 1j) * {b}", "np.real(np.conj(F0 * {a}) * {a}) + {b}",
    "np.sum(np.abs(F @ {a}.reshape(-1)) ** 2) * {b}", "np.angle(F0 + 0.2 * {a} ** 2) * {b}",
    "np.real(np.exp(F0 * {a})) + {b}",
    "np.sum(np.abs(np.fft.rfft({a}.reshape(-1))) ** 2) * {b}", "np.fft.ifft(np.fft.fft({a}.reshape(-1)) * F0).real.sum() + {b}",
    "np.fft.irfft(np.fft.rfft({a}.reshape(-1), 6) * F0, 6).sum() * {b}", "np.var(F0 * {a} + 1j * {b}) + {a}",
    "np.real(({a} + 1j * {b} + 3.0) ** 1.5) * {b}", "np.abs(np.sqrt({a} + 2j) / ({b} - 1.5j))",
    "np.vdot(F0 * {a}, {b} + 1j * {a}).imag + {b}", "np.abs(np.correlate({b}.reshape(-1), 1j * {a}.reshape(-1) + 0.5)) * {b}",
    "np.linalg.vecdot({a}.reshape(-1) * 2j, {b}.reshape(-1) + 1j).real + {b}",
    "np.imag(np.tanh(F0 * {a}) + np.log({b} + 2j))",
))  # fmt: skip

IN_PLACE = (
    "y = {a} * 1.0\nz = y\nz *= 2.0\n{out} = y * z", "y = {a} * {b}\nz = y\ny += {a}\n{out} = y * z",
    "y = {a} * 1.0\nrow = y[0]\nrow += 5.0 * {b}[0]\n{out} = y * {b}",
    "y = {a} * 1.0\nD = y.T\nD -= 1.0\n{out} = y * {b}",
    "y = {a} * 1.0\nz = y\nz **= 2\n{out} = y + z", "y = {a}.copy()\ny[0] = 2.0 * {b}[0]\n{out} = y * {a}",
    "y = np.zeros(S)\ny += {a}\n{out} = y * {b}", "y = np.zeros(S)\ny[...] = {a}\n{out} = y * {b}",
    "y = C.copy()\nnp.multiply({a}, {b}, out=y)\n{out} = y + {a}",
    "y = {a} * 1.0\nview = y[...]\nview /= 2.0\n{out} = y * {b}",
    "y = {a} * 1.0\nz = y\nz = z * 2.0\n{out} = y * z",
)  # fmt: skip

WRITTEN = (
    "u = {a} * 1.0\nu[0] = {b}[0] ** 2\nu[-1] += u[0]\n{out} = u * {b}",
    "u = {a} * 1.0\nview = u[1:]\nview *= {b}[0]\nu[0] = view[-1]\n{out} = u * {b}",
    "u = {a} * 1.0\nu[::-1][0] = u[1]\n{out} = u + {b}",
    "u = {a} * 1.0\nu.T[...] = {b}.T\nz = u.T\nz[0] = 3.0 * z[1]\n{out} = u * {a}",
    "u = {a} * 1.0\nu[K > 0] = 0.5\nu[K > 1] *= 2.0\nu[u > 0.4] = 0.25\n{out} = u * {b}",
    "u = {a} * 1.0\nu[I] = {b}\nu[[0, 1]] = u[[1, 0]]\n{out} = u * {a}",
    "u = {a} * 1.0\nfor i in range(1, len(u)):\n    u[i] = np.sin(u[i - 1]) + u[i]\n{out} = u * {b}",
    "u = {a} * 1.0\nu[...] = {b}[0]\nu[0] = {a}[0]\n{out} = u * {a}",
    "u = np.stack([{a}, {b}])\nu[0, 1:] = u[1, :-1]\nrow = u[1]\nrow += u[0]\n{out} = u[0] * u[1]",
    "u = {a} * 1.0\nz = u[None]\nz[0, 0] = {b}[0] * {b}[-1]\n{out} = u * {b}",
    "u = {a} * 1.0\nz = u[0]\nu.fill(2.0)\nu.put([0, -1], {b})\n{out} = u * {a} + z",
    "u = {a} * {b}\nu.sort()\nnp.putmask(u, K > 1, {a})\n{out} = u * {b}",
    "u = np.outer({a}, {b})\nnp.fill_diagonal(u, {a}.reshape(-1)[0] ** 2)\nnp.add.at(u, (I, I), 3.0 * {b}.reshape(-1)[0])\n"
    "{out} = np.sum(u[:2, :2]) * {a}",
    "u = {a} * {b}\n{out} = u * u.reshape(-1)[:1].item() + u.item(0)",
    "u = {a} * 1.0\nz = np.abs(u) * {b}\nu[0] = {b}[-1]\n{out} = z ** 2 + u * z",
    "u = {a} * 1.0\nz = np.hypot(u, {b})\nu *= 3.0\n{out} = z * z + u",
)

SUBCLASSES = tuple(f"{{out}} = {x}" for x in (
    "np.sum({a} * MASKED) * {b}", "np.sum(MASKED * {a}) * {b}", "np.mean(MASKED + {a}) * {b}",
    "(MATRIX * {a}.reshape(-1, 1)).sum() * {b}",
    "({a}.reshape(1, -1) * MATRIX).sum() * {b}", "np.sum(np.multiply({a}, MASKED)) + {b}", "{a} * Tagged(C) + {b}",
    "np.max(MASKED - 0.0) * {a}",
))  # fmt: skip

NEAR_ZERO = tuple(f"{{out}} = {x}" for x in (
    "{a} ** 2 + {b}", "np.abs({a}) ** 2 + {b}", "np.hypot({a}, {b}) ** 2", "np.linalg.norm({a}) ** 2 + {b} ** 2",
    "np.var({a}) * {b}",
    "np.std({a}) ** 2 + {b} ** 2", "{a} ** 3", "np.abs({a}) * {b} ** 2 * np.abs({a})", "(2.0 + {b}) ** {a}",
    "np.abs({a}) ** 3",
    "{a} * np.abs({a}) * {a} ** 2", "np.abs({a} * {b}) ** 2", "np.prod({a}) * {b}", "np.sqrt({a} ** 2 + 0.25)",
    "{a} ** 1", "{a} ** 0 * {b}",
))  # fmt: skip

TIES = tuple(f"{{out}} = {x}" for x in (
    "np.max({a}) * 1.5 + 0.0 * {b}", "np.min({a}) + {b} ** 2", "np.maximum({a}, 0.0) + {b}", "np.maximum({a}, {b})",
    "np.minimum({b}, {a}) * 2.0",
    "np.sort({a}.reshape(-1)).reshape(S) * C", "np.abs({a}) * {b} ** 2", "np.clip({a}, -1.0, 1.0) + {b}",
    "cr.relu({a}) * C", "np.linalg.norm({a}.reshape(-1), 1) + {b}", "np.sum(np.sort({a}.reshape(-1))[:1]) + {b}",
))  # fmt: skip

INTEGERS = tuple(f"{{out}} = {x}" for x in (
    "{a} * K", "{a} + K * {b}", "{a} ** 2 * K", "K / (2 + {a} ** 2)", "{a} * np.uint8(3)", "{a} * True",
    "np.where(K > 0, K, {a})",
    "np.maximum(K, {a})", "{a} * (K // 2)", "({a} * {a} + 1) ** K", "np.sum(K * {a}) * {b}",
    "{a} * K.astype(np.int8) * K",
    "{a}.astype(int) * {b}", "{a} * (K > 0) * (K < 2)", "np.power({a}, 2) - 3 * {b}", "{a} * len(S)",
))  # fmt: skip


AXED = ((3,), (2, 3))


@dataclass(frozen=True)
class Habit:
    """Statements of one kind, and arguments they are tried on.

    `refused`: whether an error of the library's family is as good as a right answer. `about`: "generic" arguments,
    "zeros" (some of them 0) or "ties". `late`: whether the caller changes his arrays
    between the value and its derivative. `numbers`: whether y is a Python number. `apart`: ways that have an answer of their own.
    """

    statements: tuple[str, ...]
    refused: bool = False
    about: str = "generic"
    shapes: tuple[tuple[int, ...], ...] = ((), *AXED)
    dtypes: tuple[str, ...] = ("float64",)
    layouts: tuple[str, ...] = ("as it is",)
    late: bool = False
    numbers: bool = False
    apart: tuple[str, ...] = ()


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda x: x,
    "columns first": np.asfortranarray,
    "backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1] if np.ndim(x) else x,
    "every second": lambda x: np.repeat(x, 2, axis=0)[::2] if np.ndim(x) else x,
    "of one number": lambda x: np.broadcast_to(np.asarray(x).reshape(-1)[:1], np.shape(x)) if np.size(x) else x,
    "other bytes": lambda x: x.astype(x.dtype.newbyteorder()) if np.ndim(x) else x,
    "read only": lambda x: _read_only(x),
}


def _read_only(x: Any) -> Any:
    x = np.array(x)
    x.flags.writeable = False
    return x


HABITS = {
    "plain": Habit(SMOOTH),
    "kinks": Habit(KINKED),
    "axes": Habit(AXES, shapes=AXED),
    "conditions": Habit(CONDITIONAL),
    "buffers used again": Habit(BUFFERS, refused=True, shapes=AXED),
    "arguments changed later": Habit(SMOOTH, refused=True, late=True),
    "copies": Habit(COPIES, refused=True, apart=("Value",)),  # a copied leaf is another one, as PyTorch has it
    "containers": Habit(CONTAINERS),
    "errors swallowed": Habit(SWALLOWED, refused=True),
    "numbers read from text": Habit(TEXT, refused=True, apart=("Value",)),  # a graph's values refuse it by a ValueError
    "derivatives in threads": Habit(THREADS),
    "complex numbers": Habit(COMPLEX, apart=("Value",)),
    "in place": Habit(IN_PLACE, refused=True, shapes=AXED),
    "written to": Habit(WRITTEN, shapes=AXED, apart=("Value",)),
    "subclasses": Habit(SUBCLASSES, refused=True, shapes=AXED),
    "zeros": Habit(NEAR_ZERO, about="zeros"),
    "ties": Habit(TIES, about="ties"),
    "integers": Habit(INTEGERS),
    "layouts": Habit(SMOOTH + AXES, shapes=AXED, layouts=tuple(LAYOUTS)),
    "float32": Habit(SMOOTH + KINKED, dtypes=("float32",)),
    "float16": Habit(SMOOTH, dtypes=("float16",)),
    "Python numbers": Habit(SMOOTH, dtypes=("float32", "float64"), shapes=((),), numbers=True),
    "empty arrays": Habit(tuple(s for s in SMOOTH + AXES if "mean" not in s), refused=True, shapes=((0,), (2, 0))),
}


Pair = namedtuple("Pair", "first second")


@dataclass
class Box:
    """Something a value is kept in."""

    value: Any


class Tagged(np.ndarray):
    """A subclass of arrays with nothing of its own."""

    def __new__(cls, x: Any) -> Any:
        return np.asarray(x).view(cls)


def in_a_thread(work: Callable[[], Any]) -> Any:
    """What a function gives when another thread calls it."""
    with ThreadPoolExecutor(1) as pool:
        return next(pool.map(lambda _: work(), [None]))


def by_thread(work: Callable[[], Any]) -> Any:
    """The same, with a thread of its own."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


NESTED: dict[str, Callable[[Any, Any], Any]] = {
    "no thread": lambda z, w: cr.grad(lambda z: np.sum(np.sin(z) * w))(z),
    "a pool": lambda z, w: in_a_thread(lambda: cr.grad(lambda z: np.sum(np.sin(z) * w))(z)),
    "a thread": lambda z, w: by_thread(lambda: cr.grad(lambda z: np.sum(np.sin(z) * w))(z)),
    "forward in a thread": lambda z, w: by_thread(lambda: cr.jvp(lambda z: np.sin(z) * w, (z,), (np.ones(np.shape(z)),))[1]),
    "a gradient in a pool": lambda z, w: in_a_thread(lambda: cr.vjp(lambda z: np.sin(z) * w, z)[1](np.ones(np.shape(z)))[0]),
}  # fmt: skip
"""Ways to find cos(z)·w as a derivative, inside of another."""


@dataclass(frozen=True)
class Program:
    """Source of `f(x, y)`, one number, with the constants it uses."""

    source: str
    shape: tuple[int, ...]
    seed: int
    nesting: str
    dtype: str

    def function(self, exact: bool = False) -> Callable[..., Any]:
        """The function; with `exact` derivatives inside are written out, so that numbers of 80 bits go through."""
        random = np.random.default_rng(self.seed)
        size = int(np.prod(self.shape))
        C, W = (random.uniform(0.5, 1.5, self.shape).astype(self.dtype) for _ in range(2))
        K = np.asarray(random.integers(-1, 3, self.shape))
        angles = 2 * np.pi * np.outer(np.arange(size), np.arange(size)) / max(size, 1)
        names = {
            "np": np, "cr": cr, "copy": copy, "dataclasses": dataclasses, "pickle": pickle, "functools": functools,
            "math": __import__("math"), "S": self.shape, "C": C[()], "K": K,
            "I": random.permutation(self.shape[0]) if self.shape else 0,
            "BUF": np.array(C), "W": W,
            "F": np.cos(angles) - 1j * np.sin(angles), "F0": 0.6 - 0.8j, "MASKED": np.ma.array(C, mask=K > 0), "Tagged": Tagged,
            "MATRIX": np.asmatrix(random.uniform(-1, 1, (size, size))), "Box": Box, "Pair": Pair,
            "nested": (lambda z, w: np.cos(z) * w) if exact else NESTED[self.nesting],
        }  # fmt: skip
        exec(compile(self.source, "<program>", "exec"), names)
        return names["f"]  # type: ignore[no-any-return]


def _lines(statements: list[str]) -> Iterator[str]:
    yield "def f(x, y):"
    for statement in statements:
        yield textwrap.indent(statement, "    ")


@st.composite
def programs(draw: Any, habit: Habit) -> Program:
    """A program with at least one statement of a habit, among plain ones."""
    shape = draw(st.sampled_from(habit.shapes))
    plain = SMOOTH if habit.about == "generic" else SMOOTH[:3]
    own = draw(st.integers(0, 2))
    kinds = [plain] * own + [habit.statements] + [plain] * draw(st.integers(0, 2))
    if draw(st.booleans()) and habit.about == "generic":
        kinds.append(habit.statements)
    known, statements = ["x", "y"], []
    for i, kind in enumerate(kinds):
        pool = known if habit.about == "generic" else (["x", "y"] if kind is habit.statements else known[-1:])
        a, b = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
        statements.append(draw(st.sampled_from(kind)).format(a=a, b=b, out=f"v{i}"))
        known.append(f"v{i}")
    if (
        habit.about != "generic"
    ):  # what is plain comes after what is at a kink or a zero, and what is there alone counts
        first = [s for s, kind in zip(statements, kinds, strict=True) if kind is habit.statements]
        statements = first[:1]
        known = ["x", "y", statements[0].split(" = ")[0]]
    statements.append(f"return np.sum({known[-1]} * W) + 0.1 * np.sum(x * y)")
    return Program(
        source="\n".join(_lines(statements)),
        shape=shape,
        seed=draw(st.integers(0, 9)),
        nesting=draw(st.sampled_from(sorted(NESTED))),
        dtype=draw(st.sampled_from(habit.dtypes)),
    )


@st.composite
def arguments(draw: Any, habit: Habit, program: Program) -> list[Any]:
    """x and y: numbers that are apart from each other, from 0 and from kinks unless the habit is about these."""
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    found = []
    for _ in range(2):
        if habit.about == "generic":
            x = random.uniform(-1.6, 1.6, program.shape)
        else:
            x = np.asarray(random.integers(-1, 2, program.shape), float) * draw(st.sampled_from([0.0, 1.0, 1.0, 2.0]))
        found.append(LAYOUTS[draw(st.sampled_from(habit.layouts))](np.asarray(x, program.dtype)[()]))
    return [found[0], float(found[1])] if habit.numbers else found
