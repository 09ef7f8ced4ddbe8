"""LaTeX that TeX reads: everything in signs of ASCII, and compiled, where there is an engine for it."""

import shutil
import subprocess

import numpy as np
import pytest

import chainrule as cr
from chainrule.explanation.rendering.commands import mathematics, sentence, words
from chainrule.ops import REGISTRY, Elementwise
from chainrule.tracing.apply import traced

NAMES = ("σ", "w₁", "Δx", "learning rate")
OPERATIONS = [
    op
    for op in REGISTRY.values()
    if isinstance(op, Elementwise) and op.differentiable and all(d.dtype == "float" for d in op.domain)
    if op.loops and op.notation.algebra != "identity"
]
ENGINES = [engine for engine in ("pdflatex", "lualatex", "xelatex", "tectonic") if shutil.which(engine)]


def derivation_of(op):
    """Why the derivative of an operation on named values, and of it inside another, is what it is."""
    inside = [(max(d.bounds[0], -1.5), min(d.bounds[1], 2.5)) for d in op.domain]
    given = [cr.Value(low + 0.61 * (high - low), name) for (low, high), name in zip(inside, NAMES, strict=False)]
    result = np.tanh(getattr(traced, op.name)(*given) * given[0])
    return cr.explain(result, given[0], depth="terms")


def derivations():
    """Of every elementwise operation, of networks, of values without names."""
    for op in OPERATIONS:
        yield derivation_of(op)
    yield cr.derivation(lambda σ, b, c: np.tanh(σ * b) ** c / np.sqrt(b))
    network = cr.Network([cr.Dense(3, "gelu", name="hidden_1"), cr.Dense(2, "softmax")], dtype="float64").build(2)
    X, y = [[0.1, 0.2], [0.3, 0.4]], [0, 1]
    for where in ("hidden_1.weight[0, 1]", "hidden_1.weight[i, j]"):
        yield network.explain(X, y, where, loss="cross_entropy", check="i," not in where, l2=0.1)
    x = cr.Value(np.array([1.0, 2.0, 3.0]), "x")
    for value in (np.sum(np.sort(x) ** 2), np.sum(np.where(x > 2, x, x**2)), np.linalg.norm(x), np.max(x * x)):
        yield cr.explain(value, x, index=[1])


FOUND = list(derivations())


def test_every_form_is_in_signs_of_ascii():
    for derivation in FOUND:
        assert derivation.to("latex").isascii(), derivation
        assert derivation.to("markdown").replace("…", "").isascii(), derivation


@pytest.mark.skipif(not ENGINES, reason="there is no TeX engine on this machine")
def test_tex_compiles_them(tmp_path):
    """All in one document, as a page of mathematics and as what Markdown holds; an error stops the engine."""
    pieces = [derivation.to("latex") for derivation in FOUND]
    for derivation in FOUND:
        formulas = derivation.to("markdown").split("$$")[1::2]
        pieces += [f"\\[{formula}\\]" for formula in formulas]
    preamble = r"\documentclass{article}\usepackage{amsmath}\usepackage[paperwidth=200cm,paperheight=200cm]{geometry}"
    text = "\n\n".join([preamble, r"\begin{document}", *pieces, r"\end{document}"])
    (tmp_path / "sample.tex").write_text(text, encoding="utf-8")
    command = [ENGINES[0], *(["-interaction=nonstopmode", "-halt-on-error"] * (ENGINES[0] != "tectonic")), "sample.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / "sample.pdf").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("text", "as_formula", "as_words"),
    [
        ("tanh(a·b)²", r"\mathrm{tanh}(a \cdot b)^{2}", r"tanh(a\cdot b)^{2}"),
        ("x^0.5 − w₁", "x^{0.5} - w_{1}", r"x\hat{}0{.}5\ -\ w_{1}"),
        ("x^(1 + t)", "x^{1 + t}", r"x\hat{}(1\ +\ t)"),
        ("hidden_1.weight", r"\mathrm{hidden\_1{.}weight}", r"hidden\_1{.}weight"),
        ("λ", r"\lambda", r"\lambda "),
        ("50 %", r"50\ \%", r"50\ \%"),
        ("é", r"\acute{e}", r"\acute{e}"),
    ],
)
def test_text_as_latex(text, as_formula, as_words):
    assert mathematics(text) == as_formula
    assert words(text) == as_words


def test_sentences_keep_letters_and_put_signs_into_mathematics():
    assert sentence("x_1 ≥ 2 in 5 % of Größe …") == r"x\_1 $\geq $ 2 in 5 \% of Größe $\ldots $"
