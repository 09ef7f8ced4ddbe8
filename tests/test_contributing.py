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

import pytest

from chainrule.declarations import names_of

ROOT = Path(__file__).parents[1]
TESTS = [
    "tests/ops",
    "tests/nn/test_activation_functions.py",
    "tests/nn/test_initializers.py",
    "tests/nn/test_layers.py",
    "tests/training/test_losses.py",
    "tests/training/test_optimizers.py",
    "tests/training/test_schedules.py",
    "tests/engines/test_llvm_training.py",
    "tests/engines/llvm/test_kernels.py",
    "tests/test_storage.py",
    "tests/test_architecture.py",
]
"""Where the tests loop over registries of pieces."""

LATER = {"reverse_last"}
"""Recipes that cannot be followed yet: machine code asks for layouts by name."""


@dataclass(frozen=True)
class Recipe:
    """A block of code of the guide, and the file it is to be added to."""

    title: str
    path: str
    code: str

    @property
    def name(self) -> str:
        """The name of the operation or the class that is declared."""
        found = re.search(r'^class (\w+)|^    "(\w+)",$', self.code, re.MULTILINE)
        assert found
        return found[1] or found[2]

    @property
    def names(self) -> set[str]:
        """What tests call it: by its class or its operation, or by its name in small letters."""
        return {self.name, *names_of(type(self.name, (), {}))}


def recipes() -> list[Recipe]:
    """Every block of Python code in the guide, with its heading and the path named last before it."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    found = []
    for block in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
        before = text[: block.start()]
        title = re.findall(r"^### (.*)$", before, re.MULTILINE)[-1]
        found.append(Recipe(title, re.findall(r"`(src/chainrule/[\w/]+\.py)`", before)[-1], block[1]))
    return [recipe for recipe in found if recipe.name not in LATER]


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
            file.write(("\n\n" if "class " in recipe.code else "") + recipe.code)
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
