"""Exit codes of the commands; 2, for a command line that cannot be understood, is Typer's own."""

FAILED = 1
INTERRUPTED = 130
