"""Registries know everything whoever asks, though a program that asks for nothing rare loads nothing rare."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import chainrule.ops
from chainrule.ops import REGISTRY
from waiting import LONG

BEGIN = """
import sys, numpy as np, chainrule as cr
from chainrule.ops import FUNCTIONS, REGISTRY, eager, operation
from chainrule.ops.operation import OF_NUMPY
assert "chainrule.ops.later" not in sys.modules
A, x = np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([0.5, 2.0])
"""
WAYS = {
    "function": "assert np.allclose(cr.grad(np.linalg.det)(A), 5.5 * np.linalg.inv(A).T)",
    "ufunc": "assert (cr.grad(lambda x: np.sum(np.fmax(x, 1.0)))(x) == [0, 1]).all()",
    "its method": "assert (cr.grad(lambda x: np.fmax.reduce(x))(x) == [0, 1]).all()",
    "transform": "assert np.allclose(cr.grad(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2))(x), 4 * x)",
    "without NaN": "assert (cr.jit(lambda x: np.nansum(x), engine='numpy')(x) == 2.5).all()",
    "vmap": "assert np.allclose(cr.vmap(np.linalg.inv)(A[None]), np.linalg.inv(A))",
    "jvp": "assert np.allclose(cr.jvp(np.linalg.det, (A,), (A,))[1], 11.0)",
    "eager": "assert np.allclose(eager.solve(A, x), np.linalg.solve(A, x))",
    "traced": "from chainrule.tracing import traced; assert np.allclose(traced.solve(A, x), np.linalg.solve(A, x))",
    "operation": "assert operation('solve').name == 'solve'",
    "name": "assert FUNCTIONS['linalg.det'].numpy == (np.linalg.det,)",
    "get": "assert OF_NUMPY.get(np.linalg.det).name == 'linalg.det' and OF_NUMPY.get(len) is None",
    "in": "assert 'solve' in REGISTRY and 'dissolve' not in REGISTRY",
    "length": "assert len(REGISTRY) == len([*dict.keys(REGISTRY)])",
    "loop": "assert 'linalg.det' in [*FUNCTIONS]",
    "backwards": "assert np.linalg.det in [*reversed(OF_NUMPY)]",
    "keys": "assert np.linalg.det in OF_NUMPY.keys()",
    "values": "assert 'solve' in [op.name for op in REGISTRY.values()]",
    "items": "assert 'solve' in [name for name, op in REGISTRY.items()]",
    "copy": "assert 'linalg.det' in [*{**FUNCTIONS}] and 'solve' in [*dict(REGISTRY)]",
    "union": "assert 'solve' in dict.keys(REGISTRY | {})",
    "the library's names": "assert 'take' in dir(cr) and 'Network' in dir(cr)",
}


def carry_out(code: str) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", BEGIN + code], capture_output=True, text=True, timeout=LONG
    )
    assert not run.returncode, run.stderr


@pytest.mark.parametrize("way", WAYS)
def test_what_is_loaded_later_is_there_when_it_is_asked_for(way: str) -> None:
    carry_out(WAYS[way] + "\nassert 'chainrule.ops.later' in sys.modules")


def test_common_programs_load_nothing_of_it() -> None:
    carry_out("""
f = lambda x: np.sum(np.tanh(A @ x) ** 2) + np.mean(np.maximum(x, 0.0)) + np.var(cr.softmax(x)) + np.concatenate([x, x])[1]
cr.grad(f)(x), cr.hessian(f)(x), cr.vmap(f)(A), cr.jvp(f, (x,), (x,)), cr.jit(f, engine="numpy")(x), cr.check_grads(f, (x,))
assert "chainrule.ops.later" not in sys.modules and "numpy.fft" not in sys.modules""")


@pytest.mark.parametrize("module", ["ops.fourier", "ops.least_squares", "ops.functions.vectors"])
def test_a_load_that_fails_leaves_nothing_and_is_done_again(module: str) -> None:
    carry_out(f"""
before = [dict(dict.items(table)) for table in (REGISTRY, FUNCTIONS, OF_NUMPY)]
sys.modules["chainrule.{module}"] = None
for ask in (lambda: len(REGISTRY), lambda: cr.grad(np.linalg.det)(A)):
    try:
        ask()
        raise AssertionError
    except ImportError:
        assert before == [dict(dict.items(table)) for table in (REGISTRY, FUNCTIONS, OF_NUMPY)]
del sys.modules["chainrule.{module}"]
assert np.allclose(cr.grad(np.linalg.det)(A), 5.5 * np.linalg.inv(A).T) and "fft" in FUNCTIONS and len(REGISTRY) > 100""")


@pytest.mark.parametrize("module", ["fourier", "linear_algebra", "decompositions", "functions.polynomials"])
def test_its_modules_may_be_imported_by_themselves(module: str) -> None:
    carry_out(f"""
import chainrule.ops.{module}
assert "chainrule.ops.later" not in sys.modules and "solve" in REGISTRY and "fft" in FUNCTIONS""")


def test_public_pieces_of_it_are_the_librarys_names() -> None:
    carry_out("""
import pickle
from chainrule.ops import function
@function(public=True)
def twice(m, x):
    '''Two times as much.'''
    return x + x
assert cr.grad(cr.twice)(3.0) == 2 and cr.twice.__doc__ == "Two times as much." and "twice" in cr.__all__
assert pickle.loads(pickle.dumps(cr.twice)) is cr.twice""")


def test_everything_declared_is_in_a_registry() -> None:
    """Nobody imports the modules of declarations but `ops`, so one that is left out would not be noticed."""
    names = {info.name for info in pkgutil.walk_packages(chainrule.ops.__path__, "chainrule.ops.")}
    assert len(REGISTRY)  # which loads all
    assert names <= set(sys.modules)
