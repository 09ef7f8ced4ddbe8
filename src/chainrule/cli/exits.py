"""Exit codes of the commands; 2, for a command line that cannot be understood, is Typer's own."""

FAILED = 1
SIGNALLED = 128
"""Beside the number of the signal that ended a command."""

INTERRUPTED = SIGNALLED + 2
