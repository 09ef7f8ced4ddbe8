"""A mutation run (`make mutants`): faults put into a copy of the sources, one at a time, to see whether a test fails.

A mutant is one changed node: a comparison, an operator, a number, swapped arguments, a statement left out. Texts,
messages, annotations, decorators and tuning constants in CAPITALS are left alone. Which mutants are taken follows from a
hash of what is changed and where, so that it is the same in every run, and an edit elsewhere changes nothing.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CONCERNED = {  # the tests of each package's own, those that come to an end soonest first, and then of what stands on it
    "ops": "tests/ops tests/autodiff tests/tracing",
    "tracing": "tests/tracing tests/autodiff tests/ops",
    "autodiff": "tests/autodiff tests/tracing",
    "training": "tests/training tests/test_answering.py tests/test_network.py tests/explanation/test_steps.py",
    "engines": "tests/engines tests/test_answering.py",
}
EVERYTHING = "tests --ignore=tests/benchmarks --ignore=tests/sklearn --ignore=tests/cli --ignore=tests/test_examples.py"
KILLED = "killed from outside: nothing is known"
MEMORY = 16 << 30  # bytes of addresses that a run of tests may have: a fault may ask for memory without end
SPARED = ("mathematics/coefficients.py",)  # numbers computed by another program, held to it by a test of their own
SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift,
}  # fmt: skip
SYMMETRIC = frozenset(["isinstance", "max", "min", "maximum", "minimum", "hypot", "add", "multiply", "equal", "not_equal",
                       "logical_and", "logical_or", "bitwise_and", "bitwise_or", "bitwise_xor", "and_", "or_"])  # fmt: skip
DECLARED = ("examples", "domain", "latex", "stacklevel")  # arguments that are for tests, people or printing


@dataclass(frozen=True)
class Mutant:
    """A change of one file: `old`, which begins at a byte, for `new`; `nth` of its like in the same function."""

    path: str
    function: str
    start: int
    line: int
    old: str
    new: str
    nth: int = 0

    @property
    def rank(self) -> str:
        text = "\0".join([self.path, self.function, self.old, self.new, str(self.nth)])
        return hashlib.sha256(text.encode()).hexdigest()

    def __str__(self) -> str:
        old, new = (" ".join(x.split()) for x in (self.old, self.new))
        return f"{self.path}:{self.line} ({self.function}): `{old[:90]}` → `{new[:90]}`"


def changes(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST | str]]:
    """Nodes at or just below this one, each with what may stand in its place."""
    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in SWAPS:
            yield node, other(node, ops=[SWAPS[type(op)](), *node.ops[1:]])
        case ast.BinOp() | ast.BoolOp() if type(node.op) in SWAPS:
            yield node, other(node, op=SWAPS[type(node.op)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node, node.operand
        case ast.Constant(value=bool() | int() | float() as value):
            yield node, repr(not value if isinstance(value, bool) else value + 1)
        case ast.Call(func=func, args=[a, b, *rest]) if ast.unparse(func).split(".")[-1] not in SYMMETRIC:
            if ast.dump(a) != ast.dump(b) and not any(isinstance(x, ast.Starred) for x in (a, b)):
                yield node, other(node, args=[b, a, *rest])
        case ast.Slice(lower=ast.expr() as end) | ast.Slice(lower=None, upper=ast.expr() as end):
            if not isinstance(end, ast.Constant):
                yield end, f"{ast.unparse(end)} + 1"
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield node, "return None"
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
            yield node, "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, "pass"
    if isinstance(node, ast.If | ast.IfExp) and isinstance(node.test, ast.Name | ast.Attribute | ast.Call):
        yield node.test, f"not {ast.unparse(node.test)}"


def other(node: Any, **fields: Any) -> Any:
    """The node with some fields changed."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def inner(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, without texts, annotations, decorators, and what is declared for tests and people."""
    spared: list[Any] = [getattr(node, name, None) for name in ("annotation", "returns", "op", "ops", "ctx")]
    spared += [*getattr(node, "decorator_list", []), *getattr(node, "type_params", [])]
    spared += [k for k in getattr(node, "keywords", []) if k.arg in DECLARED]
    return (child for child in ast.iter_child_nodes(node) if not any(child is x for x in spared))


def is_spared(node: ast.AST) -> bool:
    """Whether nothing in a node is to be changed."""
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Raise() | ast.pattern():
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            made = any(isinstance(x, ast.Call | ast.Lambda) for x in ast.walk(node))
            return name.lstrip("_").isupper() and not made
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.FunctionDef(name=name):
            return name in ("__repr__", "__str__") or name.startswith("_repr_")
    return False


def mutants_of(path: Path) -> list[Mutant]:
    """All mutants of a file."""
    source = path.read_text()
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: list[Mutant] = []
    alike: Counter[tuple[str, str, str]] = Counter()

    def visit(node: ast.AST, function: str) -> None:
        for at, new in changes(node):
            old = ast.get_source_segment(source, at)
            text = new if isinstance(new, str) else ast.unparse(new)
            if isinstance(at, ast.expr):
                text = f"({text})"
            assert old is not None
            like = (function, old, text)
            found.append(Mutant(str(path.relative_to(ROOT / "src" / "chainrule")), function,
                                starts[at.lineno - 1] + at.col_offset, at.lineno, old, text, alike[like]))  # fmt: skip
            alike[like] += 1
        if not is_spared(node):
            name = getattr(node, "name", "") if isinstance(node, ast.FunctionDef | ast.ClassDef) else ""
            for child in inner(node):
                visit(child, f"{function}.{name}".strip(".") if name else function)

    visit(ast.parse(source), "")
    return found


def sample(most: int) -> list[Mutant]:
    """The mutants of the run, as many from every package."""
    chosen: list[Mutant] = []
    for package in CONCERNED:
        files = (ROOT / "src" / "chainrule" / package).rglob("*.py")
        every = [m for path in files if not str(path).endswith(SPARED) for m in mutants_of(path)]
        chosen += sorted(every, key=lambda m: m.rank)[: most // len(CONCERNED)]
    return chosen


def stages(mutant: Mutant) -> list[str]:
    """What is tried until something fails: the file's own tests, the package's, and all."""
    package, stem = mutant.path.split("/")[0], Path(mutant.path).stem
    own = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests" / package).rglob(f"test_{stem}*.py"))
    first = f"{' '.join(own)} --doctest-modules src/chainrule/{mutant.path}"
    return [first, f"{CONCERNED[package]} --hypothesis-profile=short", EVERYTHING]


class Copies:
    """Copies of the project in a folder of their own, each for one run of tests at a time; machine code is shared."""

    def __init__(self, folder: Path, number: int, limit: float) -> None:
        self.limit, self._free = limit, SimpleQueue[Path]()
        for i in range(number):
            place = folder / str(i)
            for name in ("src", "tests", "docs", "examples", "benchmarks"):
                shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
            for file in ROOT.iterdir():
                if file.is_file():
                    shutil.copy(file, place)
            self._free.put(place)

    def judge(self, mutant: Mutant | None, tests: list[str]) -> str:
        """Which stage of the tests fails, or "" if none does."""
        place = self._free.get()
        try:
            if mutant is None:
                return self._first_failure(place, tests)
            file = place / "src" / "chainrule" / mutant.path
            whole = file.read_bytes()
            end = mutant.start + len(mutant.old.encode())
            file.write_bytes(whole[: mutant.start] + mutant.new.encode() + whole[end:])
            try:
                return self._first_failure(place, tests)
            finally:
                file.write_bytes(whole)
        finally:
            self._free.put(place)

    def _first_failure(self, place: Path, stages: list[str]) -> str:
        for tests in stages:
            command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider --no-header {tests}".split()
            settings = {"PYTHONPATH": str(place / "src"), "CHAINRULE_CACHE": str(place.parent / "cache")}
            with subprocess.Popen(
                command, cwd=place, env={**os.environ, **settings, "PYTHONDONTWRITEBYTECODE": "1"}, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            ) as run:  # fmt: skip
                try:
                    text, _ = run.communicate(timeout=self.limit)
                except subprocess.TimeoutExpired:
                    os.killpg(run.pid, signal.SIGKILL)
                    run.communicate()
                    return f"no end after {self.limit:.0f} s"
            if run.returncode == 4:
                raise RuntimeError(f"pytest refuses {tests!r}: {text[-500:]}")
            if run.returncode == -signal.SIGKILL:
                return KILLED
            if run.returncode not in (0, 5):  # 5: there is no such test
                named = [line for line in text.splitlines() if line.startswith(("FAILED", "ERROR"))]
                return named[0] if named else f"exit {run.returncode}: {text[-300:]}"
        return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=150, help="how many mutants")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds that one run of tests may take")
    parser.add_argument("--list", action="store_true", help="show the mutants and try none")
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it would be ignored, also by the tests
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    mutants = sample(given.sample)
    if given.list:
        print(*mutants, sep="\n")
        return 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.processes) as threads:
        copies = Copies(Path(folder), given.processes, given.limit)
        failing = copies.judge(None, [*{stages(m)[1] for m in mutants}, EVERYTHING])
        if failing:
            print(f"without any mutant: {failing}")
            return 2

        def judged(mutant: Mutant) -> tuple[Mutant, str, float]:
            started = time.perf_counter()
            return mutant, copies.judge(mutant, stages(mutant)), time.perf_counter() - started

        survivors = []
        for mutant, failure, seconds in threads.map(judged, mutants):
            print(f"{mutant}\n    {failure[:130] or 'SURVIVED'} ({seconds:.0f} s)", flush=True)
            survivors += [mutant] if failure in ("", KILLED) else []
    caught = len(mutants) - len(survivors)
    print(f"\n{caught} of {len(mutants)} caught ({100 * caught / len(mutants):.1f} %); survivors:")
    print(*(f"- {mutant}" for mutant in survivors), sep="\n")
    return int(caught < 0.9 * len(mutants))


if __name__ == "__main__":
    sys.exit(main())
