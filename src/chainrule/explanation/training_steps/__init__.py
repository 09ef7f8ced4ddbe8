"""One training step to walk through, taken as `fit` takes it."""
