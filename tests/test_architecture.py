"""The room this code lives in: sizes of modules, direction of imports, what is loaded when, and docstrings."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule

SOURCE = Path(chainrule.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))
ARCHITECTURE = SOURCE.parents[1] / "ARCHITECTURE.md"

LAYERS = re.findall(r"^\d+\. `(\w+)`: ", ARCHITECTURE.read_text(), re.MULTILINE)
"""The numbered list of ARCHITECTURE.md, from the bottom up."""

HEIGHT = {name: height for height, name in enumerate(LAYERS)}


def package_of(dotted):
    """The part of the library a dotted name belongs to: `ops` for `chainrule.ops.kinds`; the root for chainrule itself."""
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports_of(path):
    """The dotted names a module imports from this library, with the line numbers."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            names = [f"chainrule.{path.relative_to(SOURCE).parts[0]}"]
        elif isinstance(node, ast.ImportFrom) and node.module == "chainrule":
            names = [f"chainrule.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        else:
            continue
        yield from ((name, node.lineno) for name in names if name.split(".")[0] == "chainrule")


def relative(path):
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_are_short_and_say_what_they_are(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 400
    assert ast.get_docstring(ast.parse(path.read_text())), "no docstring"
    assert lines[0].startswith('"""'), "the docstring is not in the first line"


@pytest.mark.parametrize("path", [path for path in MODULES if path != SOURCE / "__init__.py"], ids=relative)
def test_imports_point_one_way(path):
    mine = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    assert mine in HEIGHT, f"{mine} is in no layer"
    for name, line in imports_of(path):
        theirs = package_of(name)
        if theirs != mine and theirs in HEIGHT:
            assert HEIGHT[theirs] < HEIGHT[mine], (
                f"{relative(path)}:{line} imports {name}, which stands above or beside it"
            )


def test_the_layers_are_the_parts_there_are():
    parts = {path.relative_to(SOURCE).parts[0].removesuffix(".py") for path in MODULES} - {"__init__"}
    assert sorted(LAYERS) == sorted(parts)


HEAVY = ("llvmlite", "sklearn", "matplotlib", "rich", "typer", "pandas", "polars", "sympy", "scipy")


def loaded_by(statement):
    """Names of top-level modules in memory after a statement in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_loads_nothing_heavy():
    loaded = loaded_by("import chainrule")
    assert "numpy" in loaded
    assert not loaded & set(HEAVY)


def test_differentiating_loads_nothing_heavy():
    loaded = loaded_by("import chainrule as cr, numpy as np\ncr.grad(lambda x: np.sum(np.tanh(x)))(np.ones(2))")
    assert not loaded & set(HEAVY)


def modules_with_public_names():
    for info in pkgutil.walk_packages(chainrule.__path__, "chainrule."):
        if not info.name.endswith("__main__"):
            module = importlib.import_module(info.name)
            if hasattr(module, "__all__"):
                yield module
    yield chainrule


@pytest.mark.parametrize("module", list(modules_with_public_names()), ids=lambda module: module.__name__)
def test_everything_public_exists_and_has_a_docstring(module):
    assert module.__doc__
    assert len(module.__all__) == len(set(module.__all__))
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.ismodule(value) or inspect.isclass(value) or inspect.isroutine(value):
            assert inspect.getdoc(value), f"{module.__name__}.{name} has no docstring"


def test_folders_are_packages():
    for folder in {path.parent for path in MODULES}:
        assert (folder / "__init__.py").exists(), f"{relative(folder)} is no package"


def test_names_loaded_later_are_the_same_in_both_lists() -> None:
    import chainrule
    from chainrule import learning

    early = {name for name in chainrule.__all__ if name in vars(chainrule) and name not in vars(learning)}
    assert set(chainrule.__all__) == early | set(learning.__all__)
    assert all(getattr(chainrule, name) is getattr(learning, name) for name in learning.__all__)
