"""The four traces: reverse, forward, a batch, and the one that writes Programs."""
