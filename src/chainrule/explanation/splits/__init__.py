"""One gradient split by output, by sample and by path."""
