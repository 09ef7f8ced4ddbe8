"""The command line, as `python -m chainrule`."""

from chainrule.cli import main

main()
