"""The tests with the oldest and with the newest versions that are allowed, on every Python that is installed here.

    python tests/versions.py [TESTS...]

Each gets an environment of its own in a temporary folder. The oldest versions are those that pyproject.toml names.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = [f"python3.{minor}" for minor in range(11, 20)]


def minima() -> list[str]:
    """Every requirement at the oldest version it allows, such as `numpy==2.0.0`."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    always, extras = (
        settings["tool"]["hatch"]["metadata"]["hooks"]["custom"],
        settings["project"]["optional-dependencies"],
    )
    lines = [
        line
        for group in (
            always["dependencies"],
            always["where-there-are-wheels"],
            extras["plot"],
            extras["sklearn"],
            extras["scipy"],
            extras["jax"],
            extras["view"],
            extras["onnx"],
            extras["dev"],
        )
        for line in group
        if ">=" in line
    ]
    found = (re.match(r"([\w-]+)>=([\d.]+)", line) for line in lines)
    return [f"{match[1]}=={match[2]}" for match in found if match]


def before(library: ModuleType, *version: int) -> bool:
    """Whether an installed library is older than this, for tests of what it has learned since."""
    return tuple(map(int, re.findall(r"\d+", library.__version__)[: len(version)])) < version


def runs(python: str) -> bool:
    """Whether this Python is there; a version manager leaves names of others, which only say that they are not."""
    return bool(shutil.which(python)) and subprocess.run([python, "--version"], capture_output=True).returncode == 0


def tried(python: str, versions: list[str], tests: list[str]) -> bool:
    """Whether the tests pass with these versions."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        own = next(path for path in (Path(folder, "bin/python"), Path(folder, "Scripts/python.exe")) if path.exists())
        subprocess.run([own, "-m", "pip", "install", "--quiet", f"{ROOT}[dev]", *versions], check=True)
        subprocess.run(
            [own, "-m", "pip", "uninstall", "--quiet", "--yes", "chainrule"], check=True
        )  # only what it needs
        subprocess.run([own, "-m", "pip", "install", "--quiet", "--no-deps", "--editable", ROOT], check=True)
        subprocess.run([own, "-m", "pip", "freeze", "--exclude-editable"], check=True)
        aged = {"PYTEST_ADDOPTS": "-W ignore::DeprecationWarning"} if versions else {}  # old libraries among newer ones
        run = [own, "-m", "pytest", "-n", "2", *tests]
        return subprocess.run(run, cwd=ROOT, env={**os.environ, **aged}).returncode == 0


def main(tests: list[str]) -> int:
    """Try them all; gives how many failed."""
    failed = []
    for python in filter(runs, PYTHONS):
        for name, versions in (("the oldest versions", minima()), ("the newest versions", [])):
            print(f"--- {python} with {name}", flush=True)
            try:
                passed = tried(python, versions, tests)
            except subprocess.CalledProcessError as error:
                print(error)
                passed = False
            if not passed:
                failed.append(f"{python} with {name}")
    print("failed:", "; ".join(failed) or "none")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
