"""The commands' names, and errors as one clear message instead of a traceback."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from chainrule.cli.console import complain
from chainrule.cli.exits import FAILED, INTERRUPTED, SIGNALLED
from chainrule.errors import ChainruleError
from chainrule.forks import load
from chainrule.tables import TableError, spell
from chainrule.tables.sources.room import keep_little
from chainrule.training.between_epochs.progress import is_open
from chainrule.training.between_epochs.signals import Terminated

MODULES = {
    name: name for name in ("demo", "train", "evaluate", "predict", "export", "explain", "view", "diagnose", "launch")
}
MODULES["evaluate"] = "predict"
"""The commands in order, and the modules that hold the functions of their names."""


class Loaded(Mapping[str, Any]):
    """Commands by name, each loaded when it is asked for: all of them take half a second, and one needs little of it."""

    def __init__(self) -> None:
        self._commands: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._commands:
            alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            alone.command(name)(getattr(load(f"chainrule.cli.{MODULES[name]}"), name))
            self._commands[name] = get_command(alone)
        return self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


class Commands(TyperGroup):
    """The commands together; what goes wrong in one is told in one message."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = Loaded()

    def invoke(self, ctx: Any) -> Any:
        """Carry out the command asked for."""
        try:
            return super().invoke(ctx)
        except TableError as error:
            complain(spell(error.message, command_line=True))
        except ChainruleError as error:
            complain(str(error))
        except BrokenPipeError:
            raise  # whoever reads the output has enough; the library below ends quietly
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            complain(f"{where}{error.strerror or error}.")
        except Terminated as ended:
            complain("stopped.")
            raise typer.Exit(SIGNALLED + ended.number) from None
        except KeyboardInterrupt:
            complain("stopped by Ctrl-C.")
            raise typer.Exit(INTERRUPTED) from None
        raise typer.Exit(FAILED)


app = typer.Typer(
    name="chainrule",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # which loads what reads e-mail

        typer.echo(f"chainrule {version('chainrule')}")
        raise typer.Exit


@app.callback()
def _chainrule(
    show: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Train neural networks on your own tables, and see why they predict and learn what they do."""


def _stand_in_for_missing_streams() -> None:
    """Programs with windows have no streams, and those in the background may have closed them; errors are said where they can be."""
    if not is_open(sys.stdout):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (open as long as the program runs)
    if not is_open(sys.stderr):
        sys.stderr = sys.stdout


ALLOCATOR = "_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0"
"""Polars' allocator would leave memory it has given up with the process, to be taken when the system needs it; most ask before."""


SEARCHED = 20_000
"""Objects made between two searches for unreachable ones, which by Python's 700 are a tenth of a command's time: columns are many."""


def main() -> None:
    """Run the command line."""
    os.environ.setdefault(*ALLOCATOR)  # heard when Polars is loaded, which is later
    keep_little()
    gc.freeze()
    gc.set_threshold(SEARCHED, 10, 10)
    _stand_in_for_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal knows its characters; files and pipes are given UTF-8
            stream.reconfigure(errors="replace") if stream.isatty() else stream.reconfigure(encoding="utf-8")
    app()
