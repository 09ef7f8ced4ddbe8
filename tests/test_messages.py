"""What errors say: what was given, what was expected and what to do, for every class and for what goes wrong most."""

from __future__ import annotations

import ast
import copy
import dataclasses
import operator
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.errors import ChainruleError, shortened
from chainrule.network.files import storage
from chainrule.ops import FUNCTIONS, function
from chainrule.ops.operation import OF_NUMPY
from chainrule.tracing.apply import Traced
from making import moons

FAMILY = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ChainruleError)]
DOCUMENTED = [kind for kind in FAMILY if kind is not ChainruleError]
ADVICE = (
    r"(?i)\b(write|give|use|pass|choose|call|build|install|lower|leave|name|compute|collect|return|try|fit|pick|known|must|check|"
    r"needs?|set|save|compile|did you mean|one of|standardise|instead|smaller|keep|define|declare|allowed|should|only|remove|fill|"
    r"take|put|read|ask|start|make|bring|expects?|expected|can be|is for|are for|takes|list|end|train|continue|begin)\b"
)
"""Words that a message says what to do with, or what was expected."""
LIMIT = 2000
SOURCES = Path(cr.__file__).parent
PACKAGES = sorted(path.parent.name for path in SOURCES.glob("*/__init__.py"))


def surroundings() -> dict[str, Any]:
    """What the examples in the docstrings speak of."""
    X, y = moons(20)
    network = cr.Network([cr.Dense(4, "tanh"), cr.Dense(1)]).build(2)
    return {
        "np": np, "cr": cr, "math": __import__("math"), "operator": operator, "dataclasses": dataclasses, "Path": Path,
        "X": X, "y": y, "complete": np.isfinite(X).all(axis=1), "network": network,
        "program": cr.trace(lambda x: x * x, 1.0),
        "history": cr.Network([cr.Dense(1)]).fit(X, y, epochs=1, progress=False),
    }  # fmt: skip


def example(kind: type[ChainruleError], word: str) -> str:
    """The first code after a word in a docstring."""
    found = re.search(rf"{word}: `(.+?)`", " ".join((kind.__doc__ or "").split()))
    assert found, f"{kind.__name__} has no example that {word.lower()}"
    return found[1]


def says_all(error: BaseException, given: str = "") -> None:
    """A message is a sentence with what was given and what to do, and not too long."""
    message = str(error)
    assert re.search(given, message, re.DOTALL), message
    assert re.search(ADVICE, message), message
    assert 30 < len(message) <= LIMIT


def _closed(*_: Any) -> int:
    """What JAX says where another process is gone."""
    raise RuntimeError("Connection closed by peer")


@pytest.mark.parametrize("kind", DOCUMENTED, ids=lambda kind: kind.__name__)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_examples_in_docstrings_fail_and_work(kind: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    around = surroundings()
    with monkeypatch.context() as later:
        later.setattr(storage, "FORMAT", storage.FORMAT + 1)
        around["network"].save("later.model")
    with monkeypatch.context() as without:
        if kind is errors.MissingExtraError:
            without.setitem(sys.modules, "matplotlib.figure", None)
            without.delitem(sys.modules, "chainrule.training.learning_curves", raising=False)
        if kind is errors.LostProcessError:
            jax = pytest.importorskip("jax")
            without.setattr(jax, "process_count", lambda: 2)
            without.setattr("chainrule.engines.jax.shared_runner.agreed", _closed)
        with pytest.raises(kind) as caught:
            exec(example(kind, "Fails"), around)
    assert type(caught.value) is kind
    says_all(caught.value)
    exec(example(kind, "Works"), surroundings())


def test_the_family_is_one_import_away() -> None:
    assert cr.errors is errors
    assert issubclass(cr.errors.ShapeError, cr.ChainruleError)


def raised(folder: str) -> list[tuple[str, str, str]]:
    """Every `raise` of an error of the family with a message: where, which, and the words that are always in it."""
    found = []
    for path in sorted((SOURCES / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                kind = getattr(node.exc.func, "id", None) or getattr(node.exc.func, "attr", "")
                parts = [
                    x.value for x in ast.walk(node.exc) if isinstance(x, ast.Constant) and isinstance(x.value, str)
                ]
                wraps = any(
                    isinstance(x, ast.Name) and x.id == "error" for x in ast.walk(node.exc)
                )  # which says it already
                if hasattr(errors, kind) and any(" " in part for part in parts) and not wraps:
                    found.append((f"{path.name}:{node.lineno}", kind, "".join(parts)))
    return found


@pytest.mark.parametrize("folder", PACKAGES)
def test_every_message_that_is_written_says_what_to_do(folder: str) -> None:
    silent = [where for where in raised(folder) if not re.search(ADVICE, where[2])]
    assert not silent


# --- what is said where


def store(x: Any) -> Any:
    y = np.zeros(3)
    y[0] = x[0]
    return np.sum(y)


def add_to(x: Any) -> Any:
    y = np.zeros(3)
    y[0] += x[0]
    return np.sum(y)


def fill(x: Any) -> Any:
    y = np.zeros(3)
    y.fill(x[0])
    return np.sum(y)


def flat(x: Any) -> Any:
    y = np.zeros(3)
    y.flat[0] = x[0]
    return np.sum(y)


def store_part(x: Any) -> Any:
    y = np.zeros(5)
    y[1:4] = x
    return np.sum(y)


ONES, TABLE = np.ones(3), np.arange(10.0)
X, Y = moons(20)
TRACED = [  # inside a function of an array of three ones
    (store, errors.InPlaceError, r"y\[i\] = x.*np\.stack"),
    (add_to, errors.InPlaceError, r"y\[i\] \+= x.*np\.stack"),
    (fill, errors.InPlaceError, r"y\.fill.*np\.stack"),
    (flat, errors.InPlaceError, r"y\[i\] = x.*np\.where"),
    (store_part, errors.DerivativeLostError, r"\(3,\).*y\[1:\] = x.*np\.concatenate"),
    (lambda x: np.array([x[0], x[1]]), errors.DerivativeLostError, r"np\.stack\(\[a, b\]\)"),
    (lambda x: float(x[0]), errors.DerivativeLostError, r"float\(\).*shape \(\)"),
    (lambda x: x.compress([True]), errors.UnsupportedMethodError, r"x\.compress.*np\.compress"),
    (lambda x: x.resize(4), errors.UnsupportedMethodError, r"x\.resize.*memory.*np\.resize"),
    (lambda x: x.tobytes(), errors.UnsupportedMethodError, r"x\.tobytes.*memory"),
    (lambda x: np.linalg.inv(x), errors.ShapeError, r"inv was given shape \(3,\)"),
    (lambda x: np.multiply.at(x, 0, 1.0), errors.UnsupportedError, r"np\.multiply\.at.*np\.where"),
    (lambda x: np.add.at(np.zeros(3), 0, x), errors.UnsupportedError, r"np\.add\.at.*np\.where"),
    (lambda x: np.put(np.zeros(3), 0, x), errors.UnsupportedError, r"np\.put.*np\.where"),
    (lambda x: np.union1d(x, x), errors.UnsupportedError, r"np\.union1d.*np\.unique"),
    (lambda x: np.spacing(x), errors.UnsupportedError, r"np\.spacing.*np\.abs"),
    (lambda x: np.isnat(x), errors.UnsupportedError, r"did you mean 'isnan'"),
    (lambda x: np.sin(x, where=[True, False, True]), errors.UnsupportedError, r"where=.*np\.where\(mask, np\.sin\(x\), other\)"),
    (lambda x: np.sum(x, dtype=bool), errors.SettingError, r"dtype=.*astype"),
    (lambda x: np.add(x, x, out=np.zeros(3)), errors.InPlaceError, r"np\.add.*return value"),
    (lambda x: x[5], errors.PositionError, r"index 5.*size 3.*-3 to 2"),
    (lambda x: x[0, 0], errors.ShapeError, "2 indices.*1 axes"),
    (lambda x: x[::0], errors.ShapeError, "step 0"),
    (lambda x: x[1.5:], errors.ShapeError, r"1\.5.*integer"),
    (lambda x: np.sum(x, axis=2), errors.ShapeError, r"axis 2.*between -1 and 0"),
    (lambda x: np.sum(x, axis="a"), errors.ShapeError, r"'a'.*integer"),
    (lambda x: x.reshape(2, 2), errors.ShapeError, r"\(2, 2\)"),
    (lambda x: np.split(x, 2), errors.ShapeError, "length 3 into 2"),
    (lambda x: np.split(x, 0), errors.ShapeError, "length 3 into 0"),
    (lambda x: np.tile(x, -1), errors.ShapeError, "reps=-1"),
    (lambda x: np.linalg.norm(np.outer(x, x), ord=3), errors.SettingError, "norm of a matrix was given ord=3.*'nuc'"),
    (lambda x: np.linalg.norm(x, ord="fro"), errors.SettingError, "'fro'.*matrices"),
    (lambda x: np.linalg.vector_norm(x, ord="nuc"), errors.SettingError, "'nuc'.*use a number"),
    (lambda x: len(x[0]), errors.NoLengthError, r"no length.*x\.size"),
    (lambda x: np.argmax(x[:0]), errors.ShapeError, r"\(0,\).*at least one"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "kind", "given"), TRACED)
@pytest.mark.parametrize("way", ["reverse", "forward", "recorded", "batched"])
def test_what_goes_wrong_in_a_traced_function(function: Any, kind: Any, given: str, way: str) -> None:
    run = {
        "reverse": lambda: cr.vjp(function, ONES),
        "forward": lambda: cr.jvp(function, (ONES,), (ONES,)),
        "recorded": lambda: cr.trace(function, ONES),
        "batched": lambda: cr.vmap(function)(np.ones((2, 3))),
    }[way]
    with pytest.raises(kind) as caught:
        run()
    says_all(caught.value, given)


LONG = {"a": [0.5] * 200_000}
CALLS = [
    (lambda: cr.jit(lambda x: np.sum(x * x))(np.zeros(0)), errors.UnsupportedError, r"without elements \(shape \(0,\)\)"),
    (lambda: cr.jit(lambda x: x)(ONES, k=2.0), errors.SettingError, "'k'"),
    (lambda: cr.jit(lambda x, *, k: x * k)(ONES, k=2.0), errors.SettingError, "k by name.*cr.jit"),
    (lambda: cr.jit(lambda x, n: x[: int(n)])(ONES, 2), errors.DerivativeLostError, r"int\(\).*f\(x, 2\)"),
    (lambda: cr.jit(lambda x, n: x[:n])(ONES, 2), errors.DerivativeLostError, "bound of a slice.*not traced"),
    (lambda: cr.jit(lambda i: TABLE[i])(3), errors.DerivativeLostError, r"chainrule\.take\(table, i, axis=0\)"),
    (lambda: cr.jit(lambda i: np.take(TABLE, i))(3), errors.DerivativeLostError, r"chainrule\.take\(table, i, axis=0\)"),
    (lambda: cr.grad(lambda x: x, argnums="x")(1.0), errors.SettingError, "'x'.*place of an argument"),
    (lambda: cr.grad(lambda x: x, argnums=1.0)(1.0), errors.SettingError, r"1\.0.*place of an argument"),
    (lambda: cr.grad(lambda x: x, argnums=3)(1.0), errors.SettingError, "argnums=3.*positional"),
    (lambda: cr.derivation(lambda x: np.sum(np.cumsum(x))), errors.DifferentiationError, r"shape \(1,\).*cr\.explain"),
    (lambda: cr.derivation(lambda a, b: np.min(np.stack([a, b]))), errors.DifferentiationError, r"shape.*a \+ b"),
    (lambda: cr.vjp(3.0, 1.0), errors.SettingError, r"given 3\.0.*cr\.vjp\(f, x\)"),
    (lambda: cr.jvp(3.0, (1.0,), (1.0,)), errors.SettingError, r"cr\.jvp\(f, \(x,\), \(t,\)\)"),
    (lambda: cr.hvp(3.0, (1.0,), (1.0,)), errors.SettingError, r"cr\.hvp\(f"),
    (lambda: cr.linearize(3.0, 1.0), errors.SettingError, r"cr\.linearize\(f, x\)"),
    (lambda: cr.trace(3.0), errors.SettingError, r"cr\.trace\(f, x\)"),
    (lambda: cr.scan(3.0, 1.0, ONES), errors.SettingError, r"cr\.scan\(f, state, xs\)"),
    (lambda: cr.loop(3.0, 1.0, 2), errors.SettingError, r"cr\.loop\(f, state, count\)"),
    (lambda: cr.derivative(3.0, 1.0), errors.SettingError, r"cr\.derivative\(f, x\)"),
    (lambda: cr.check_grads(3.0, (1.0,)), errors.SettingError, r"cr\.check_grads\(f, \(x,\)\)"),
    (lambda: cr.custom_derivative(lambda t, y, x: t[0])(3.0), errors.SettingError, "custom_derivative was given 3"),
    (lambda: cr.check_grads(np.sin, (1.0,), atol="a"), errors.SettingError, "atol='a'.*at least 0"),
    (lambda: cr.check_grads(np.sin, (1.0,), eps=0.0), errors.SettingError, "eps=0.0.*more than 0"),
    (lambda: cr.hvp(np.sum, ONES, ONES), errors.ShapeError, r"hvp was given.*cr\.hvp\(f, \(x,\), \(t,\)\)"),
    (lambda: cr.linearize(np.sin, 1.0)[1](), errors.ShapeError, "tuple of 1 and is a tuple of 0"),
    (lambda: cr.evaluate(cr.trace(np.sin, ONES)), errors.ShapeError, "tuple of 1 and is a tuple of 0"),
    (lambda: cr.derivative(lambda x: (x, ONES), 1.0), errors.DifferentiationError, r"gives a tuple.*cr\.flatten"),
    (lambda: cr.derivative(lambda x: {"a": x}, 1.0), errors.DifferentiationError, r"gives a dict.*cr\.flatten"),
    (lambda: cr.value_and_grad(lambda x: x, has_aux=True)(1.0), errors.DifferentiationError, r"gives traced\(.*tuple of two"),
    (lambda: cr.flatten("abc"), errors.TracingError, "str cannot take part"),
    (lambda: cr.Network([cr.Dense]), errors.SettingError, r"class Dense.*cr\.Dense\(\.\.\.\)"),
    (lambda: cr.grad(lambda x: setattr(x, "shape", (3, 1)))(ONES), errors.UnsupportedMethodError, r"'shape'.*x\.reshape"),
    (lambda: cr.derivation(3), errors.DifferentiationError, "given 3.*lambda"),
    (lambda: cr.derivation(lambda x: x, 4), errors.SettingError, "argnums=4"),
    (lambda: cr.Dropout(LONG), errors.SettingError, "rate="),
    (lambda: cr.Dense(3, "a" * 10**6), errors.UnknownNameError, "'aaa.*Known"),
    (lambda: cr.Network([cr.Dense(1)]).fit(LONG, Y, progress=False), ChainruleError, ""),
    (lambda: cr.Network([cr.Dense(1)]).fit(X, Y, loss=LONG, progress=False), ChainruleError, ""),
    (lambda: cr.Network([cr.Dense(1)]).fit(X, Y, epochs=LONG, progress=False), errors.SettingError, "epochs"),
    (lambda: cr.grad(lambda x: x[LONG["a"]])(ONES), ChainruleError, ""),
    (lambda: cr.grad(lambda x: np.reshape(x, LONG["a"]))(ONES), ChainruleError, ""),
    (lambda: cr.grad(lambda x: np.sum(x, axis=LONG["a"]))(ONES), ChainruleError, ""),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "given"), CALLS)
def test_what_goes_wrong_in_a_call(call: Any, kind: Any, given: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    says_all(caught.value, given)


def test_a_misspelt_name_of_the_package_is_told() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'reul'.*did you mean 'relu'"):
        cr.reul  # noqa: B018


@pytest.mark.parametrize("name", ["expit", "erf"])
def test_functions_of_scipy_are_named_by_ours(name: str) -> None:
    scipy = getattr(pytest.importorskip("scipy.special"), name)
    with pytest.raises(
        errors.UnsupportedError, match=f"{name} cannot be traced.*cr.{'sigmoid' if name == 'expit' else name}"
    ):
        cr.grad(lambda x: np.sum(scipy(x)))(ONES)


# --- what NumPy's arrays can do, and traced values too

SAME: list[Any] = [
    lambda x: x.real, lambda x: x.imag, lambda x: x.conj(), lambda x: x.conjugate(), lambda x: np.real(x), lambda x: np.conj(x),
    lambda x: np.stack(list(x.flat)), lambda x: x.flat[1], lambda x: x.nbytes, lambda x: x.itemsize,
    lambda x: np.stack(divmod(x, 0.7)), lambda x: np.stack(divmod(3.0, x)),
    lambda x: np.pad(x, 1, constant_values=(1, 2)), lambda x: np.pad(x, ((1, 0), (0, 2)), constant_values=((1, 2), (3, 4))),
    lambda x: np.roll(x, (1, 2), 1), lambda x: np.roll(x, 1, (0, 1)), lambda x: np.tile(x, np.array([2, 1])),
    lambda x: np.stack(np.split(x, np.int64(2))), lambda x: np.array_split(x, np.array([1]))[1],
    lambda x: x.reshape(np.array([3, -1])), lambda x: x.reshape(np.int64(12)), lambda x: np.reshape(x, (2, 6), order="F"),
    lambda x: x.ravel(order="F"), lambda x: x.flatten("F"), lambda x: np.tril(x[0]), lambda x: np.triu(x[0], 1), lambda x: np.triu(x),
    lambda x: np.take(x, [5, -1], axis=0, mode="wrap"), lambda x: np.take(x, [9, -3], axis=1, mode="clip"),
    lambda x: x.sum(np.int64(0)), lambda x: np.zeros((4, 3)).clip(x[0, 0], x[1, 1]),
    lambda x: np.linalg.vector_norm(x, ord=1), lambda x: np.linalg.vector_norm(x, axis=0, ord=3),
]  # fmt: skip


@pytest.mark.parametrize("use", SAME)
def test_it_is_what_numpy_gives(use: Any) -> None:
    x = np.random.default_rng(0).uniform(0.2, 3.0, (4, 3))
    expected, seen = use(x), []
    cr.vjp(lambda x: [seen.append(use(x)), x * x][1], x)
    found = seen[0]
    if isinstance(found, Traced):
        found = found.inner
        cr.check_grads(use, (x,), order=1)
    assert isinstance(expected, str) == isinstance(found, str)
    if isinstance(expected, str | int):
        assert found == expected
    else:
        np.testing.assert_array_equal(found, expected)


TEXTS: dict[str, Any] = {
    "no form": lambda x: f"{x[0]}", "a form": lambda x: f"{x[0]:.3f}", "a width": lambda x: f"{x[0]:12.5e}",
    "str": str, "repr": repr, "an array": lambda x: f"{x}",
}  # fmt: skip


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize(
    "mode", [cr.grad, lambda f: cr.jit(cr.grad(f)), lambda f: lambda x: cr.vmap(f)(x[None]), cr.hessian]
)
def test_text_can_be_printed_and_is_no_number(mode: Any, text: Any) -> None:
    said: list[str] = []
    mode(lambda x: [np.sum(x * x), said.append(text(x))][0])(ONES)
    assert said[0].startswith(("traced(", "batched("))
    with pytest.raises(errors.DerivativeLostError, match=r"the text of a traced value.*np\.round"):
        mode(lambda x: np.sum(x) * float(text(x)))(ONES)


def test_text_with_digits() -> None:
    said: list[str] = []
    cr.grad(cr.grad(lambda x: [said.append(f"{x:.2f}"), x**2][1]))(2.0)
    value = cr.Value(1.25, name="x")
    assert [*said, f"{value:8.3f}", f"{value}"] == ["traced(traced(2.00))", "Value(   1.250)", str(value)]
    with pytest.raises(ValueError, match="Value"):
        float(f"{value:.2f}")


def test_rounding_a_number_of_its_own() -> None:
    assert cr.grad(lambda x: x * round(x, 1))(2.44) == 2.4


def test_argnums_of_numpy_s_integers() -> None:
    product = cr.grad(lambda a, b: a * b, argnums=np.int64(1))
    assert product(2.0, 3.0) == 2.0
    assert cr.grad(lambda a, b: a * b, argnums=np.array([1, 0]))(2.0, 3.0) == (2.0, 3.0)


def test_arguments_by_name_are_compiled() -> None:
    fast = cr.jit(lambda x, k=1.0: x * k)
    np.testing.assert_array_equal(fast(ONES, k=2.0), 2.0 * ONES)
    np.testing.assert_array_equal(fast(k=3.0, x=ONES), 3.0 * ONES)


def test_a_plain_table_by_a_traced_index() -> None:
    indices = np.array([2, 0, -1])
    np.testing.assert_array_equal(cr.jit(lambda i: cr.take(TABLE, i, axis=0))(indices), TABLE[indices])
    np.testing.assert_array_equal(cr.vmap(lambda i: cr.take(TABLE, i, axis=0))(indices), TABLE[indices])
    np.testing.assert_array_equal(cr.take([1.0, 2.0], 1), 2.0)


# --- one function or operation more


def test_functions_registered_later_are_found() -> None:
    with pytest.raises(errors.UnsupportedError):
        cr.grad(lambda x: np.sum(np.sort_complex(x)))(ONES)

    @function()
    def sort_complex(m: Any, a: Any) -> Any:
        return a[1:] - a[:-1]

    try:
        assert cr.grad(lambda x: np.sum(np.sort_complex(x)))(ONES).tolist() == [-1.0, 0.0, 1.0]
        before = FUNCTIONS["sum"]
        other = FUNCTIONS["sum"] = OF_NUMPY[np.sum] = copy.copy(before)
        other.implementation = lambda m, a, axis=None: m.sum(a * 2.0, axis=(0,), keepdims=False)
        try:
            assert cr.grad(np.sum)(ONES).tolist() == [2.0, 2.0, 2.0]
            assert cr.grad(lambda x: x.sum())(ONES).tolist() == [2.0, 2.0, 2.0]
        finally:
            FUNCTIONS["sum"] = OF_NUMPY[np.sum] = before
    finally:
        del FUNCTIONS["sort_complex"], OF_NUMPY[np.sort_complex]
    with pytest.raises(errors.UnsupportedError):
        cr.grad(lambda x: np.sum(np.sort_complex(x)))(ONES)


@pytest.mark.parametrize("reduction", [np.prod, np.sum, np.min, np.max, np.mean, cr.logsumexp])
def test_a_number_combined_with_no_other_is_itself(reduction: Any) -> None:
    text = str(cr.derivation(lambda x: reduction(x)))
    assert "f(x) = x\n" in text
    assert "df/dx = 1" in text
    assert cr.derivation(lambda x: reduction(x))["x"](x=2.0) == 1.0


# --- how much is said


class Failing:
    def __repr__(self) -> str:
        raise RuntimeError


HUGE = [
    LONG, [LONG] * 50, "a" * 10**6, np.zeros((500, 500)), 10**5000, Failing(), dict.fromkeys(range(1000), "b" * 1000), b"c" * 10**6,
]  # fmt: skip


@pytest.mark.parametrize("value", HUGE, ids=lambda value: type(value).__name__)
def test_values_are_shown_in_part(value: Any) -> None:
    text = shortened(value)
    assert len(text) <= errors.LONGEST
    assert "\n" not in text
    assert len(str(ChainruleError(f"{text} " * 1000))) <= LIMIT


def test_an_index_is_one_equation() -> None:
    for key in (0, -1, (0, 1), (slice(None), 1), (..., slice(1, None), 0), (slice(None, None, -1),), (slice(1, 3), 2)):
        assert len(cr.trace(lambda x, key=key: x[key], np.ones((4, 3))).equations) == 1
