"""`chainrule.scipy` as a namespace: SciPy's own objects but for what has derivatives, and what is said where SciPy is missing."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

import chainrule as cr
import chainrule.numpy
import chainrule.scipy
import scipy
from chainrule.errors import DerivativeLostError, UnsupportedError
from chainrule.scipy import fft, integrate, interpolate, linalg, optimize, signal, special, stats

MODULES = {
    special: special.standing.functions, linalg: linalg.standing.functions, signal: signal.standing.functions,
    stats: stats.DISTRIBUTIONS, integrate: integrate.FUNCTIONS, optimize: optimize.FUNCTIONS, interpolate: interpolate.FUNCTIONS,
    fft: fft.standing.functions,
}  # fmt: skip


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_everything_is_scipys_but_what_has_derivatives(module):
    own = getattr(scipy, module.__name__.rpartition(".")[2])
    for name in own.__all__:
        assert name in dir(module)
        if inspect.ismodule(getattr(own, name)):
            continue
        same = getattr(module, name) is getattr(own, name)
        assert same is (name not in MODULES[module]), name
    assert set(MODULES[module]) <= set(own.__all__)


def test_other_modules_are_scipys():
    assert chainrule.scipy.ndimage is scipy.ndimage
    assert chainrule.scipy.special is special
    assert set(dir(scipy)) <= set(dir(chainrule.scipy))
    with pytest.raises(AttributeError):
        chainrule.scipy.nothing  # noqa: B018


def test_importing_is_needed_and_a_missing_scipy_is_said():
    code = (
        "import sys; sys.modules['scipy'] = None\nimport chainrule\n"
        "try:\n import chainrule.scipy\nexcept chainrule.ChainruleError as e: print(e)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == 'chainrule.scipy needs SciPy, which is not installed. Install it: pip install "chainrule[scipy]"\n'


@pytest.mark.parametrize(
    ("imported", "used"),
    [
        ("from chainrule.scipy import stats", "stats.gamma.logpdf"),
        ("import chainrule.scipy.stats.norm as norm", "norm.logcdf"),
        ("import chainrule.scipy", "chainrule.scipy.special.gammaln"),
    ],
)
def test_each_way_to_import_is_enough(imported, used):
    code = f"import chainrule as cr\n{imported}\nprint(cr.grad({used})(1.5{', 2.0' if 'gamma.' in used else ''}))"
    assert np.isfinite(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    )


def test_arrays_of_chainrule_numpy_and_lists_hold_traced_values():
    def filled(x):
        y = chainrule.numpy.zeros(2)
        y[0], y[1] = x, 2.0 * x
        return np.sum(special.gammaln(y)) + special.logsumexp([x, 1.0]) + stats.norm.logpdf(y, loc=[x, 0.0]).sum()

    slope = (filled(1.5 + 1e-6) - filled(1.5 - 1e-6)) / 2e-6
    assert cr.grad(filled)(1.5) == pytest.approx(slope, rel=1e-7)


def test_scipy_itself_refuses_traced_values_and_names_this():
    with pytest.raises(UnsupportedError, match=r"from chainrule.scipy import special"):
        cr.grad(scipy.special.gammaln)(1.5)
    with pytest.raises(DerivativeLostError, match=r"that of chainrule.scipy"):
        cr.grad(lambda x: scipy.stats.norm.logpdf(x))(1.5)


def test_explanations_know_what_scipy_computes():
    assert "digamma(x" in str(cr.explain(special.gammaln)(1.5))  # x0 before SciPy's functions named their arguments
    assert "0.5 · (jv[1](x) − jv[3](x))" in str(cr.derivation(lambda x: special.jv(2, x)))
