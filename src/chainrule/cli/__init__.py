"""The command line: `chainrule demo`, `train`, `evaluate` and `predict`."""

from __future__ import annotations

import sys

from chainrule.cli.exits import INTERRUPTED

__all__ = ["main"]


def main() -> None:
    """Run the command line, which is loaded here: Ctrl-C is heard while that goes on, as it is afterwards."""
    try:
        from chainrule.cli import app

        app.main()
    except KeyboardInterrupt:
        print("Error: stopped by Ctrl-C.", file=sys.stderr)
        sys.exit(INTERRUPTED)
