"""Settings of a training as what its outcome is differentiated by."""
