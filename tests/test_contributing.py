"""CONTRIBUTING.md followed to the letter on a copy of the library: every recipe gives a piece that passes every test."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.declarations import names_of
from chainrule.engines import ENGINES, Engine, Executable
from chainrule.tracing import Variable

ROOT = Path(__file__).parents[1]
TESTS = [
    "tests/ops",
    "tests/autodiff/test_vmap.py",
    "tests/nn",
    "tests/training/test_losses.py",
    "tests/training/test_optimizers.py",
    "tests/training/test_schedules.py",
    "tests/engines/test_trajectories.py",
    "tests/engines/test_equations.py",
    "tests/engines/llvm/test_mathematics.py",
    "tests/explanation/test_expressions.py",
    "tests/training/test_random_networks.py",
    "tests/test_storage.py",
    "tests/test_architecture.py",
]
"""Where the tests loop over registries of pieces."""


@dataclass(frozen=True)
class Recipe:
    """A block of code of the guide, and the file it is to be added to."""

    title: str
    path: str
    code: str

    @property
    def name(self) -> str:
        """The name of the operation or the class that is declared."""
        found = re.search(r'^(?:class|def) (\w+)|^    "(\w+)",$', self.code, re.MULTILINE)
        assert found
        return found[1] or found[2]

    @property
    def names(self) -> set[str]:
        """What tests call it: by its class or its operation, or by its name in small letters."""
        return {self.name, *names_of(type(self.name, (), {}))}


FURTHER = [
    Recipe(
        "a layer that mixes rows",
        "src/chainrule/nn/layers.py",
        '''@dataclass(frozen=True)
class Centred(Layer):
    """Each feature less its mean over the batch."""

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """x less its mean."""
        return inputs[0] - np.mean(inputs[0], axis=0)
''',
    ),
    Recipe(
        "a layer with a bias and no linear activation",
        "src/chainrule/nn/layers.py",
        '''@dataclass(frozen=True)
class Quadratic(Layer):
    """tanh(x·W + x²·V + offset), with as many outputs as inputs."""

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """Two matrices, and what is added."""
        n = shapes[0][-1]
        matrix = ParameterSpec((n, n), "normal")
        return {"W": matrix, "V": matrix, "offset": ParameterSpec((n,), "zeros")}

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """tanh(x·W + x²·V + offset)."""
        (x,) = inputs
        return np.tanh(x @ parameters["W"] + x**2 @ parameters["V"] + parameters["offset"])
''',
    ),
    Recipe(
        "an operation that says how it is computed, and nothing else",
        "src/chainrule/ops/ordering.py",
        """ranks = Custom(
    "ranks",
    value=lambda x, axis=0: np.argsort(np.argsort(x, axis=axis), axis=axis),
    type=lambda x, axis=0: _index_type(x, axis),
    examples=_EXAMPLES,
    doc="The place of every element among all along an axis, the least first.",
    public=True,
)
""",
    ),
    Recipe(
        "a layer of two inputs",
        "src/chainrule/nn/layers.py",
        '''@dataclass(frozen=True)
class Modulated(Layer):
    """Features times what a second input says of them, x·(1 + c·G)."""

    takes = 2

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """A matrix from the second input to the features of the first."""
        return {"scale": ParameterSpec((shapes[1][-1], shapes[0][-1]), "glorot_uniform")}

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """x·(1 + c·G)."""
        x, c = inputs
        return x * (1.0 + c @ parameters["scale"])
''',
    ),
    Recipe(
        "an operation that moves the elements of two arrays",
        "src/chainrule/ops/layouts.py",
        """interleaved = Layout(
    "interleaved",
    value=lambda x, y: np.stack([x, y], axis=-1).reshape(*x.shape[:-1], 2 * x.shape[-1]),
    shape=lambda x, y: (*x[:-1], 2 * x[-1]),
    examples=(example((4,), (4,)), example((2, 3), (2, 3))),
    doc="The elements of two arrays in turn along the last axis.",
    public=True,
)
""",
    ),
    Recipe(
        "a mean whose partial asks how many elements there are, and whose examples name axes as calls do",
        "src/chainrule/ops/reductions.py",
        """geometric_mean = Reduction(
    "geometric_mean",
    value=lambda m, x, axis: m.exp(m.mean(m.log(x), axis=axis, keepdims=True)),
    partial=lambda m, y, x, axis: y / (math.prod(x.shape[i] for i in axis) * x),
    latex=r"\\operatorname{{gm}} {0}",
    differential=r"\\frac{{y}}{{n}} \\sum_k \\frac{{d{0}_k}}{{{0}_k}}",
    examples=(example(np.array([0.5, 2.0, 3.0])), example(np.array([[0.5, 2.0], [1.5, 0.25]]), axis=-1)),
    doc="exp of the mean of ln x along axes, for positive x.",
    public=True,
)
""",
    ),
    Recipe(
        "an operation with an input called as results are, and a power of a half",
        "src/chainrule/ops/arithmetic.py",
        """smooth_maximum = Elementwise(
    "smooth_maximum",
    value=lambda m, x, y: 0.5 * (x + y + m.power(m.square(x - y) + 1.0, 0.5)),
    partials=(
        lambda m, z, x, y: (z - y) / m.power(m.square(x - y) + 1.0, 0.5),
        lambda m, z, x, y: (z - x) / m.power(m.square(x - y) + 1.0, 0.5),
    ),
    latex=r"\\operatorname{{smax}}\\left({0}, {1}\\right)",
    domain=(REAL, REAL),
    doc="(x + y + √((x − y)² + 1))/2.",
    public=True,
)
""",
    ),
    Recipe(
        "an operation that computes with its numbers alone",
        "src/chainrule/ops/arithmetic.py",
        """widened = Elementwise(
    "widened",
    value=lambda m, x, size: x * m.exp(m.square(size)),
    partials=(lambda m, y, x, size: m.exp(m.square(size)), lambda m, y, x, size: 2.0 * size * y),
    latex=r"w\\left({0}, {1}\\right)",
    domain=(REAL, Domain(-1.0, 1.0)),
    defaults={"size": 0.5},
    doc="x·exp(size²).",
    public=True,
)
""",
    ),
]
"""What the guide does not show: pieces that are unlike those there are in what tests might take for granted."""


def recipes() -> list[Recipe]:
    """`FURTHER`, and every block of Python code in the guide, with its heading and the path named last before it."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    found = list(FURTHER)
    for block in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
        before = text[: block.start()]
        level, title = re.findall(r"^(#+) (.*)$", before, re.MULTILINE)[-1]
        if level == "###":  # the other one is an engine, which is no single file's matter
            found.append(Recipe(title, re.findall(r"`(src/chainrule/[\w/]+\.py)`", before)[-1], block[1]))
    return found


def test_the_engine_of_the_guide_is_a_whole_one(monkeypatch: Any) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    (code,) = re.findall(r"^## Add an engine\n.*?```python\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"Engine": Engine, "Executable": Executable, "Variable": Variable}
    exec(code, names)
    engine = names["OneByOne"]()
    monkeypatch.setitem(ENGINES, engine.name, engine)
    X, y = np.random.default_rng(0).normal(size=(30, 3)), np.arange(30) % 2
    trained = []
    for name in (engine.name, "numpy"):
        network = cr.Network([cr.Dense(4, "tanh"), cr.Dense(1)], dtype="float64")
        network.fit(X, y, epochs=3, engine=name, progress=False)
        trained.append([network.predict_proba(X, engine=name), cr.jit(np.tanh, engine=name)(X)])
    for found, expected in zip(*trained, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: Any) -> Path:
    """The library and its tests with all recipes carried out."""
    root: Path = tmp_path_factory.mktemp("contributing")
    for folder in ("src", "tests"):
        shutil.copytree(ROOT / folder, root / folder)
    for name in ("ARCHITECTURE.md", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    for recipe in recipes():
        with (root / recipe.path).open("a") as file:
            file.write(("\n\n" if re.search("^(class|def) ", recipe.code, re.MULTILINE) else "") + recipe.code)
    return root


@pytest.fixture(scope="module")
def outcomes(copy: Path) -> dict[str, bool]:
    """Every test that names a new piece or walks the declarations, run on the copy: whether it passed."""
    chosen = {name for recipe in recipes() for name in recipe.names} | {"declared", "exported", "registries", "public"}
    paths = [*TESTS, *dict.fromkeys(recipe.path for recipe in recipes())]
    report = copy / "report.xml"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--doctest-modules", f"--junitxml={report}", "-k",
         " or ".join(sorted(chosen)), *paths],
        cwd=copy, env=environment(copy), capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode in (0, 1), run.stdout + run.stderr
    cases = list(ET.parse(report).iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    assert not failed, run.stdout[-20_000:]
    return {f"{case.get('classname')}.{case.get('name')}": case.find("skipped") is None for case in cases}


def environment(copy: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(copy / "src"), "CHAINRULE_CACHE": str(copy / "cache")}


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.name)
def test_a_recipe_is_tested_by_the_loops_and_passes(recipe: Recipe, outcomes: dict[str, bool]) -> None:
    own = [test for test in outcomes if any(re.search(rf"\b{name}\b", test) for name in recipe.names)]
    assert len(own) >= 4, own
    assert all(outcomes[test] for test in own)


def test_recipes_are_exported_by_name_and_documented(copy: Path) -> None:
    code = (
        "import sys, chainrule as cr\n"
        "for name in sys.argv[1:]: print(name, name in cr.__all__, bool(getattr(cr, name).__doc__))"
    )
    names = [recipe.name for recipe in recipes()]
    run = subprocess.run(
        [sys.executable, "-c", code, *names], env=environment(copy), capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == [f"{name} True True" for name in names]


def test_recipes_pass_the_linter(copy: Path) -> None:
    paths = [str(copy / recipe.path) for recipe in recipes()]
    for command in (["check"], ["format", "--check"]):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", *paths], cwd=copy, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stdout + run.stderr
