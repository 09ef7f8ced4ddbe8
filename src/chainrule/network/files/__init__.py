"""Networks, runs and checkpoints as files: written whole or not at all, read with nothing believed before it is checked."""
