"""The room this code lives in: sizes of modules, direction of imports, what is loaded when, and docstrings."""

import ast
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

import chainrule
from chainrule import nn, training
from chainrule.declarations import by_name, declared, names_of
from chainrule.network.files.values import KNOWN
from chainrule.nn import ACTIVATIONS, INITIALIZERS
from chainrule.ops import FUNCTIONS, REGISTRY, Elementwise
from chainrule.ops.notation import Algebra, Form
from chainrule.training import LOSSES, OPTIMIZERS
from together import together

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


def part_of(path):
    """The part of the library that a module is in, or is."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@cache
def tree_of(path):
    """What a module says, as Python reads it."""
    return ast.parse(path.read_text())


def imports_of(path):
    """The dotted names a module imports from this library, with the line numbers."""
    for node in ast.walk(tree_of(path)):
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


@together([(path,) for path in MODULES], part_of)
def test_modules_are_short_and_say_what_they_are(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 400
    assert ast.get_docstring(tree_of(path)), "no docstring"
    assert lines[0].startswith('"""'), "the docstring is not in the first line"


@together([(path,) for path in MODULES if path != SOURCE / "__init__.py"], part_of)
def test_imports_point_one_way(path):
    mine = part_of(path)
    assert mine in HEIGHT, f"{mine} is in no layer"
    for name, line in imports_of(path):
        theirs = package_of(name)
        if theirs != mine and theirs in HEIGHT:
            assert HEIGHT[theirs] < HEIGHT[mine], (
                f"{relative(path)}:{line} imports {name}, which stands above or beside it"
            )


def dotted_name(path):
    """`chainrule.ops.kinds` for the path of a module or of a package's `__init__`."""
    parts = ("chainrule", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {dotted_name(path): path for path in MODULES}


def modules_imported_by(path):
    """The modules of this library that one imports anywhere: at the top, in a function, or for a type checker only."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{relative(path)}:{node.lineno} is a relative import, which no test here follows"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found.update(name if name in NAMES else node.module for name in inner)
    return (found & set(NAMES)) - {dotted_name(path)}


def circles_in(graph):
    """The groups of nodes that can all be reached from each other."""
    reached = {}
    for start in graph:
        reached[start], waiting = set(), [start]
        while waiting:
            for following in graph[waiting.pop()] - reached[start]:
                reached[start].add(following)
                waiting.append(following)
    return {frozenset(b for b in reached[a] if a in reached[b]) for a in graph if a in reached[a]}


def test_circles_are_found():
    assert circles_in({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == {frozenset("bc")}
    assert circles_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == set()


def test_no_modules_import_each_other_in_a_circle():
    """Neither between packages nor inside them: any module can be read with nothing but those it imports.

    A package's `__init__` counts as a module, so its own modules do not import what it gathers. The root, which only
    loads names, is left out. There are no exceptions.
    """
    graph = {name: modules_imported_by(path) - {"chainrule"} for name, path in NAMES.items() if name != "chainrule"}
    assert not circles_in(graph), [sorted(circle) for circle in circles_in(graph)]


FOREIGN = {
    "_NoValue": "NumPy's default of arguments such as `initial`, which has no public name",
    "_lock": "llvmlite's lock, which a fork has to wait for; it has no public name",
    "_dispose": "llvmlite frees a pass manager late, and a public close() is missing",
    "_init_callback_context": "scikit-learn's callbacks, an interface still in the making",
    "_skl_callbacks": "scikit-learn's callbacks, an interface still in the making",
    "_fit_context": "scikit-learn's own estimators check their parameters with it; there is no public one",
    "_asdict": "public by the documentation of namedtuple; the underscore keeps fields free",
    "_check_partial_fit_first_call": "scikit-learn's check of `classes`; there is no public one",
    "_check_sample_weight": "scikit-learn's check of weights; there is no public one",
    "_fields": "public by the documentation of namedtuple; the underscore keeps fields free",
    "_exit": "the standard library's own name for ending a process without asking its other threads",
}
"""Private names of other libraries that are read, and why."""


def is_private(name):
    """Whether a name belongs to the module it is defined in: `_x`, but not the protocols' `__x__` and `_repr_x_`."""
    return name.startswith("_") and not name.endswith("_") and name not in FOREIGN


def private_names_defined_in(tree):
    """Functions, classes, variables and attributes with private names that a module makes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
            yield node.attr


def is_own(node):
    """Whether an expression is the object that a method belongs to."""
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


BY_NAME = {"getattr", "setattr", "hasattr", "delattr"}
"""Functions that take an attribute by its name."""


def private_names_read_in(tree):
    """Private names taken from something else than `self` and `cls`, with line numbers; imports and getattr too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not is_own(node.value):
            yield node.attr, node.lineno
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in BY_NAME:
            yield from (
                (x.value, node.lineno)
                for x in node.args[1:2]
                if isinstance(x, ast.Constant) and not is_own(node.args[0])
            )


@together([(path,) for path in MODULES], part_of)
def test_nobody_reads_what_is_private_elsewhere(path):
    """`x._name`, where x is not `self` or `cls`, only in the module that defines `_name`.

    So what one module needs of another's objects is public there, or is handed over. A class may use what it inherits.
    """
    tree = tree_of(path)
    own = set(private_names_defined_in(tree))
    found = [
        f"line {line}: {name}" for name, line in private_names_read_in(tree) if is_private(name) and name not in own
    ]
    assert not found, f"{relative(path)} reads what is private elsewhere: {found}"


def test_names_of_other_libraries_are_those_that_are_read():
    trees = map(tree_of, MODULES)
    assert set(FOREIGN) <= {name for tree in trees for name, _ in private_names_read_in(tree)}


def test_the_layers_are_the_parts_there_are():
    parts = set(map(part_of, MODULES)) - {"__init__"}
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
            if "__all__" in vars(module):  # not the one of a library that it stands for
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


HOMES = [
    f"chainrule.{home}"
    for home in (
        *("nn.layers", "nn.embeddings", "nn.ensembles", "nn.normalising", "nn.standardising", "nn.initializers"),
        *("training.losses", "training.optimizers", "training.schedules"),
    )
]


def pieces():
    """Every public class written down in a module of pieces, found in its text."""
    for home in HOMES:
        module = importlib.import_module(home)
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield module, node.name


@pytest.mark.parametrize(("module", "name"), list(pieces()), ids=lambda x: x if isinstance(x, str) else "")
def test_what_is_declared_is_exported_and_can_be_loaded(module, name):
    kind = getattr(module, name)
    assert getattr(chainrule, name) is kind
    assert name in chainrule.__all__
    assert name in dir(chainrule)
    assert KNOWN[name] is kind
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    base = {"losses": chainrule.Loss, "optimizers": chainrule.Optimizer, "layers": chainrule.Layer}.get(
        module.__name__.rpartition(".")[2]
    )
    assert base is None or issubclass(kind, base)


def test_registries_hold_what_is_declared():
    """Every class that can be made without settings, by its own name; that is, all but those that say they have none."""
    for registry, module in (
        (LOSSES, training.losses),
        (OPTIMIZERS, training.optimizers),
        (INITIALIZERS, nn.initializers),
    ):
        kinds = [kind for kind in declared(module).values() if names_of(kind)]
        assert [type(one) for one in registry.values()] == kinds
        assert list(registry) == [names_of(kind)[0] for kind in kinds]


def test_public_operations_and_functions_are_exported():
    public = {op.name for op in REGISTRY.values() if op.public}
    public |= {function.name for function in FUNCTIONS.values() if function.public}
    assert public <= set(chainrule.__all__)
    for name in public:
        function = getattr(chainrule, name)
        assert function.__name__ == name
        assert pickle.loads(pickle.dumps(function)) is function
    assert {op.name for op in REGISTRY.values() if isinstance(op, Elementwise) and op.activation} <= set(ACTIVATIONS)
    assert {function.name for function in FUNCTIONS.values() if function.activation} <= set(ACTIVATIONS)


WALKERS = [
    *(f"tracing/passes/{name}.py" for name in ("simplify", "rowwise")),
    *(f"engines/llvm/planning/{name}.py" for name in ("lowering", "groups", "memory", "sharing")),
    "engines/llvm/writing/moves.py",
    *(f"explanation/evaluations/{name}.py" for name in ("networks", "elements")),
    *(str(path.relative_to(SOURCE)) for path in MODULES if path.parent.name == "rendering"),
]


@pytest.mark.parametrize("path", WALKERS)
def test_what_walks_programs_knows_operations_by_what_they_declare(path):
    """None is named there to be treated apart. The words for kinds of notation are no names of operations."""
    tree = tree_of(SOURCE / path)
    texts = {x.value for x in ast.walk(tree) if isinstance(x, ast.Constant) and isinstance(x.value, str)}
    assert texts & set(REGISTRY) <= {*get_args(Form), *get_args(Algebra)}
    asked = {ast.unparse(x) for x in ast.walk(tree) if isinstance(x, ast.Compare | ast.MatchValue)}
    assert not [text for text in asked if re.search(r"\bop\.name\b|\bop is\b|\.op is\b", text)]
    imports = [x for x in ast.walk(tree) if isinstance(x, ast.ImportFrom) and "ops" in str(x.module).split(".")]
    assert not {alias.name for x in imports for alias in x.names} & set(REGISTRY)


def test_a_star_import_brings_every_public_name():
    names: dict[str, object] = {}
    exec("from chainrule import *", names)
    assert set(chainrule.__all__) <= set(names)
    with pytest.raises(AttributeError, match="no attribute 'Dens'"):
        _ = chainrule.Dens


def test_names_of_classes():
    assert [names_of(type(name, (), {}))[0] for name in ("SquaredError", "L2Norm", "KLDivergence", "SGD", "Rprop")] == [
        "squared_error",
        "l2_norm",
        "kl_divergence",
        "sgd",
        "rprop",
    ]
    assert names_of(chainrule.NAdam) == ("nadam",)  # its own, not one of Adam's
    assert names_of(chainrule.SquaredError) == ("squared_error", "mse")
    with pytest.raises(ValueError, match="both known as 'adam'"):
        by_name({"Adam": chainrule.Adam, "Other": dataclasses.make_dataclass("Adam", [])})


def test_what_make_runs_exists():
    makefile = (ARCHITECTURE.parent / "Makefile").read_text()
    paths = re.findall(r"\b(?:tests|benchmarks)/[\w/]+\.py", makefile)
    assert paths
    assert [path for path in paths if not (ARCHITECTURE.parent / path).exists()] == []


def test_every_file_of_tests_has_a_name_of_its_own():
    """Two of one name, in whichever folders, and pytest collects none of them."""
    own = {"__init__.py", "conftest.py"}  # these are of their folders
    names = [path.name for path in Path(__file__).parent.rglob("*.py") if path.name not in own]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
