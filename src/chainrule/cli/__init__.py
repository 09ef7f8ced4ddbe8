"""The command line: `chainrule demo`, `train`, `evaluate` and `predict`."""

from chainrule.cli.app import main

__all__ = ["main"]
